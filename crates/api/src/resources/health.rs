//! Liveness and readiness, for orchestrators and load balancers.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{monitoring::NotReady, problem::Problem, respond::json, state::AppState};

/// The server is alive.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    status: Up,
    #[schema(value_type = String)]
    version: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Up {
    Up,
}

/// The server is ready for requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
struct ReadinessReport {
    status: Ready,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Ready {
    Ready,
}

/// Liveness, for every client.
pub(crate) fn public_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_health)).routes(routes!(get_liveness))
}

/// Readiness, for operators.
pub(crate) fn operator_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_readiness))
}

#[utoipa::path(get, path = "/health", operation_id = "getHealth", tag = "health",
    responses((status = 200, body = Health)))]
async fn get_health() -> Response {
    alive()
}

#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness", tag = "health",
    responses((status = 200, body = Health)))]
async fn get_liveness() -> Response {
    alive()
}

/// Checks nothing else: a liveness probe that fails with the database would restart a healthy server.
fn alive() -> Response {
    json(StatusCode::OK, &Health { status: Up::Up, version: env!("CARGO_PKG_VERSION") })
}

#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness", tag = "health",
    responses((status = 200, body = ReadinessReport), (status = 503, body = Problem, content_type = "application/problem+json")))]
async fn get_readiness(State(state): State<AppState>) -> Result<Response, Problem> {
    match state.readiness.check().await {
        Ok(()) => Ok(json(StatusCode::OK, &ReadinessReport { status: Ready::Ready })),
        Err(NotReady::Draining) => Err(Problem::unavailable("The server is draining before it stops.")),
        Err(NotReady::Database { lost }) => Err(Problem::unavailable(format!("The database does not serve {lost}."))),
    }
}
