//! The JSON format of the log: events, and lines of the access log.
//!
//! Events are formatted by `tracing-subscriber`. Access log lines, one per request, are formatted here: as events they would
//! cost more than everything else that the server does for a small request. Both have the same format.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    io::{self, Write},
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use http::HeaderValue;
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::{
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
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

/// Formats events as JSON, with the request that is being processed, if it has no span.
pub(super) struct JsonEvents(pub(super) Format<Json>);

impl<S, N> FormatEvent<S, N> for JsonEvents
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let request = spans::current_request().filter(|_| context.lookup_current().is_none());
        let Some(request) = request else { return self.0.format_event(context, writer, event) };
        let mut line = String::with_capacity(512);
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let mut span = Vec::with_capacity(128);
        write_span(&request, &mut span).map_err(|_| fmt::Error)?;
        // The span is the last member of a line.
        let members = line.trim_end().strip_suffix('}').unwrap_or(&line);
        writeln!(writer, r#"{members},"span":{}}}"#, String::from_utf8_lossy(&span))
    }
}

// ---- Access log -----------------------------------------------------------------------------------------------------

/// A line of the access log.
pub(crate) struct AccessLine {
    pub(crate) method: &'static str,
    pub(crate) status: u16,
    pub(crate) duration_us: u64,
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
        tracing::info!(
            target: target!(),
            method = self.method,
            path = self.context.uri.path(),
            status = self.status,
            duration_us = self.duration_us,
            bytes = self.bytes,
            client = self.client().map(tracing::field::display),
            caller = self.context.caller.get().map(|name| &**name),
            user_agent = self.user_agent(),
        );
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
        line.extend_from_slice(br#"","level":"INFO","method":""#);
        line.extend_from_slice(self.method.as_bytes());
        line.extend_from_slice(br#"","path":"#);
        serde_json::to_writer(&mut *line, self.context.uri.path())?;
        line.extend_from_slice(br#","status":"#);
        line.extend_from_slice(digits.format(self.status).as_bytes());
        line.extend_from_slice(br#","duration_us":"#);
        line.extend_from_slice(digits.format(self.duration_us).as_bytes());
        if let Some(bytes) = self.bytes {
            line.extend_from_slice(br#","bytes":"#);
            line.extend_from_slice(digits.format(bytes).as_bytes());
        }
        if let Some(client) = self.client() {
            line.extend_from_slice(br#","client":""#);
            write_address(client, line)?;
            line.push(b'"');
        }
        if let Some(caller) = self.context.caller.get() {
            line.extend_from_slice(br#","caller":"#);
            serde_json::to_writer(&mut *line, &**caller)?;
        }
        if let Some(agent) = self.user_agent() {
            line.extend_from_slice(br#","user_agent":"#);
            serde_json::to_writer(&mut *line, agent)?;
        }
        line.extend_from_slice(concat!(r#","target":""#, target!(), r#"","span":"#).as_bytes());
        write_span(&self.context, line)?;
        line.extend_from_slice(b"}\n");
        Ok(())
    }
}

// ---- Parts of a line ------------------------------------------------------------------------------------------------

/// Writes the span of a request as `tracing-subscriber` does.
fn write_span(request: &RequestContext, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'{');
    // Ids consist of characters that need no escape in JSON.
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
            let _ = write!(text, "{}", now.format("%Y-%m-%dT%H:%M:%S."));
        }
        line.extend_from_slice(text.as_bytes());
    });
    // Formats seven digits and drops the first, which keeps leading zeros. A leap second has more than 999,999 µs.
    let micros = now.timestamp_subsec_micros().min(999_999);
    let mut digits = itoa::Buffer::new();
    line.extend_from_slice(&digits.format(1_000_000 + micros).as_bytes()[1..]);
    line.push(b'Z');
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
