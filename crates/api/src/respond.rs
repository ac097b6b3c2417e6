//! Helpers that build responses.

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A JSON response. The body is encoded first, so that nothing can fail after the status is set.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    encode(value).map_or_else(Problem::into_response, |body| json_bytes(status, body))
}

/// Encodes a value as JSON. A failure is a bug: it is logged.
pub(crate) fn encode(value: &impl Serialize) -> Result<Bytes, Problem> {
    // Boxed without spare capacity: a cache may keep it.
    serde_json::to_vec(value).map(|json| Bytes::from(json.into_boxed_slice())).map_err(|error| {
        tracing::error!(%error, "failed to encode a response");
        Problem::internal()
    })
}

/// A response whose body is encoded already.
pub(crate) fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // The middleware adds a dozen headers: the map does not have to grow for them.
    *response.headers_mut() = HeaderMap::with_capacity(16);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Adds a header that the server computed. An invalid value is a bug: it is logged and the header is omitted.
pub(crate) fn with_header(mut response: Response, name: header::HeaderName, value: String) -> Response {
    match HeaderValue::try_from(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(error) => tracing::error!(%error, %name, "invalid header value"),
    }
    response
}

/// A strong validator (RFC 9110, section 8.8.3): the version of the row.
#[derive(ToSchema)]
#[schema(pattern = r#"^"[0-9]+"$"#)]
#[expect(dead_code, reason = "only its schema is used: utoipa takes the type of a header")]
pub(crate) struct EntityTag(String);

/// The URI of a new resource.
#[derive(ToSchema)]
#[schema(format = "uri-reference")]
#[expect(dead_code, reason = "only its schema is used: utoipa takes the type of a header")]
pub(crate) struct Location(String);
