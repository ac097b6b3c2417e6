//! How long a connection is open, and how much memory it has while its client is silent.

use std::{
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::body::Bytes;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulConnection};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{
    client::Client,
    client_stream::ClientStream,
    connections::{Activity, Connections},
    counted_body,
    http2_limits::{self, StreamExecutor},
    rewound::Rewound,
    unsent_responses::TooManyUnsent,
};

/// The age at which a connection is closed between two requests, so that clients spread to newer instances.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60 * 60);

/// The time after which an idle connection of HTTP/1.1 is left without hyper, whose buffers are most of its memory.
const PARK_AFTER: Duration = Duration::from_millis(100);

/// The maximum time to close a socket: longer than the rest of a refused body is read.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(6);

/// The time in which a connection without a request can send its first one while the server drains.
const FIRST_REQUEST_WHILE_DRAINING: Duration = Duration::from_secs(1);

/// Completes when a connection without a request no longer waits for one: the server drains. The request may be in transit.
pub(super) async fn time_for_first_request(drain: &CancellationToken) {
    drain.cancelled().await;
    sleep(FIRST_REQUEST_WHILE_DRAINING).await;
}

/// Closes a socket, with the rest of a refused body read before. A client with TLS that receives nothing must not delay that.
async fn close(socket: &mut (impl AsyncWrite + Unpin)) {
    let _ = timeout(CLOSE_TIMEOUT, socket.shutdown()).await;
}

/// The socket under a connection, with or without TLS.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn client_stream(&self) -> &ClientStream;
}

impl Socket for ClientStream {
    fn client_stream(&self) -> &ClientStream {
        self
    }
}

impl Socket for TlsStream<ClientStream> {
    fn client_stream(&self) -> &ClientStream {
        self.get_ref().0
    }
}

/// The times in which a client must send the head of a request: on a new connection, and after a response.
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

/// An open connection.
pub(super) struct Life {
    connections: Arc<Connections>,
    activity: Arc<Activity>,
    timeouts: Timeouts,
    /// When it is closed if there is no request.
    first_head: Instant,
    /// When it is closed after its current request.
    end: Instant,
}

/// Why hyper no longer runs a connection.
enum Stopped {
    /// It is closed.
    Closed,
    /// Its client is silent.
    Idle,
}

impl Life {
    pub(super) fn new(
        connections: Arc<Connections>,
        activity: Arc<Activity>,
        start: Instant,
        timeouts: Timeouts,
    ) -> Self {
        let first_head = start + timeouts.header;
        Self { connections, activity, timeouts, first_head, end: start + MAX_CONNECTION_AGE }
    }

    pub(super) async fn serve_http1<S: Socket>(
        mut self,
        builder: http1::Builder,
        mut socket: S,
        client: Client,
    ) -> hyper::Result<()> {
        let activity = self.activity.clone();
        let service = service_fn(move |request| client.call(&activity, request));
        let mut bytes = Bytes::new();
        loop {
            let io = TokioIo::new(Rewound { bytes, socket });
            let mut connection = Box::pin(builder.serve_connection(io, service.clone()));
            let stopped = self.run(connection.as_mut(), true).await;
            let http1::Parts { io, read_buf, .. } = Pin::into_inner(connection).into_parts();
            socket = io.into_inner().socket;
            if !matches!(stopped, Ok(Stopped::Idle)) {
                // If hyper has refused the head, it knows no body.
                if stopped.as_ref().err().is_some_and(hyper::Error::is_parse) {
                    self.activity.has_unread_body.store(true, Ordering::Relaxed);
                }
                // hyper has not, after an error and after a request to upgrade the connection.
                close(&mut socket).await;
                return stopped.map(drop);
            }
            // The beginning of the next request, if it came with the previous one. The buffer has its capacity, however little is in it.
            let empty_lines = read_buf.iter().take_while(|byte| b"\r\n".contains(byte)).count();
            bytes = Bytes::copy_from_slice(&read_buf[empty_lines..]);
            drop(read_buf);
            if bytes.is_empty() && !self.has_next_request(socket.client_stream()).await {
                // A closed connection is what a client must expect between requests.
                close(&mut socket).await;
                return Ok(());
            }
            self.activity.await_request();
            self.first_head = Instant::now() + self.timeouts.header;
        }
    }

    /// Waits for the next request of an idle connection. `false`: the connection must be closed.
    async fn has_next_request(&self, socket: &ClientStream) -> bool {
        let timeout = Instant::now() + self.timeouts.idle.saturating_sub(self.activity.idle_time());
        tokio::select! {
            biased;
            received = socket.peek() => received.is_ok_and(|bytes| bytes > 0),
            () = sleep_until(timeout.min(self.end)) => false,
            () = self.activity.close.cancelled() => false,
        }
    }

    pub(super) async fn serve_http2<S: Socket>(
        self,
        builder: http2::Builder<StreamExecutor>,
        socket: S,
        client: Client,
    ) -> hyper::Result<()> {
        let activity = self.activity.clone();
        http2_limits::begin(&activity);
        let (connections, own) = (self.connections.clone(), activity.clone());
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            let (activity, connections) = (activity.clone(), connections.clone());
            if activity.unsent.are_too_many() {
                request.extensions_mut().insert(TooManyUnsent);
            }
            let response = client.call(&activity, http2_limits::allow(&activity, request));
            async move {
                if activity.unsent.is_aborted() {
                    // Nobody will receive the response.
                    std::future::pending::<()>().await;
                }
                response.await.map(|response| counted_body::count(&connections, &activity, response))
            }
        });
        let connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
        tokio::select! {
            biased;
            () = own.unsent.must_close() => Ok(()),
            result = self.run(connection, false) => result.map(drop),
        }
    }

    /// Runs a connection until it is closed or, if `parks`, its client is silent.
    async fn run<C: GracefulConnection>(&self, mut connection: Pin<&mut C>, parks: bool) -> Result<Stopped, C::Error> {
        let has_request = || self.activity.has_request();
        // What the timer waits for, unless it only looks whether the connection is idle.
        let mut deadline = self.first_head;
        let next_look = |deadline: Instant| if parks { deadline.min(Instant::now() + PARK_AFTER) } else { deadline };
        let mut timer = pin!(sleep_until(next_look(deadline)));
        let (mut awaits_first_request, mut draining) = (true, false);
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => return result.map(|()| Stopped::Closed),
                () = &mut timer, if awaits_first_request || !draining => {
                    if Instant::now() < deadline {
                        if self.activity.is_idle(PARK_AFTER) {
                            return Ok(Stopped::Idle);
                        }
                        timer.as_mut().reset(next_look(deadline));
                        continue;
                    }
                    if awaits_first_request && !has_request() {
                        return Ok(Stopped::Closed);
                    }
                    if draining || !awaits_first_request {
                        draining = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    awaits_first_request = false;
                    deadline = self.end;
                    timer.as_mut().reset(next_look(deadline));
                }
                () = self.activity.close.cancelled(), if !draining => {
                    draining = true;
                    if has_request() {
                        awaits_first_request = false;
                        connection.as_mut().graceful_shutdown();
                    } else {
                        // The first request may be received but not read yet.
                        deadline = Instant::now() + FIRST_REQUEST_WHILE_DRAINING;
                        timer.as_mut().reset(deadline);
                        awaits_first_request = true;
                    }
                }
            }
        }
    }
}
