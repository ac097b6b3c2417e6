//! The metrics, for Prometheus.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{accept, monitoring::MetricsFormat, state::AppState};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_metrics))
}

#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "monitoring",
    responses((status = 200, content((String = "text/plain"), (String = "application/openmetrics-text")))))]
async fn get_metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let (format, media_type) =
        if accept::weight(&headers, "application/openmetrics-text") > accept::weight(&headers, "text/plain") {
            (MetricsFormat::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        } else {
            (MetricsFormat::Prometheus, "text/plain; version=0.0.4; charset=utf-8")
        };
    let headers = [(header::CONTENT_TYPE, media_type), (header::VARY, "accept")];
    (headers, state.metrics.render(format)).into_response()
}
