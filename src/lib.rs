//! A users API whose OpenAPI contract cannot lie.
//!
//! The library is the whole server; the binary only reads its command line and runs it. A request passes through
//! [`server`] (sockets), [`stack`] (layers), [`validation`] (the contract), a handler in `crates/api`, and [`store`]
//! (SQL). ARCHITECTURE.md draws the map.

mod access_log;
pub mod app;
pub mod config;
pub mod docs;
pub mod health_check;
pub mod import;
mod log_writer;
pub mod metrics;
pub mod operations;
pub mod rate_limit;
pub mod readiness;
pub mod server;
pub mod source;
pub mod stack;
pub mod store;
pub mod telemetry;
pub mod validation;

/// The contract inside the binary, as it was written, but for operations that are planned.
pub const CONTRACT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.yaml"));
