//! The names of the metrics, and what they mean: `/metrics` has that as `# HELP`.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const REQUESTS: &str = "http_requests_total";
pub(super) const REQUEST_DURATION: &str = "http_request_duration_seconds";
pub(super) const TLS_FAILURES: &str = "tls_handshake_failures_total";
pub(super) const REFUSED_CONNECTIONS: &str = "http_refused_connections_total";
pub(super) const ACTIVE_CONNECTIONS: &str = "http_active_connections";
pub(super) const DEPRECATED_REQUESTS: &str = "http_deprecated_requests_total";
pub(super) const IN_FLIGHT: &str = "http_requests_in_flight";
pub(super) const RATE_LIMITED: &str = "http_rate_limited_total";
pub(super) const SHED: &str = "http_shed_requests_total";
pub(super) const AUTHENTICATION_FAILURES: &str = "authentication_failures_total";
pub(super) const DATABASE_ERRORS: &str = "database_errors_total";
pub(super) const POOL_WAIT: &str = "database_pool_wait_seconds";
pub(super) const REPLICAS: &str = "database_replicas";
pub(super) const REPLICA_READS: &str = "database_replica_reads_total";
pub(super) const READY: &str = "web_server_ready";
pub(super) const SPANS: &str = "trace_spans_total";
pub(super) const BATCH_SIZE: &str = "database_batch_size";

/// Counters by label, and the values of it. They begin at zero: Prometheus sees no increase in a series that appears with its first event.
pub(super) const BY_LABEL: [(&str, &str, &[&str]); 6] = [
    (REFUSED_CONNECTIONS, "reason", &["client", "idle", "unsent"]),
    (RATE_LIMITED, "limit", &["address", "caller"]),
    (SHED, "reason", &["bodies", "responses", "timeout"]),
    (
        AUTHENTICATION_FAILURES,
        "reason",
        &["no_token", "invalid_token", "missing_scope", "issuer_unavailable", "cross_site", "forwarded"],
    ),
    (
        DATABASE_ERRORS,
        "kind",
        &["no_connection", "lost_connection", "contention", "conflict", "schema", "storage", "unavailable", "other"],
    ),
    (SPANS, "result", &["sent", "failed", "dropped"]),
];

/// Describes every metric to the recorder.
pub(super) fn describe() {
    describe_counter!(REQUESTS, "Responses, by method, path template and status.");
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "Time from the head of a request to its response.");
    describe_counter!(DEPRECATED_REQUESTS, "Requests to deprecated operations, by operation.");
    describe_gauge!(ACTIVE_CONNECTIONS, "Open connections.");
    describe_counter!(
        REFUSED_CONNECTIONS,
        "Connections closed for want of room, by reason: those over the maximum of a client, idle ones, or those that leave responses unread."
    );
    describe_counter!(RATE_LIMITED, "Requests that a rate limit refused, by limit: address or caller.");
    describe_counter!(
        SHED,
        "Requests that were refused or given up to protect the server, by reason: responses that wait, bodies that arrive, or a timeout."
    );
    describe_counter!(
        AUTHENTICATION_FAILURES,
        "Requests of callers that may not send them, by reason: no token, an invalid one, a scope that it lacks, an issuer that cannot be reached, another site, or a proxy."
    );
    describe_counter!(DATABASE_ERRORS, "Database statements that failed, by kind.");
    describe_histogram!(POOL_WAIT, Unit::Seconds, "Time that a statement waited for a connection, by pool.");
    describe_gauge!(REPLICAS, "Replicas of the database, by state: used for reads, or unused.");
    describe_counter!(
        REPLICA_READS,
        "Statements that a replica may serve, by result: served, or left to the primary because the replica lags or failed, or because there is no replica in use or no position of the primary."
    );
    describe_counter!(TLS_FAILURES, "TLS handshakes that failed.");
    describe_gauge!(IN_FLIGHT, "Requests in progress.");
    describe_histogram!(
        "database_operation_duration_seconds",
        Unit::Seconds,
        "Time of a database operation, including the wait for a connection."
    );
    describe_histogram!(BATCH_SIZE, "Items of a database statement that concurrent requests share, by operation.");
    describe_histogram!(
        "database_batch_wait_seconds",
        Unit::Seconds,
        "Time that the first item of a batch waited for its statement to start, by operation."
    );
    describe_gauge!("database_batch_queue_depth", "Items that wait for a database statement, by operation.");
    describe_counter!(
        "database_batch_refused_total",
        "Items that were refused because their statement would not start in time, by operation."
    );
    describe_counter!("cache_requests_total", "Rows that requests looked up in a cache, by result.");
    describe_counter!("cache_evictions_total", "Rows that a cache removed because it was full.");
    describe_counter!(
        "cache_invalidations_total",
        "Rows that a cache removed because they changed or may have changed."
    );
    describe_gauge!("cache_bytes", Unit::Bytes, "Size of the rows in a cache.");
    describe_gauge!("database_pool_connections", "Database connections, by pool and state.");
    describe_gauge!("database_pool_max_connections", "Maximum number of database connections, by pool.");
    describe_counter!(
        "contract_decode_failures_total",
        "Validated requests that could not be decoded: a bug of the server."
    );
    describe_counter!(
        SPANS,
        "Spans, by result: sent, or lost because the receiver failed, or because too many waited."
    );
    describe_gauge!(READY, "1 if the server was ready at the last check, about a second ago at most; else 0.");
    describe_gauge!(
        "web_server_build_info",
        "1, with what was built as labels: versions of server and schema, commit."
    );
    metrics_process::Collector::default().describe();
}
