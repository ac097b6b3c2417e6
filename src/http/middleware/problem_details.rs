//! Completes problems with the path and the id of the request, and the URL that clients use.

use api::{problem::Problem, public_url::PublicUrl};
use axum::response::Response;
use http::header;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::request_context::RequestContext;

/// Characters that hyper accepts in a path, but that are not allowed in a URI reference (RFC 3986, section 3.3).
const NOT_IN_A_URI: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Sets `instance` and `request_id` of a problem.
pub(in crate::http) fn complete(public_url: &PublicUrl, response: &mut Response, context: &RequestContext) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    let id = context.id.to_str().unwrap_or_default();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let instance = utf8_percent_encode(context.uri.path(), NOT_IN_A_URI).to_string();
    *response.body_mut() = problem.complete(public_url, &instance, id).to_json().into();
}
