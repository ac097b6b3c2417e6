//! Closes connections while the server is draining.

use http::{HeaderMap, HeaderValue, Version, header};

use crate::readiness::Drain;

/// Adds `Connection: close` while the server is draining, so that the client opens its next connection elsewhere. HTTP/2 has
/// a frame for this, which hyper sends; the header is not allowed there (RFC 9113, section 8.2.2).
pub(in crate::http) fn close_connection(drain: &Drain, version: Version, headers: &mut HeaderMap) {
    if version < Version::HTTP_2 && drain.started() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}
