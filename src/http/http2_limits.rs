//! Limits of HTTP/2 that hyper does not have.
//!
//! A client can send frames that ask for nothing, such as pings and settings, as fast as the network allows. And it can ask for
//! responses and not receive them: `unsent_responses.rs`.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::Request;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::{body::Incoming, rt::Executor};

use super::connections::Activity;

/// What a client may send beside its requests: settings, pings, window updates, priorities. The allowance grows with each
/// request, by its head and the frames that belong to it, and by its window for a body. Each of these frames can cost the
/// server as much as a request.
const ALLOWANCE: i64 = 256 * 1024;
const ALLOWANCE_PER_REQUEST: usize = 2 * 1024;
const ALLOWANCE_PER_BODY: usize = 64 * 1024;

/// What a client sends around a part of a body, which may be small: a frame's head and padding, and those of a TLS record.
const ALLOWANCE_PER_FRAME: usize = 64;

/// Runs the streams of a connection, each for a limited time: from its head until its response is sent.
#[derive(Clone)]
pub(super) struct StreamExecutor(pub(super) Duration);

impl<F> Executor<F> for StreamExecutor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let limit = self.0;
        tokio::spawn(async move {
            // A stream that is dropped is reset.
            let _ = tokio::time::timeout(limit, stream).await;
        });
    }
}

/// Sets what a client may send before its first request.
pub(super) fn begin(activity: &Activity) {
    activity.read_budget.store(ALLOWANCE, Ordering::Relaxed);
}

/// Adds what a client may send with a request, beside what it sends as its body.
pub(super) fn allow(activity: &Arc<Activity>, request: Request<Incoming>) -> Request<Body> {
    let head = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum::<usize>();
    activity.allow_reading(ALLOWANCE_PER_REQUEST + head + request.uri().path().len());
    let activity = activity.clone();
    request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        activity.allow_reading(ALLOWANCE_PER_BODY);
        Body::new(body.map_frame(move |frame| {
            let length = frame.data_ref().map_or(0, Bytes::len);
            if length > 0 {
                activity.allow_reading(length + ALLOWANCE_PER_FRAME);
            }
            frame
        }))
    })
}
