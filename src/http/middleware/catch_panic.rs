//! Catches panics: a panic is a bug, and fails one request only.

use std::{future::Future, panic::AssertUnwindSafe};

use api::problem::Problem;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

/// Returns 500 if the work panics. The panic hook logs the panic.
pub(in crate::http) async fn catch(work: impl Future<Output = Response>) -> Response {
    // State that a panic leaves incomplete is dropped with the future; shared state is behind locks that tolerate a panic.
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Problem::internal().into_response())
}
