//! Traces over OTLP, and their ids and callers in the log.

use std::{io::Read, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use prost::Message;
use sqlx::Connection;
use tokio::{net::TcpListener, sync::mpsc};
use tonic::codec::CompressionEncoding;

use crate::{
    harness::credentials::{ALL, WITHOUT},
    process::{Process, web_server},
};

pub const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub const CALLER: &str = "b7ad6b7169203331";

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The values of OTEL_EXPORTER_OTLP_PROTOCOL.
pub const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

/// A receiver of spans, over both protocols.
#[derive(Clone)]
struct Receiver(mpsc::UnboundedSender<Span>);

impl Receiver {
    fn take(&self, export: ExportTraceServiceRequest) {
        let scopes = export.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            self.0.send(span).expect("the test listens");
        }
    }

    async fn over_http(State(receiver): State<Self>, headers: HeaderMap, body: Bytes) {
        let mut plain = Vec::new();
        let body = if headers.contains_key("content-encoding") {
            GzDecoder::new(&*body).read_to_end(&mut plain).expect("gzip");
            &plain
        } else {
            &*body
        };
        receiver.take(ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf"));
    }
}

#[async_trait::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.take(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The routes of a receiver.
#[expect(clippy::disallowed_methods, reason = "a receiver for the test, not a route of the server")]
pub fn routes() -> (Router, mpsc::UnboundedReceiver<Span>) {
    let (sender, spans) = mpsc::unbounded_channel();
    let receiver = Receiver(sender);
    let grpc = TraceServiceServer::new(receiver.clone()).accept_compressed(CompressionEncoding::Gzip);
    let router = Router::new().route("/v1/traces", axum::routing::post(Receiver::over_http)).with_state(receiver);
    (router.route_service("/opentelemetry.proto.collector.trace.v1.TraceService/Export", grpc), spans)
}

/// Starts a receiver of spans.
pub async fn receiver() -> (String, mpsc::UnboundedReceiver<Span>) {
    receiver_at(TcpListener::bind("127.0.0.1:0").await.unwrap()).await
}

pub async fn receiver_at(listener: TcpListener) -> (String, mpsc::UnboundedReceiver<Span>) {
    let (router, spans) = routes();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, spans)
}

/// Returns the spans of a process that has ended.
pub async fn received(spans: &mut mpsc::UnboundedReceiver<Span>) -> Vec<Span> {
    let mut received = Vec::new();
    while let Ok(Some(span)) = tokio::time::timeout(Duration::from_millis(500), spans.recv()).await {
        received.push(span);
    }
    received
}

/// The span of the request is in the caller's trace, and so are those of the handler and of the store.
#[tokio::test]
async fn a_request_continues_the_trace_of_its_caller() {
    for protocol in PROTOCOLS {
        continues_the_trace_of_its_caller(protocol).await;
    }
}

async fn continues_the_trace_of_its_caller(protocol: &str) {
    let (endpoint, mut spans) = receiver().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    let mut process = Process::start(command).await;
    let request = process.app.request(reqwest::Method::GET, "/users");
    let response = request.header("traceparent", &format!("00-{TRACE}-{CALLER}-01")).send().await;
    assert_eq!(response.status, 200);
    // The last spans are sent before the process ends.
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));

    let received = received(&mut spans).await;
    let ours: Vec<_> = received.iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let named = |name: &str| {
        *ours.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} is not in {ours:#?}"))
    };
    let (request, handler, store) = (named("GET /users"), named("handler"), named("store"));
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(handler.parent_span_id, request.span_id);
    assert_eq!(store.parent_span_id, handler.span_id);
    let attributes: Vec<_> = request.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    for key in ["http.request.method", "http.route", "http.response.status_code", "url.path"] {
        assert!(attributes.contains(&key), "{key} is not in {attributes:?}");
    }
    assert_eq!(process.logged(&[TRACE, "\"target\":\"access\""]), 1);
}

/// A bucket of the durations has the last trace in it that is sent, and only in OpenMetrics.
#[tokio::test]
async fn a_bucket_of_the_durations_has_a_trace() {
    let (endpoint, _spans) = receiver().await;
    for (endpoint, traces) in [(Some(endpoint), &[TRACE][..]), (None, &[])] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = web_server(folder.path());
        command.envs(endpoint.map(|endpoint| ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)));
        let process = Process::start(command).await;
        // The second one replaces none: it is not sampled.
        for (trace, flags) in [(TRACE, "01"), ("1af7651916cd43dd8448eb211c80319c", "00")] {
            let request = process.app.request(reqwest::Method::GET, "/users");
            let request = request.header("traceparent", &format!("00-{trace}-{CALLER}-{flags}"));
            assert_eq!(request.send().await.status, 200);
        }
        let metrics = process.app.request(reqwest::Method::GET, "/metrics");
        let metrics = metrics.header("accept", "application/openmetrics-text").send().await.text();
        let buckets = "http_request_duration_seconds_bucket{method=\"GET\",path=\"/users\",le=\"";
        let (mut found, mut shorter) = (Vec::new(), 0.0);
        for line in metrics.lines().filter_map(|line| line.strip_prefix(buckets)) {
            let (bound, rest) = line.split_once('"').unwrap();
            let bound: f64 = bound.parse().unwrap();
            if let Some((_, exemplar)) = rest.split_once(" # {trace_id=\"") {
                let (trace, rest) = exemplar.split_once("\"} ").unwrap();
                let (value, time) = rest.split_once(' ').unwrap();
                let value: f64 = value.parse().unwrap();
                assert!(shorter < value && value <= bound, "{line}");
                assert!(time.parse::<f64>().unwrap() > 1_700_000_000.0, "{line}");
                found.push(trace);
            }
            shorter = bound;
        }
        assert_eq!(found, traces, "{metrics}");
        assert!(!process.app.get("/metrics").await.text().contains(TRACE));
    }
}

/// Concurrent requests share a statement: each trace has its request, whose span of the store has the statement as a child,
/// or a link to the shared statement.
#[tokio::test]
async fn every_trace_leads_to_the_statement_that_it_shares() {
    const REQUESTS: u32 = 50;
    let (endpoint, mut spans) = receiver().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let mut process = Process::start(command).await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 1..=REQUESTS {
        let app = process.app.clone();
        requests.spawn(async move {
            let user = serde_json::json!({ "name": "Ada", "email": format!("ada{number}@example.com") });
            let request = app.request(reqwest::Method::POST, "/users").json(&user);
            request.header("traceparent", &format!("00-{number:032x}-{CALLER}-01")).send().await.status
        });
    }
    assert_eq!(requests.join_all().await, [201; REQUESTS as usize]);
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));

    let spans = received(&mut spans).await;
    let statements: Vec<_> = spans.iter().filter(|span| span.name == "statement").collect();
    let batches: Vec<_> = spans.iter().filter(|span| span.name == "batch").collect();
    assert!(!batches.is_empty() && statements.len() < REQUESTS as usize, "{} statements", statements.len());
    for number in 1..=REQUESTS {
        let trace = format!("{number:032x}");
        let named = |name: &str| {
            let of_trace = |span: &&Span| hex(&span.trace_id) == trace && span.name == name;
            spans.iter().find(of_trace).unwrap_or_else(|| panic!("{trace} has no span {name}"))
        };
        assert_eq!(hex(&named("POST /users").parent_span_id), CALLER);
        let store = named("store");
        let linked = batches.iter().find(|batch| store.links.iter().any(|link| link.span_id == batch.span_id));
        let parent = linked.map_or(&store.span_id, |batch| &batch.span_id);
        assert!(statements.iter().any(|statement| statement.parent_span_id == *parent), "{trace}: {store:?}");
    }
}

/// The log has the caller's trace, also if no spans are sent; an invalid traceparent is ignored.
#[tokio::test]
async fn the_log_has_the_trace_of_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    for (id, traceparent) in
        [("good", format!("00-{TRACE}-{CALLER}-01")), ("bad", format!("00-{TRACE}-{CALLER}\" forged=\"1"))]
    {
        let request = process.app.request(reqwest::Method::GET, "/health").header("x-request-id", id);
        assert_eq!(request.header("traceparent", &traceparent).send().await.status, 200);
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    let log = process.log.lock().unwrap();
    let line = |id: &str| log.iter().find(|line| line.contains(&format!("\"request_id\":\"{id}\""))).expect("a line");
    assert!(line("good").contains(TRACE));
    assert!(!line("bad").contains(TRACE) && !line("bad").contains("forged"));
}

/// The log has the name of the caller, also of one that is refused, and never its key.
#[tokio::test]
async fn the_log_has_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    let other = &WITHOUT["users:read"];
    command.env("API_KEYS", format!("{};{}", ALL.entry, other.entry));
    let mut process = Process::start(command).await;
    for (key, status) in [(&*ALL, 200), (other, 403)] {
        let app = process.app.with_token(Some(&key.secret));
        assert_eq!(app.request(reqwest::Method::GET, "/users").send().await.status, status);
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    let log = process.log.lock().unwrap();
    for (status, caller) in [(200, "key:tests"), (403, "key:without-users-read")] {
        let (status, caller) =
            (format!("\"http.response.status_code\":{status}"), format!("\"enduser.id\":\"{caller}\""));
        assert!(log.iter().any(|line| line.contains(&status) && line.contains(&caller)), "{log:?}");
    }
    assert!(!log.iter().any(|line| line.contains("wsk_")), "{log:?}");
}

/// Without a reader of spans none are created, and the log is the same: each line has its request, also in a task of its own.
#[tokio::test]
async fn the_log_is_the_same_with_and_without_spans() {
    async fn log(filter: &str) -> Vec<serde_json::Value> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = web_server(folder.path());
        // The upkeep at the start may wait for the lock first.
        command.env("RUST_LOG", filter).env("DATABASE_LOCK_TIMEOUT", "500ms").env("REQUEST_TIMEOUT", "30s");
        let mut process = Process::start(command).await;
        let file = format!("sqlite://{}", folder.path().join("data/web_server.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&file).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a fault from outside, not the server's own SQL")]
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        let user = serde_json::json!({ "name": "Ada Lovelace", "email": "ada@example.com" });
        let app = &process.app;
        let create = app.request(reqwest::Method::POST, "/users").json(&user);
        let list = app.request(reqwest::Method::GET, "/users");
        for (id, request, status) in [("read", list, 200), ("write", create, 503)] {
            let request = request.header("x-request-id", id).header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
            assert_eq!(request.send().await.status, status);
        }
        process.signal("TERM");
        assert_eq!(process.exit().await.code(), Some(0));
        let log = process.log.lock().unwrap();
        let mut lines: Vec<serde_json::Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.retain(|line| line.get("request_id").is_some());
        for line in &mut lines {
            for measured in ["timestamp", "http.server.request.duration"] {
                line.as_object_mut().unwrap().remove(measured);
            }
        }
        lines
    }
    let filter = "info,web_server::storage::error=debug";
    let (without, with) = (log(filter).await, log(&format!("{filter},[other]=info")).await);
    assert_eq!(without, with);
    for (id, operation, expected) in
        [("read", "listUsers", &["access"][..]), ("write", "createUser", &["web_server::storage::error", "access"])]
    {
        let members = [("operation", operation), ("request_id", id), ("trace_id", TRACE)];
        let is_ours = |line: &&serde_json::Value| members.iter().all(|(name, value)| line[name] == *value);
        let ours: Vec<_> = without.iter().filter(is_ours).collect();
        let targets: Vec<_> = ours.iter().map(|line| line["target"].as_str().unwrap()).collect();
        assert_eq!(targets, expected, "{without:#?}");
    }
}

/// Every line is one JSON object, whatever a client sends.
#[tokio::test]
async fn no_client_can_forge_a_line_of_the_log() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    let address = process.app.base.strip_prefix("http://").unwrap().to_owned();
    for head in [
        "GET /%0a%7b%22level%22:%22ERROR%22%7d HTTP/1.1\r\nhost: localhost\r\nuser-agent: a\"}\t{\"level\":\"ERROR\"\r\n",
        "GET /x HTTP/1.1\r\nhost: localhost\r\nuser-agent: \u{1b}[31mred\r\n",
        "GET /x?\"},{\"level\":\"ERROR HTTP/1.1\r\nhost: localhost\r\nx-request-id: a\"b\r\n",
        "\"}{ /x HTTP/1.1\r\nhost: localhost\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    for line in process.log.lock().unwrap().iter() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_ne!(entry["level"], "ERROR", "{line}");
        assert!(!entry.as_object().unwrap().values().any(serde_json::Value::is_object), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}
