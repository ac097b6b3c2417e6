//! A panic is a bug, and costs one request its answer.

use std::{panic::AssertUnwindSafe, sync::Arc};

use api::problem::Problem;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;

use super::{
    info::RequestInfo,
    way::{Next, Step},
};

/// Answers 500 where what is below panics. The panic's hook has logged it by then.
pub(super) struct PanicGuard;

impl Step for PanicGuard {
    async fn pass(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        // What a panic leaves half done is gone with the request's own future; what is shared is behind locks that expect it.
        let work = AssertUnwindSafe(next.run(info, request)).catch_unwind();
        work.await.unwrap_or_else(|_| Problem::internal().into_response())
    }
}
