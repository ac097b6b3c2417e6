//! CORS: which origins' scripts can read responses.

use std::{convert::Infallible, future::ready, time::Duration};

use api::idempotency::REPLAYED;
use axum::{extract::Request, response::Response};
use http::{HeaderValue, Method, header};
use tower::{Layer, Service, service_fn};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::{
    deprecation::{DEPRECATION, SUNSET},
    rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY},
    request_id::X_REQUEST_ID,
};
use crate::config;

/// The CORS layer of tower-http, if origins are configured.
pub(in crate::http) struct Cors(Option<CorsLayer>);

impl Cors {
    pub(in crate::http) fn new(cors: &config::Cors) -> Self {
        let origin = match cors {
            config::Cors::Off => return Self(None),
            config::Cors::AnyOrigin => AllowOrigin::any(),
            config::Cors::Origins(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        let layer = CorsLayer::new()
            .allow_origin(origin)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(Any)
            .expose_headers([
                header::ETAG,
                header::LOCATION,
                header::LINK,
                header::RETRY_AFTER,
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
