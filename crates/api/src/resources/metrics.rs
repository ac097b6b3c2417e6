//! The metrics, for Prometheus.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_metrics))
}

#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "monitoring",
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn get_metrics(State(state): State<AppState>) -> Response {
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, media_type)], state.metrics.render()).into_response()
}
