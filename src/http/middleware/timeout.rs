//! The timeout of a request, which includes the server's own time only.

use std::{sync::Arc, time::Duration};

use api::problem::Problem;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
    routing::Route,
};
use tower::Service;
use tracing::Instrument;

use crate::{
    http::request_context::RequestContext,
    telemetry::{metrics::count_shed, spans},
};

/// The maximum time to process a request after it is read.
pub(in crate::http) struct Timeout(pub(in crate::http) Duration);

impl Timeout {
    /// Calls a route. Returns 503 on timeout.
    ///
    /// A request with an unsafe method runs in a task of its own: after a timeout, or if the client disconnects, it runs to
    /// its end, so that no write is interrupted.
    pub(in crate::http) async fn call(
        &self,
        route: &Route,
        context: &Arc<RequestContext>,
        request: Request,
    ) -> Response {
        let is_safe = request.method().is_safe();
        let span = tracing::debug_span!("handler");
        let response = if is_safe {
            tokio::time::timeout(self.0, run(route.clone(), request).instrument(span)).await.ok()
        } else {
            let work = run(route.clone(), request).instrument(span).in_current_span();
            let task = tokio::spawn(spans::in_request(context.clone(), work));
            match tokio::time::timeout(self.0, task).await {
                Ok(Ok(response)) => Some(response),
                Ok(Err(error)) => match error.try_into_panic() {
                    // `catch_panic` catches it.
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => None,
                },
                Err(_) => None,
            }
        };
        response.unwrap_or_else(|| {
            let cause = format!("The request timed out after {}.", humantime::format_duration(self.0));
            count_shed("timeout");
            // A request with an unsafe method may only read, such as one with a long list of ids.
            let writes = context.operation.as_ref().is_some_and(|operation| operation.writes);
            let problem = if writes { Problem::outcome_unknown(cause) } else { Problem::unavailable(cause) };
            problem.into_response()
        })
    }
}

async fn run(mut route: Route, request: Request) -> Response {
    match route.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
