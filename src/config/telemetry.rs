//! Settings of logs and traces.

use http::Uri;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use super::parse::{Parsed, boolean, expected, integer, list, optional, settings, text};

settings! {
    "Telemetry"
    /// Logs and traces.
    TelemetryArgs => TelemetryConfig {
        /// Format of the log: `pretty` for people, `json` for programs. Empty: pretty on a terminal, else json.
        log_format: Option<LogFormat> = optional(log_format), "", "FORMAT";

        /// Events to log, as filters of `tracing`: `debug`, `info,sqlx=debug`.
        #[arg(long = "log")]
        rust_log: String = log_filter, "info,sqlx::postgres::notice=warn,sqlx::pool=error", "FILTER";

        /// Send no traces, whatever the other settings are.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        otel_sdk_disabled: bool = boolean, "false", "BOOL";

        /// Where traces are sent: `otlp` or `none`. Empty: `otlp` if an endpoint is set, else `none`.
        otel_traces_exporter: Option<TracesExporter> = optional(traces_exporter), "", "NAME";

        /// Receiver of traces: the base URL of an OTLP receiver, to which `/v1/traces` is added over HTTP. Empty:
        /// `http://localhost:4318`, or `http://localhost:4317` over gRPC, if OTEL_TRACES_EXPORTER is `otlp`.
        otel_exporter_otlp_endpoint: Option<Uri> = optional(otlp_endpoint), "", "URL";

        /// Receiver of traces: the whole URL. It takes precedence over OTEL_EXPORTER_OTLP_ENDPOINT.
        otel_exporter_otlp_traces_endpoint: Option<Uri> = optional(otlp_endpoint), "", "URL";

        /// Protocol of the receiver: `http/protobuf` or `grpc`.
        otel_exporter_otlp_protocol: OtlpProtocol = protocol, "http/protobuf", "NAME";

        /// The same for traces. Empty: that of OTEL_EXPORTER_OTLP_PROTOCOL.
        otel_exporter_otlp_traces_protocol: Option<OtlpProtocol> = optional(protocol), "", "NAME";

        /// Compression of what is sent: `gzip` or `none`.
        otel_exporter_otlp_compression: Compression = compression, "none", "NAME";

        /// The same for traces. Empty: that of OTEL_EXPORTER_OTLP_COMPRESSION.
        otel_exporter_otlp_traces_compression: Option<Compression> = optional(compression), "", "NAME";

        /// Which traces are sent: `always_on`, `always_off`, `traceidratio`, or one of these with `parentbased_` in front, which
        /// follows the decision of a caller that sends `traceparent`.
        otel_traces_sampler: TracesSampler = sampler, "parentbased_always_on", "NAME";

        /// The part of the traces that `traceidratio` sends, from 0 to 1.
        otel_traces_sampler_arg: f64 = ratio, "1", "RATIO";

        /// Maximum number of spans that wait to be sent; further ones are dropped, counted and logged.
        otel_bsp_max_queue_size: usize = integer(512, 1_000_000), "2048", "N";

        /// Form of the trace of a caller: `tracecontext` (W3C Trace Context). `baggage` may be in the list, and is ignored.
        otel_propagators: () = propagators, "tracecontext,baggage", "NAMES";

        /// Name of this service in traces.
        otel_service_name: String = text, "web_server", "NAME";
    }
}

impl TelemetryConfig {
    /// Returns the protocol of the receiver of traces.
    pub(crate) fn traces_protocol(&self) -> OtlpProtocol {
        self.otel_exporter_otlp_traces_protocol.unwrap_or(self.otel_exporter_otlp_protocol)
    }

    /// Returns the URL to which traces are sent. `None`: to nowhere.
    pub(crate) fn traces_url(&self) -> Option<String> {
        let base = self.otel_exporter_otlp_endpoint.as_ref();
        let whole = self.otel_exporter_otlp_traces_endpoint.as_ref();
        let is_enabled = match self.otel_traces_exporter {
            _ if self.otel_sdk_disabled => false,
            Some(exporter) => exporter == TracesExporter::Otlp,
            None => base.is_some() || whole.is_some(),
        };
        let (default, path) = match self.traces_protocol() {
            OtlpProtocol::Http => ("http://localhost:4318", "/v1/traces"),
            // The path of a call is that of its method.
            OtlpProtocol::Grpc => ("http://localhost:4317", ""),
        };
        let of_base = || {
            let base = base.map_or_else(|| default.to_owned(), ToString::to_string);
            format!("{}{path}", base.trim_end_matches('/'))
        };
        is_enabled.then(|| whole.map_or_else(of_base, ToString::to_string))
    }
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// The protocol of a receiver of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// Protobuf over HTTP.
    Http,
    /// gRPC.
    Grpc,
}

/// The compression of what is sent to a receiver of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// RFC 1952.
    Gzip,
}

/// Where traces are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracesExporter {
    /// To a receiver of the OpenTelemetry protocol.
    Otlp,
    /// To nowhere.
    None,
}

/// Which traces are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracesSampler {
    /// Whether the decision of the caller is followed.
    pub is_parent_based: bool,
    /// The decision otherwise.
    pub root: RootSampler,
}

/// Which traces are sent that begin here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootSampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// A part of them.
    TraceIdRatio,
}

fn log_format(value: &str) -> Parsed<LogFormat> {
    match value {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => expected("pretty or json"),
    }
}

/// Checks a filter and returns its text, since a filter cannot be cloned.
fn log_filter(value: &str) -> Parsed<String> {
    // EnvFilter takes a single word that is not a level for a target, and disables the log of every other target.
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    let is_target = |directive: &str| !directive.contains(['=', '[']) && !is_level(directive);
    if EnvFilter::try_new(value).is_err() || list(value).any(is_target) {
        return expected("a level (error, warn, info, debug, trace) or filters such as info,sqlx=debug");
    }
    Ok(value.to_owned())
}

fn otlp_endpoint(value: &str) -> Parsed<Uri> {
    let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match value.parse::<Uri>() {
        Ok(uri) if is_http(&uri) => Ok(uri),
        _ => expected("a URL, such as http://localhost:4318"),
    }
}

fn traces_exporter(value: &str) -> Parsed<TracesExporter> {
    match value {
        "otlp" => Ok(TracesExporter::Otlp),
        "none" => Ok(TracesExporter::None),
        _ => expected("otlp or none"),
    }
}

fn protocol(value: &str) -> Parsed<OtlpProtocol> {
    match value {
        "http/protobuf" => Ok(OtlpProtocol::Http),
        "grpc" => Ok(OtlpProtocol::Grpc),
        _ => expected("http/protobuf or grpc"),
    }
}

fn compression(value: &str) -> Parsed<Compression> {
    match value {
        "none" => Ok(Compression::None),
        "gzip" => Ok(Compression::Gzip),
        _ => expected("gzip or none"),
    }
}

fn sampler(value: &str) -> Parsed<TracesSampler> {
    let root = value.strip_prefix("parentbased_");
    let is_parent_based = root.is_some();
    let root = match root.unwrap_or(value) {
        "always_on" => RootSampler::AlwaysOn,
        "always_off" => RootSampler::AlwaysOff,
        "traceidratio" => RootSampler::TraceIdRatio,
        _ => return expected("always_on, always_off or traceidratio, or one of these with parentbased_ in front"),
    };
    Ok(TracesSampler { is_parent_based, root })
}

fn ratio(value: &str) -> Parsed<f64> {
    match value.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => expected("a number from 0 to 1, such as 0.1"),
    }
}

fn propagators(value: &str) -> Parsed<()> {
    let mut names = list(value);
    let is_known = |name: &str| matches!(name, "tracecontext" | "baggage");
    if list(value).all(is_known) && names.any(|name| name == "tracecontext") {
        return Ok(());
    }
    expected("tracecontext, or tracecontext,baggage: other forms of the trace of a caller are not supported")
}
