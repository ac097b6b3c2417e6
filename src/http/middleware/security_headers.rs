//! The security headers of every response.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, Entry},
};

/// The headers of every response. They forbid browsers everything but reading; documents that need more set their own.
static SECURITY_HEADERS: [(HeaderName, HeaderValue); 8] = [
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
    // Responses may have personal data: caches must not store them unless a handler allows it.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The number of other headers that a response usually has.
const OTHERS: usize = 6;

/// Makes browsers use TLS for a year. Without TLS they ignore it (RFC 6797, section 8.1), so it is not sent.
static STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the security headers that a response does not have.
pub(in crate::http) fn add_missing(headers: &mut HeaderMap, has_tls: bool) {
    // Grows the map once.
    headers.reserve(SECURITY_HEADERS.len() + OTHERS);
    for (name, value) in &SECURITY_HEADERS {
        if let Entry::Vacant(entry) = headers.entry(name) {
            entry.insert(value.clone());
        }
    }
    if has_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY.clone());
    }
}
