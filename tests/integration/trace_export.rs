//! Every span reaches the receiver whatever is logged, and none is lost silently.

use std::{net::SocketAddr, time::Duration};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    process::{Process, run, web_server},
    traces::{CALLER, hex, received, receiver, receiver_at},
};

/// How many requests each mode gets with a trace of the caller, and without.
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
                let (endpoint, mut spans) = receiver().await;
                let folder = tempfile::tempdir().unwrap();
                let mut command = web_server(folder.path());
                command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("LOG_FORMAT", format).env("RUST_LOG", filter);
                let process = Process::start(command).await;
                for number in 1..=REQUESTS {
                    request(&process, None).await;
                    request(&process, Some(format!("00-{number:032x}-{CALLER}-01"))).await;
                }
                let log = stop(process).await;
                let spans = received(&mut spans).await;
                let ours: Vec<_> = spans.iter().filter(is_of_server).collect();
                let of_caller = |number: &u32| {
                    ours.iter().any(|span| {
                        hex(&span.trace_id) == format!("{number:032x}") && hex(&span.parent_span_id) == CALLER
                    })
                };
                let without = ours.iter().filter(|span| span.parent_span_id.is_empty()).count();
                let counts = ((1..=REQUESTS).filter(of_caller).count(), without);
                assert_eq!(counts, (REQUESTS as usize, REQUESTS as usize), "{format}, {filter}");
                assert!(!log.iter().any(|line| line.contains(NO_TRACE)), "{format}, {filter}: {log:#?}");
            });
        }
    }
    modes.join_all().await;
}

#[tokio::test]
async fn the_sampler_decides_which_traces_are_sent() {
    for (sampler, ratio, sampled, unsampled, own) in [
        ("always_on", "", 1, 1, 1),
        ("always_off", "", 0, 0, 0),
        ("traceidratio", "0", 0, 0, 0),
        ("parentbased_always_on", "", 1, 0, 1),
        ("parentbased_traceidratio", "0", 1, 0, 0),
        ("parentbased_traceidratio", "1.0", 1, 0, 1),
    ] {
        let (endpoint, mut spans) = receiver().await;
        let folder = tempfile::tempdir().unwrap();
        let mut command = web_server(folder.path());
        // The whole URL, as it is.
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{endpoint}/v1/traces"));
        command.env("OTEL_TRACES_SAMPLER", sampler).env("OTEL_TRACES_SAMPLER_ARG", ratio);
        let process = Process::start(command).await;
        for (trace, flags) in [(1, "01"), (2, "00")] {
            request(&process, Some(format!("00-{trace:032x}-{CALLER}-{flags}"))).await;
        }
        request(&process, None).await;
        let log = stop(process).await;
        let spans = received(&mut spans).await;
        let count = |trace: Option<u32>| {
            let is_of = |span: &&Span| match trace {
                Some(trace) => hex(&span.trace_id) == format!("{trace:032x}"),
                None => span.parent_span_id.is_empty(),
            };
            spans.iter().filter(is_of_server).filter(is_of).count()
        };
        assert_eq!((count(Some(1)), count(Some(2)), count(None)), (sampled, unsampled, own), "{sampler} {ratio}");
        // The log has the trace of the caller whether it is sent or not.
        for trace in [1, 2] {
            assert!(log.iter().any(|line| line.contains(&format!("{trace:032x}"))), "{sampler}: {log:#?}");
        }
        assert!(!log.iter().any(|line| line.contains(NO_TRACE)), "{sampler}: {log:#?}");
    }
}

#[test]
fn what_is_not_supported_stops_the_start_with_one_line() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
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

fn lines_with(process: &Process, message: &str) -> usize {
    process.log.lock().unwrap().iter().filter(|line| line.contains(message)).count()
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_logged_once_and_its_return_too() {
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")).env("OTEL_BSP_SCHEDULE_DELAY", "50");
    let process = Process::start(command).await;
    wait_for_spans_with(&process, "failed").await;
    let first = spans_with(&process, "failed").await;
    while spans_with(&process, "failed").await <= first {
        request(&process, None).await;
    }
    assert_eq!(lines_with(&process, "the receiver of traces does not accept spans"), 1);
    let (_, mut spans) = receiver_at(TcpListener::bind(address).await.unwrap()).await;
    wait_for_spans_with(&process, "sent").await;
    assert_eq!(lines_with(&process, "the receiver of traces accepts spans again"), 1);
    assert_eq!(lines_with(&process, "the receiver of traces does not accept spans"), 1);
    stop(process).await;
    assert!(!received(&mut spans).await.is_empty());
}

#[tokio::test]
async fn spans_that_cannot_wait_are_dropped_and_counted() {
    // It accepts connections, and never responds.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", silent.local_addr().unwrap()));
    command.env("OTEL_BSP_MAX_QUEUE_SIZE", "512");
    let process = Process::start(command).await;
    wait_for_spans_with(&process, "dropped").await;
    assert_eq!(lines_with(&process, "dropping some"), 1);
    assert_eq!(spans_with(&process, "sent").await, 0.0);
}
