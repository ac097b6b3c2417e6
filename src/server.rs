//! Sockets: accepts connections, bounds how long they may idle, and drains them before a stop.
//!
//! `axum::serve` sets no deadline, so a client that sends nothing, or a header a byte a minute, would hold its
//! connection for ever. Here every wait for a client has an end:
//!
//! | wait | bounded by |
//! |---|---|
//! | acceptance → first request's head, also while HTTP/1.1 and HTTP/2 are told apart | `HEADER_TIMEOUT` |
//! | answer → next request's head | `IDLE_TIMEOUT` (HTTP/1.1), pings (HTTP/2) |
//! | head → whole body | `BODY_TIMEOUT`, in [`crate::validation`] |
//! | answer → its bytes are taken | 30 s without progress (`TCP_USER_TIMEOUT`, Linux) |
//! | signal to stop → last answer | `SHUTDOWN_TIMEOUT` |

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{config::ServerConfig, metrics::Counted, stack::Peer};

/// A connection is asked to close at this age, between two requests, so that clients spread over instances that came
/// later.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60 * 60);

/// How long connections that came before the stop are taken, at most.
const LAST_ACCEPTS: Duration = Duration::from_millis(200);

/// How long a connection on which nothing was asked yet may still ask, once the server drains.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` ends, then drains: accepts no more, lets requests in flight end, and closes.
///
/// Returns whether every connection ended within the shutdown timeout.
///
/// # Errors
/// None once it runs: a connection that cannot be accepted is logged and the next one is tried.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    config: &ServerConfig,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let connections = TaskTracker::new();
    let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
    let permits = Arc::new(Semaphore::new(config.max_connections));
    let builder = Arc::new(protocols(config));
    let mut shutdown = pin!(shutdown);

    let start = |(stream, peer, permit): Accepted| {
        let connection = Connection {
            builder: builder.clone(),
            app: app.clone(),
            peer,
            header_timeout: config.header_timeout,
            drain: drain.clone(),
        };
        let abort = abort.clone();
        connections.spawn(async move {
            let _permit = permit;
            let _counted = Counted::connection();
            tokio::select! {
                () = connection.run(stream) => {}
                () = abort.cancelled() => {}
            }
        });
    };
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &permits) => accepted.into_iter().for_each(&start),
        }
    }
    // Clients whose connection the kernel has taken already may have sent a request: they are answered too.
    take_no_more(&listener);
    let last_ones = async {
        while let Ok(Some(accepted)) = timeout(Duration::from_millis(20), accept(&listener, &permits)).await {
            start(accepted);
        }
    };
    // Where the kernel goes on taking connections, clients that go on coming must not hold up the stop.
    let _ = timeout(LAST_ACCEPTS, last_ones).await;

    drop(listener);
    connections.close();
    drain.cancel();
    let drained = timeout(config.shutdown_timeout, connections.wait()).await.is_ok();
    if !drained {
        tracing::warn!(connections = connections.len(), "the shutdown timeout is over: connections are cut");
        abort.cancel();
        connections.wait().await;
    }
    drained
}

/// A connection, where it comes from, and its place among those allowed.
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Waits for a free place, then for a connection. `None` if there was none to be had.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<Accepted> {
    // The semaphore is never closed.
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are whole when they are written: waiting for more to send only adds latency.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY");
            }
            give_up_on_unread_answers(&stream);
            Some((stream, peer, permit))
        }
        Err(error) => {
            // A client that is gone again is its own affair; a lack of file descriptors needs a pause to pass.
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::error!(%error, "a connection cannot be accepted");
                sleep(Duration::from_millis(100)).await;
            }
            None
        }
    }
}

/// From now on the kernel refuses new connections, and goes on with those that it has begun. Otherwise it would take
/// connections up to the moment at which the listener is closed, and reset them then, requests and all.
fn take_no_more(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    {
        // A listener hears only the interface to which it is bound, and no interface has this number. Whoever has shaken
        // hands is past that question. Any user may do this since Linux 5.7.
        let nowhere = std::num::NonZeroU32::new(i32::MAX.unsigned_abs());
        if let Err(error) = socket2::SockRef::from(listener).bind_device_by_index_v4(nowhere) {
            tracing::debug!(%error, "SO_BINDTOIFINDEX");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

/// A client that does not read its answer, or is gone without a word, holds its connection no longer than this. The kernel
/// counts: hyper has no clock for writing (RFC 5482).
fn give_up_on_unread_answers(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_ANSWER_TIMEOUT)) {
        tracing::debug!(%error, "TCP_USER_TIMEOUT");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// HTTP/1.1 and HTTP/2 without TLS (h2c), told apart by the first bytes.
fn protocols(config: &ServerConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper starts this clock when it begins to wait for a head, so it bounds an idle connection too.
        .header_read_timeout(config.idle_timeout)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(16 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(64 * 1024)
        .keep_alive_interval(config.idle_timeout)
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// See [`give_up_on_unread_answers`].
#[cfg(target_os = "linux")]
const UNREAD_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

struct Connection {
    builder: Arc<auto::Builder<TokioExecutor>>,
    app: Router,
    peer: SocketAddr,
    header_timeout: Duration,
    drain: CancellationToken,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let Self { builder, app, peer, header_timeout, drain } = self;
        let has_begun = Arc::new(AtomicBool::new(false));
        let begun = has_begun.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            // A router is always ready.
            app.clone().call(request)
        });

        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut first_request = pin!(sleep(header_timeout));
        let mut age = pin!(sleep(MAX_CONNECTION_AGE));
        let (mut awaits_first_request, mut draining) = (true, false);
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        // A client that goes away, or does not speak HTTP: of no concern to an operator.
                        tracing::debug!(%error, %peer, "the connection ended early");
                    }
                    return;
                }
                () = &mut first_request, if awaits_first_request => {
                    if !has_begun.load(Ordering::Relaxed) {
                        return;
                    }
                    awaits_first_request = false;
                    if draining {
                        connection.as_mut().graceful_shutdown();
                    }
                }
                () = drain.cancelled(), if !draining => {
                    draining = true;
                    if has_begun.load(Ordering::Relaxed) {
                        connection.as_mut().graceful_shutdown();
                    } else {
                        // A first request may be on its way, or here and not read yet: it is answered if it comes now.
                        first_request.as_mut().reset(Instant::now() + LAST_CHANCE);
                        awaits_first_request = true;
                    }
                }
                () = &mut age, if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
