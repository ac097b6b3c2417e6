//! One connection: HTTP/1.1 or HTTP/2, and how long it is open.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{Router, response::Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, sleep_until},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::{
    client_stream::ClientStream,
    connections::{Activity, Connections, RunningRequest},
    counted_body,
    http2_limits::{self, StreamExecutor},
    proxy_protocol::{self, Proxied},
    target,
    trusted_proxies::{Origin, TrustedProxies},
};
use crate::{config::ServerConfig, telemetry::metrics};

/// The age at which a connection is closed between two requests, so that clients spread to newer instances.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60 * 60);

/// The time in which a connection without a request can send its first one while the server drains.
const FIRST_REQUEST_WHILE_DRAINING: Duration = Duration::from_secs(1);

/// The time in which a client must receive a response.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of the head of a request on HTTP/2, before a request exists: what `request_head.rs` accepts, with the
/// 32 bytes that RFC 9113, section 6.5.2, adds for each field, and the target.
const MAX_HEADER_LIST: u32 = 48 * 1024;

/// The settings of HTTP/1.1, and of HTTP/2 without TLS (h2c).
#[derive(Clone)]
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<StreamExecutor>,
}

impl Protocols {
    pub(super) fn new(config: &ServerConfig, max_request_time: Duration) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // hyper starts this timeout when it waits for a head, so it limits an idle connection too.
            .header_read_timeout(config.idle_timeout)
            // A client may close its side after its request, and still gets the response (RFC 9112, section 9.6).
            .half_close(true)
            // A small response is copied behind its head: one buffer costs the kernel less than a vector of two.
            .writev(false)
            .max_buf_size(64 * 1024);
        let mut http2 = http2::Builder::new(StreamExecutor(max_request_time + SEND_TIMEOUT));
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(100)
            .max_header_list_size(MAX_HEADER_LIST)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(64)
            .initial_stream_window_size(64 * 1024)
            .keep_alive_interval(config.idle_timeout)
            .keep_alive_timeout(Duration::from_secs(10));
        Self { http1, http2 }
    }
}

/// Waits for the first bytes and returns whether they are the preface of HTTP/2 (RFC 9113, section 3.4). They stay in the
/// socket. A connection that hyper-util detects reads its first 24 bytes apart, for which hyper grows the read buffer: it
/// takes 8 KiB more for as long as it is open.
async fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut start = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(5);
    loop {
        let length = stream.peek(&mut start).await?;
        if length == 0 || start[..length] != PREFACE[..length] {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // The bytes that have arrived keep the socket readable.
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

pub(super) struct Connection {
    pub(super) protocols: Protocols,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) client: Client,
    pub(super) connections: Arc<Connections>,
    pub(super) activity: Arc<Activity>,
    pub(super) header_timeout: Duration,
    /// Whether trusted proxies send a header of the PROXY protocol.
    pub(super) proxy_protocol: bool,
}

/// A socket with or without TLS.
enum Transport {
    Plain(ClientStream),
    Tls(Box<TlsStream<ClientStream>>),
}

impl Connection {
    pub(super) async fn run(self, mut stream: TcpStream) {
        let Self { protocols, tls, mut client, connections, activity, header_timeout, proxy_protocol } = self;
        let (start, accepted_from) = (Instant::now(), client.peer);
        let begin = async {
            tokio::select! {
                begun = async {
                    if proxy_protocol && client.is_proxy() {
                        client.take_proxied(proxy_protocol::read(&mut stream).await?);
                    }
                    begin(stream, tls, &activity).await
                } => begun.inspect_err(|error| tracing::debug!(%error, %accepted_from, "no connection")).ok(),
                () = sleep(header_timeout) => None,
                () = time_for_first_request(&activity.close) => None,
            }
        };
        let Some((stream, is_http2)) = Box::pin(begin).await else { return };

        let peer = client.peer;
        let end = start + MAX_CONNECTION_AGE;
        let life = Life { connections, activity, first_head: start + header_timeout, end };
        let result = match stream {
            Transport::Plain(stream) => life.serve(&protocols, TokioIo::new(stream), is_http2, client).await,
            Transport::Tls(stream) => Box::pin(life.serve(&protocols, TokioIo::new(stream), is_http2, client)).await,
        };
        if let Err(error) = result {
            // The client disconnected or did not send HTTP.
            tracing::debug!(%error, %peer, "connection error");
        }
    }
}

/// Accepts TLS, if there is any, and returns whether the client speaks HTTP/2.
async fn begin(stream: TcpStream, tls: Option<TlsAcceptor>, activity: &Arc<Activity>) -> io::Result<(Transport, bool)> {
    let Some(tls) = tls else {
        let is_http2 = begins_http2(&stream).await?;
        return Ok((Transport::Plain(ClientStream::new(stream, activity.clone())), is_http2));
    };
    let accepted = tls.accept(ClientStream::new(stream, activity.clone())).await;
    let stream = accepted.inspect_err(|_| metrics::count_tls_failure())?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok((Transport::Tls(Box::new(stream)), is_http2))
}

/// Where the requests of a connection come from, and go to.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) app: Router,
    /// The other end of the connection, or what a proxy reports in the PROXY protocol.
    pub(super) peer: SocketAddr,
    pub(super) connection_has_tls: bool,
    /// Whether the client has TLS.
    pub(super) has_tls: bool,
    pub(super) proxies: Arc<TrustedProxies>,
}

impl Client {
    /// Whether the peer is a trusted proxy.
    fn is_proxy(&self) -> bool {
        self.proxies.contains(self.peer.ip())
    }

    /// Replaces the proxy by its client, if the connection is that of a client. One without an address keeps that of the proxy, but
    /// is not believed what only the proxy may say.
    fn take_proxied(&mut self, proxied: Proxied) {
        if let Proxied::Client { address, has_tls } = proxied {
            self.has_tls |= has_tls;
            match address {
                Some(address) => self.peer = address,
                None => self.proxies = Arc::new(self.proxies.none()),
            }
        }
    }

    /// Returns where a request comes from.
    fn origin(&self, headers: &http::HeaderMap) -> Origin {
        let Self { peer, has_tls, connection_has_tls, .. } = *self;
        let mut origin = Origin { client: peer.ip().to_canonical(), has_tls, connection_has_tls };
        if self.is_proxy() {
            self.proxies.resolve(&mut origin, headers);
        }
        origin
    }

    /// Passes a request to the router, and records what its connection is doing.
    fn call<B>(
        &self,
        activity: &Arc<Activity>,
        mut request: http::Request<B>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<B>
    where
        B: http_body::Body<Data = axum::body::Bytes, Error: Into<axum::BoxError>> + Send + 'static,
    {
        let running = RunningRequest::new(activity.clone());
        let has_body = !request.body().is_end_stream();
        let origin = self.origin(request.headers());
        request.extensions_mut().insert(origin);
        if let Some(uri) = target::normalized(request.uri()) {
            *request.uri_mut() = uri;
        }
        // A router is always ready.
        let response = self.app.clone().call(request);
        async move {
            let response = response.await;
            // An error may be sent before the body is received. If all of it was, this has no effect.
            let is_refused = response.as_ref().is_ok_and(|response| !response.status().is_success());
            running.activity.has_unread_body.store(has_body && is_refused, Ordering::Relaxed);
            response
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
    connections: Arc<Connections>,
    activity: Arc<Activity>,
    /// When a connection without a request is closed.
    first_head: Instant,
    /// When it is closed after its current request.
    end: Instant,
}

impl Life {
    async fn serve<I>(self, protocols: &Protocols, stream: I, is_http2: bool, client: Client) -> hyper::Result<()>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let activity = self.activity.clone();
        if !is_http2 {
            let service = service_fn(move |request| client.call(&activity, request));
            return self.run(protocols.http1.serve_connection(stream, service)).await;
        }
        http2_limits::begin(&activity);
        let (connections, own) = (self.connections.clone(), activity.clone());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (activity, connections) = (activity.clone(), connections.clone());
            let response = client.call(&activity, http2_limits::allow(&activity, request));
            async move {
                if activity.unsent.is_aborted() {
                    // Nobody will receive the response.
                    std::future::pending::<()>().await;
                }
                response.await.map(|response| counted_body::count(&connections, &activity, response))
            }
        });
        let connection = self.run(protocols.http2.serve_connection(stream, service));
        // Boxed, because it is larger than the other.
        Box::pin(async {
            tokio::select! {
                biased;
                () = own.unsent.must_close() => Ok(()),
                result = connection => result,
            }
        })
        .await
    }

    async fn run<C: GracefulConnection>(self, connection: C) -> Result<(), C::Error> {
        let has_request = || self.activity.has_request();
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
                () = self.activity.close.cancelled(), if !draining => {
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
