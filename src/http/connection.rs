//! One connection: HTTP/1.1 or HTTP/2, and how long it is open.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    client::Client,
    client_stream::ClientStream,
    connection_lifetime::{Life, Timeouts, time_for_first_request},
    connections::{Activity, Connections},
    http2_limits::StreamExecutor,
    proxy_protocol,
};
use crate::{config::ServerConfig, telemetry::metrics};

/// The time in which a client must receive a response.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of the head of a request on HTTP/2, before a request exists: what `request_head.rs` accepts, with the
/// 32 bytes that RFC 9113, section 6.5.2, adds for each field, and the target.
const MAX_HEADER_LIST: u32 = 48 * 1024;

/// The settings of HTTP/1.1, and of HTTP/2 without TLS (h2c).
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<StreamExecutor>,
    idle_timeout: Duration,
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
        Self { http1, http2, idle_timeout: config.idle_timeout }
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
    pub(super) protocols: Arc<Protocols>,
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
    /// Serves a client until its connection is closed. Each stage is an allocation of its own, so that an idle connection does not
    /// keep room for the beginning.
    pub(super) fn run(self, stream: TcpStream) -> impl Future<Output = ()> + Send {
        let begun = Box::pin(self.begin(stream));
        async move {
            if let Some(serving) = begun.await {
                serving.await;
            }
        }
    }

    /// Waits for the first bytes of a client. Returns what serves it.
    async fn begin(self, mut stream: TcpStream) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let Self { protocols, tls, mut client, connections, activity, header_timeout, proxy_protocol } = self;
        let (start, accepted_from) = (Instant::now(), client.peer);
        let (stream, is_http2) = tokio::select! {
            begun = async {
                if proxy_protocol && client.is_proxy() {
                    client.take_proxied(proxy_protocol::read(&mut stream).await?);
                }
                begin(stream, tls, &activity).await
            } => begun.inspect_err(|error| tracing::debug!(%error, %accepted_from, "no connection")).ok()?,
            () = sleep(header_timeout) => return None,
            () = time_for_first_request(&activity.close) => return None,
        };
        let Protocols { http1, http2, idle_timeout } = &*protocols;
        let timeouts = Timeouts { header: header_timeout, idle: *idle_timeout };
        let life = Life::new(connections, activity, start, timeouts);
        let peer = client.peer;
        Some(match (stream, is_http2) {
            (Transport::Plain(stream), false) => served(life.serve_http1(http1.clone(), stream, client), peer),
            (Transport::Plain(stream), true) => served(life.serve_http2(http2.clone(), stream, client), peer),
            (Transport::Tls(stream), false) => served(life.serve_http1(http1.clone(), *stream, client), peer),
            (Transport::Tls(stream), true) => served(life.serve_http2(http2.clone(), *stream, client), peer),
        })
    }
}

/// Logs how a connection ended.
fn served(
    serving: impl Future<Output = hyper::Result<()>> + Send + 'static,
    peer: SocketAddr,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if let Err(error) = serving.await {
            // The client disconnected or did not send HTTP.
            tracing::debug!(%error, %peer, "connection error");
        }
    })
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
