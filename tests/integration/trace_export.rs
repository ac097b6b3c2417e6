//! Every span reaches the receiver whatever is logged, and none is lost silently.

use std::{collections::HashSet, net::SocketAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    serve::Listener,
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

use crate::{
    process::{Process, run, web_server},
    tls::{authority, certificate},
    traces::{CALLER, PROTOCOLS, hex, received, receiver, receiver_at, routes},
};

/// How many requests each mode gets with a sampled trace of the caller, with another one, and without.
const REQUESTS: u32 = 50;

const NO_TRACE: &str = "00000000000000000000000000000000";

async fn request(process: &Process, traceparent: Option<String>) {
    let mut request = process.app.request(reqwest::Method::GET, "/users");
    if let Some(traceparent) = &traceparent {
        request = request.header("traceparent", traceparent);
    }
    assert_eq!(request.send().await.status, 200);
}

async fn stop(mut process: Process) -> Vec<String> {
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    let log = process.log.lock().unwrap();
    log.clone()
}

fn is_of_server(span: &&Span) -> bool {
    span.kind == SpanKind::Server as i32 && span.name == "GET /users"
}

/// Sends requests in sampled traces of callers, in others, and in none. Returns how many of each have a span, and the log.
async fn requests_with_a_span(settings: &[(&str, &str)]) -> ((u32, u32, u32), Vec<String>) {
    let (endpoint, mut spans) = receiver().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    // The whole URL, as it is.
    command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{endpoint}/v1/traces"));
    command.envs(settings.iter().copied());
    let process = Process::start(command).await;
    for number in 1..=REQUESTS {
        request(&process, Some(format!("00-{number:032x}-{CALLER}-01"))).await;
        request(&process, Some(format!("00-{:032x}-{CALLER}-00", REQUESTS + number))).await;
        request(&process, None).await;
    }
    let log = stop(process).await;
    assert!(!log.iter().any(|line| line.contains(NO_TRACE)), "{settings:?}: {log:#?}");

    let spans = received(&mut spans).await;
    let ids: HashSet<_> =
        spans.iter().map(|span| hex(&span.span_id)).chain([String::new(), CALLER.to_owned()]).collect();
    for span in &spans {
        assert!(ids.contains(&hex(&span.parent_span_id)), "{settings:?}: the parent of {span:?} is missing");
    }
    let ours: Vec<_> = spans.iter().filter(is_of_server).collect();
    for span in &ours {
        let is_of_store = |other: &&Span| other.trace_id == span.trace_id && other.name == "store";
        assert_eq!(spans.iter().filter(is_of_store).count(), 1, "{settings:?}");
    }
    let traces: HashSet<_> =
        ours.iter().filter(|span| hex(&span.parent_span_id) == CALLER).map(|span| hex(&span.trace_id)).collect();
    let count =
        |numbers: RangeInclusive<u32>| numbers.filter(|number| traces.contains(&format!("{number:032x}"))).count();
    let (sampled, unsampled) = (count(1..=REQUESTS), count(REQUESTS + 1..=2 * REQUESTS));
    let own = ours.iter().filter(|span| span.parent_span_id.is_empty()).count();
    ([sampled, unsampled, own].map(|count| u32::try_from(count).unwrap()).into(), log)
}

/// Filters of the log have no effect on what is sent (tokio-rs/tracing#2519).
#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_a_span_whatever_is_logged() {
    let mut modes = JoinSet::new();
    for format in ["json", "pretty"] {
        for filter in [
            "info",
            "debug",
            "info,web_server=trace",
            "info,access=off",
            "off,web_server::commands=info",
            "info,[request{operation=listUsers}]=debug",
        ] {
            modes.spawn(async move {
                let (counts, _) = requests_with_a_span(&[("LOG_FORMAT", format), ("RUST_LOG", filter)]).await;
                assert_eq!(counts, (REQUESTS, 0, REQUESTS), "{format}, {filter}");
            });
        }
    }
    modes.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sampler_decides_which_traces_are_sent() {
    const ALL: u32 = REQUESTS;
    let mut modes = JoinSet::new();
    for (sampler, ratio, expected) in [
        ("always_on", "", (ALL, ALL, ALL)),
        ("always_off", "", (0, 0, 0)),
        ("traceidratio", "0", (0, 0, 0)),
        ("traceidratio", "1", (ALL, ALL, ALL)),
        ("parentbased_always_on", "", (ALL, 0, ALL)),
        ("parentbased_always_off", "", (ALL, 0, 0)),
        ("parentbased_traceidratio", "0", (ALL, 0, 0)),
        ("parentbased_traceidratio", "1.0", (ALL, 0, ALL)),
    ] {
        for format in ["json", "pretty"] {
            modes.spawn(async move {
                let settings =
                    [("LOG_FORMAT", format), ("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", ratio)];
                let (counts, log) = requests_with_a_span(&settings).await;
                assert_eq!(counts, expected, "{settings:?}");
                // The log has the trace of the caller whether it is sent or not.
                for trace in 1..=2 * REQUESTS {
                    assert!(log.iter().any(|line| line.contains(&format!("{trace:032x}"))), "{settings:?}: {trace}");
                }
            });
        }
    }
    modes.join_all().await;
}

#[test]
fn what_is_not_supported_stops_the_start_with_one_line() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http"),
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = web_server(folder.path());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1").env(variable, value);
        let output = run(command.arg("migrate"));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.contains("OTEL_"), "{message}");
    }
}

/// The number of spans with a result, in the metrics.
async fn spans_with(process: &Process, result: &str) -> f64 {
    let metrics = process.app.get("/metrics").await.text();
    let series = format!("trace_spans_total{{result=\"{result}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or_default()
}

/// Waits until the metric is not zero.
async fn wait_for_spans_with(process: &Process, result: &str) {
    let wait = async {
        while spans_with(process, result).await == 0.0 {
            request(process, None).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("no span with {result}"));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_logged_once_and_its_return_too() {
    for protocol in PROTOCOLS {
        is_logged_once_and_its_return_too(protocol).await;
    }
}

async fn is_logged_once_and_its_return_too(protocol: &str) {
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")).env("OTEL_BSP_SCHEDULE_DELAY", "50");
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    let process = Process::start(command).await;
    wait_for_spans_with(&process, "failed").await;
    let first = spans_with(&process, "failed").await;
    while spans_with(&process, "failed").await <= first {
        request(&process, None).await;
    }
    let (_, mut spans) = receiver_at(TcpListener::bind(address).await.unwrap()).await;
    wait_for_spans_with(&process, "sent").await;
    let log = stop(process).await;
    for message in ["the receiver of traces does not accept spans", "the receiver of traces accepts spans again"] {
        assert_eq!(log.iter().filter(|line| line.contains(message)).count(), 1, "{protocol}: {log:#?}");
    }
    assert!(!received(&mut spans).await.is_empty());
}

#[tokio::test]
async fn spans_that_cannot_wait_are_dropped_and_counted() {
    for protocol in PROTOCOLS {
        are_dropped_and_counted(protocol).await;
    }
}

async fn are_dropped_and_counted(protocol: &str) {
    // It accepts connections, and never responds.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", silent.local_addr().unwrap()));
    command.env("OTEL_BSP_MAX_QUEUE_SIZE", "512").env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    let process = Process::start(command).await;
    wait_for_spans_with(&process, "dropped").await;
    process.until_logged(&["dropping some"]).await;
    assert_eq!(spans_with(&process, "sent").await, 0.0);
}

/// A receiver with TLS.
struct TlsListener(TcpListener, TlsAcceptor);

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Refuses what has not the header of the settings, or is not compressed.
async fn check_headers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|sent| sent == value);
    if !is("x-key", "secret") || !(is("content-encoding", "gzip") || is("grpc-encoding", "gzip")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

#[tokio::test]
async fn a_receiver_can_need_tls_and_a_header() {
    let authority = authority("receivers");
    let (certificate, key) = certificate(&authority);
    let certificate = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificate, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, mut spans) = routes();
    #[expect(clippy::disallowed_methods, reason = "a receiver for the test, not a layer of the server")]
    let router = router.layer(from_fn(check_headers));
    let listener = TlsListener(listener, TlsAcceptor::from(Arc::new(tls)));
    tokio::spawn(async move { axum::serve(listener, router).await });

    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        let mut command = web_server(folder.path());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("https://localhost:{}", address.port()));
        command.env("SSL_CERT_FILE", "authority.pem").env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret");
        // The SDK reads the variable of the compression itself, but not the option.
        command.arg("--otel-exporter-otlp-compression=gzip").env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let process = Process::start(command).await;
        request(&process, None).await;
        let log = stop(process).await;
        assert!(received(&mut spans).await.iter().any(|span| is_of_server(&span)), "{protocol}: {log:#?}");
    }
}
