//! OPTIONS requests, and the header `Allow`.

use api::problem::{Problem, ProblemType};
use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::cors::Cors;
use crate::contract::operations::{self, Operations};

/// Responds to an OPTIONS request with the methods of the path or of the server (RFC 9110, section 9.3.7), or to a CORS
/// preflight. `None` if the path is unknown and the request is not a preflight.
pub(in crate::http) async fn respond(operations: &Operations, cors: &Cors, request: &mut Request) -> Option<Response> {
    let allow = match request.uri().path() {
        "*" => Some(operations::allow(&["GET", "POST", "PUT", "PATCH", "DELETE"])),
        _ => request.extensions().get::<MatchedPath>().map(|path| allow(operations, path)),
    };
    let preflight = cors.respond_to_preflight(request).await;
    if preflight.is_none() && allow.is_none() {
        return None;
    }
    let mut response = preflight.unwrap_or_else(|| StatusCode::NO_CONTENT.into_response());
    response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    Some(response)
}

/// Returns the response to a method that a path does not support.
pub(in crate::http) fn method_not_allowed(operations: &Operations, path: Option<&MatchedPath>) -> Response {
    let problem = Problem::new(ProblemType::MethodNotAllowed, "This path does not support this method.");
    let mut response = problem.into_response();
    if let Some(path) = path {
        response.headers_mut().insert(header::ALLOW, allow(operations, path));
    }
    response
}

/// A path that has a route but is not in the contract is a document, which is read-only.
fn allow(operations: &Operations, path: &MatchedPath) -> HeaderValue {
    operations.allow(path.as_str()).cloned().unwrap_or_else(|| operations::allow(&["GET"]))
}
