//! Validates every request against the contract, before its handler runs.
//!
//! The order is fixed: parameters and `Accept`, then the media type, size and syntax of the body, and last its schema. A
//! step reports every violation. The result is an [`Input`], which the extractors in `crates/api` decode.

use api::{
    accept,
    extract::Input,
    problem::{Problem, ProblemType},
};
use axum::extract::Request;

use crate::{
    contract::{
        body::{self, BodyLimits},
        parameters,
    },
    http::request_context::RequestContext,
};

/// Validates a request and adds its [`Input`] to its extensions. A request without an operation, such as for a document, is
/// not validated.
///
/// # Errors
/// 400, 406, 408, 413, 415 or 422.
pub(in crate::http) async fn validate(
    context: &RequestContext,
    mut request: Request,
    limits: BodyLimits,
) -> Result<Request, Problem> {
    let Some(operation) = &context.operation else { return Ok(request) };
    let mut input = Input::default();
    parameters::read(operation, &mut request, &mut input).await?;
    if !accept::accepts(request.headers(), &operation.produces) {
        let detail = format!("The response is available as {}.", operation.produces.join(" or "));
        return Err(Problem::new(ProblemType::NotAcceptable, detail));
    }
    input.body = body::read(operation, &mut request, limits).await?;
    // Without parameters and body, no extractor reads the input.
    if !(operation.parameters.is_empty() && operation.bodies.is_empty()) {
        request.extensions_mut().insert(input);
    }
    Ok(request)
}
