//! Starts and flushes logs and traces.

use std::{
    io::{self, IsTerminal},
    panic,
    sync::OnceLock,
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, registry::Registry, util::SubscriberInitExt,
};

use super::{
    json_log::{self, JsonEvents},
    log_writer::LogWriter,
    spans, trace_export,
};
use crate::config::{LogFormat, TelemetryConfig};

/// The writer of the log.
static LOG: OnceLock<LogWriter> = OnceLock::new();

/// Logs and traces that must be flushed before the process ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Exports the remaining spans and flushes the log.
    pub(crate) fn flush(&self) {
        if let Some(Err(error)) = self.traces.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "failed to export the last spans");
        }
        flush_log();
    }
}

/// Writes the buffered lines of the log. Later lines are lost: call it only before the process ends.
pub(crate) fn flush_log() {
    if let Some(log) = LOG.get() {
        log.close();
    }
}

/// Starts logging to standard output or standard error, panics included, and exporting spans. A thread of its own writes the lines; call
/// [`Telemetry::flush`] or [`flush_log`] before the process ends.
///
/// # Errors
/// The exporter or the thread cannot be started.
pub(crate) fn init(config: &TelemetryConfig, is_log_on_stdout: bool) -> Result<Telemetry, String> {
    let filter = EnvFilter::try_new(&config.rust_log).unwrap_or_else(|_| EnvFilter::new("info"));
    // Filters can match spans and their fields, `[request{operation=getUser}]=debug`, and enable spans of lower levels.
    let filter_uses_spans = config.rust_log.contains('[') || filter.max_level_hint() > Some(LevelFilter::INFO);
    let (writer, is_terminal) = if is_log_on_stdout {
        (LogWriter::start(io::stdout()), io::stdout().is_terminal())
    } else {
        (LogWriter::start(io::stderr()), io::stderr().is_terminal())
    };
    let writer = writer.map_err(|error| format!("cannot start the log writer: {error}"))?;
    let lines = writer.clone();
    let log = fmt::layer().with_writer(move || lines.clone());
    let format = config.log_format.unwrap_or(if is_terminal { LogFormat::Pretty } else { LogFormat::Json });
    let log = match format {
        LogFormat::Pretty => log.with_ansi(is_terminal).with_filter(filter).boxed(),
        LogFormat::Json => {
            let format = fmt::format().json().flatten_event(true).with_current_span(false).with_span_list(false);
            log.json().event_format(JsonEvents(format)).with_filter(filter).boxed()
        }
    };
    let traces = config.traces_url().map(|url| trace_export::provider(&url, config)).transpose()?;
    let exporter = traces.as_ref().map(|provider| {
        spans::enable_export();
        // The spans of this crate at every level, whatever the log contains. Events are only in the log.
        let own_spans = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("web_server"));
        let layer = tracing_opentelemetry::layer::<Registry>()
            .with_tracer(provider.tracer("web_server"))
            .with_tracked_inactivity(false);
        layer.with_filter(own_spans).boxed()
    });
    let exports = exporter.is_some();
    // One list, so that both layers are on the bare registry.
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = exporter.into_iter().chain([log]).collect();
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        let _ = LOG.set(writer.clone());
        if format == LogFormat::Json {
            // A filter with spans has no such form: then access log lines are events.
            if let Ok(targets) = config.rust_log.parse() {
                json_log::enable(writer, &targets);
            }
            if !exports && !filter_uses_spans {
                spans::disable_for_log();
            }
        }
        panic::set_hook(Box::new(|info| tracing::error!(%info, "panic")));
    }
    Ok(Telemetry { traces })
}
