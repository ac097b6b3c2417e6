//! gzip, for those who take it.

use std::{convert::Infallible, future::ready, sync::Arc};

use axum::{body::Body, extract::Request, response::Response};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use http_body::Body as _;
use tower::{Layer, Service, service_fn};
use tower_http::compression::{CompressionLayer, Predicate, predicate::SizeAbove};

use super::{
    info::RequestInfo,
    way::{Next, Step},
};

/// Bodies that are smaller are sent as they are.
const MIN_BYTES: u64 = 1024;

/// Compresses what is large enough.
pub(super) struct Compression;

impl Step for Compression {
    async fn pass(&self, info: &Arc<RequestInfo>, mut request: Request, next: &impl Next) -> Response {
        let accepted = keep_gzip_alone(request.headers_mut());
        let response = next.run(info, request).await;
        // Most answers are small, and are spared the rest.
        if response.body().size_hint().exact().is_some_and(|bytes| bytes < MIN_BYTES) {
            return response;
        }
        Box::pin(compress(accepted, response)).await
    }
}

async fn compress(accepted: Option<HeaderValue>, response: Response) -> Response {
    let mut asked = http::Request::new(());
    if let Some(accepted) = accepted {
        asked.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    }
    let mut response = Some(response);
    let answer = service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let layer = CompressionLayer::new().compress_when(SizeAbove::new(MIN_BYTES).and(has_no_etag));
    match layer.layer(answer).call(asked).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Leaves `gzip` or nothing in `Accept-Encoding`, and tells what is left. tower-http knows gzip alone here, and would answer
/// a client that excludes everything else with 406, after the handler has run.
fn keep_gzip_alone(headers: &mut HeaderMap) -> Option<HeaderValue> {
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let gzip = values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    });
    if gzip {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::ACCEPT_ENCODING, gzip.clone());
        Some(gzip)
    } else {
        headers.remove(header::ACCEPT_ENCODING);
        None
    }
}

/// A strong validator names bytes: what carries one is sent as those bytes (RFC 9110, section 8.8.3).
fn has_no_etag(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ETAG)
}
