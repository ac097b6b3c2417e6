//! The body of a response over HTTP/2 that counts its bytes until they are sent.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Buf;

use super::{
    connections::{Activity, Connections},
    unsent_responses,
};

/// The maximum size of a frame. hyper hands over a frame as soon as the window has room for one byte; h2 keeps the rest.
const MAX_FRAME: usize = 4 * 1024;

/// Counts the bytes of a response until they are sent, and aborts connections if they are too many.
pub(super) fn count(
    connections: &Connections,
    activity: &Arc<Activity>,
    response: Response<Body>,
) -> Response<CountedBody> {
    response.map(|body| {
        // Bodies are in memory, so their size is known.
        let remaining = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        activity.unsent.add(remaining);
        let body = CountedBody { body, frame: Bytes::new(), remaining, activity: activity.clone() };
        if unsent_responses::must_abort() {
            connections.abort_unsent(unsent_responses::MAX_UNSENT);
        }
        body
    })
}

/// A body in small frames. hyper takes a frame when the flow-control window has room.
pub(super) struct CountedBody {
    body: Body,
    frame: Bytes,
    /// The bytes that hyper has not taken.
    remaining: usize,
    activity: Arc<Activity>,
}

impl HttpBody for CountedBody {
    type Data = CountedFrame;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<CountedFrame>, axum::Error>>> {
        if self.frame.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.frame = data,
                    Err(other) => {
                        return Poll::Ready(other.into_trailers().ok().map(|trailers| Ok(Frame::trailers(trailers))));
                    }
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.frame.len().min(MAX_FRAME);
        let bytes = self.frame.split_to(length);
        let counted = length.min(self.remaining);
        self.remaining -= counted;
        self.activity.unsent.add(length - counted);
        Poll::Ready(Some(Ok(Frame::data(CountedFrame { bytes, activity: self.activity.clone() }))))
    }

    fn is_end_stream(&self) -> bool {
        self.frame.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, frame) = (self.body.size_hint(), self.frame.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + frame);
        }
        hint.set_lower(hint.lower() + frame);
        hint
    }
}

impl Drop for CountedBody {
    fn drop(&mut self) {
        self.activity.unsent.remove(self.remaining);
    }
}

/// A part of a body that h2 writes when the client's windows allow it.
pub(super) struct CountedFrame {
    bytes: Bytes,
    activity: Arc<Activity>,
}

impl Buf for CountedFrame {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, written: usize) {
        self.bytes.advance(written);
        self.activity.unsent.send(written);
        // The client enlarges its windows as it receives.
        self.activity.allow_reading(written / 16);
    }
}

impl Drop for CountedFrame {
    fn drop(&mut self) {
        self.activity.unsent.remove(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http_body_util::BodyExt;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_byte_is_counted_until_it_is_sent_or_dropped() {
        let (connections, drain) = (Connections::new(1, 1), CancellationToken::new());
        let entry = connections.admit(IpAddr::from([192, 0, 2, 1]), false, &drain).await.unwrap();
        let unsent = || entry.activity.unsent.bytes_to_send();
        let mut body = count(&connections, &entry.activity, Response::new(vec![0; 10_000].into())).into_body();
        assert_eq!(unsent(), Some(10_000));
        let frame = body.frame().await.unwrap().unwrap().into_data();
        let mut frame = frame.unwrap_or_else(|_| panic!("it has no trailers"));
        assert_eq!((unsent(), frame.remaining()), (Some(10_000), MAX_FRAME));
        frame.advance(1_000);
        assert_eq!(unsent(), Some(9_000));
        // The client resets the stream.
        drop(frame);
        assert_eq!(unsent(), Some(10_000 - MAX_FRAME));
        drop(body);
        assert_eq!(unsent(), None);
    }

    #[tokio::test]
    async fn a_client_that_spreads_its_responses_is_found() {
        let (connections, drain) = (Connections::new(4, 3), CancellationToken::new());
        let mut open = Vec::new();
        for (client, bytes) in [(1, 4_000), (2, 6_000), (1, 4_000), (1, 4_000)] {
            let entry = connections.admit(IpAddr::from([192, 0, 2, client]), false, &drain).await.unwrap();
            let response = count(&connections, &entry.activity, Response::new(vec![0; bytes].into()));
            open.push((entry, response));
        }
        connections.abort_unsent(10_000);
        let aborted = open.iter().filter(|(entry, _)| entry.activity.unsent.is_aborted()).count();
        assert_eq!((aborted, open[1].0.activity.unsent.is_aborted()), (2, false));
    }
}
