//! Logs and traces: structured events on standard output, and spans to an OTLP receiver if there is one.
//!
//! A request's span carries its id, and the trace that the caller names in `traceparent` (W3C Trace Context); the spans of
//! the handler and of the store lie in it. The log tells the trace's id whether spans are sent or not.

use std::{
    cell::RefCell,
    fmt::Write as _,
    future::Future,
    io::{self, IsTerminal, Write},
    panic,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::extract::MatchedPath;
use futures_util::future::Either;
use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{Status, TraceContextExt, TraceId, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::{Event, Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::filter_fn,
    fmt::{
        self, FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    layer::SubscriberExt,
    registry::{LookupSpan, Registry},
    util::SubscriberInitExt,
};

use crate::{
    config::{LogConfig, LogFormat},
    log_writer::LogWriter,
    operations::Operation,
    source,
    stack::RequestInfo,
};

/// Whether spans are sent. Where they are not, nothing is worked out for them.
static EXPORTS: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads the spans of requests but the lines of the log, which [`InRequest`] writes them into.
static LOG_ALONE: AtomicBool = AtomicBool::new(false);

/// Writes the log.
static LOG: OnceLock<LogWriter> = OnceLock::new();

/// The same, where lines are JSON.
static JSON_LOG: OnceLock<LogWriter> = OnceLock::new();

tokio::task_local! {
    /// The request that is worked on, where [`LOG_ALONE`] is set.
    static REQUEST: Arc<RequestInfo>;
}

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

/// Writes the lines that wait. Later ones are lost: for the end of the process.
pub fn flush_log() {
    if let Some(log) = LOG.get() {
        log.close();
    }
}

/// Where a line of JSON may be written, if that is what the log is made of.
pub(crate) fn json_log() -> Option<&'static LogWriter> {
    JSON_LOG.get()
}

/// Starts logging to standard output, panics included, and sending spans. Lines are written by a thread of its own, many at
/// a time when there are many; call [`Telemetry::flush`] or [`flush_log`] before the process ends.
///
/// # Errors
/// The exporter cannot be built, or there can be no more threads.
pub fn init(config: &LogConfig) -> Result<Telemetry, String> {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Filters can name spans and their fields, `[request{operation=getUser}]=debug`, and deeper spans can be asked for.
    let reads_spans = config.filter.contains('[') || filter.max_level_hint() > Some(LevelFilter::INFO);
    let writer = LogWriter::start(io::stdout()).map_err(|error| format!("the log cannot be written: {error}"))?;
    let lines = writer.clone();
    let log = fmt::layer().with_writer(move || lines.clone());
    let log = match config.format {
        // Colours are for people: a file that they are written to is harder to read.
        LogFormat::Pretty => log.with_ansi(std::io::stdout().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => {
            let format = fmt::format().json().flatten_event(true).with_span_list(false);
            log.json().event_format(InRequest(format)).with_filter(filter).boxed()
        }
    };
    let traces =
        config.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, &config.service_name)).transpose()?;
    let spans = traces.as_ref().map(|provider| {
        EXPORTS.store(true, Ordering::Relaxed);
        // Our own spans, down to those of the store, whatever the log shows; events belong in the log.
        let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("web_server"));
        tracing_opentelemetry::layer::<Registry>().with_tracer(provider.tracer("web_server")).with_filter(ours).boxed()
    });
    let exports = spans.is_some();
    // One list, so that both layers stand on the bare registry.
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = spans.into_iter().chain([log]).collect();
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        let _ = LOG.set(writer.clone());
        if config.format == LogFormat::Json {
            let _ = JSON_LOG.set(writer);
            LOG_ALONE.store(!exports && !reads_spans && !new_span("", None).is_disabled(), Ordering::Relaxed);
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

// ---- Spans of requests ----------------------------------------------------------------------------------------------

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

/// The span of a request, part of the caller's trace if it names one; and the id of its trace, if it has one. Where nobody
/// reads spans there is none: it would cost as much as a tenth of a small request.
pub(crate) fn request_span(
    id: &HeaderValue,
    operation: Option<&Operation>,
    method: &'static str,
    route: Option<&MatchedPath>,
    headers: &HeaderMap,
) -> (Span, Option<TraceId>) {
    let parent = parent(headers);
    if LOG_ALONE.load(Ordering::Relaxed) {
        return (Span::none(), parent.map(|parent| parent.span().span_context().trace_id()));
    }
    let span = new_span(id.to_str().unwrap_or_default(), operation.map(|operation| operation.id.as_str()));
    let trace_id = if EXPORTS.load(Ordering::Relaxed) {
        // Name, kind and parent are fixed once the span's context is looked at.
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {}", route.as_str()));
        span.record("otel.name", name);
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

/// Works on a request: the lines of the log that are written meanwhile say so.
pub(crate) fn within<T>(request: Arc<RequestInfo>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    // No `async fn`: its future would hold the work twice.
    if LOG_ALONE.load(Ordering::Relaxed) { Either::Left(REQUEST.scope(request, work)) } else { Either::Right(work) }
}

/// Events as JSON, with the request that they belong to where it has no span.
struct InRequest(Format<Json>);

impl<S, N> FormatEvent<S, N> for InRequest
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let request = REQUEST.try_with(Arc::clone).ok().filter(|_| context.lookup_current().is_none());
        let Some(request) = request else { return self.0.format_event(context, writer, event) };
        let mut line = String::with_capacity(512);
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let mut span = Vec::with_capacity(128);
        write_span(&request, &mut span).map_err(|_| std::fmt::Error)?;
        // The span is the last member of a line.
        let members = line.trim_end().strip_suffix('}').unwrap_or(&line);
        writeln!(writer, r#"{members},"span":{}}}"#, String::from_utf8_lossy(&span))
    }
}

/// What the span of a request tells the log, as `tracing` writes it.
pub(crate) fn write_span(request: &RequestInfo, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'{');
    // Ids are made of letters, digits and a few marks that JSON lets stand.
    if let Some(operation) = &request.operation {
        line.extend_from_slice(br#""operation":""#);
        line.extend_from_slice(operation.id.as_bytes());
        line.extend_from_slice(br#"","#);
    }
    line.extend_from_slice(br#""request_id":""#);
    line.extend_from_slice(request.id.as_bytes());
    line.push(b'"');
    if let Some(trace_id) = request.trace_id {
        write!(line, r#","trace_id":"{trace_id}""#)?;
    }
    line.extend_from_slice(br#","name":"request"}"#);
    Ok(())
}

/// The time of a line, as `tracing` writes it: `2026-11-23T03:15:04.123456Z`.
pub(crate) fn write_time(line: &mut Vec<u8>) {
    thread_local! {
        /// The second of the last line, and its text.
        static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    let now = source::system_time();
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.timestamp() {
            *second = now.timestamp();
            text.clear();
            // Memory takes all that is written to it.
            let _ = write!(text, "{}", now.format("%Y-%m-%dT%H:%M:%S."));
        }
        line.extend_from_slice(text.as_bytes());
    });
    // Seven digits, of which the first is dropped: those that are left have their leading zeros. A leap second has more.
    let micros = now.timestamp_subsec_micros().min(999_999);
    let mut digits = itoa::Buffer::new();
    line.extend_from_slice(&digits.format(1_000_000 + micros).as_bytes()[1..]);
    line.push(b'Z');
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
