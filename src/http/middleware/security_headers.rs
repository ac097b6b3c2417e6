//! The security headers of every response.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The headers of every response. They forbid browsers everything but reading; documents that need more set their own.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    ),
    // Users are personal data: caches must not store them unless a handler allows it.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The security headers, as a map.
pub(in crate::http) struct SecurityHeaders(HeaderMap);

impl SecurityHeaders {
    pub(in crate::http) fn new() -> Self {
        // With capacity for the headers of a response.
        let mut headers = HeaderMap::with_capacity(2 * SECURITY_HEADERS.len());
        headers.extend(SECURITY_HEADERS);
        Self(headers)
    }

    /// Adds the security headers that a response does not have.
    pub(in crate::http) fn add_missing(&self, headers: &mut HeaderMap) {
        // Cloning a map is much cheaper than inserting into one.
        let own = std::mem::replace(headers, self.0.clone());
        headers.extend(own);
    }
}
