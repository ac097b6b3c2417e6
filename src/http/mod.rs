//! HTTP: sockets, routing, middleware, and the documents.

mod client;
mod client_stream;
mod connection;
mod connection_lifetime;
mod connections;
mod counted_body;
pub(crate) mod docs;
mod http2_limits;
mod middleware;
mod proxy_protocol;
pub(crate) mod request_context;
mod rewound;
pub mod router;
pub mod server;
mod target;
pub mod tls;
pub mod trusted_proxies;
mod unread_body;
mod unsent_responses;
