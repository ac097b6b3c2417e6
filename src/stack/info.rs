//! What every step knows of a request.

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderValue, Uri};
use opentelemetry::trace::TraceId;

use crate::operations::Operation;

/// What the steps, the access log and the lines of the log within a request know of it.
pub(crate) struct RequestInfo {
    /// The id that the client sent, or a new one.
    pub(crate) id: HeaderValue,
    /// What it asks for, if that is in the contract.
    pub(crate) operation: Option<Arc<Operation>>,
    /// The trace that it belongs to, if there is one.
    pub(crate) trace_id: Option<TraceId>,
    /// The other end of the connection.
    pub(crate) peer: Option<SocketAddr>,
    /// Its target, as it was sent.
    pub(crate) uri: Uri,
}

/// The address of the other end of the connection, which [`crate::server`] puts into every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);
