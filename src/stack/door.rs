//! What is looked at before a request is let in: its host, and whether it only asks for the methods of a path. On the way
//! back, the door completes problems, whoever raised them.

use std::{borrow::Cow, sync::Arc};

use api::problem::{Kind, Problem};
use axum::{
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, Version, header, uri::Authority};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    info::RequestInfo,
    way::{Next, Step},
};
use crate::{
    config::{Cors, HttpConfig},
    operations::{self, Operations},
};

/// What is looked at before the request is let in.
pub(super) struct Door {
    operations: Arc<Operations>,
    hosts: Vec<String>,
    cors: bool,
}

impl Door {
    pub(super) fn new(operations: Arc<Operations>, config: &HttpConfig) -> Self {
        Self { operations, hosts: config.allowed_hosts.clone(), cors: config.cors != Cors::Off }
    }

    /// Answers a plain OPTIONS with the methods of the path, or of the server (RFC 9110, section 9.3.7). A preflight goes on
    /// to CORS where that is on.
    async fn options(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        if request.uri().path() == "*" {
            let all = operations::allow(&["GET", "POST", "PUT", "PATCH", "DELETE"]);
            return (StatusCode::NO_CONTENT, [(header::ALLOW, all)]).into_response();
        }
        let Some(path) = request.extensions().get::<MatchedPath>() else { return next.run(info, request).await };
        let allow = allow(&self.operations, path);
        let preflight = request.headers().contains_key(header::ORIGIN)
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if preflight && self.cors {
            let mut response = next.run(info, request).await;
            // Or axum adds the methods that it knows of.
            response.headers_mut().insert(header::ALLOW, allow);
            return response;
        }
        (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
    }
}

impl Step for Door {
    async fn pass(&self, info: &Arc<RequestInfo>, request: Request, next: &impl Next) -> Response {
        let response = match check_host(&self.hosts, info, &request) {
            Ok(()) if request.method() == Method::OPTIONS => Box::pin(self.options(info, request, next)).await,
            Ok(()) => next.run(info, request).await,
            Err(problem) => problem.into_response(),
        };
        complete_problem(response, info)
    }
}

// ---- Methods --------------------------------------------------------------------------------------------------------

/// Answers a method that a path does not have.
pub(super) fn method_not_allowed(operations: &Operations, path: Option<&MatchedPath>) -> Response {
    let mut response = Problem::new(Kind::MethodNotAllowed, "This path does not have this method.").into_response();
    if let Some(path) = path {
        response.headers_mut().insert(header::ALLOW, allow(operations, path));
    }
    response
}

/// A path that is routed but not in the contract is a document: those are read only.
fn allow(operations: &Operations, path: &MatchedPath) -> HeaderValue {
    operations.allow(path.as_str()).cloned().unwrap_or_else(|| operations::allow(&["GET"]))
}

// ---- Host -----------------------------------------------------------------------------------------------------------

/// Refuses a request that names no host (RFC 9112, section 3.2), more than one, or one that is not ours: a page that
/// points its own name at this address (DNS rebinding) must not reach the API.
fn check_host(allowed: &[String], info: &RequestInfo, request: &Request) -> Result<(), Problem> {
    let host = host(request)?;
    // Orchestrators know an instance by its address, and what a probe is told is of no use to an attacker.
    let probe = info.operation.as_ref().is_some_and(|operation| operation.probe);
    if allowed.is_empty() || probe {
        return Ok(());
    }
    let host = host.unwrap_or_default().to_ascii_lowercase();
    if !allowed.contains(&host) {
        return Err(Problem::new(Kind::MisdirectedRequest, "This server does not answer for this host."));
    }
    Ok(())
}

/// The host that a request names, without the port. HTTP/1.0 need not name one.
fn host(request: &Request) -> Result<Option<Cow<'_, str>>, Problem> {
    let malformed = |detail: &'static str| Problem::new(Kind::Malformed, detail);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = match (hosts.next(), hosts.next(), request.uri().authority()) {
        (_, Some(_), _) => return Err(malformed("The request names more than one host.")),
        // HTTP/2 names it in the target (RFC 9113, section 8.3.1); so may HTTP/1.1, but never instead of the header.
        (None, None, None) if request.version() < Version::HTTP_11 => return Ok(None),
        (None, None, _) if request.version() == Version::HTTP_11 => {
            return Err(malformed("The request names no host."));
        }
        (_, None, Some(authority)) => authority.clone(),
        (Some(host), None, None) => {
            if let Some(host) = plain_host(host.as_bytes()) {
                return Ok(Some(Cow::Borrowed(host)));
            }
            Authority::try_from(host.as_bytes()).map_err(|_| malformed("The Host header is not a host."))?
        }
        (None, None, None) => return Err(malformed("The request names no host.")),
    };
    if !is_host(&authority) {
        return Err(malformed("The Host header is not a host."));
    }
    Ok(Some(Cow::Owned(authority.host().to_owned())))
}

/// The name or IPv4 address that nearly every `Host` is, with or without a port, told at a glance. What is not so plain may
/// be a host all the same.
fn plain_host(text: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let end = text.iter().position(|byte| !is_plain(byte)).unwrap_or(text.len());
    let (host, port) = text.split_at_checked(end)?;
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => {
            let number = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
            number.is_some_and(|number| number.parse::<u16>().is_ok())
        }
        _ => false,
    };
    std::str::from_utf8(host).ok().filter(|host| is_port && !host.is_empty())
}

/// A host with or without a port: no user, and a port that is one.
fn is_host(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_host = text.get(authority.host().len()..).unwrap_or("@");
    after_host.is_empty() || after_host == ":" || authority.port_u16().is_some_and(|_| !text.contains('@'))
}

// ---- Problems -------------------------------------------------------------------------------------------------------

/// What hyper lets through in a path though it may not stand in a URI reference (RFC 3986, section 3.3).
const NOT_IN_A_URI: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Writes into a problem what the place that raised it could not know.
fn complete_problem(mut response: Response, info: &RequestInfo) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let id = info.id.to_str().unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if closes_connection(parts.status) {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let instance = utf8_percent_encode(info.uri.path(), NOT_IN_A_URI).to_string();
    (parts, problem.complete(&instance, id).to_json()).into_response()
}

/// After these the rest of a body may still be on its way, and nothing after it can be told from it.
fn closes_connection(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick look and the thorough one agree wherever the quick one says yes.
    #[test]
    fn what_is_plainly_a_host_is_one() {
        for text in ["localhost:8080", "127.0.0.1", "Example.com", "a-b.example:80", "x:1", "host:65535"] {
            let authority = Authority::try_from(text).unwrap();
            assert_eq!(plain_host(text.as_bytes()), Some(authority.host()), "{text}");
            assert!(is_host(&authority), "{text}");
        }
        for text in ["", ":80", "host:", "host:65536", "host:x", "user@host", "[::1]:80", "a b", "h\u{e9}", "host/"] {
            assert_eq!(plain_host(text.as_bytes()), None, "{text}");
        }
    }
}
