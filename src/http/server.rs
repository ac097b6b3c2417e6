//! Sockets: accepts connections, limits their idle time, and drains them before the server stops.
//!
//! `axum::serve` has no timeouts, so a client that sends nothing, or one byte of a header per minute, would keep its
//! connection forever. Here every wait for a client has a timeout:
//!
//! | from → to | timeout |
//! |---|---|
//! | accept → head of the first request, including the detection of HTTP/1.1 or HTTP/2 | `HEADER_TIMEOUT` |
//! | response → head of the next request | `IDLE_TIMEOUT` (HTTP/1.1), pings (HTTP/2) |
//! | head → complete body | `BODY_TIMEOUT`, in `contract/body.rs` |
//! | response → received by the client | 30 s without progress (`TCP_USER_TIMEOUT`, Linux) |
//! | signal → last response | `SHUTDOWN_TIMEOUT` |

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

use super::request_context::Peer;
use crate::{config::ServerConfig, telemetry::metrics::Counted};

/// The age at which a connection is closed between two requests, so that clients spread to newer instances.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60 * 60);

/// The maximum time to accept connections that the kernel established before the stop.
const LAST_ACCEPTS_TIMEOUT: Duration = Duration::from_millis(200);

/// The time in which a connection without a request can send its first one while the server drains.
const FIRST_REQUEST_WHILE_DRAINING: Duration = Duration::from_secs(1);

/// Serves until `shutdown` completes. Then drains: accepts no more connections and completes the requests in flight.
///
/// Returns whether every connection ended within the shutdown timeout. An error on accept is logged.
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
    // Clients whose connection the kernel established already may have sent a request, which gets a response.
    refuse_new_connections(&listener);
    let last_accepts = async {
        while let Ok(Some(accepted)) = timeout(Duration::from_millis(20), accept(&listener, &permits)).await {
            start(accepted);
        }
    };
    // If the kernel establishes further connections, they must not delay the stop.
    let _ = timeout(LAST_ACCEPTS_TIMEOUT, last_accepts).await;

    drop(listener);
    connections.close();
    drain.cancel();
    let drained = timeout(config.shutdown_timeout, connections.wait()).await.is_ok();
    if !drained {
        tracing::warn!(connections = connections.len(), "shutdown timeout: closing the remaining connections");
        abort.cancel();
        connections.wait().await;
    }
    drained
}

/// A connection, its peer, and its permit.
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Waits for a permit, then for a connection. `None` after an error.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<Accepted> {
    // The semaphore is never closed.
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Responses are written in one piece, so Nagle's algorithm would only add latency.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "failed to set TCP_NODELAY");
            }
            set_send_timeout(&stream);
            Some((stream, peer, permit))
        }
        Err(error) => {
            // An aborted connection is the client's decision. Other errors, such as no free file descriptor, need a pause.
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::error!(%error, "failed to accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
            None
        }
    }
}

/// Makes the kernel refuse new connections but keep those that it is establishing. Otherwise it would establish connections
/// until the listener is closed, and reset them then.
fn refuse_new_connections(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    {
        // A bound listener accepts connections on its interface only, and no interface has this index. Established connections
        // are not affected. Linux 5.7 and later allow this without privileges.
        let no_interface = std::num::NonZeroU32::new(i32::MAX.unsigned_abs());
        if let Err(error) = socket2::SockRef::from(listener).bind_device_by_index_v4(no_interface) {
            tracing::debug!(%error, "failed to set SO_BINDTOIFINDEX");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

/// Limits the time in which a client must acknowledge data. hyper has no timeout for writes, so the kernel measures it
/// (RFC 5482).
fn set_send_timeout(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(SEND_TIMEOUT)) {
        tracing::debug!(%error, "failed to set TCP_USER_TIMEOUT");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// HTTP/1.1 and HTTP/2 without TLS (h2c). The first bytes of a connection select the protocol.
fn protocols(config: &ServerConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper starts this timeout when it waits for a head, so it limits an idle connection too.
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

/// See [`set_send_timeout`].
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

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
        let has_request = Arc::new(AtomicBool::new(false));
        let started = has_request.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            started.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            // A router is always ready.
            app.clone().call(request)
        });

        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let start = Instant::now();
        // For the first request, then for the age of the connection.
        let mut timer = pin!(sleep(header_timeout));
        let (mut awaits_first_request, mut draining) = (true, false);
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        // The client disconnected or did not send HTTP.
                        tracing::debug!(%error, %peer, "connection error");
                    }
                    return;
                }
                () = &mut timer, if awaits_first_request || !draining => {
                    if awaits_first_request && !has_request.load(Ordering::Relaxed) {
                        return;
                    }
                    if draining || !awaits_first_request {
                        draining = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    awaits_first_request = false;
                    timer.as_mut().reset(start + MAX_CONNECTION_AGE);
                }
                () = drain.cancelled(), if !draining => {
                    draining = true;
                    if has_request.load(Ordering::Relaxed) {
                        awaits_first_request = false;
                        connection.as_mut().graceful_shutdown();
                    } else {
                        // The first request may be in transit, or received but not read yet.
                        timer.as_mut().reset(Instant::now() + FIRST_REQUEST_WHILE_DRAINING);
                        awaits_first_request = true;
                    }
                }
            }
        }
    }
}
