//! Completes problems with the path and the id of the request, and the URL that clients use.

use api::{problem::Problem, public_url::PublicUrl};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::request_context::RequestContext;

/// Characters that hyper accepts in a path, but that are not allowed in a URI reference (RFC 3986, section 3.3).
const NOT_IN_A_URI: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Sets `instance` and `request_id` of a problem, and closes the connection where that is necessary.
pub(in crate::http) fn complete(public_url: &PublicUrl, response: &mut Response, context: &RequestContext) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    let id = context.id.to_str().unwrap_or_default();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    if closes_connection(response.status()) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let instance = utf8_percent_encode(context.uri.path(), NOT_IN_A_URI).to_string();
    *response.body_mut() = problem.complete(public_url, &instance, id).to_json().into();
}

/// Whether the rest of a body may follow, which cannot be distinguished from the next request.
fn closes_connection(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE)
}
