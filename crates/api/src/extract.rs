//! Typed views of a request that has already been validated against the contract.
//!
//! The validation layer reads the path, the query and the body once, checks them against the contract's schemas, fills
//! in the contract's defaults, and leaves an [`Input`] in the request's extensions. The extractors here only decode it.
//! A decode that fails after validation means that the contract and the types disagree: a bug of ours, answered with
//! 500, logged, and counted in `contract_decode_failures_total`.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// What a request says, as JSON: valid by the contract.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The parameters in the path, by name.
    pub path: Map<String, Value>,
    /// The parameters in the query, by name, defaults filled in.
    pub query: Map<String, Value>,
    /// The parameters in the header, by name in lower case.
    pub header: Map<String, Value>,
    /// The body, where the operation has one.
    pub body: Option<Value>,
}

/// The path parameters, as `T`.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// The query parameters, as `T`.
#[derive(Debug)]
pub struct Query<T>(pub T);

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
                    tracing::error!(%error, "a valid request did not decode: the contract and the types disagree");
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
    Body: |input| input.body.take().unwrap_or_default();
}
