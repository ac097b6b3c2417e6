//! Response compression with gzip.

use std::io::{self, Write};

use api::problem::Problem;
use axum::{
    body::to_bytes,
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};
use http_body::Body as _;

/// The minimum size of a compressed body.
const MIN_BYTES: u64 = 1024;

/// Compresses a response that is large enough, if the client accepts gzip. A strong validator identifies exact bytes, so a response
/// with one is not compressed (RFC 9110, section 8.8.3).
///
/// It compresses all of a body at once. One that is compressed while it is sent would need the state of the compression, which is
/// larger than most responses, until its client has received it.
pub(in crate::http) async fn compress(accepts_gzip: bool, response: &mut Response) {
    let is_small = response.body().size_hint().exact().is_some_and(|bytes| bytes < MIN_BYTES);
    let headers = response.headers_mut();
    if is_small || headers.contains_key(header::ETAG) || headers.contains_key(header::CONTENT_ENCODING) {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !accepts_gzip {
        return;
    }
    // It is in memory already.
    let Ok(body) = Box::pin(to_bytes(std::mem::take(response.body_mut()), usize::MAX)).await else {
        *response = Problem::internal().into_response();
        return;
    };
    // It is compressed for one client: a smaller one is not worth more of the processor.
    *response.body_mut() = gzip(&body, Compression::fast()).unwrap_or_default().into();
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
}

/// Compresses bytes. Writing to memory cannot fail.
pub(in crate::http) fn gzip(bytes: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Reduces `Accept-Encoding` to `gzip` or removes it, and returns whether it is accepted.
pub(in crate::http) fn keep_gzip(headers: &mut HeaderMap) -> bool {
    if !headers.contains_key(header::ACCEPT_ENCODING) {
        return false;
    }
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let gzip = values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().to_ascii_lowercase();
        let weight = weight.strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    });
    if gzip {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    } else {
        headers.remove(header::ACCEPT_ENCODING);
    }
    gzip
}
