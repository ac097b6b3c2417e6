//! Problem details (RFC 9457): the format of every error response.
//!
//! A handler, an extractor, a middleware or a fallback that refuses a request returns a [`Problem`]. It has neither the
//! path nor the request's id; the `problem_details` middleware of the server adds them through [`Problem::complete`].

use std::{borrow::Cow, fmt};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::public_url::PublicUrl;
pub use crate::{problem_type::ProblemType, violation_code::ViolationCode};

/// The media type of a problem.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

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
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Violation>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a request that was not successful has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server does not know.
    Unknown,
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
    pub fn new(
        public_url: &PublicUrl,
        problem_type: ProblemType,
        detail: impl Into<String>,
        errors: Vec<Violation>,
    ) -> Self {
        Self {
            problem_type: public_url.reference(&format!("/problems/{}", problem_type.slug())),
            title: problem_type.title(),
            status: problem_type.status().as_u16(),
            detail: detail.into(),
            errors,
        }
    }
}

/// One violation of the contract in a request, and its location.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Violation {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "json-pointer")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// The rule that is violated.
    pub code: ViolationCode,
    /// The bound of the rule, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, nullable = false)]
    pub limit: Option<Number>,
    detail: Cow<'static, str>,
}

impl Violation {
    /// Returns a violation in the body, at a JSON pointer (RFC 6901).
    pub fn at_pointer(pointer: impl Into<String>, code: ViolationCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code, limit: None, detail: detail.into() }
    }

    /// Returns a violation in a path, query or header parameter.
    pub fn in_parameter(name: impl Into<String>, code: ViolationCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), code, limit: None, detail: detail.into() }
    }

    /// Returns the violation of a value that another resource has, at a JSON pointer.
    pub fn not_unique(pointer: impl Into<String>) -> Self {
        Self::at_pointer(pointer, ViolationCode::NotUnique, "must be unique")
    }

    /// Sets the bound of the rule.
    pub fn with_limit(mut self, limit: Option<Number>) -> Self {
        self.limit = limit;
        self
    }

    /// Returns the JSON pointer or the name of the parameter.
    pub fn place(&self) -> &str {
        self.pointer.as_ref().or(self.parameter.as_ref()).map_or("", String::as_str)
    }
}

/// `/users/3/email: is required`
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.detail)
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
            outcome: None,
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Returns the status code of the response.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the problem for a bug. The cause is in the log, under the request's id, never in the response.
    pub fn internal() -> Self {
        Self::new(ProblemType::Internal, "Internal error. The server's log has the cause under this request id.")
    }

    /// Returns the problem for a temporary failure, with `Retry-After: 1`.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemType::Unavailable, detail).with_retry_after(1)
    }

    /// Returns the problem for a write that may be done, or may still be. `cause` is a sentence.
    pub fn outcome_unknown(cause: impl fmt::Display) -> Self {
        let detail = format!(
            "{cause} The write may have been done: retry it with the same Idempotency-Key, or read the resource first."
        );
        Self { outcome: Some(Outcome::Unknown), ..Self::unavailable(detail) }
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
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets the path of the request and the request's id, and completes references with the URL that clients use.
    pub fn complete(mut self, public_url: &PublicUrl, instance: &str, request_id: &str) -> Self {
        self.problem_type = public_url.reference(&self.problem_type);
        self.instance = public_url.reference(instance);
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
        let status = self.status();
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
        let problem = Problem::new(ProblemType::NotFound, "no").complete(&PublicUrl::default(), "/x", "id");
        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"/problems/not-found","title":"Not found","status":404,"detail":"no","instance":"/x","request_id":"id"}"#
        );
    }
}
