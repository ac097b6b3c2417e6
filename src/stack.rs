//! Every layer, in order, with a why each. No other file layers the app.
//!
//! A request passes from the top of [`build`]'s list to the bottom, its answer back up. axum runs layers after it has
//! matched a route, so each of them may ask which operation this is; a request that matches nothing passes the same
//! layers on its way to the fallback. How the steps are joined is in `way`.

mod account;
mod compression;
mod cors;
mod door;
mod gate;
mod info;
mod panic_guard;
mod way;

use std::sync::Arc;

use api::problem::{Kind, Problem};
use axum::{Router, extract::MatchedPath};
use http::HeaderName;
use tower::ServiceBuilder;

use self::{
    account::Account,
    compression::Compression,
    cors::Cors,
    door::Door,
    gate::Gate,
    panic_guard::PanicGuard,
    way::{Enter, Through, ToHandler},
};
use crate::{
    config::HttpConfig,
    docs::{self, Documents},
    metrics,
    operations::Operations,
    readiness::Drain,
    source::Source,
};

pub use self::info::Peer;
pub(crate) use self::info::RequestInfo;

/// What the stack is built of.
pub struct Stack {
    /// The operations that are answered.
    pub routes: Router,
    /// Their contract, compiled.
    pub operations: Arc<Operations>,
    /// The documents to serve, if any.
    pub documents: Option<Documents>,
    /// Gives the ids of requests.
    pub source: Arc<dyn Source>,
    /// Says when the server is about to stop.
    pub drain: Drain,
    /// Limits, hosts and origins.
    pub config: HttpConfig,
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Since when an operation is deprecated (RFC 9745).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// When an operation goes away (RFC 8594).
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The whole app: operations, documents and layers.
#[expect(clippy::disallowed_methods, reason = "this is the one place that layers the app")]
pub fn build(stack: Stack) -> Router {
    let Stack { routes, operations, documents, source, drain, config } = stack;
    for operation in operations.iter().filter(|operation| operation.deprecation.is_some()) {
        metrics::expect_deprecated(&operation.id);
    }

    let layers = ServiceBuilder::new()
        // Id, operation and span; access log and metrics; the headers of all answers. Outermost: everything below, every log
        // line and every problem speaks of the request by its id; every answer is seen as it is sent, those that any layer
        // below gives early included.
        .layer(Enter::new(Account::new(operations.clone(), source, drain)))
        .layer(Through::new(Compression))
        // Host, before anything is said to a page that has pointed its own name at this address; plain OPTIONS, before CORS
        // would take it for a preflight. On the way back, problems are completed.
        .layer(Through::new(Door::new(operations.clone(), &config)))
        // Outside all that may refuse a request, or a browser's script could not read why.
        .layer(Through::new(Cors::new(&config.cors)))
        // Inside the layers that count and log, so that a panic is counted and logged as the 500 that it is.
        .layer(Through::new(PanicGuard))
        // The rate limit, before anything that costs more than a look at the address; the contract; and innermost the
        // deadline, which counts the server's own time, not the time that the client takes to send a body.
        .layer(Through::new(Gate::new(&config)))
        .layer(ToHandler);

    routes
        .merge(documents.map(docs::routes).unwrap_or_default())
        .fallback(|| async { Problem::new(Kind::NotFound, "There is nothing at this path.") })
        .method_not_allowed_fallback(move |path: Option<MatchedPath>| {
            let response = door::method_not_allowed(&operations, path.as_ref());
            async { response }
        })
        .layer(layers)
}
