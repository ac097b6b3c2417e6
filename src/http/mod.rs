//! HTTP: sockets, routing, middleware, and the documents.

pub mod docs;
mod middleware;
pub(crate) mod request_context;
pub mod router;
pub mod server;
