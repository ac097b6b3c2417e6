//! Names a request and accounts for it: its id, its operation, its span, the access log; and the headers of all answers.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use http_body::Body as _;
use tracing::Instrument;

use super::{
    DEPRECATION, SUNSET, X_REQUEST_ID,
    info::{Peer, RequestInfo},
    way::Next,
};
use crate::{
    access_log::AccessRecord,
    metrics,
    operations::{Operation, Operations},
    readiness::Drain,
    source::Source,
    telemetry,
};

/// What names a request and accounts for it.
pub(super) struct Account {
    operations: Arc<Operations>,
    source: Arc<dyn Source>,
    drain: Drain,
    /// The headers of every answer.
    secure: HeaderMap,
}

impl Account {
    pub(super) fn new(operations: Arc<Operations>, source: Arc<dyn Source>, drain: Drain) -> Self {
        // With room for those that an answer adds.
        let mut secure = HeaderMap::with_capacity(2 * SECURITY_HEADERS.len());
        secure.extend(SECURITY_HEADERS);
        Self { operations, source, drain, secure }
    }

    /// Gives the request its id, its operation and its span, and every answer, whoever gives it, the headers of all answers;
    /// writes the access log.
    pub(super) async fn account_for(&self, request: Request, next: &impl Next) -> Response {
        let id = self.id(request.headers());
        let template = request.extensions().get::<MatchedPath>();
        let operation = template.and_then(|path| self.operations.find(request.method(), path.as_str())).cloned();
        let method = metrics::method_label(request.method());
        let (span, trace_id) = telemetry::request_span(&id, operation.as_deref(), method, template, request.headers());
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let info = Arc::new(RequestInfo { id, operation, trace_id, peer, uri: request.uri().clone() });
        let mut record = AccessRecord::new(&request, method, info.clone(), span.clone());
        // HTTP/2 has a frame for goodbye, which hyper sends; the header would be an error there (RFC 9113, section 8.2.2).
        let has_connection_header = request.version() < Version::HTTP_2;

        let work = next.run(&info, request).instrument(span);
        let mut response = telemetry::within(info.clone(), work).await;

        let headers = response.headers_mut();
        self.secure(headers);
        headers.insert(X_REQUEST_ID, info.id.clone());
        if let Some(operation) = info.operation.as_deref() {
            deprecate(operation, headers);
        }
        // While the server drains, every answer asks the client to come back on another connection.
        if has_connection_header && self.drain.started() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        record.answered(response.status(), response.body().size_hint().exact());
        response
    }

    fn id(&self, headers: &HeaderMap) -> HeaderValue {
        sent_id(headers).unwrap_or_else(|| {
            // A UUID is a header value.
            let mut text = uuid::Uuid::encode_buffer();
            let text = self.source.new_id().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        })
    }

    /// Adds the headers of every answer that this one does not have.
    fn secure(&self, headers: &mut HeaderMap) {
        // To copy a map costs a fraction of what it costs to fill one.
        let own = std::mem::replace(headers, self.secure.clone());
        headers.extend(own);
    }
}

/// The client's own id, if it is one that the contract allows to be sent back.
fn sent_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(allowed)).then(|| id.clone())
}

/// What a browser may do with an answer: nothing but read it. Documents that need more say so themselves.
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
    // Users are personal data: no cache keeps them unless a handler says otherwise.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Tells the clients of an operation that is to go, and counts how often it is still called.
fn deprecate(operation: &Operation, headers: &mut HeaderMap) {
    let Some(deprecation) = &operation.deprecation else { return };
    metrics::record_deprecated(&operation.id);
    headers.insert(DEPRECATION, deprecation.clone());
    if let Some(sunset) = &operation.sunset {
        headers.insert(SUNSET, sunset.clone());
    }
}
