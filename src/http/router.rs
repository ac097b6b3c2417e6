//! The router: every route, and the middleware in order.
//!
//! `Handler::handle` calls the middleware as plain functions within one future. A layer of axum per middleware would
//! clone the inner service and allocate a future for every request and layer; six of them cost more than the middleware
//! itself. axum runs layers after routing, so the middleware can use the matched path. A request that matches no route
//! runs through the same middleware to the fallback.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, OnceLock},
};

use api::{
    problem::{Problem, ProblemType},
    public_url::PublicUrl,
};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
    routing::Route,
};
use http::Method;
use tower::{layer::layer_fn, service_fn};
use tracing::Instrument;

use super::{
    docs::{self, Documents},
    middleware::{
        access_log::AccessRecord,
        admission,
        authentication::Authentication,
        catch_panic, compression,
        cors::Cors,
        deprecation, draining,
        host::HostValidation,
        options, precondition_required, problem_details,
        rate_limit::{Quotas, RateLimits},
        references, request_head, request_id, security_headers,
        timeout::Timeout,
        validation,
    },
    request_context::RequestContext,
    trusted_proxies::Origin,
};
use crate::{
    auth::authenticator::Authenticator,
    config::HttpConfig,
    contract::{body::BodyLimits, operations::Operations},
    ids::IdGenerator,
    readiness::Drain,
    telemetry::{metrics, spans},
};

/// What the middleware uses of the server.
pub struct Parts {
    /// The operations of the contract.
    pub operations: Arc<Operations>,
    /// Generates the ids of requests.
    pub ids: Arc<dyn IdGenerator>,
    /// Whether the server is draining.
    pub drain: Drain,
    /// Checks credentials, if there are any.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
}

/// Builds the router from the routes of the operations, the documents and the middleware.
#[expect(clippy::disallowed_methods, reason = "only this file adds layers")]
pub fn build(routes: Router, documents: Option<Documents>, parts: Parts, config: &HttpConfig) -> Router {
    let operations = parts.operations.clone();
    for operation in operations.iter().filter(|operation| operation.deprecation.is_some()) {
        metrics::expect_deprecated(&operation.id);
    }
    let middleware = Arc::new(Middleware {
        hosts: HostValidation::new(config, parts.authenticator.is_some()),
        cors: Cors::new(&config.cors_allowed_origins, &operations),
        authentication: Authentication::new(parts.authenticator.clone(), &config.cors_allowed_origins),
        rate_limits: RateLimits::from_config(config),
        body_limits: BodyLimits { max_bytes: config.max_body_bytes, timeout: config.body_timeout },
        timeout: Timeout(config.request_timeout),
        public_url: config.public_url.clone().unwrap_or_default(),
        requires_preconditions: config.require_preconditions,
        parts,
    });
    let layer = layer_fn(move |route: Route| {
        let handler = Arc::new(Handler { middleware: middleware.clone(), route });
        service_fn(move |request: Request| handler.clone().handle(request))
    });
    routes
        .merge(documents.map(docs::routes).unwrap_or_default())
        .fallback(|| async { Problem::new(ProblemType::NotFound, "Unknown path.") })
        .method_not_allowed_fallback(move |path: Option<MatchedPath>| {
            let response = options::method_not_allowed(&operations, path.as_ref());
            async { response }
        })
        .layer(layer)
}

/// The state of the middleware.
struct Middleware {
    parts: Parts,
    hosts: HostValidation,
    cors: Cors,
    authentication: Authentication,
    rate_limits: RateLimits,
    body_limits: BodyLimits,
    timeout: Timeout,
    public_url: PublicUrl,
    requires_preconditions: bool,
}

/// The middleware and the route behind it: an operation, a document or a fallback.
struct Handler {
    middleware: Arc<Middleware>,
    route: Route,
}

impl Handler {
    /// Handles a request: creates its context and its access log record, and adds the headers of every response. This is
    /// outside of everything else, so that every response has these headers and is logged and counted as it is sent.
    async fn handle(self: Arc<Self>, request: Request) -> Result<Response, Infallible> {
        let Parts { operations, ids, drain, .. } = &self.middleware.parts;
        let id = request_id::get_or_generate(request.headers(), &**ids);
        let template = request.extensions().get::<MatchedPath>();
        let operation = template.and_then(|path| operations.find(request.method(), path.as_str())).cloned();
        let method = metrics::method_label(request.method());
        let (span, trace_id) = spans::request_span(&id, operation.as_deref(), method, template, request.headers());
        let origin = request.extensions().get::<Origin>().copied();
        let context = Arc::new(RequestContext {
            id,
            operation,
            trace_id,
            origin,
            caller: OnceLock::new(),
            uri: request.uri().clone(),
        });
        let mut record = AccessRecord::new(&request, method, context.clone(), span.clone());
        let version = request.version();

        // Pinned here, so that the wrappers move a pointer instead of a large future.
        let work = pin!(self.respond(&context, request));
        let mut response = spans::in_request(context.clone(), work.instrument(span)).await;

        let headers = response.headers_mut();
        request_id::add(&context, headers);
        security_headers::add_missing(headers, context.has_tls());
        deprecation::add(&context, headers);
        draining::close_connection(drain, version, headers);
        record.set_response(&response);
        Ok(response)
    }

    /// Checks the host, responds to OPTIONS, and processes any other request.
    async fn respond(&self, context: &Arc<RequestContext>, mut request: Request) -> Response {
        let Middleware { hosts, cors, parts, public_url, .. } = &*self.middleware;
        let accepts_gzip = compression::keep_gzip(request.headers_mut());
        // First, since a page that points its own host name at this address must not receive anything else.
        let is_accepted = request_head::check(context, &request)
            .and_then(|()| hosts.check(context, &request))
            .and_then(|()| admission::check(context, &request));
        let early_response = match is_accepted {
            Err(problem) => {
                let (origin, mut response) = (cors.origin(&request), problem.into_response());
                cors.add_headers(origin, &mut response).await;
                Some(response)
            }
            // Before CORS, which treats every OPTIONS request as a preflight.
            Ok(()) if request.method() == Method::OPTIONS => {
                Box::pin(options::respond(&parts.operations, cors, &mut request)).await
            }
            Ok(()) => None,
        };
        let mut response = match early_response {
            Some(response) => response,
            None => self.process_with_cors(context, request).await,
        };
        problem_details::complete(public_url, &mut response, context);
        references::complete(public_url, response.headers_mut());
        compression::compress(accepts_gzip, &mut response).await;
        response
    }

    /// Adds the CORS headers to every response, or a script could not read why a request was refused.
    async fn process_with_cors(&self, context: &Arc<RequestContext>, request: Request) -> Response {
        let origin = self.middleware.cors.origin(&request);
        // A panic becomes a response here, so that it is logged and counted as the 500 that it is.
        let mut response = catch_panic::catch(pin!(self.process(context, request))).await;
        self.middleware.cors.add_headers(origin, &mut response).await;
        response
    }

    /// Counts the request, and adds the quotas to its response.
    async fn process(&self, context: &Arc<RequestContext>, request: Request) -> Response {
        let mut quotas = Quotas::default();
        let response = self.process_within_limits(context, request, &mut quotas).await;
        let mut response = response.unwrap_or_else(Problem::into_response);
        quotas.add_headers(response.headers_mut());
        response
    }

    /// Checks the rate limits, authenticates the caller, validates the request, and calls the route within the timeout, which
    /// does not include the time to receive the body.
    async fn process_within_limits(
        &self,
        context: &Arc<RequestContext>,
        mut request: Request,
        quotas: &mut Quotas,
    ) -> Result<Response, Problem> {
        let Middleware { rate_limits, authentication, body_limits, timeout, requires_preconditions, .. } =
            &*self.middleware;
        if !self.is_declared(context, &request) {
            tracing::error!("a route is neither an operation nor a document");
            return Err(Problem::new(ProblemType::NotFound, "Unknown path."));
        }
        // First, so that trying tokens is limited too.
        rate_limits.check_address(context, quotas)?;
        let authenticated = authentication.check(context, &mut request).await;
        authenticated.map_err(|problem| rate_limits.count_failure(context, problem, quotas))?;
        rate_limits.check_caller(context, quotas)?;
        let request = validation::validate(context, request, *body_limits).await?;
        precondition_required::check(*requires_preconditions, context, &request)?;
        Ok(timeout.call(&self.route, context, request).await)
    }

    /// Whether the route of a request is an operation, a document or a fallback. Any other would be served without
    /// authentication and validation.
    fn is_declared(&self, context: &RequestContext, request: &Request) -> bool {
        let template = request.extensions().get::<MatchedPath>().filter(|_| context.operation.is_none());
        template.map(MatchedPath::as_str).is_none_or(|template| {
            docs::is_document(template) || self.middleware.parts.operations.allow(template).is_some()
        })
    }
}
