//! The part of a request body that nobody has read when the response is made: as little as a client sends with its head is read
//! then, so that the connection remains open. With more the connection must be closed, since the rest of the body would be
//! taken for the next request (RFC 9112, section 9.6).

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{sync::oneshot, task::yield_now};

/// How often the rest of a body is asked for. hyper has a part of it one turn after it was asked for.
const TURNS: usize = 4;

/// The body of a request, of which the rest is sent back when it is dropped before its end.
pub(super) struct RequestBody<B: Body> {
    /// `None` after an error.
    body: Option<B>,
    rest: Option<oneshot::Sender<Option<B>>>,
}

/// What was not read of a body, if it has a body.
pub(super) struct UnreadBody<B>(Option<oneshot::Receiver<Option<B>>>);

/// Splits a body into what the service reads, and what it leaves.
pub(super) fn split<B: Body>(body: B) -> (RequestBody<B>, UnreadBody<B>) {
    let (rest, unread) = if body.is_end_stream() {
        (None, None)
    } else {
        let (rest, unread) = oneshot::channel();
        (Some(rest), Some(unread))
    };
    (RequestBody { body: Some(body), rest }, UnreadBody(unread))
}

impl<B: Body + Unpin> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        match &frame {
            Poll::Ready(None) => self.rest = None,
            Poll::Ready(Some(Err(_))) => self.body = None,
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Body> Drop for RequestBody<B> {
    fn drop(&mut self) {
        let body = self.body.take();
        if let Some(rest) = self.rest.take()
            && !body.as_ref().is_some_and(Body::is_end_stream)
        {
            let _ = rest.send(body);
        }
    }
}

impl<B: Body + Unpin> UnreadBody<B> {
    /// Whether the client may still be sending the body. If `reads`, what has arrived of it is read first.
    pub(super) async fn remains(self, reads: bool) -> bool {
        let Some(Ok(rest)) = self.0.map(|mut unread| unread.try_recv()) else { return false };
        let Some(mut rest) = rest.filter(|_| reads) else { return true };
        for _ in 0..TURNS {
            tokio::select! {
                biased;
                frame = rest.frame() => match frame {
                    None => return false,
                    Some(Err(_)) => return true,
                    Some(Ok(_)) if rest.is_end_stream() => return false,
                    Some(Ok(_)) => {}
                },
                () = yield_now() => {}
            }
        }
        true
    }
}
