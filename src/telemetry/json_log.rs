//! The JSON format of the log: events, and lines of the access log.
//!
//! Events are formatted by `tracing-subscriber`. Access log lines, one per request, are formatted here: as events they would
//! cost more than everything else that the server does for a small request. Both have the same format: one object without
//! objects in it, with the names of the semantic conventions of OpenTelemetry where they have one.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    io::{self, Write},
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::HeaderValue;
use opentelemetry::trace::Status;
use serde_json::{Map, Value};
use tracing::{Event, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{Format, Json, Writer},
    },
    registry::{LookupSpan, Scope},
};

use super::{log_writer::LogWriter, spans};
use crate::{clock, http::request_context::RequestContext};

/// The target of access log lines: `RUST_LOG=info,access=off` disables them.
macro_rules! target {
    () => {
        "access"
    };
}

/// How access log lines are written, if not as events: by this writer, or not at all.
static LINES: OnceLock<Option<LogWriter>> = OnceLock::new();

/// Writes access log lines in the JSON format, if the filter enables them.
///
/// The filter is evaluated once, not with `tracing::enabled!` for each line: that leaves its result behind for the next event or
/// span of the thread, which other layers then drop (tokio-rs/tracing#2519).
pub(super) fn enable(writer: LogWriter, filter: &Targets) {
    let is_enabled = filter.would_enable(target!(), &tracing::Level::INFO);
    let _ = LINES.set(is_enabled.then_some(writer));
}

// ---- Events ---------------------------------------------------------------------------------------------------------

/// Formats events as JSON, with the fields of the spans around them, or of the request that is being processed, if it has no span.
pub(super) struct JsonEvents(pub(super) Format<Json>);

impl<S, N> FormatEvent<S, N> for JsonEvents
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::with_capacity(512);
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(line.trim_end().strip_suffix('}').unwrap_or(&line))?;
        // The same field of an inner span takes precedence, since a name is there once.
        let mut members = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.as_str());
            members.extend(serde_json::from_str::<Map<String, Value>>(fields).unwrap_or_default());
        }
        // Those are for the receiver of traces.
        for (name, value) in members.iter().filter(|(name, _)| !name.starts_with("otel.")) {
            write!(writer, ",\"{name}\":{value}")?;
        }
        if let Some(request) = spans::current_request().filter(|_| context.lookup_current().is_none()) {
            let mut members = Vec::with_capacity(128);
            write_request(&request, &mut members).map_err(|_| fmt::Error)?;
            writer.write_str(&String::from_utf8_lossy(&members))?;
        }
        writer.write_str("}\n")
    }
}

// ---- Access log -----------------------------------------------------------------------------------------------------

/// A line of the access log.
pub(crate) struct AccessLine {
    pub(crate) method: &'static str,
    pub(crate) status: u16,
    pub(crate) duration: Duration,
    /// The size of the response body, if it is known in advance.
    pub(crate) bytes: Option<u64>,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) context: Arc<RequestContext>,
}

impl AccessLine {
    /// Writes the line in the format of the log, unless the filter excludes it. As an event, if the format is not JSON or the
    /// filter depends on spans.
    pub(crate) fn write(&self, span: &Span) {
        if let Some(lines) = LINES.get() {
            let Some(writer) = lines else { return };
            let mut json = Vec::with_capacity(512);
            // Writing to memory cannot fail.
            let _ = self.write_json(&mut json);
            writer.line(&json);
            return;
        }
        let _entered = span.enter();
        tracing::event!(
            target: target!(),
            tracing::Level::INFO,
            http.request.method = self.method,
            url.path = self.context.uri.path(),
            http.response.status_code = self.status,
            http.server.request.duration = self.duration.as_secs_f64(),
            http.response.body.size = self.bytes,
            client.address = self.client().map(tracing::field::display),
            enduser.id = self.context.caller.get().map(|name| &**name),
            user_agent.original = self.user_agent(),
        );
    }

    /// Sets the attributes of a span that is exported, by the semantic conventions of OpenTelemetry for HTTP servers.
    pub(crate) fn set_attributes(&self, span: &Span, route: Option<&str>) {
        if !spans::are_exported() {
            return;
        }
        span.set_attribute("http.request.method", self.method);
        span.set_attribute("http.response.status_code", i64::from(self.status));
        span.set_attribute("url.scheme", if self.context.has_tls() { "https" } else { "http" });
        span.set_attribute("url.path", self.context.uri.path().to_owned());
        for (name, value) in [
            ("http.route", route.map(str::to_owned)),
            ("client.address", self.client().map(|client| client.to_string())),
            ("enduser.id", self.context.caller.get().map(ToString::to_string)),
            ("user_agent.original", self.user_agent().map(str::to_owned)),
        ] {
            if let Some(value) = value {
                span.set_attribute(name, value);
            }
        }
        if self.status >= 500 {
            span.set_attribute("error.type", self.status.to_string());
            span.set_status(Status::error(""));
        }
    }

    fn client(&self) -> Option<IpAddr> {
        self.context.origin.map(|origin| origin.client)
    }

    fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_ref().and_then(|agent| agent.to_str().ok())
    }

    /// Text from the client is written as a JSON string, so that it can neither end the line nor add a member.
    fn write_json(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let mut digits = itoa::Buffer::new();
        line.extend_from_slice(br#"{"timestamp":""#);
        write_time(line);
        line.extend_from_slice(br#"","level":"INFO","http.request.method":""#);
        line.extend_from_slice(self.method.as_bytes());
        line.extend_from_slice(br#"","url.path":"#);
        serde_json::to_writer(&mut *line, self.context.uri.path())?;
        line.extend_from_slice(br#","http.response.status_code":"#);
        line.extend_from_slice(digits.format(self.status).as_bytes());
        line.extend_from_slice(br#","http.server.request.duration":"#);
        line.extend_from_slice(digits.format(self.duration.as_secs()).as_bytes());
        write_micros(self.duration.subsec_micros(), line);
        if let Some(bytes) = self.bytes {
            line.extend_from_slice(br#","http.response.body.size":"#);
            line.extend_from_slice(digits.format(bytes).as_bytes());
        }
        if let Some(client) = self.client() {
            line.extend_from_slice(br#","client.address":""#);
            write_address(client, line)?;
            line.push(b'"');
        }
        if let Some(caller) = self.context.caller.get() {
            line.extend_from_slice(br#","enduser.id":"#);
            serde_json::to_writer(&mut *line, &**caller)?;
        }
        if let Some(agent) = self.user_agent() {
            line.extend_from_slice(br#","user_agent.original":"#);
            serde_json::to_writer(&mut *line, agent)?;
        }
        line.extend_from_slice(concat!(r#","target":""#, target!(), r#"""#).as_bytes());
        write_request(&self.context, line)?;
        line.extend_from_slice(b"}\n");
        Ok(())
    }
}

// ---- Parts of a line ------------------------------------------------------------------------------------------------

/// Writes the fields of the span of a request, a comma in front of each. Ids consist of characters that need no escape in JSON.
fn write_request(request: &RequestContext, line: &mut Vec<u8>) -> io::Result<()> {
    if let Some(operation) = &request.operation {
        line.extend_from_slice(br#","operation":""#);
        line.extend_from_slice(operation.id.as_bytes());
        line.push(b'"');
    }
    line.extend_from_slice(br#","request_id":""#);
    line.extend_from_slice(request.id.as_bytes());
    line.push(b'"');
    if let Some(trace_id) = request.trace_id {
        write!(line, r#","trace_id":"{trace_id}""#)?;
    }
    Ok(())
}

/// Writes the time as `tracing-subscriber` does: `2026-11-23T03:15:04.123456Z`.
fn write_time(line: &mut Vec<u8>) {
    thread_local! {
        /// The second of the last line, and its text.
        static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    let now = clock::system_time();
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.timestamp() {
            *second = now.timestamp();
            text.clear();
            // Writing to memory cannot fail.
            let _ = write!(text, "{}", now.format("%Y-%m-%dT%H:%M:%S"));
        }
        line.extend_from_slice(text.as_bytes());
    });
    // A leap second has more than 999,999 µs.
    write_micros(now.timestamp_subsec_micros().min(999_999), line);
    line.push(b'Z');
}

/// Writes the microseconds of a second with their point, as `.004213`.
fn write_micros(micros: u32, line: &mut Vec<u8>) {
    line.push(b'.');
    // Formats seven digits and drops the first, which keeps leading zeros.
    line.extend_from_slice(&itoa::Buffer::new().format(1_000_000 + micros).as_bytes()[1..]);
}

fn write_address(address: IpAddr, line: &mut Vec<u8>) -> io::Result<()> {
    let IpAddr::V4(address) = address else { return write!(line, "{address}") };
    let mut digits = itoa::Buffer::new();
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            line.push(b'.');
        }
        line.extend_from_slice(digits.format(octet).as_bytes());
    }
    Ok(())
}
