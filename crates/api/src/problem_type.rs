//! The problem types: what a client distinguishes problems by.

use http::StatusCode;

/// The problem types. Each is identified by `/problems/SLUG`, which is also the path of a page that describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemType {
    /// The body is not valid JSON, or the `Host` header is missing or invalid.
    Malformed,
    /// A path, query or header parameter is unknown or does not match its schema.
    InvalidParameter,
    /// The request has no valid credentials.
    Unauthorized,
    /// The credentials do not have a scope that the operation needs, or the page of another site sent the request.
    Forbidden,
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
    /// The target of the request is too long.
    UriTooLong,
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
    /// The header fields are too large or too many.
    HeaderFieldsTooLarge,
    /// A bug of the server.
    Internal,
    /// The method is unknown.
    NotImplemented,
    /// Overload, timeout, draining, or an unavailable database.
    Unavailable,
}

impl ProblemType {
    /// Every type, in the order of the status.
    pub const ALL: [Self; 23] = [
        Self::Malformed,
        Self::InvalidParameter,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::IdempotencyKeyInUse,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::UriTooLong,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::Validation,
        Self::IdempotencyKeyReused,
        Self::PreconditionRequired,
        Self::TooManyRequests,
        Self::HeaderFieldsTooLarge,
        Self::Internal,
        Self::NotImplemented,
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
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "Unauthorized",
                "The operation needs a bearer token, and the request has none, or one that is malformed, unknown, expired or \
                 revoked. Send `Authorization: Bearer` with an API key or an access token. `WWW-Authenticate` says what is \
                 wrong with the token.",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "Forbidden",
                "The token is valid, but does not have a scope that the operation needs. Or the server is used without \
                 credentials, which only programs on its own machine can do, and the page of another site or a proxy sent the \
                 request.",
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
            Self::UriTooLong => (
                StatusCode::URI_TOO_LONG,
                "uri-too-long",
                "URI too long",
                "The path and the query of the request are longer than the server accepts.",
            ),
            Self::NotImplemented => (
                StatusCode::NOT_IMPLEMENTED,
                "not-implemented",
                "Not implemented",
                "The server does not know the method of the request.",
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
            Self::HeaderFieldsTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "header-fields-too-large",
                "Header fields too large",
                "The header fields of the request exceed the limit in `detail`, such as those of a large cookie.",
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
                 server is overloaded or draining. Retry after the number of seconds in `Retry-After`. Nothing was \
                 changed, unless `outcome` is `unknown`: then retry a write with the same Idempotency-Key, or read the \
                 resource first.",
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
