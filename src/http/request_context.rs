//! What middleware, metrics and log lines need of a request.

use std::sync::{Arc, OnceLock};

use http::{HeaderValue, Uri};
use opentelemetry::trace::TraceId;

use super::trusted_proxies::Origin;
use crate::contract::operations::Operation;

/// The context of a request.
pub(crate) struct RequestContext {
    /// The id from the client, or a new one.
    pub(crate) id: HeaderValue,
    /// The operation, if the request matches one.
    pub(crate) operation: Option<Arc<Operation>>,
    /// The trace of the request, if there is one.
    pub(crate) trace_id: Option<TraceId>,
    /// Where the request comes from. `None` without a connection, as in benchmarks.
    pub(crate) origin: Option<Origin>,
    /// The name of the caller, once it is authenticated.
    pub(crate) caller: OnceLock<Arc<str>>,
    /// The request target.
    pub(crate) uri: Uri,
}

impl RequestContext {
    /// Whether the client sent the request over TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.origin.is_some_and(|origin| origin.has_tls)
    }
}
