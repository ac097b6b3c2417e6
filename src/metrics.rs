//! Prometheus metrics: what there is, what it is called, and how it is rendered.
//!
//! Labels are bounded whatever clients send: `path` is a template of the contract or of a document or `unmatched`, `method` is one that
//! HTTP names or `OTHER`, `status` is a number that the server sends.

use std::{
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use api::metrics::Exposition;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::store::Store;

/// Requests answered, by method, path template and status.
pub(crate) const REQUESTS: &str = "http_requests_total";
/// Time from the head of a request to its answer, in seconds.
pub(crate) const REQUEST_DURATION: &str = "http_request_duration_seconds";
/// Connections open now.
const ACTIVE_CONNECTIONS: &str = "http_active_connections";
/// Requests to deprecated operations, by operation.
pub(crate) const DEPRECATED_REQUESTS: &str = "http_deprecated_requests_total";
/// Requests being worked on now.
const IN_FLIGHT: &str = "http_requests_in_flight";

/// Whether the server was ready when it was last asked.
const READY: &str = "web_server_ready";

/// From 100 µs (a cached read) to 10 s (past every deadline), about 2.5 times apart.
const BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The recorder is the process's own: tests that start several servers in one process share it.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts recording, once. Needs a tokio runtime, on which the histograms are emptied every few seconds; without that
/// they would grow until somebody scrapes.
pub fn install() -> PrometheusHandle {
    HANDLE
        .get_or_init(|| {
            let suffix = Matcher::Suffix("_seconds".to_owned());
            // The list of buckets is a constant and not empty, which is all that can be wrong with it.
            let builder = PrometheusBuilder::new();
            let builder = builder.set_buckets_for_metric(suffix, &BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("metrics are recorded elsewhere in this process");
            }
            describe();
            handle
        })
        .clone()
}

/// Empties the histograms every few seconds, for as long as the runtime lives.
pub fn spawn_upkeep(handle: PrometheusHandle) {
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            handle.run_upkeep();
        }
    });
}

fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by method, path template and status.");
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "Time from the head of a request to its answer.");
    describe_counter!(DEPRECATED_REQUESTS, "Requests to operations that the contract calls deprecated, by operation.");
    describe_gauge!(ACTIVE_CONNECTIONS, "Connections open now.");
    describe_gauge!(IN_FLIGHT, "Requests being worked on now.");
    describe_histogram!(
        "database_operation_duration_seconds",
        Unit::Seconds,
        "Time of an operation of the store, waiting for a connection included."
    );
    describe_gauge!("database_pool_connections", "Connections to the database, by pool and state.");
    describe_gauge!("database_pool_max_connections", "Connections to the database at most, by pool.");
    describe_counter!("contract_decode_failures_total", "Valid requests that did not decode: a bug of the server.");
    describe_gauge!(READY, "1 if the server was ready when it was last asked, within the last second or so; else 0.");
    describe_gauge!("web_server_build_info", "1, labelled with the version of the server.");
    gauge!("web_server_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    counter!("contract_decode_failures_total").absolute(0);
    gauge!(ACTIVE_CONNECTIONS).set(0.0);
    gauge!(IN_FLIGHT).set(0.0);
    metrics_process::Collector::default().describe();
}

/// Notes what the last question for readiness was answered with.
pub(crate) fn record_readiness(ready: bool) {
    gauge!(READY).set(f64::from(u8::from(ready)));
}

/// One more of something, until it is dropped.
pub(crate) struct Counted(&'static Gauge);

// Looked up when the first of them comes, which is after [`install`].
static REQUESTS_IN_FLIGHT: LazyLock<Gauge> = LazyLock::new(|| gauge!(IN_FLIGHT));
static CONNECTIONS: LazyLock<Gauge> = LazyLock::new(|| gauge!(ACTIVE_CONNECTIONS));

impl Counted {
    /// One more request being worked on.
    pub(crate) fn request() -> Self {
        Self::new(&REQUESTS_IN_FLIGHT)
    }

    /// One more connection.
    pub(crate) fn connection() -> Self {
        Self::new(&CONNECTIONS)
    }

    fn new(gauge: &'static Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts one answered request.
pub(crate) fn record_request(method: &'static str, path: &str, status: u16, duration: Duration) {
    requests(method, path, status).increment(1);
    durations(method, path).record(duration);
}

fn requests(method: &'static str, path: &str, status: u16) -> Counter {
    counter!(REQUESTS, "method" => method, "path" => path.to_owned(), "status" => status.to_string())
}

fn durations(method: &'static str, path: &str) -> Histogram {
    histogram!(REQUEST_DURATION, "method" => method, "path" => path.to_owned())
}

/// What [`record_request`] counts of one operation, found by its labels once: that costs more than to count.
#[derive(Default)]
pub(crate) struct RequestMetrics {
    durations: OnceLock<Histogram>,
    /// By status.
    requests: Vec<(u16, OnceLock<Counter>)>,
}

impl RequestMetrics {
    /// For an operation that answers with these statuses.
    pub(crate) fn new(statuses: impl Iterator<Item = u16>) -> Self {
        Self { durations: OnceLock::new(), requests: statuses.map(|status| (status, OnceLock::new())).collect() }
    }

    /// Counts one answered request of this operation.
    pub(crate) fn record(&self, method: &'static str, path: &str, status: u16, duration: Duration) {
        match self.requests.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.get_or_init(|| requests(method, path, status)).increment(1),
            None => requests(method, path, status).increment(1),
        }
        self.durations.get_or_init(|| durations(method, path)).record(duration);
    }
}

/// Shows the counter of a deprecated operation from the start: no call yet is news too.
pub(crate) fn expect_deprecated(operation: &str) {
    counter!(DEPRECATED_REQUESTS, "operation" => operation.to_owned()).absolute(0);
}

/// Counts one call of a deprecated operation.
pub(crate) fn record_deprecated(operation: &str) {
    counter!(DEPRECATED_REQUESTS, "operation" => operation.to_owned()).increment(1);
}

/// The label of a method: its name if HTTP knows it.
pub(crate) fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "OTHER",
    }
}

/// Renders the metrics, and reads those of the process and of the pools just before.
pub(crate) struct Prometheus {
    handle: PrometheusHandle,
    process: metrics_process::Collector,
    store: Store,
}

impl Prometheus {
    pub(crate) fn new(store: Store) -> Self {
        Self { handle: install(), process: metrics_process::Collector::default(), store }
    }
}

impl Exposition for Prometheus {
    #[expect(clippy::cast_precision_loss, reason = "pools are far smaller than 2^52")]
    fn render(&self) -> String {
        self.process.collect();
        for pool in self.store.pool_states() {
            gauge!("database_pool_connections", "pool" => pool.name, "state" => "idle").set(pool.idle as f64);
            gauge!("database_pool_connections", "pool" => pool.name, "state" => "used").set(pool.used as f64);
            gauge!("database_pool_max_connections", "pool" => pool.name).set(pool.max as f64);
        }
        self.handle.render()
    }
}
