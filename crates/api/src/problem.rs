//! Problem details (RFC 9457): the format of every error response.
//!
//! A handler, an extractor, a middleware or a fallback that refuses a request returns a [`Problem`]. It has neither the
//! path nor the request's id; the `problem_details` middleware of the server adds them through [`Problem::complete`].

use std::{borrow::Cow, fmt};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The problem types. Each is identified by `/problems/SLUG`, which is also the path of a page that describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// The body is not valid JSON, or the `Host` header is missing or invalid.
    Malformed,
    /// A path, query or header parameter is unknown or does not match its schema.
    InvalidParameter,
    /// The path or the resource does not exist.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// `Accept` excludes every representation.
    NotAcceptable,
    /// The body did not arrive in time.
    RequestTimeout,
    /// A value that must be unique exists already.
    Conflict,
    /// A request with the same idempotency key is in flight.
    IdempotencyKeyInUse,
    /// The version of the resource does not meet the precondition of the request.
    PreconditionFailed,
    /// The body is too large.
    ContentTooLarge,
    /// The media type or the content coding of the body is not supported.
    UnsupportedMediaType,
    /// The server does not serve the requested host.
    MisdirectedRequest,
    /// The body is valid JSON but does not match its schema.
    Validation,
    /// Another request had the same idempotency key.
    IdempotencyKeyReused,
    /// The server requires a precondition.
    PreconditionRequired,
    /// The client exceeded its rate limit.
    TooManyRequests,
    /// A bug of the server.
    Internal,
    /// Overload, timeout, draining, or an unavailable database.
    Unavailable,
}

impl ProblemType {
    /// Every type, in the order of the status.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::InvalidParameter,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::IdempotencyKeyInUse,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::Validation,
        Self::IdempotencyKeyReused,
        Self::PreconditionRequired,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status, the slug, the title, and the description on the page at `/problems/SLUG`.
    fn entry(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "Malformed request",
                "The server cannot parse the request. The body is not valid JSON (UTF-8, no duplicate properties, at most \
                 127 levels of nesting), or the `Host` header is missing or invalid. Correct the request before you \
                 send it again.",
            ),
            Self::InvalidParameter => (
                StatusCode::BAD_REQUEST,
                "invalid-parameter",
                "Invalid parameter",
                "A path, query or header parameter is unknown, is repeated, or does not match its schema. `errors` \
                 lists every violation with the name of the parameter.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                "The path is unknown, or the resource does not exist.",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                "The path does not support this method. The `Allow` header lists the supported methods.",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "Not acceptable",
                "The `Accept` header of the request excludes every representation of this operation. Omit the header, \
                 or include a media type that the contract lists.",
            ),
            Self::RequestTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "request-timeout",
                "Request timeout",
                "The body of the request did not arrive in time. The server closed the connection. The request had no \
                 effect; you can send it again.",
            ),
            Self::Conflict => (
                StatusCode::CONFLICT,
                "conflict",
                "Conflict",
                "The request is valid, but another resource has the same value of a property that must be unique. \
                 `errors` lists the property.",
            ),
            Self::IdempotencyKeyInUse => (
                StatusCode::CONFLICT,
                "idempotency-key-in-use",
                "Idempotency key in use",
                "A request with the same `Idempotency-Key` is being processed. Repeat the request after the number of \
                 seconds in `Retry-After`: the response is then that to the first one.",
            ),
            Self::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "Precondition failed",
                "The current version of the resource, which is in the `ETag` header, does not match `If-Match`, or \
                 matches `If-None-Match`. Nothing was changed. Read the resource, apply the change again, and send it \
                 with the new version.",
            ),
            Self::ContentTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "content-too-large",
                "Content too large",
                "The body of the request exceeds the limit in `detail`.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                "The `Content-Type` is missing or not supported by this operation, its charset is not UTF-8, or the \
                 body has a content coding (`Content-Encoding`).",
            ),
            Self::MisdirectedRequest => (
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected-request",
                "Misdirected request",
                "The server does not serve the requested host. Operators configure the hosts with `ALLOWED_HOSTS`.",
            ),
            Self::Validation => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation",
                "Validation failed",
                "The body is valid JSON but does not match its schema. `errors` lists every violation with a JSON \
                 pointer (RFC 6901) to the value.",
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "Idempotency key reused",
                "Another request had the same `Idempotency-Key`: another method, path, body or precondition. A key is for one \
                 request and its repetitions. Nothing was changed.",
            ),
            Self::PreconditionRequired => (
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Precondition required",
                "The server refuses changes without `If-Match`, so that no client overwrites a change that it has not \
                 seen. Read the resource, and send its `ETag` as `If-Match`. Operators configure this with \
                 `REQUIRE_PRECONDITIONS`.",
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                "The client exceeded its rate limit. Wait for the number of seconds in `Retry-After`.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal server error",
                "The server has a bug. Its log has the cause under `request_id`; quote that id in a report.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Service unavailable",
                "The server cannot process the request now: the database is unavailable, the request timed out, or the \
                 server is overloaded or draining. Retry after the number of seconds in `Retry-After`. If `detail` states \
                 that the outcome is unknown, read the resource before you retry a change.",
            ),
        }
    }

    /// Returns the status code of the response.
    pub fn status(self) -> StatusCode {
        self.entry().0
    }

    /// Returns the last segment of the `type` URI.
    pub fn slug(self) -> &'static str {
        self.entry().1
    }

    /// Returns the title, which is the same for every problem of this type.
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// Returns the description for the page of this type.
    pub fn description(self) -> &'static str {
        self.entry().3
    }
}

/// A problem, as in the response.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    problem_type: String,
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
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The problem with one item of a request, in a successful response. The response has the path and the request's id.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemProblem {
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    problem_type: String,
    #[schema(value_type = String)]
    title: &'static str,
    /// The status that a request for this item alone would have.
    #[schema(value_type = i32, minimum = 400, maximum = 599)]
    pub status: u16,
    detail: String,
    errors: Vec<Violation>,
}

impl ItemProblem {
    /// Returns a problem of this type.
    pub fn new(problem_type: ProblemType, detail: impl Into<String>, errors: Vec<Violation>) -> Self {
        Self {
            problem_type: format!("/problems/{}", problem_type.slug()),
            title: problem_type.title(),
            status: problem_type.status().as_u16(),
            detail: detail.into(),
            errors,
        }
    }
}

/// One violation of the contract in a request, and its location.
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
    /// Returns a violation in the body, at a JSON pointer (RFC 6901).
    pub fn at_pointer(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// Returns a violation in a path, query or header parameter.
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
    /// Returns a problem of this type. `detail` describes this occurrence, for people.
    pub fn new(problem_type: ProblemType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            problem_type: format!("/problems/{}", problem_type.slug()),
            title: problem_type.title(),
            status: problem_type.status().as_u16(),
            detail: detail.into(),
            instance: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Returns the problem for a bug. The cause is in the log, under the request's id, never in the response.
    pub fn internal() -> Self {
        Self::new(ProblemType::Internal, "Internal error. The server's log has the cause under this request id.")
    }

    /// Returns the problem for a temporary failure, with `Retry-After: 1`.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemType::Unavailable, detail).with_retry_after(1)
    }

    /// Sets the violations.
    pub fn with_errors(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors;
        self
    }

    /// Sets the `Retry-After` header, in seconds.
    pub fn with_retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, seconds.into())
    }

    /// Adds a header to the response.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets the path of the request and the request's id.
    pub fn complete(mut self, instance: &str, request_id: &str) -> Self {
        self.instance = instance.to_owned();
        self.request_id = request_id.to_owned();
        self
    }

    /// Returns the body of the response.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings, integers and lists: serialization cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    /// The response's extensions contain the problem, so that middleware can complete it.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], self.to_json()).into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique() {
        let mut slugs: Vec<_> = ProblemType::ALL.iter().map(|problem_type| problem_type.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), ProblemType::ALL.len());
    }

    #[test]
    fn empty_members_are_absent() {
        let problem = Problem::new(ProblemType::NotFound, "no").complete("/x", "id");
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"/problems/not-found","title":"Not found","status":404,"detail":"no","instance":"/x","request_id":"id"}"#
        );
    }
}
