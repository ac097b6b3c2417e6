//! Logs and traces: structured events on standard output, and spans to an OTLP receiver if there is one.
//!
//! A request's span carries its id, and the trace that the caller names in `traceparent` (W3C Trace Context); the spans of
//! the handler and of the store lie in it. The log tells the trace's id whether spans are sent or not.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    panic,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{Status, TraceContextExt, TraceId, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, registry::Registry, util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Whether spans are sent. Where they are not, nothing is worked out for them.
static EXPORTS: AtomicBool = AtomicBool::new(false);

/// Lines of the log that wait to be written, at most. When so many wait, whoever has one more waits too: none is lost.
const WAITING_LINES: usize = 16 * 1024;

/// The writer of the log, where lines are JSON.
static JSON_LOG: OnceLock<NonBlocking> = OnceLock::new();

/// Writes what waits, when it is dropped.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

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
        flush_log();
    }
}

/// What the log's thread writes to. It flushes when no line waits; then it rests for a moment, so that the next lines gather
/// and neither they nor the thread that writes them cost a system call each.
struct Batches<W: Write>(BufWriter<W>);

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.0.flush();
        thread::sleep(Duration::from_millis(1));
        flushed
    }
}

/// Writes the lines that wait. Later ones are lost: for the end of the process.
pub fn flush_log() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Where a line of JSON may be written, if that is what the log is made of.
pub(crate) fn json_log() -> Option<NonBlocking> {
    JSON_LOG.get().cloned()
}

/// Starts logging to standard output, panics included, and sending spans. Lines are written by a thread of its own, many at
/// a time when there are many; call [`Telemetry::flush`] or [`flush_log`] before the process ends.
///
/// # Errors
/// The exporter cannot be built.
pub fn init(config: &LogConfig) -> Result<Telemetry, String> {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let writer = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (writer, guard) = writer.finish(Batches(BufWriter::with_capacity(64 * 1024, std::io::stdout())));
    let log = fmt::layer().with_writer(writer.clone());
    let log = match config.format {
        // Colours are for people: a file that they are written to is harder to read.
        LogFormat::Pretty => log.with_ansi(std::io::stdout().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
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
        WRITER.lock().unwrap_or_else(PoisonError::into_inner).replace(guard);
        if config.format == LogFormat::Json {
            let _ = JSON_LOG.set(writer);
        }
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

/// The span of a request, part of the caller's trace if it names one; and the id of its trace, if it has one.
pub(crate) fn request_span(
    request_id: &str,
    operation: Option<&str>,
    method: &'static str,
    route: Option<&str>,
    headers: &HeaderMap,
) -> (Span, Option<TraceId>) {
    let span = tracing::info_span!(
        "request",
        request_id,
        operation,
        trace_id = tracing::field::Empty,
        otel.name = tracing::field::Empty,
        otel.kind = tracing::field::Empty,
    );
    let parent = parent(headers);
    let trace_id = if EXPORTS.load(Ordering::Relaxed) {
        // Name, kind and parent are fixed once the span's context is looked at.
        span.record("otel.name", route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")));
        span.record("otel.kind", "server");
        if let Some(parent) = &parent {
            // Fails only where no span is sent at all.
            let _ = span.set_parent(parent.clone());
        }
        Some(span.context().span().span_context().trace_id())
    } else {
        parent.map(|parent| parent.span().span_context().trace_id())
    };
    if let Some(trace_id) = trace_id {
        span.record("trace_id", tracing::field::display(trace_id));
    }
    (span, trace_id)
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
