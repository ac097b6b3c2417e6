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
use opentelemetry::trace::TraceId;
use tracing::Span;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use crate::{
    metrics::{self, Counted},
    operations::Operation,
    stack::Peer,
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
    path: String,
    client: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    status: u16,
    bytes: Option<u64>,
    request_id: HeaderValue,
    operation: Option<Arc<Operation>>,
    trace_id: Option<TraceId>,
    span: Span,
    _in_flight: Counted,
}

impl AccessRecord {
    /// Begins with a request, its id and its operation.
    pub(crate) fn new(request: &Request, id: &HeaderValue, operation: Option<Arc<Operation>>) -> Self {
        let method = metrics::method_label(request.method());
        let template = request.extensions().get::<MatchedPath>().cloned();
        let (span, trace_id) = telemetry::request_span(
            id.to_str().unwrap_or_default(),
            operation.as_ref().map(|operation| operation.id.as_str()),
            method,
            template.as_ref().map(MatchedPath::as_str),
            request.headers(),
        );
        Self {
            start: Instant::now(),
            method,
            template,
            path: request.uri().path().to_owned(),
            client: request.extensions().get::<Peer>().map(|peer| peer.0.ip()),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            // What nginx logs when the client hangs up. It stands until there is an answer.
            status: 499,
            bytes: None,
            request_id: id.clone(),
            operation,
            trace_id,
            span,
            _in_flight: Counted::new(metrics::IN_FLIGHT),
        }
    }

    /// The span in which the request is worked on.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes the answer, and how many bytes its body has if that is known before it is sent.
    pub(crate) fn answered(&mut self, status: StatusCode, bytes: Option<u64>) {
        self.status = status.as_u16();
        self.bytes = bytes;
    }

    fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_ref().and_then(|agent| agent.to_str().ok())
    }

    fn write(&self, duration: Duration) {
        if !tracing::enabled!(target: target!(), tracing::Level::INFO) {
            return;
        }
        let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(mut log) = telemetry::json_log() {
            let mut line = Vec::with_capacity(512);
            // Nobody is left to be told of a log that cannot be written.
            let _ = self.write_json(duration_us, &mut line).and_then(|()| log.write_all(&line));
            return;
        }
        let _entered = self.span.enter();
        tracing::info!(
            target: target!(),
            method = self.method,
            path = self.path,
            status = self.status,
            duration_us,
            bytes = self.bytes,
            client = self.client.map(tracing::field::display),
            user_agent = self.user_agent(),
        );
    }

    /// Whatever a client sends stands in a JSON string, so that it cannot end the line or pass for a member of it.
    fn write_json(&self, duration_us: u64, line: &mut Vec<u8>) -> io::Result<()> {
        let mut now = String::with_capacity(32);
        // The clock's own format cannot fail to be written to memory.
        let _ = SystemTime.format_time(&mut Writer::new(&mut now));
        write!(line, r#"{{"timestamp":"{now}","level":"INFO","method":"{}","path":"#, self.method)?;
        serde_json::to_writer(&mut *line, &self.path)?;
        write!(line, r#","status":{},"duration_us":{duration_us}"#, self.status)?;
        if let Some(bytes) = self.bytes {
            write!(line, r#","bytes":{bytes}"#)?;
        }
        if let Some(client) = self.client {
            write!(line, r#","client":"{client}""#)?;
        }
        if let Some(agent) = self.user_agent() {
            line.extend_from_slice(br#","user_agent":"#);
            serde_json::to_writer(&mut *line, agent)?;
        }
        write!(line, r#","target":"{}","span":{{"#, target!())?;
        if let Some(operation) = &self.operation {
            write!(line, r#""operation":"{}","#, operation.id)?;
        }
        // Both are made of letters, digits and a few marks that JSON lets stand.
        line.extend_from_slice(br#""request_id":""#);
        line.extend_from_slice(self.request_id.as_bytes());
        line.push(b'"');
        if let Some(trace_id) = self.trace_id {
            write!(line, r#","trace_id":"{trace_id}""#)?;
        }
        line.extend_from_slice(b",\"name\":\"request\"}}\n");
        Ok(())
    }
}

impl Drop for AccessRecord {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        let template = self.template.as_ref().map(MatchedPath::as_str);
        match &self.operation {
            // HEAD finds the operation of GET, and is counted as itself.
            Some(operation) if operation.method == self.method => {
                operation.metrics.record(operation.method, &operation.path, self.status, duration);
            }
            _ => metrics::record_request(self.method, template.unwrap_or("unmatched"), self.status, duration),
        }
        telemetry::describe(&self.span, self.method, template, &self.path, self.status);
        self.write(duration);
    }
}
