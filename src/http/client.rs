//! The client of a connection: where its requests come from, and go to.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::{Router, response::Response};
use http::{HeaderValue, Version, header};
use tower::Service;

use super::{
    connections::{Activity, RunningRequest},
    proxy_protocol::Proxied,
    target,
    trusted_proxies::{Origin, TrustedProxies},
    unread_body,
};

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
    pub(super) fn is_proxy(&self) -> bool {
        self.proxies.contains(self.peer.ip())
    }

    /// Replaces the proxy by its client, if the connection is that of a client. One without an address keeps that of the proxy, but
    /// is not believed what only the proxy may say.
    pub(super) fn take_proxied(&mut self, proxied: Proxied) {
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
    pub(super) fn call<B>(
        &self,
        activity: &Arc<Activity>,
        mut request: http::Request<B>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<B>
    where
        B: http_body::Body<Data = axum::body::Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        let running = RunningRequest::new(activity.clone());
        let origin = self.origin(request.headers());
        request.extensions_mut().insert(origin);
        if let Some(uri) = target::normalized(request.uri()) {
            *request.uri_mut() = uri;
        }
        let is_http1 = request.version() < Version::HTTP_2;
        // To read the body would ask the client for it.
        let reads = is_http1 && !request.headers().contains_key(header::EXPECT);
        let (parts, body) = request.into_parts();
        let (body, unread) = unread_body::split(body);
        // A router is always ready.
        let response = self.app.clone().call(http::Request::from_parts(parts, body));
        async move {
            let mut response = response.await;
            let remains = unread.remains(reads).await;
            running.activity.has_unread_body.store(remains, Ordering::Relaxed);
            if remains
                && is_http1
                && let Ok(response) = &mut response
            {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}
