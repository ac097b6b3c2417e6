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
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, sleep_until, timeout},
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
    let (http1, http2) = protocols(config);
    let mut shutdown = pin!(shutdown);

    let start = |(stream, peer, permit): Accepted| {
        let connection = Connection {
            http1: http1.clone(),
            http2: http2.clone(),
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

/// The settings of HTTP/1.1, and of HTTP/2 without TLS (h2c).
fn protocols(config: &ServerConfig) -> (http1::Builder, http2::Builder<TokioExecutor>) {
    let mut http1 = http1::Builder::new();
    http1
        .timer(TokioTimer::new())
        // hyper starts this timeout when it waits for a head, so it limits an idle connection too.
        .header_read_timeout(config.idle_timeout)
        // A small response is copied behind its head: one buffer costs the kernel less than a vector of two.
        .writev(false)
        .max_buf_size(64 * 1024);
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(16 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .initial_stream_window_size(64 * 1024)
        .keep_alive_interval(config.idle_timeout)
        .keep_alive_timeout(Duration::from_secs(10));
    (http1, http2)
}

/// Waits for the first bytes and returns whether they are the preface of HTTP/2 (RFC 9113, section 3.4). They stay in the
/// socket. A connection that hyper-util detects reads its first 24 bytes apart, for which hyper grows the read buffer: it
/// takes 8 KiB more for as long as it is open.
async fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut start = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut start).await?;
        if length == 0 || start[..length] != PREFACE[..length] {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // The bytes that have arrived keep the socket readable.
        sleep(Duration::from_millis(10)).await;
    }
}

/// See [`set_send_timeout`].
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

struct Connection {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    app: Router,
    peer: SocketAddr,
    header_timeout: Duration,
    drain: CancellationToken,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let Self { http1, http2, app, peer, header_timeout, drain } = self;
        let start = Instant::now();
        let first_bytes = async {
            tokio::select! {
                is_http2 = begins_http2(&stream) => is_http2.ok(),
                () = sleep(header_timeout) => None,
                () = time_for_first_request(&drain) => None,
            }
        };
        let Some(is_http2) = Box::pin(first_bytes).await else { return };

        let has_request = Arc::new(AtomicBool::new(false));
        let started = has_request.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            started.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            // A router is always ready.
            app.clone().call(request)
        });
        let life = Life { has_request, first_head: start + header_timeout, end: start + MAX_CONNECTION_AGE, drain };
        let stream = TokioIo::new(stream);
        // Boxed, because one is larger than the other.
        let result = if is_http2 {
            Box::pin(life.run(http2.serve_connection(stream, service))).await
        } else {
            life.run(http1.serve_connection(stream, service)).await
        };
        if let Err(error) = result {
            // The client disconnected or did not send HTTP.
            tracing::debug!(%error, %peer, "connection error");
        }
    }
}

/// Completes when a connection without a request no longer waits for one: the server drains. The request may be in transit.
async fn time_for_first_request(drain: &CancellationToken) {
    drain.cancelled().await;
    sleep(FIRST_REQUEST_WHILE_DRAINING).await;
}

/// How long a connection is open.
struct Life {
    has_request: Arc<AtomicBool>,
    /// When a connection without a request is closed.
    first_head: Instant,
    /// When it is closed after its current request.
    end: Instant,
    drain: CancellationToken,
}

impl Life {
    async fn run<C: GracefulConnection>(self, connection: C) -> Result<(), C::Error> {
        let has_request = || self.has_request.load(Ordering::Relaxed);
        let mut connection = pin!(connection);
        let mut timer = pin!(sleep_until(self.first_head));
        let (mut awaits_first_request, mut draining) = (true, false);
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => return result,
                () = &mut timer, if awaits_first_request || !draining => {
                    if awaits_first_request && !has_request() {
                        return Ok(());
                    }
                    if draining || !awaits_first_request {
                        draining = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    awaits_first_request = false;
                    timer.as_mut().reset(self.end);
                }
                () = self.drain.cancelled(), if !draining => {
                    draining = true;
                    if has_request() {
                        awaits_first_request = false;
                        connection.as_mut().graceful_shutdown();
                    } else {
                        // The first request may be received but not read yet.
                        timer.as_mut().reset(Instant::now() + FIRST_REQUEST_WHILE_DRAINING);
                        awaits_first_request = true;
                    }
                }
            }
        }
    }
}
