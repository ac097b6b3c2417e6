//! Settings of logs and traces.

use http::Uri;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use super::parse::{Parsed, expected, list, optional, settings, text};

settings! {
    "Telemetry"
    /// Logs and traces.
    TelemetryArgs => TelemetryConfig {
        /// Format of the log: `pretty` for people, `json` for programs. Empty: pretty on a terminal, else json.
        log_format: Option<LogFormat> = optional(log_format), "", "FORMAT";

        /// Events to log, as filters of `tracing`: `debug`, `info,sqlx=debug`.
        #[arg(long = "log")]
        rust_log: String = log_filter, "info,sqlx::postgres::notice=warn", "FILTER";

        /// Receiver of traces: the base URL of an OTLP receiver over HTTP, such as `http://localhost:4318`. Empty: none.
        #[arg(hide_env_values = true)]
        otel_exporter_otlp_endpoint: Option<String> = optional(otlp_endpoint), "", "URL";

        /// Name of this service in traces.
        otel_service_name: String = text, "web_server", "NAME";
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

fn otlp_endpoint(value: &str) -> Parsed<String> {
    let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match value.parse::<Uri>() {
        Ok(uri) if is_http(&uri) => Ok(value.trim_end_matches('/').to_owned()),
        _ => expected("a URL, such as http://localhost:4318"),
    }
}
