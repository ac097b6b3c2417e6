//! Typed views of a request that is already validated.
//!
//! The validation middleware reads the path, the query and the body once, validates them against the contract's schemas,
//! fills in the contract's defaults, and stores an [`Input`] in the request's extensions. These extractors only decode it.
//! A decode error after validation means that the contract and the types differ: a bug. The response is 500, the error
//! is logged, and `contract_decode_failures_total` counts it.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// The content of a validated request, as JSON.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The path parameters, by name.
    pub path: Map<String, Value>,
    /// The query parameters, by name, with defaults filled in.
    pub query: Map<String, Value>,
    /// The header parameters, by name in lower case.
    pub header: Map<String, Value>,
    /// The body, if the request has one.
    pub body: Option<Value>,
}

/// The path parameters, as `T`.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// The query parameters, as `T`.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The header parameters, as `T`.
#[derive(Debug)]
pub struct Header<T>(pub T);

/// The body, as `T`.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The extractors differ only in the part of the input that they decode.
macro_rules! decode_from_input {
    ($($extractor:ident: $take:expr;)*) => {$(
        impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for $extractor<T> {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
                let take: fn(&mut Input) -> Value = $take;
                let value = parts.extensions.get_mut().map(take).unwrap_or_default();
                serde_json::from_value(value).map($extractor).map_err(|error| {
                    tracing::error!(%error, "failed to decode a validated request: the contract and the Rust types differ");
                    ::metrics::counter!("contract_decode_failures_total").increment(1);
                    Problem::internal()
                })
            }
        }
    )*};
}

decode_from_input! {
    Path: |input| Value::Object(std::mem::take(&mut input.path));
    Query: |input| Value::Object(std::mem::take(&mut input.query));
    Header: |input| Value::Object(std::mem::take(&mut input.header));
    Body: |input| input.body.take().unwrap_or_default();
}
