//! The access log: one line, one count and one duration for every request, also for one whose client hung up.
//!
//! In JSON the line is put together by hand: as an event of `tracing` it would cost more than all the rest that the
//! server does for a small request. It looks the same as the lines of events do.

use std::{
    io::{self, Write as _},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::{MatchedPath, Request};
use http::{HeaderValue, StatusCode, header};
use tracing::Span;

use crate::{
    metrics::{self, Counted},
    stack::RequestInfo,
    telemetry,
};

/// What filters know the lines by: `RUST_LOG=info,access=off` keeps them away.
macro_rules! target {
    () => {
        "access"
    };
}

/// What is known of a request. It is written when it is dropped, so that a request that is cut off is written too.
pub(crate) struct AccessRecord {
    start: Instant,
    method: &'static str,
    /// The template of the path, if it has one.
    template: Option<MatchedPath>,
    user_agent: Option<HeaderValue>,
    status: u16,
    bytes: Option<u64>,
    info: Arc<RequestInfo>,
    span: Span,
    _in_flight: Counted,
}

impl AccessRecord {
    /// Begins with a request, the label of its method, what is known of it, and its span.
    pub(crate) fn new(request: &Request, method: &'static str, info: Arc<RequestInfo>, span: Span) -> Self {
        Self {
            start: Instant::now(),
            method,
            template: request.extensions().get::<MatchedPath>().cloned(),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            // What nginx logs when the client hangs up. It stands until there is an answer.
            status: 499,
            bytes: None,
            info,
            span,
            _in_flight: Counted::request(),
        }
    }

    /// Notes the answer, and how many bytes its body has if that is known before it is sent.
    pub(crate) fn answered(&mut self, status: StatusCode, bytes: Option<u64>) {
        self.status = status.as_u16();
        self.bytes = bytes;
    }

    fn client(&self) -> Option<IpAddr> {
        self.info.peer.map(|peer| peer.ip())
    }

    fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_ref().and_then(|agent| agent.to_str().ok())
    }

    fn write(&self, duration: Duration) {
        if !tracing::enabled!(target: target!(), tracing::Level::INFO) {
            return;
        }
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(log) = telemetry::json_log() {
            let mut line = Vec::with_capacity(512);
            // Nothing fails that writes to memory.
            let _ = self.write_json(duration_us, &mut line);
            log.line(&line);
            return;
        }
        let _entered = self.span.enter();
        tracing::info!(
            target: target!(),
            method = self.method,
            path = self.info.uri.path(),
            status = self.status,
            duration_us,
            bytes = self.bytes,
            client = self.client().map(tracing::field::display),
            user_agent = self.user_agent(),
        );
    }

    /// Whatever a client sends stands in a JSON string, so that it cannot end the line or pass for a member of it.
    fn write_json(&self, duration_us: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let mut digits = itoa::Buffer::new();
        line.extend_from_slice(br#"{"timestamp":""#);
        telemetry::write_time(line);
        line.extend_from_slice(br#"","level":"INFO","method":""#);
        line.extend_from_slice(self.method.as_bytes());
        line.extend_from_slice(br#"","path":"#);
        serde_json::to_writer(&mut *line, self.info.uri.path())?;
        line.extend_from_slice(br#","status":"#);
        line.extend_from_slice(digits.format(self.status).as_bytes());
        line.extend_from_slice(br#","duration_us":"#);
        line.extend_from_slice(digits.format(duration_us).as_bytes());
        if let Some(bytes) = self.bytes {
            line.extend_from_slice(br#","bytes":"#);
            line.extend_from_slice(digits.format(bytes).as_bytes());
        }
        if let Some(client) = self.client() {
            line.extend_from_slice(br#","client":""#);
            write_address(client, line)?;
            line.push(b'"');
        }
        if let Some(agent) = self.user_agent() {
            line.extend_from_slice(br#","user_agent":"#);
            serde_json::to_writer(&mut *line, agent)?;
        }
        line.extend_from_slice(concat!(r#","target":""#, target!(), r#"","span":"#).as_bytes());
        telemetry::write_span(&self.info, line)?;
        line.extend_from_slice(b"}\n");
        Ok(())
    }
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

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        let template = self.template.as_ref().map(MatchedPath::as_str);
        match &self.info.operation {
            // HEAD finds the operation of GET, and is counted as itself.
            Some(operation) if operation.method == self.method => {
                operation.metrics.record(operation.method, &operation.path, self.status, duration);
            }
            _ => metrics::record_request(self.method, template.unwrap_or("unmatched"), self.status, duration),
        }
        telemetry::describe(&self.span, self.method, template, self.info.uri.path(), self.status);
        self.write(duration);
    }
}
