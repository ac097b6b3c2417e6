//! Logs and traces: structured events on standard output, and spans to an OTLP receiver if there is one.
//!
//! A request's span carries its id, and the trace that the caller names in `traceparent` (W3C Trace Context); the spans of
//! the handler and of the store lie in it. The log tells the trace's id whether spans are sent or not.

use std::{
    io::IsTerminal,
    panic,
    sync::atomic::{AtomicBool, Ordering},
};

use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{Status, TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, registry::Registry, util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Whether spans are sent. Where they are not, nothing is worked out for them.
static EXPORTS: AtomicBool = AtomicBool::new(false);

/// What must be done before the process ends.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends the spans that are still here.
    pub fn flush(&self) {
        if let Some(Err(error)) = self.traces.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Starts logging to standard output, panics included, and sending spans.
///
/// # Errors
/// The exporter cannot be built.
pub fn init(config: &LogConfig) -> Result<Telemetry, String> {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = match config.format {
        // Colours are for people: a file that they are written to is harder to read.
        LogFormat::Pretty => fmt::layer().with_ansi(std::io::stdout().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    };
    let traces =
        config.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, &config.service_name)).transpose()?;
    let spans = traces.as_ref().map(|provider| {
        EXPORTS.store(true, Ordering::Relaxed);
        // Our own spans, down to those of the store, whatever the log shows; events belong in the log.
        let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("web_server"));
        tracing_opentelemetry::layer::<Registry>().with_tracer(provider.tracer("web_server")).with_filter(ours).boxed()
    });
    // One list, so that both layers stand on the bare registry.
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = spans.into_iter().chain([log]).collect();
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        panic::set_hook(Box::new(|info| tracing::error!(%info, "panic")));
    }
    Ok(Telemetry { traces })
}

fn provider(endpoint: &str, service: &str) -> Result<SdkTracerProvider, String> {
    let exporter = SpanExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/traces")).build();
    let exporter = exporter.map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {error}"))?;
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The span of a request: part of the caller's trace if it names one.
pub(crate) fn request_span(
    request_id: &str,
    operation: Option<&str>,
    method: &'static str,
    route: Option<&str>,
    headers: &HeaderMap,
) -> Span {
    let span = tracing::info_span!(
        "request",
        request_id,
        operation,
        trace_id = tracing::field::Empty,
        otel.name = tracing::field::Empty,
        otel.kind = tracing::field::Empty,
    );
    let parent = parent(headers);
    if EXPORTS.load(Ordering::Relaxed) {
        // Name, kind and parent are fixed once the span's context is looked at.
        span.record("otel.name", route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")));
        span.record("otel.kind", "server");
        if let Some(parent) = &parent {
            // Fails only where no span is sent at all.
            let _ = span.set_parent(parent.clone());
        }
        let context = span.context();
        span.record("trace_id", tracing::field::display(context.span().span_context().trace_id()));
    } else if let Some(parent) = &parent {
        span.record("trace_id", tracing::field::display(parent.span().span_context().trace_id()));
    }
    span
}

/// What only an OTLP receiver is told of a request, by OpenTelemetry's semantic conventions for HTTP servers.
pub(crate) fn describe(span: &Span, method: &'static str, route: Option<&str>, path: &str, status: u16) {
    if !EXPORTS.load(Ordering::Relaxed) {
        return;
    }
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.response.status_code", i64::from(status));
    span.set_attribute("url.path", path.to_owned());
    if let Some(route) = route {
        span.set_attribute("http.route", route.to_owned());
    }
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

/// The caller's trace, if `traceparent` names one (W3C Trace Context, section 3.2).
fn parent(headers: &HeaderMap) -> Option<Context> {
    if !headers.contains_key("traceparent") {
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
