//! Limits of HTTP/2 that hyper does not have.
//!
//! A client can open many streams on one connection and read none of the responses: its flow-control window, not the socket,
//! holds them back, so `TCP_USER_TIMEOUT` never sees it. And it can send frames that ask for nothing, such as pings and
//! settings, as fast as the network allows.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, rt::Executor};

use super::connections::Activity;

/// What a client may send beside its requests: settings, pings, window updates, priorities. The allowance grows with each
/// request, by its head and the frames that belong to it, and by its window for a body. Each of these frames can cost the
/// server as much as a request.
const ALLOWANCE: i64 = 256 * 1024;
const ALLOWANCE_PER_REQUEST: usize = 2 * 1024;
const ALLOWANCE_PER_BODY: usize = 64 * 1024;

/// The maximum size of a frame. hyper hands over a frame as soon as the window has room for one byte; h2 keeps the rest.
const MAX_FRAME: usize = 4 * 1024;

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
            activity.allow_reading(frame.data_ref().map_or(0, Bytes::len));
            frame
        }))
    })
}

/// Counts the bytes of a response until they are written.
pub(super) fn count_unsent(activity: &Arc<Activity>, response: Response<Body>) -> Response<Body> {
    response.map(|body| match body.size_hint().exact().and_then(|size| usize::try_from(size).ok()) {
        Some(size) if size > 0 => {
            activity.add_unsent(size);
            Body::new(Unsent { body, frame: Bytes::new(), remaining: size, activity: activity.clone() })
        }
        _ => body,
    })
}

/// A body in small frames. hyper takes a frame when the flow-control window has room.
struct Unsent {
    body: Body,
    frame: Bytes,
    /// The bytes that hyper has not taken.
    remaining: usize,
    activity: Arc<Activity>,
}

impl HttpBody for Unsent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.frame.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.frame = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.frame.len().min(MAX_FRAME);
        self.remaining = self.remaining.saturating_sub(length);
        Poll::Ready(Some(Ok(Frame::data(self.frame.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.frame.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining as u64)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.activity.remove_unsent(self.remaining);
    }
}
