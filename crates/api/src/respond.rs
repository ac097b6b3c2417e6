//! The answers that handlers give, and the headers that they share.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A JSON body. The bytes are made at once, so that nothing can fail once the status is chosen.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "a response did not encode");
            Problem::internal().into_response()
        }
    }
}

/// Adds a header whose value the server made itself; one that is no header value is a bug and is left out.
pub(crate) fn with_header(mut response: Response, name: header::HeaderName, value: String) -> Response {
    match HeaderValue::try_from(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(error) => tracing::error!(%error, %name, "not a header value"),
    }
    response
}

/// A strong validator (RFC 9110, section 8.8.3): the version of the row.
#[derive(ToSchema)]
#[schema(pattern = r#"^"[0-9]+"$"#)]
#[expect(dead_code, reason = "only its schema is used: utoipa takes the type of a header")]
pub(crate) struct EntityTag(String);

/// The address of a new resource.
#[derive(ToSchema)]
#[schema(format = "uri-reference")]
#[expect(dead_code, reason = "only its schema is used: utoipa takes the type of a header")]
pub(crate) struct Location(String);
