//! Problem details (RFC 9457): the one shape of every error body.
//!
//! Whoever refuses a request — handler, extractor, layer, fallback — returns a [`Problem`]. `instance` and `request_id`
//! are not known that deep; the outermost layer fills them in through [`Problem::complete`].

use std::{borrow::Cow, fmt};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The kinds of problem. Each has an address, `/problems/SLUG`, where a short page explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read: its body is not JSON, or it names no host.
    Malformed,
    /// A path, query or header parameter is unknown or breaks its schema.
    InvalidParameter,
    /// No such path, or no such resource.
    NotFound,
    /// The path is known, the method is not one of its own.
    MethodNotAllowed,
    /// `Accept` excludes every representation.
    NotAcceptable,
    /// The body came too slowly.
    RequestTimeout,
    /// A unique value is taken.
    Conflict,
    /// The body is larger than the server takes.
    ContentTooLarge,
    /// The body's media type or encoding is not read here.
    UnsupportedMediaType,
    /// The request is for a host that this server does not answer for.
    MisdirectedRequest,
    /// The body is JSON but breaks the contract.
    Validation,
    /// The client is over its limit.
    TooManyRequests,
    /// A bug.
    Internal,
    /// Overload, deadline, draining, or the database is away.
    Unavailable,
}

impl Kind {
    /// Every kind, in the order of their status.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::InvalidParameter,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::Validation,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// Status, slug, title, and what the page at `/problems/SLUG` says.
    fn entry(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "Malformed request",
                "The request could not be read: its body is not valid JSON (in UTF-8, without duplicate members, \
                 nested at most 127 levels deep), or it names no host. Correct the request; sending it again \
                 unchanged cannot succeed.",
            ),
            Self::InvalidParameter => (
                StatusCode::BAD_REQUEST,
                "invalid-parameter",
                "Invalid parameter",
                "A path, query or header parameter is not known to the contract, is given twice, or breaks its schema. \
                 `errors` lists every violation with the name of the parameter.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                "There is nothing at this address: the path is unknown, or the resource does not exist or no longer \
                 exists.",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                "The path exists, but not with this method. The `Allow` header lists the methods that it has.",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "Not acceptable",
                "The `Accept` header of the request excludes every representation that this operation has. Leave the \
                 header out, or name a media type that the contract lists.",
            ),
            Self::RequestTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "request-timeout",
                "Request timeout",
                "The body of the request did not arrive in time. The server closed the connection; the request had no \
                 effect and may be sent again.",
            ),
            Self::Conflict => (
                StatusCode::CONFLICT,
                "conflict",
                "Conflict",
                "The request is valid but clashes with what exists: a value that must be unique is taken. `errors` \
                 names the member.",
            ),
            Self::ContentTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "content-too-large",
                "Content too large",
                "The body of the request is larger than the server takes. `detail` tells the limit.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                "The `Content-Type` is missing or not one that this operation reads, its charset is not UTF-8, or the \
                 body is encoded (`Content-Encoding`).",
            ),
            Self::MisdirectedRequest => (
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected-request",
                "Misdirected request",
                "The request names a host that this server does not answer for. Operators list the hosts in \
                 `ALLOWED_HOSTS`.",
            ),
            Self::Validation => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation",
                "Validation failed",
                "The body is JSON but breaks the contract. `errors` lists every violation with a JSON pointer \
                 (RFC 6901) to the place.",
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                "The client sent more requests than its limit allows. Wait for the seconds that `Retry-After` tells.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal server error",
                "The server has a fault. It is logged under `request_id`; quote that when you report it.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Service unavailable",
                "The server cannot answer now: the database is away, the answer took too long, or the server is \
                 overloaded or about to stop. Wait for the seconds that `Retry-After` tells and try again. A change that \
                 ran out of time may have been made all the same: `detail` says so; look before you try again.",
            ),
        }
    }

    /// The status code of the answer.
    pub fn status(self) -> StatusCode {
        self.entry().0
    }

    /// The last segment of the problem's `type`.
    pub fn slug(self) -> &'static str {
        self.entry().1
    }

    /// The kind in a few words, the same for every problem of it.
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// What the page of this kind says.
    pub fn explanation(self) -> &'static str {
        self.entry().3
    }
}

/// A problem, as it is sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    kind: String,
    #[schema(value_type = String)]
    title: &'static str,
    #[schema(value_type = i32, minimum = 400, maximum = 599)]
    status: u16,
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    #[schema(format = "uri-reference")]
    instance: String,
    request_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Violation>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One thing in a request that breaks the contract, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "json-pointer")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    detail: String,
}

impl Violation {
    /// A violation in the body, at a JSON pointer (RFC 6901).
    pub fn at_pointer(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// A violation in a path, query or header parameter.
    pub fn in_parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), detail: detail.into() }
    }
}

/// `/users/3/email: is required`
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pointer.as_ref().or(self.parameter.as_ref());
        write!(f, "{}: {}", place.map_or("", String::as_str), self.detail)
    }
}

impl Problem {
    /// A problem of this kind; `detail` says what went wrong this time, for people.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: format!("/problems/{}", kind.slug()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            instance: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// A bug. The cause belongs in the log, under the request's id, and never in the answer.
    pub fn internal() -> Self {
        Self::new(Kind::Internal, "The server has a fault; it has been logged under this request's id.")
    }

    /// The server cannot answer now; a second later it may.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unavailable, detail).with_retry_after(1)
    }

    /// Lists the violations.
    pub fn with_errors(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a `Retry-After` header, in whole seconds.
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Fills in what only the outermost layer knows: the path that was asked for and the request's id.
    pub fn complete(mut self, instance: &str, request_id: &str) -> Self {
        self.instance = instance.to_owned();
        self.request_id = request_id.to_owned();
        self
    }

    /// The body of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings, integers and lists of them: there is nothing in it that serde_json can refuse.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    /// The problem travels in the response's extensions too, so that the outermost layer can complete it.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], self.to_json()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_every_kind_is_listed() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
    }

    #[test]
    fn members_that_say_nothing_are_absent() {
        let problem = Problem::new(Kind::NotFound, "no").complete("/x", "id");
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"/problems/not-found","title":"Not found","status":404,"detail":"no","instance":"/x","request_id":"id"}"#
        );
    }
}
