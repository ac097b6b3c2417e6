//! What middleware, metrics and log lines need of a request.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use http::{HeaderValue, Uri};
use opentelemetry::trace::TraceId;

use crate::contract::operations::Operation;

/// The context of a request.
pub(crate) struct RequestContext {
    /// The id from the client, or a new one.
    pub(crate) id: HeaderValue,
    /// The operation, if the request matches one.
    pub(crate) operation: Option<Arc<Operation>>,
    /// The trace of the request, if there is one.
    pub(crate) trace_id: Option<TraceId>,
    /// The address of the client's end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    /// Whether the connection has TLS.
    pub(crate) has_tls: bool,
    /// The name of the caller, once it is authenticated.
    pub(crate) caller: OnceLock<Arc<str>>,
    /// The request target.
    pub(crate) uri: Uri,
}

/// Marks a request on a connection with TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverTls;

/// The address of the client's end of the connection. The server adds it to the extensions of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);
