//! Changes without a precondition (RFC 6585, section 3).

use api::problem::{Problem, ProblemType};
use axum::extract::Request;
use http::header;

use crate::http::request_context::RequestContext;

/// Refuses a request without `If-Match` to an operation that documents 428, if preconditions are required.
///
/// # Errors
/// 428.
pub(in crate::http) fn check(is_required: bool, context: &RequestContext, request: &Request) -> Result<(), Problem> {
    let is_conditional = context.operation.as_ref().is_some_and(|operation| operation.conditional);
    if is_required && is_conditional && !request.headers().contains_key(header::IF_MATCH) {
        let detail = "This server refuses changes without the header If-Match.";
        return Err(Problem::new(ProblemType::PreconditionRequired, detail));
    }
    Ok(())
}
