//! The socket of a client, as hyper reads and writes it.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::connections::Activity;

/// How long, and how much, the rest of a refused body is read before its connection is closed.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES: usize = 32 << 20;

/// How much is read before other connections get their turn, in bytes: thousands of small frames.
const TURN: usize = 16 * 1024;

/// How much is read at once, in bytes.
const MAX_READ: u64 = 8 * 1024;

/// The maximum size of a small response, in bytes.
const SMALL: usize = 2 * 1024;

/// A socket that limits what a client sends without requests, and that closes only after the client has received the response.
pub(super) struct ClientStream {
    stream: TcpStream,
    activity: Arc<Activity>,
    linger: Option<Linger>,
    /// What was read since others had their turn.
    read: usize,
}

/// The rest of a body that is read and discarded. If a connection is closed while its client is sending, the kernel resets it,
/// and the client may not receive the response (RFC 9112, section 9.6).
struct Linger {
    end: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    bytes: usize,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity, linger: None, read: 0 }
    }

    /// Waits for the client. Returns 0 if it has closed its side. What it sent stays in the socket.
    pub(super) async fn peek(&self) -> io::Result<usize> {
        self.stream.peek(&mut [0]).await
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read >= TURN {
            self.read = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        // hyper doubles a buffer that a read fills.
        let Poll::Ready(result) = Pin::new(&mut (&mut self.stream).take(MAX_READ)).poll_read(context, buffer) else {
            self.read = 0;
            return Poll::Pending;
        };
        result?;
        let read = buffer.filled().len() - before;
        self.read += read;
        self.activity.has_received.store(true, Ordering::Relaxed);
        let read = i64::try_from(read).unwrap_or(i64::MAX);
        if self.activity.read_budget.fetch_sub(read, Ordering::Relaxed) < read {
            return Poll::Ready(Err(io::Error::other("too much was sent without a request")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.is_sending.store(result.is_pending(), Ordering::Relaxed);
        result
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Small buffers are copied into one, which costs the kernel less than a vector of two. Large ones are not: their copies would be
    /// in memory until the client has received them.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut copy = [0; SMALL];
        let mut length = 0;
        for buffer in buffers {
            let Some(rest) = copy.get_mut(length..length + buffer.len()) else {
                let result = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
                self.activity.is_sending.store(result.is_pending(), Ordering::Relaxed);
                return result;
            };
            rest.copy_from_slice(buffer);
            length += buffer.len();
        }
        self.poll_write(context, copy.get(..length).unwrap_or_default())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, activity, linger, .. } = &mut *self;
        if linger.is_none() {
            // The client sees the end of the response.
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
            if !activity.has_unread_body.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            *linger = Some(Linger { end: Box::pin(activity.clone().end_of_linger(LINGER)), bytes: 0 });
        }
        let Some(Linger { end, bytes }) = linger else { return Poll::Ready(Ok(())) };
        let mut scratch = [0; 16 * 1024];
        while *bytes < LINGER_BYTES && end.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *bytes += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
