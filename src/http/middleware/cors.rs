//! CORS: which origins' scripts can read responses.

use std::{collections::BTreeSet, convert::Infallible, future::ready, time::Duration};

use api::idempotency::REPLAYED;
use axum::{extract::Request, response::Response};
use http::{HeaderName, HeaderValue, Method, header};
use tower::{Layer, Service, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    deprecation::{DEPRECATION, SUNSET},
    rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY},
    request_id::X_REQUEST_ID,
};
use crate::{config, contract::operations::Operations};

/// The request headers of every operation that a script may set, beside those that the Fetch standard allows in any case.
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    X_REQUEST_ID,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// The CORS layer of tower-http, if origins are configured.
pub(in crate::http) struct Cors(Option<CorsLayer>);

impl Cors {
    /// Scripts can send the headers of every operation, and those that all have. They are listed, since `*` does not include
    /// `Authorization` (Fetch, section 4.9).
    pub(in crate::http) fn new(cors: &config::Cors, operations: &Operations) -> Self {
        let origin = match cors {
            config::Cors::Off => return Self(None),
            config::Cors::AnyOrigin => AllowOrigin::any(),
            config::Cors::Origins(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        let parameters = operations.iter().flat_map(|operation| operation.header_parameters());
        let parameters = parameters.filter_map(|name| HeaderName::try_from(name).ok());
        let request_headers: BTreeSet<_> =
            REQUEST_HEADERS.into_iter().chain(parameters).map(|name| name.as_str().to_owned()).collect();
        let request_headers = request_headers.into_iter().filter_map(|name| HeaderName::try_from(name).ok());
        let layer = CorsLayer::new()
            .allow_origin(origin)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(request_headers.collect::<Vec<_>>())
            .expose_headers([
                header::ETAG,
                header::LOCATION,
                header::LINK,
                header::RETRY_AFTER,
                header::WWW_AUTHENTICATE,
                REPLAYED,
                RATE_LIMIT,
                RATE_LIMIT_POLICY,
                DEPRECATION,
                SUNSET,
                X_REQUEST_ID,
            ])
            .max_age(Duration::from_secs(60 * 60));
        Self(Some(layer))
    }

    /// Returns the response to a preflight request. `None` if CORS is off or the request is not a preflight.
    pub(super) async fn respond_to_preflight(&self, request: &mut Request) -> Option<Response> {
        let layer = self.0.as_ref()?;
        let headers = request.headers();
        let is_preflight =
            headers.contains_key(header::ORIGIN) && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        // The layer responds to a preflight itself.
        if is_preflight { Some(call(layer, std::mem::take(request), Response::default()).await) } else { None }
    }

    /// Returns the origin of a request, for [`Self::add_headers`].
    pub(in crate::http) fn origin(&self, request: &Request) -> Option<HeaderValue> {
        self.0.as_ref().and_then(|_| request.headers().get(header::ORIGIN).cloned())
    }

    /// Adds the CORS headers to the response to a request from this origin.
    pub(in crate::http) async fn add_headers(&self, origin: Option<HeaderValue>, response: &mut Response) {
        let Some(layer) = &self.0 else { return };
        // The layer needs no more of the request.
        let mut request = Request::default();
        request.headers_mut().extend(origin.map(|origin| (header::ORIGIN, origin)));
        // Boxed, so that a request without CORS does not pay for the size of this future.
        *response = Box::pin(call(layer, request, std::mem::take(response))).await;
    }
}

/// Calls the layer with a service that returns this response.
async fn call(layer: &CorsLayer, request: Request, response: Response) -> Response {
    let mut response = Some(response);
    let service = service_fn(move |_: Request| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    match layer.layer(service).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
