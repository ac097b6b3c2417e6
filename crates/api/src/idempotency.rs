//! The origin of a write: its caller, and its idempotency key (draft-ietf-httpapi-idempotency-key-header-07), with which a client
//! that repeats a write gets its first result.

use std::sync::Arc;

use axum::{extract::FromRequestParts, response::Response};
use http::{HeaderName, HeaderValue, header, request::Parts};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{caller::CallerName, extract::Input, problem::Problem};

/// The header of a response to a retry.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The value of the header. The contract's schema `IdempotencyKey` validates it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(pattern = r##"^("[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$"##)]
#[expect(dead_code, reason = "only its schema is used: `Origin` reads the header")]
pub(crate) struct IdempotencyKey(String);

/// The header of a write that a client may repeat.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its schema is used: `Origin` reads the header")]
pub(crate) struct IdempotencyHeader {
    #[serde(rename = "Idempotency-Key")]
    #[param(nullable = false)]
    idempotency_key: Option<IdempotencyKey>,
}

/// The key of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// A hash of the caller and the key: keys of different callers are different.
    pub id: Uuid,
    /// A hash of what the client asked for: the method, the path, the body and the preconditions.
    pub fingerprint: Uuid,
}

impl Key {
    /// The request headers that change what a write does.
    const PRECONDITIONS: [HeaderName; 2] = [header::IF_MATCH, header::IF_NONE_MATCH];

    fn new(key: &str, parts: &Parts, body: Option<&Value>) -> Self {
        // `"key"` is a string of structured fields (RFC 9651). Many clients send it without the quotes.
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        let header = |name: &HeaderName| {
            let values = parts.headers.get_all(name).iter();
            values.map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b","[..])
        };
        let caller = parts.extensions.get::<CallerName>().map_or(&[][..], |caller| caller.0.as_bytes());
        // Members are in the order of their names, and the body is valid JSON: encoding cannot fail.
        let body = body.map(|body| serde_json::to_vec(body).unwrap_or_default());
        let [if_match, if_none_match] = Self::PRECONDITIONS.map(|name| header(&name));
        let request = [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &if_match, &if_none_match];
        Self {
            id: hash(&[caller, key.as_bytes()]),
            fingerprint: hash(&[&request[..], &[body.as_deref().unwrap_or_default()]].concat()),
        }
    }
}

/// Returns the first half of a hash of these parts. Half is enough to be unique, and has a type in every database.
fn hash(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    Uuid::from_bytes(half)
}

/// Where a write comes from.
///
/// It is a handler's parameter before the body, which a later one takes out of the request.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Who made the request. `None` if the server needs no credentials.
    pub caller: Option<Arc<str>>,
    /// The key, if the request has one.
    pub key: Option<Key>,
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let input = parts.extensions.get::<Input>();
        let header = |name: &str| name.eq_ignore_ascii_case("idempotency-key");
        let key = input.and_then(|input| input.header.iter().find(|(name, _)| header(name)));
        let key = key.and_then(|(_, key)| key.as_str());
        let caller = parts.extensions.get::<CallerName>().map(|caller| caller.0.clone());
        Ok(Self { caller, key: key.map(|key| Key::new(key, parts, input.and_then(|input| input.body.as_ref()))) })
    }
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// What it returned.
    pub value: T,
    /// Whether it was done by an earlier request with the same key.
    pub is_replayed: bool,
}

impl<T> Written<T> {
    /// Returns the result of a write that was done for this request.
    pub fn now(value: T) -> Self {
        Self { value, is_replayed: false }
    }

    /// Applies a function to what it returned.
    pub fn map<U>(self, function: impl FnOnce(T) -> U) -> Written<U> {
        Written { value: function(self.value), is_replayed: self.is_replayed }
    }

    /// Returns a response with the result, and the header of a retry if it is one.
    pub(crate) fn respond(self, response: impl FnOnce(T) -> Response) -> Response {
        let mut response = response(self.value);
        if self.is_replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
