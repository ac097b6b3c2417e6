//! The access log: one line, one count and one duration per request, also if the client disconnects before the response.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use http::header;
use http_body::Body as _;
use tracing::Span;

use crate::{
    http::request_context::RequestContext,
    telemetry::{
        json_log::AccessLine,
        metrics::{self, Counted},
        spans,
    },
};

/// The record of a request. It is written when it is dropped, so that a canceled request is logged too.
pub(in crate::http) struct AccessRecord {
    start: Instant,
    template: Option<MatchedPath>,
    line: AccessLine,
    span: Span,
    _in_flight: Counted,
}

impl AccessRecord {
    pub(in crate::http) fn new(
        request: &Request,
        method: &'static str,
        context: Arc<RequestContext>,
        span: Span,
    ) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT).cloned();
        // 499 is what nginx logs if the client disconnects.
        let line = AccessLine { method, status: 499, duration: Duration::ZERO, bytes: None, user_agent, context };
        let template = request.extensions().get::<MatchedPath>().cloned();
        Self { start: Instant::now(), template, line, span, _in_flight: Counted::request() }
    }

    /// Records the status of the response, and the size of its body if it is known in advance.
    pub(in crate::http) fn set_response(&mut self, response: &Response) {
        self.line.status = response.status().as_u16();
        self.line.bytes = response.body().size_hint().exact();
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        self.line.duration = duration;
        let AccessLine { method, status, context, .. } = &self.line;
        let (method, status) = (*method, *status);
        let template = self.template.as_ref().map(MatchedPath::as_str);
        let trace_id = spans::sent_trace(&self.span);
        match &context.operation {
            // HEAD matches the operation of GET, but has metrics of its own.
            Some(operation) if operation.method == method => {
                operation.metrics.record(operation.method, &operation.path, status, duration, trace_id);
            }
            _ => metrics::record_request(method, template.unwrap_or("unmatched"), status, duration, trace_id),
        }
        self.line.set_attributes(&self.span, template);
        self.line.write(&self.span);
    }
}
