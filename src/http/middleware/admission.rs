//! Admission: refuses a request that would make the server exceed a limit of its own, before any work is done for it.

use api::problem::Problem;
use axum::extract::Request;

use crate::{
    http::{request_context::RequestContext, unsent_responses::TooManyUnsent},
    telemetry::metrics::count_shed,
};

/// Refuses requests over HTTP/2 while too many responses wait for their clients. Probes are always answered.
///
/// # Errors
/// 503.
pub(in crate::http) fn check(context: &RequestContext, request: &Request) -> Result<(), Problem> {
    let is_probe = context.operation.as_ref().is_some_and(|operation| operation.probe);
    if !is_probe && request.extensions().get::<TooManyUnsent>().is_some() {
        count_shed("responses");
        return Err(Problem::unavailable("Too many responses wait for their clients. Nothing was done."));
    }
    Ok(())
}
