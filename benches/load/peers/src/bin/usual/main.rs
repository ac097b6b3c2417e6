//! The users API as a plain axum + sqlx service: a pool, a statement per request, and the usual tower layers.
//!
//!     DATABASE_URL=sqlite://users.db ACCESS_LOG=access.log usual 127.0.0.1:0
//!
//! The tables must exist; `benches/load/run` creates them from the server's migrations.

mod layers;
mod users;

use std::net::SocketAddr;

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::users::Database;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8082".to_owned());
    let database = Database::connect(&std::env::var("DATABASE_URL")?).await?;
    let _log = layers::init_log(&std::env::var("ACCESS_LOG")?)?;

    let routes = Router::new()
        .route("/health", get(health))
        .route("/users", get(users::list).post(users::create))
        .route("/users/{id}", get(users::read))
        .with_state(database);
    let app = layers::add(routes);

    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "up", "version": env!("CARGO_PKG_VERSION") }))
}
