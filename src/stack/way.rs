//! How steps stand one behind the other.
//!
//! A layer of axum's that is made of a function copies all that is below it for every request and puts the future of each
//! layer on the heap; six of them cost more than all that they did. Here the whole way is one type and one future: a step
//! calls the next one as a function calls another.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{extract::Request, response::Response, routing::Route};
use tower::{Layer, Service};

use super::{account::Account, info::RequestInfo};

/// Something that a request passes, and its answer on the way back.
pub(super) trait Step: Send + Sync + 'static {
    /// Does its part, and asks what is below if the request may go on.
    fn pass(
        &self,
        info: &Arc<RequestInfo>,
        request: Request,
        next: &impl Next,
    ) -> impl Future<Output = Response> + Send;
}

/// All that is below a step.
pub(super) trait Next: Clone + Send + Sync + 'static {
    /// Answers the request.
    fn run(&self, info: &Arc<RequestInfo>, request: Request) -> impl Future<Output = Response> + Send;
}

/// Puts a step on top of what is below it.
pub(super) struct Through<S>(Arc<S>);

impl<S> Through<S> {
    pub(super) fn new(step: S) -> Self {
        Self(Arc::new(step))
    }
}

impl<S> Clone for Through<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, N> Layer<N> for Through<S> {
    type Service = Passage<S, N>;

    fn layer(&self, next: N) -> Self::Service {
        Passage { step: self.0.clone(), next }
    }
}

/// A step and all that is below it.
pub(super) struct Passage<S, N> {
    step: Arc<S>,
    next: N,
}

impl<S, N: Clone> Clone for Passage<S, N> {
    fn clone(&self) -> Self {
        Self { step: self.step.clone(), next: self.next.clone() }
    }
}

impl<S: Step, N: Next> Next for Passage<S, N> {
    fn run(&self, info: &Arc<RequestInfo>, request: Request) -> impl Future<Output = Response> + Send {
        self.step.pass(info, request, &self.next)
    }
}

/// The end of the way.
#[derive(Clone, Copy)]
pub(super) struct ToHandler;

impl Layer<Route> for ToHandler {
    type Service = Handler;

    fn layer(&self, route: Route) -> Self::Service {
        Handler(route)
    }
}

/// What answers in the end: an operation, a document, or a fallback.
#[derive(Clone)]
pub(super) struct Handler(Route);

impl Next for Handler {
    async fn run(&self, _: &Arc<RequestInfo>, request: Request) -> Response {
        match self.0.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The beginning of the way, where the request is named and accounted for.
#[derive(Clone)]
pub(super) struct Enter(Arc<Account>);

impl Enter {
    pub(super) fn new(account: Account) -> Self {
        Self(Arc::new(account))
    }
}

impl<N> Layer<N> for Enter {
    type Service = Way<N>;

    fn layer(&self, next: N) -> Self::Service {
        Way(Arc::new((self.0.clone(), next)))
    }
}

/// The whole way, as axum takes it.
pub(super) struct Way<N>(Arc<(Arc<Account>, N)>);

impl<N> Clone for Way<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: Next> Service<Request> for Way<N> {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let way = self.0.clone();
        Box::pin(async move {
            let (account, next) = &*way;
            Ok(account.account_for(request, next).await)
        })
    }
}
