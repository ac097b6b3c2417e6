//! The layers and the access log.

use std::{fs::OpenOptions, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use tower::ServiceBuilder;
use tower_governor::{GovernorLayer, governor::GovernorConfigBuilder};
use tower_http::{
    compression::CompressionLayer,
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer},
};
use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;

const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Writes the log as JSON to a file, on a thread of its own that ends with the guard.
pub(crate) fn init_log(path: &str) -> std::io::Result<WorkerGuard> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    tracing_subscriber::fmt().json().with_max_level(Level::INFO).with_writer(writer).init();
    Ok(guard)
}

/// Adds the metrics endpoint and the layers, the outermost last.
pub(crate) fn add(routes: Router) -> Router {
    let (metrics, metric_handle) = PrometheusMetricLayer::pair();
    // A limit that the benchmark does not reach.
    let governor = GovernorConfigBuilder::default()
        .period(Duration::from_nanos(100))
        .burst_size(10_000_000)
        .finish()
        .expect("a period and a burst above zero");
    let trace = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    let mut app = routes
        .route("/metrics", get(async move || metric_handle.render()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(10)))
        .layer(RequestBodyLimitLayer::new(1 << 20));
    for (name, value) in SECURITY_HEADERS {
        let value = axum::http::HeaderValue::from_static(value);
        app = app.layer(SetResponseHeaderLayer::if_not_present(axum::http::HeaderName::from_static(name), value));
    }
    app.layer(GovernorLayer::new(Arc::new(governor))).layer(
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(trace)
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(metrics)
            .layer(CompressionLayer::new())
            .layer(CorsLayer::new().allow_origin(Any)),
    )
}
