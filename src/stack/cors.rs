//! Whether scripts of other origins may read answers.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{extract::Request, response::Response};
use http::{HeaderName, Method, header};
use tower::{Layer, Service, service_fn};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::{
    DEPRECATION, SUNSET, X_REQUEST_ID,
    info::RequestInfo,
    way::{Next, Step},
};
use crate::config;

/// Tells browsers who may read answers, where that is anybody but this origin.
pub(super) struct Cors(Option<CorsLayer>);

impl Cors {
    pub(super) fn new(cors: &config::Cors) -> Self {
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
                HeaderName::from_static("ratelimit"),
                HeaderName::from_static("ratelimit-policy"),
                DEPRECATION,
                SUNSET,
                X_REQUEST_ID,
            ])
            .max_age(Duration::from_secs(60 * 60));
        Self(Some(layer))
    }
}

impl Step for Cors {
    async fn pass(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        let Some(layer) = &self.0 else { return next.run(info, request).await };
        let below = service_fn(|request| {
            let (info, next) = (info.clone(), next.clone());
            async move { Ok::<_, Infallible>(next.run(&info, request).await) }
        });
        // On the heap: without CORS no request pays for it.
        match Box::pin(layer.layer(below).call(request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
