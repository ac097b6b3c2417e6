//! Response compression with gzip.

use std::{convert::Infallible, future::ready};

use axum::{body::Body, response::Response};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use http_body::Body as _;
use tower::{Layer, Service, service_fn};
use tower_http::compression::{CompressionLayer, CompressionLevel, Predicate, predicate::SizeAbove};

/// The minimum size of a compressed body.
const MIN_BYTES: u64 = 1024;

/// Compresses a response that is large enough, if the client accepts gzip.
pub(in crate::http) async fn compress(accept_encoding: Option<HeaderValue>, response: &mut Response) {
    if response.body().size_hint().exact().is_some_and(|bytes| bytes < MIN_BYTES) {
        return;
    }
    // Boxed, so that small responses do not pay for the size of this future.
    *response = Box::pin(call(accept_encoding, std::mem::take(response))).await;
}

/// Calls the layer of tower-http with a service that returns this response.
async fn call(accept_encoding: Option<HeaderValue>, response: Response) -> Response {
    let mut request = http::Request::new(());
    request.headers_mut().extend(accept_encoding.map(|coding| (header::ACCEPT_ENCODING, coding)));
    let mut response = Some(response);
    let service = service_fn(move |_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    // A response is compressed for one client: a smaller one is not worth more of the processor.
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let layer = layer.compress_when(SizeAbove::new(MIN_BYTES).and(has_no_etag));
    match layer.layer(service).call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Reduces `Accept-Encoding` to `gzip` or removes it, and returns it. tower-http would respond with 406 to a client that
/// accepts no other coding, after the handler has run.
pub(in crate::http) fn keep_gzip(headers: &mut HeaderMap) -> Option<HeaderValue> {
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

/// A strong validator identifies exact bytes, so a response with one is not compressed (RFC 9110, section 8.8.3).
fn has_no_etag(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ETAG)
}
