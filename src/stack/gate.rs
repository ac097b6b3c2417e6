//! What stands between a request and its handler: the rate limit, the contract, and the deadline.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::problem::{Kind, Problem};
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    info::RequestInfo,
    way::{Next, Step},
};
use crate::{
    config::HttpConfig,
    rate_limit::RateLimiter,
    telemetry,
    validation::{self, BodyLimits},
};

/// What stands between a request and its handler.
pub(super) struct Gate {
    limiter: Option<RateLimiter>,
    body: BodyLimits,
    deadline: Duration,
}

impl Gate {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            limiter: config.rate_limit.map(RateLimiter::new),
            body: BodyLimits { max_bytes: config.max_body_bytes, timeout: config.body_timeout },
            deadline: config.request_timeout,
        }
    }

    /// Against whose limit the request counts, if the contract says that the operation has one.
    fn limit(&self, info: &RequestInfo) -> Option<(&RateLimiter, SocketAddr)> {
        let limiter = self.limiter.as_ref()?;
        let peer = info.peer?;
        info.operation.as_ref()?.limited.then_some((limiter, peer))
    }

    /// Holds the request against the contract; documents have nothing to be held against.
    async fn hold(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        let valid = match &info.operation {
            Some(operation) => validation::validate(operation, request, self.body).await,
            None => Ok(request),
        };
        match valid {
            Ok(request) => self.deadline(info, request, next).await,
            Err(problem) => problem.into_response(),
        }
    }

    /// Answers 503 when the time is over.
    ///
    /// A request that may change something runs in a task of its own: when the time is over, or the client hangs up, it
    /// goes on to its end, so that no write is cut in the middle.
    async fn deadline(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        let safe = request.method().is_safe();
        let span = tracing::debug_span!("handler");
        let answer = if safe {
            tokio::time::timeout(self.deadline, next.run(info, request).instrument(span)).await.ok()
        } else {
            let (next, below) = (next.clone(), info.clone());
            let work = async move { next.run(&below, request).await }.instrument(span).in_current_span();
            let task = tokio::spawn(telemetry::within(info.clone(), work));
            match tokio::time::timeout(self.deadline, task).await {
                Ok(Ok(response)) => Some(response),
                Ok(Err(error)) => match error.try_into_panic() {
                    // The panic guard is above, in the task that waits.
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => None,
                },
                Err(_) => None,
            }
        };
        answer.unwrap_or_else(|| {
            let unknown = if safe { "" } else { " Whether it was done is not known: look before you try again." };
            let limit = humantime::format_duration(self.deadline);
            Problem::unavailable(format!("There was no answer within {limit}.{unknown}")).into_response()
        })
    }
}

impl Step for Gate {
    async fn pass(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        let Some((limiter, peer)) = self.limit(info) else { return self.hold(info, request, next).await };
        let quotum = limiter.check(peer.ip());
        let mut response = match quotum.retry_after {
            None => self.hold(info, request, next).await,
            Some(seconds) => Problem::new(Kind::TooManyRequests, format!("Wait {seconds} s before you try again."))
                .with_retry_after(seconds)
                .into_response(),
        };
        limiter.write_headers(quotum, response.headers_mut());
        response
    }
}
