//! A users API whose OpenAPI contract is enforced at build time and at run time.
//!
//! The library is the server; the binary only calls [`commands::run`]. A request passes [`http`] (sockets, routing,
//! middleware), [`contract`] (validation), a handler in `crates/api`, and [`storage`] (SQL). ARCHITECTURE.md has the
//! code map.

pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod contract;
mod error_chain;
pub mod example_data;
pub mod http;
pub mod ids;
pub mod readiness;
pub mod storage;
mod telemetry;
mod version;
mod watched_files;
