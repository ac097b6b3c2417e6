//! A request body that does not end.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::Frame;
use hyper::body::Bytes;

/// A body without an end.
pub struct NeverEnding(pub Option<Bytes>);

impl http_body::Body for NeverEnding {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None => Poll::Pending,
        }
    }
}
