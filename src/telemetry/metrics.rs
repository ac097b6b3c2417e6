//! Prometheus metrics.
//!
//! Labels are bounded whatever clients send: `path` is a template of the contract or of a document, or `unmatched`; `method`
//! is a method of HTTP or `OTHER`; `status` is a status that the server sends.

use std::{
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TraceId;

use super::{
    exemplars::{BUCKETS, Exemplars},
    metric_names::{
        ACTIVE_CONNECTIONS, AUTHENTICATION_FAILURES, BATCH_SIZE, BY_LABEL, DATABASE_ERRORS, DEPRECATED_REQUESTS,
        IN_FLIGHT, POOL_WAIT, RATE_LIMITED, READY, REFUSED_CONNECTIONS, REPLICA_READS, REPLICAS, REQUEST_DURATION,
        REQUESTS, SHED, TLS_FAILURES, describe,
    },
};

const BATCH_SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The recorder is global: several servers in one process, as in tests, share it.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts recording, once. Call [`spawn_upkeep`] too, or the histograms grow until the next scrape.
pub(crate) fn install() -> PrometheusHandle {
    HANDLE
        .get_or_init(|| {
            let suffix = Matcher::Suffix("_seconds".to_owned());
            // The lists of buckets are not empty, so this cannot fail.
            let builder = PrometheusBuilder::new();
            let builder = builder
                .set_buckets_for_metric(suffix, &BUCKETS)
                .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(BATCH_SIZE.to_owned()), &BATCH_SIZES));
            let builder = builder.unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed");
            }
            describe();
            counter!("contract_decode_failures_total").absolute(0);
            counter!(TLS_FAILURES).absolute(0);
            for (name, label, values) in BY_LABEL {
                for value in values {
                    counter!(name, label => *value).absolute(0);
                }
            }
            gauge!(ACTIVE_CONNECTIONS).set(0.0);
            gauge!(IN_FLIGHT).set(0.0);
            handle
        })
        .clone()
}

/// Drains the histograms every few seconds, as long as the runtime exists.
pub(crate) fn spawn_upkeep(handle: PrometheusHandle) {
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            handle.run_upkeep();
        }
    });
}

/// Counts an event of a kind that is known, so that its series begins at zero.
fn count(name: &'static str, label: &'static str, value: &'static str) {
    debug_assert!(BY_LABEL.iter().any(|known| known.0 == name && known.2.contains(&value)), "{name} {value}");
    counter!(name, label => value).increment(1);
}

/// Counts a request that a rate limit refused.
pub(crate) fn count_rate_limited(limit: &'static str) {
    count(RATE_LIMITED, "limit", limit);
}

/// Counts a request that was refused or given up to protect the server.
pub(crate) fn count_shed(reason: &'static str) {
    count(SHED, "reason", reason);
}

/// Counts a request of a caller that may not send it.
pub(crate) fn count_authentication_failure(reason: &'static str) {
    count(AUTHENTICATION_FAILURES, "reason", reason);
}

/// Counts a statement that failed.
pub(crate) fn count_database_error(kind: &'static str) {
    count(DATABASE_ERRORS, "kind", kind);
}

/// Who served a statement that a replica may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicaRead {
    /// A replica. In the other cases, the primary did.
    Served,
    Lags,
    Failed,
    NoReplica,
    NoPosition,
}

/// Counts a statement that a replica may serve.
pub(crate) fn count_replica_read(read: ReplicaRead) {
    let result = match read {
        ReplicaRead::Served => "served",
        ReplicaRead::Lags => "lags",
        ReplicaRead::Failed => "failed",
        ReplicaRead::NoReplica => "no_replica",
        ReplicaRead::NoPosition => "no_position",
    };
    counter!(REPLICA_READS, "result" => result).increment(1);
}

/// Adds to the number of replicas that are used or unused.
pub(crate) fn record_replica(is_used: bool, change: f64) {
    // See [`CacheMetrics::new`].
    install();
    gauge!(REPLICAS, "state" => if is_used { "used" } else { "unused" }).increment(change);
}

/// Returns the histogram of the waits for a connection of a pool.
pub(crate) fn pool_wait(pool: &'static str) -> Histogram {
    // See [`CacheMetrics::new`].
    install();
    histogram!(POOL_WAIT, "pool" => pool)
}

/// Records the result of a readiness check.
pub(crate) fn record_readiness(ready: bool) {
    gauge!(READY).set(f64::from(u8::from(ready)));
}

/// The metrics of the batches of one operation of the storage.
pub(crate) struct BatchMetrics {
    size: Histogram,
    wait: Histogram,
    depth: Gauge,
    refused: Counter,
}

impl BatchMetrics {
    /// Returns the metrics of an operation.
    pub(crate) fn new(operation: &'static str) -> Self {
        Self {
            size: histogram!(BATCH_SIZE, "operation" => operation),
            wait: histogram!("database_batch_wait_seconds", "operation" => operation),
            depth: gauge!("database_batch_queue_depth", "operation" => operation),
            refused: counter!("database_batch_refused_total", "operation" => operation),
        }
    }

    /// Records a batch: the number of its items, and the wait of its first item.
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(crate) fn record(&self, items: usize, wait: Duration) {
        self.size.record(items as f64);
        self.wait.record(wait);
    }

    /// Counts items that begin to wait.
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(crate) fn add_waiting(&self, items: usize) {
        self.depth.increment(items as f64);
    }

    /// Counts items that no longer wait.
    #[expect(clippy::cast_precision_loss, reason = "the queue is far smaller than 2^52")]
    pub(crate) fn remove_waiting(&self, items: usize) {
        self.depth.decrement(items as f64);
    }

    /// Counts items that were refused.
    pub(crate) fn count_refused(&self, items: usize) {
        self.refused.increment(items as u64);
    }
}

/// The metrics of a cache.
pub(crate) struct CacheMetrics {
    hits: Counter,
    misses: Counter,
    evictions: Counter,
    invalidations: Counter,
    bytes: Gauge,
}

impl CacheMetrics {
    /// Returns the metrics of the cache with this name.
    pub(crate) fn new(cache: &'static str) -> Self {
        // A metric that is made before this records nothing. In a test, the first app of the process makes its cache first.
        install();
        Self {
            hits: counter!("cache_requests_total", "cache" => cache, "result" => "hit"),
            misses: counter!("cache_requests_total", "cache" => cache, "result" => "miss"),
            evictions: counter!("cache_evictions_total", "cache" => cache),
            invalidations: counter!("cache_invalidations_total", "cache" => cache),
            bytes: gauge!("cache_bytes", "cache" => cache),
        }
    }

    /// Records a request of a row.
    pub(crate) fn record_request(&self, is_hit: bool) {
        if is_hit { &self.hits } else { &self.misses }.increment(1);
    }

    /// Records that a row was removed because the cache is full.
    pub(crate) fn record_eviction(&self) {
        self.evictions.increment(1);
    }

    /// Records that rows were removed because they changed, or may have changed.
    pub(crate) fn record_invalidations(&self, rows: usize) {
        self.invalidations.increment(rows as u64);
    }

    /// Records the size of all rows.
    #[expect(clippy::cast_precision_loss, reason = "memory is far smaller than 2^52 bytes")]
    pub(crate) fn record_size(&self, bytes: u64) {
        self.bytes.set(bytes as f64);
    }
}

/// Increments a gauge until it is dropped.
pub(crate) struct Counted(&'static Gauge);

// Initialized on first use, which is after [`install`].
static REQUESTS_IN_FLIGHT: LazyLock<Gauge> = LazyLock::new(|| gauge!(IN_FLIGHT));
static CONNECTIONS: LazyLock<Gauge> = LazyLock::new(|| gauge!(ACTIVE_CONNECTIONS));

impl Counted {
    /// Counts a request in progress.
    pub(crate) fn request() -> Self {
        Self::new(&REQUESTS_IN_FLIGHT)
    }

    /// Counts an open connection.
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

/// Counts a connection that was closed for want of room.
pub(crate) fn count_refused_connection(reason: &'static str) {
    count(REFUSED_CONNECTIONS, "reason", reason);
}

/// Counts a TLS handshake that failed.
pub(crate) fn count_tls_failure() {
    counter!(TLS_FAILURES).increment(1);
}

/// Records a response, and its trace if that is sent to a receiver.
pub(crate) fn record_request(
    method: &'static str,
    path: &str,
    status: u16,
    duration: Duration,
    trace_id: Option<TraceId>,
) {
    requests(method, path, status).increment(1);
    durations(method, path).record(duration);
    if let Some(trace_id) = trace_id {
        Exemplars::of_series(method, path).record(trace_id, duration);
    }
}

fn requests(method: &'static str, path: &str, status: u16) -> Counter {
    counter!(REQUESTS, "method" => method, "path" => path.to_owned(), "status" => status.to_string())
}

fn durations(method: &'static str, path: &str) -> Histogram {
    histogram!(REQUEST_DURATION, "method" => method, "path" => path.to_owned())
}

/// The metrics of [`record_request`] for one operation. The lookup by labels, which costs more than the update, happens once.
#[derive(Default)]
pub(crate) struct RequestMetrics {
    durations: OnceLock<Histogram>,
    exemplars: OnceLock<Arc<Exemplars>>,
    /// The counter of each status.
    requests: Vec<(u16, OnceLock<Counter>)>,
}

impl RequestMetrics {
    /// Returns the metrics of an operation with these statuses.
    pub(crate) fn new(statuses: impl Iterator<Item = u16>) -> Self {
        Self { requests: statuses.map(|status| (status, OnceLock::new())).collect(), ..Self::default() }
    }

    /// Records a response of this operation, and its trace if that is sent to a receiver.
    pub(crate) fn record(
        &self,
        method: &'static str,
        path: &str,
        status: u16,
        duration: Duration,
        trace_id: Option<TraceId>,
    ) {
        match self.requests.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.get_or_init(|| requests(method, path, status)).increment(1),
            None => requests(method, path, status).increment(1),
        }
        self.durations.get_or_init(|| durations(method, path)).record(duration);
        if let Some(trace_id) = trace_id {
            self.exemplars.get_or_init(|| Exemplars::of_series(method, path)).record(trace_id, duration);
        }
    }
}

/// Creates the counter of a deprecated operation, so that it is visible before the first request.
pub(crate) fn expect_deprecated(operation: &str) {
    counter!(DEPRECATED_REQUESTS, "operation" => operation.to_owned()).absolute(0);
}

/// Counts a request to a deprecated operation.
pub(crate) fn record_deprecated(operation: &str) {
    counter!(DEPRECATED_REQUESTS, "operation" => operation.to_owned()).increment(1);
}

/// Returns the label of a method.
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
