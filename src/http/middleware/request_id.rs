//! The id of a request, in the header `X-Request-Id`.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{http::request_context::RequestContext, ids::IdGenerator};

pub(in crate::http) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Returns the client's id if it matches the schema in the contract, or a new id.
pub(in crate::http) fn get_or_generate(headers: &HeaderMap, ids: &dyn IdGenerator) -> HeaderValue {
    valid_id(headers).unwrap_or_else(|| {
        let mut text = uuid::Uuid::encode_buffer();
        let text = ids.generate_random().hyphenated().encode_lower(&mut text);
        // A UUID is a valid header value.
        HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}

fn valid_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_allowed)).then(|| id.clone())
}

/// Adds the id to a response.
pub(in crate::http) fn add(context: &RequestContext, headers: &mut HeaderMap) {
    headers.insert(X_REQUEST_ID, context.id.clone());
}
