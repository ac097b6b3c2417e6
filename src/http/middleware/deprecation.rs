//! The headers of deprecated operations, and the count of their requests.

use http::{HeaderMap, HeaderName};

use crate::{http::request_context::RequestContext, telemetry::metrics};

/// The date since which an operation is deprecated (RFC 9745).
pub(in crate::http) const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// The date at which an operation is removed (RFC 8594).
pub(in crate::http) const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Adds the headers to a response of a deprecated operation.
pub(in crate::http) fn add(context: &RequestContext, headers: &mut HeaderMap) {
    let Some(operation) = &context.operation else { return };
    let Some(deprecation) = &operation.deprecation else { return };
    metrics::record_deprecated(&operation.id);
    headers.insert(DEPRECATION, deprecation.clone());
    if let Some(sunset) = &operation.sunset {
        headers.insert(SUNSET, sunset.clone());
    }
}
