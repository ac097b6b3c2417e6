//! Sockets: accepts connections, limits their idle time, and drains them before the server stops.
//!
//! `axum::serve` has no timeouts, so a client that sends nothing, or one byte of a header per minute, would keep its
//! connection forever. Here every wait for a client has a timeout:
//!
//! | from → to | timeout |
//! |---|---|
//! | accept → head of the first request, with PROXY protocol, TLS and the detection of HTTP/1.1 or HTTP/2 | `HEADER_TIMEOUT` |
//! | response → head of the next request | `IDLE_TIMEOUT` (HTTP/1.1), pings (HTTP/2) |
//! | head → complete body | `BODY_TIMEOUT`, in `contract/body.rs` |
//! | response → received by the client | 30 s without progress (`TCP_USER_TIMEOUT`, Linux); on HTTP/2 also 30 s in all |
//! | refusal → end of the body that the client is sending | 5 s, in `client_stream.rs` |
//! | signal → last response | `SHUTDOWN_TIMEOUT` |

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    client::Client,
    connection::{self, Connection, Protocols},
    connections::{Connections, Entry},
    tls::Tls,
    trusted_proxies::TrustedProxies,
};
use crate::{config::ServerConfig, telemetry::metrics::Counted};

/// The maximum time to accept connections that the kernel established before the stop.
const LAST_ACCEPTS_TIMEOUT: Duration = Duration::from_millis(200);

/// The connections that the kernel establishes before they are accepted: as many as the system allows, for clients that connect
/// at the same time.
const BACKLOG: u32 = 65_535;

/// What may wait in a socket until it can be sent, in bytes. What is in transit does not count.
const MAX_UNSENT_IN_SOCKET: u32 = 64 * 1024;

/// Listens on an address.
///
/// # Errors
/// The address is in use, or not one of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that a restart does not wait for connections of the previous process.
    socket.set_reuseaddr(true)?;
    limit_unsent(&socket);
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` completes. Then drains: accepts no more connections and completes the requests in flight.
///
/// Without `tls`, connections are plain. `max_request_time` is the time in which a request is received and processed. Returns whether every connection ended within
/// the shutdown timeout. An error on accept is logged.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    config: &ServerConfig,
    max_request_time: Duration,
    tls: Option<Arc<Tls>>,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let tasks = TaskTracker::new();
    let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
    let connections = Connections::new(config.max_connections, config.max_connections_per_client);
    let protocols = Arc::new(Protocols::new(config, max_request_time));
    let proxies = Arc::new(TrustedProxies::new(config.trusted_proxies.clone(), config.forwarded_header));
    let accept = || accept(&listener, &connections, &proxies, &drain);
    let mut shutdown = pin!(shutdown);

    let start = |(stream, peer, entry): Accepted| {
        let connection = Connection {
            protocols: protocols.clone(),
            tls: tls.as_ref().map(|tls| tls.acceptor()),
            client: Client {
                app: app.clone(),
                peer,
                connection_has_tls: tls.is_some(),
                has_tls: tls.is_some(),
                proxies: proxies.clone(),
            },
            connections: connections.clone(),
            activity: entry.activity.clone(),
            header_timeout: config.header_timeout,
            proxy_protocol: config.proxy_protocol,
        };
        let (abort, serving) = (abort.clone(), connection.run(stream));
        tasks.spawn(async move {
            let _entry = entry;
            let _counted = Counted::connection();
            tokio::select! {
                () = serving => {}
                () = abort.cancelled() => {}
            }
        });
    };
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept() => accepted.into_iter().for_each(&start),
        }
    }
    // Clients whose connection the kernel established already may have sent a request, which gets a response.
    refuse_new_connections(&listener);
    let last_accepts = async {
        while let Ok(Some(accepted)) = timeout(Duration::from_millis(20), accept()).await {
            start(accepted);
        }
    };
    // If the kernel establishes further connections, they must not delay the stop.
    let _ = timeout(LAST_ACCEPTS_TIMEOUT, last_accepts).await;

    drop(listener);
    tasks.close();
    drain.cancel();
    let drained = timeout(config.shutdown_timeout, tasks.wait()).await.is_ok();
    if !drained {
        tracing::warn!(connections = tasks.len(), "shutdown timeout: closing the remaining connections");
        abort.cancel();
        tasks.wait().await;
    }
    drained
}

/// A connection, its peer, and its entry.
type Accepted = (TcpStream, SocketAddr, Entry);

/// Waits for a connection that is admitted. `None` after an error, or if it is refused.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    proxies: &TrustedProxies,
    drain: &CancellationToken,
) -> Option<Accepted> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Responses are written in one piece, so Nagle's algorithm would only add latency.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "failed to set TCP_NODELAY");
            }
            let entry = connections.admit(peer.ip(), proxies.contains(peer.ip()), drain).await?;
            Some((stream, peer, entry))
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

/// Limits what the kernel does for clients that do not receive. hyper has no timeout for writes, so the kernel measures the time in
/// which data must be acknowledged (RFC 5482). And it limits how much may wait in a socket: otherwise that of a client that receives
/// nothing takes megabytes, which are copied at once. Accepted connections inherit both (tcp(7)).
fn limit_unsent(listener: &TcpSocket) {
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(listener);
        let limits = socket.set_tcp_user_timeout(Some(connection::SEND_TIMEOUT));
        if let Err(error) = limits.and_then(|()| socket.set_tcp_notsent_lowat(MAX_UNSENT_IN_SOCKET)) {
            tracing::debug!(%error, "failed to set TCP_USER_TIMEOUT or TCP_NOTSENT_LOWAT");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}
