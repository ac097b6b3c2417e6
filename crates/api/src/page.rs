//! Pages, keyed by id: the same for every resource whose ids are in the order of creation.

use axum::response::Response;
use http::header;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::respond::with_header;

/// Which page of a list, newest first.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// How many items at most, 1 to 100.
    #[param(value_type = i32, required = false, minimum = 1, maximum = 100, default = 50)]
    pub limit: u32,
    /// Go on after the item of this id, in descending order of ids.
    #[param(nullable = false)]
    pub cursor: Option<Uuid>,
}

impl Page {
    /// What to ask the store for: items whose id is less than the first, and at most as many as the second. That is one
    /// more than a page holds, which tells whether there is a next page.
    pub fn window(&self) -> (Uuid, i64) {
        // No id of version 7 comes near the greatest UUID, so it stands for "from the newest on".
        (self.cursor.unwrap_or(Uuid::max()), i64::from(self.limit) + 1)
    }

    /// Cuts what the store found to this page, and gives the cursor of the next, if there is one.
    pub fn cut<T>(&self, found: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
        let limit = self.limit as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        found.last().filter(|_| more).map(id)
    }
}

/// Adds the address of the next page of `path`, if there is one (RFC 8288).
pub(crate) fn with_next(response: Response, path: &str, page: Page, next_cursor: Option<Uuid>) -> Response {
    match next_cursor {
        Some(cursor) => {
            let next = format!("<{path}?limit={}&cursor={cursor}>; rel=\"next\"", page.limit);
            with_header(response, header::LINK, next)
        }
        None => response,
    }
}
