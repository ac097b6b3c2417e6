//! Keyset pagination by id, for every resource whose ids are in the order of creation.

use axum::response::Response;
use http::{Uri, header};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::respond::with_header;

/// The parameters of a list operation: one page, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// The maximum number of items, 1 to 100.
    #[param(value_type = i32, required = false, minimum = 1, maximum = 100, default = 50)]
    pub limit: u32,
    /// Continue after the item with this id, in descending order of ids.
    #[param(nullable = false)]
    pub cursor: Option<Uuid>,
}

impl Page {
    /// Returns the exclusive upper bound of the ids to read, newest first, and [`Page::rows`].
    pub fn window(&self) -> (Uuid, i64) {
        // Every UUID of version 7 is less than the maximum UUID, so this bound includes the newest item.
        (self.cursor.unwrap_or(Uuid::max()), self.rows())
    }

    /// Returns the number of rows to read: one more than the page has, which shows whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Truncates the rows to this page, and returns the cursor of the next page, if there is one.
    pub fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
        let limit = self.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| more).map(id)
    }
}

/// Adds a `Link` header with the next page, if there is one (RFC 8288): the URI of this page with
/// the cursor in `parameter`.
pub(crate) fn with_next(response: Response, uri: &Uri, parameter: &str, next_cursor: Option<Uuid>) -> Response {
    let Some(cursor) = next_cursor else { return response };
    let mut query = form_urlencoded::Serializer::new(String::new());
    let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(parameters.filter(|(name, _)| name != parameter));
    query.append_pair(parameter, &cursor.to_string());
    with_header(response, header::LINK, format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish()))
}
