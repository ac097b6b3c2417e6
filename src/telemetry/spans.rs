//! The span of a request: part of the log, and of the caller's trace.
//!
//! The span has the id of the request and of the trace, which the caller sends in `traceparent` (W3C Trace Context). The spans
//! of the handler and of the storage are its children. The log has the trace id whether spans are exported or not.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::extract::MatchedPath;
use futures_util::future::Either;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TraceId},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{contract::operations::Operation, http::request_context::RequestContext};

/// Whether spans are exported.
static EXPORTED: AtomicBool = AtomicBool::new(false);

/// Whether only the JSON log uses the spans of requests. Then no span is created: that would cost a tenth of a small request.
/// The log uses [`current_request`] instead.
static LOG_ONLY: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    /// The request that is being processed, if [`LOG_ONLY`] is set.
    static REQUEST: Arc<RequestContext>;
}

/// Records that spans are exported.
pub(super) fn enable_export() {
    EXPORTED.store(true, Ordering::Relaxed);
}

/// Creates no spans from now on, unless the filter excludes them anyway.
pub(super) fn disable_for_log() {
    LOG_ONLY.store(!new_span("", None).is_disabled(), Ordering::Relaxed);
}

/// Returns the request that is being processed, if it has no span.
pub(super) fn current_request() -> Option<Arc<RequestContext>> {
    REQUEST.try_with(Arc::clone).ok()
}

/// Runs the work of a request, so that its log lines contain the request.
pub(crate) fn in_request<T>(request: Arc<RequestContext>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    // Not an `async fn`: its future would contain the work twice.
    if LOG_ONLY.load(Ordering::Relaxed) { Either::Left(REQUEST.scope(request, work)) } else { Either::Right(work) }
}

fn new_span(request_id: &str, operation: Option<&str>) -> Span {
    tracing::info_span!(
        "request",
        request_id,
        operation,
        trace_id = tracing::field::Empty,
        otel.name = tracing::field::Empty,
        otel.kind = tracing::field::Empty,
    )
}

/// Returns the span of a request, in the caller's trace if there is one, and the id of the trace.
pub(crate) fn request_span(
    id: &HeaderValue,
    operation: Option<&Operation>,
    method: &'static str,
    route: Option<&MatchedPath>,
    headers: &HeaderMap,
) -> (Span, Option<TraceId>) {
    let parent = parent(headers);
    if LOG_ONLY.load(Ordering::Relaxed) {
        return (Span::none(), parent.map(|parent| parent.span().span_context().trace_id()));
    }
    let span = new_span(id.to_str().unwrap_or_default(), operation.map(|operation| operation.id.as_str()));
    let trace_id = if are_exported() {
        // Name, kind and parent cannot change after the context of the span is used.
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {}", route.as_str()));
        span.record("otel.name", name);
        span.record("otel.kind", "server");
        if let Some(parent) = &parent {
            // Fails only if no span is exported.
            let _ = span.set_parent(parent.clone());
        }
        // A span that the filters exclude has no trace.
        let trace_id = span.context().span().span_context().trace_id();
        (trace_id != TraceId::INVALID).then_some(trace_id)
    } else {
        parent.map(|parent| parent.span().span_context().trace_id())
    };
    if let Some(trace_id) = trace_id {
        span.record("trace_id", tracing::field::display(trace_id));
    }
    (span, trace_id)
}

/// Whether spans are exported.
pub(super) fn are_exported() -> bool {
    EXPORTED.load(Ordering::Relaxed)
}

/// Returns the trace of a span, if it is sent to a receiver.
pub(crate) fn sent_trace(span: &Span) -> Option<TraceId> {
    if !are_exported() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_sampled().then(|| context.trace_id())
}

/// Returns the span of work that several requests share: a child of the first span, to which all of them link.
pub(crate) fn shared_span<'a>(spans: impl Iterator<Item = &'a Span> + Clone) -> Span {
    let mut spans = spans.filter(|span| !span.is_disabled());
    let Some(first) = spans.clone().next() else { return Span::none() };
    let shared = tracing::debug_span!(parent: first, "batch");
    if are_exported() {
        let context = shared.context().span().span_context().clone();
        spans.by_ref().for_each(|span| span.add_link(context.clone()));
    }
    shared
}

/// Returns the caller's trace, if `traceparent` has one (W3C Trace Context, section 3.2).
fn parent(headers: &HeaderMap) -> Option<Context> {
    const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
    if !headers.contains_key(TRACEPARENT) {
        return None;
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    context.span().span_context().is_valid().then_some(context)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
