//! What is refused by the head of a request alone, whatever its path.

use api::problem::{Problem, ProblemType};
use axum::extract::Request;
use http::{HeaderValue, Version, header};

use crate::http::request_context::RequestContext;

/// The maximum length of a request target in bytes. RFC 9110, section 4.1, recommends at least 8,000.
const MAX_TARGET: usize = 8 * 1024;

/// The maximum size of the names and values of all header fields in bytes, and their maximum number. hyper refuses more than
/// this number on HTTP/1.1, and far more bytes, before a request exists; here both are exact, and the same for HTTP/2.
const MAX_FIELDS_BYTES: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

/// The general methods of HTTP. Others are not known, which is different from not allowed.
const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"];

/// Checks the head of a request.
///
/// # Errors
/// 400, 414, 421, 431 or 501.
pub(in crate::http) fn check(context: &RequestContext, request: &Request) -> Result<(), Problem> {
    let (uri, headers) = (request.uri(), request.headers());
    if !METHODS.contains(&request.method().as_str()) {
        return Err(Problem::new(ProblemType::NotImplemented, "The server does not know this method."));
    }
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > MAX_TARGET {
        let detail = format!("The request target is longer than {MAX_TARGET} bytes.");
        return Err(Problem::new(ProblemType::UriTooLong, detail));
    }
    let fields: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if fields > MAX_FIELDS_BYTES || headers.len() > MAX_FIELDS {
        let detail = format!("The header fields are larger than {MAX_FIELDS_BYTES} bytes, or more than {MAX_FIELDS}.");
        return Err(Problem::new(ProblemType::HeaderFieldsTooLarge, detail));
    }
    // The connection is not one for a target with another scheme (RFC 9110, section 7.4).
    let scheme = if context.has_tls() { "https" } else { "http" };
    // A proxy that ends TLS sends the scheme of the client or, over HTTP/2, that of its own connection.
    let is_of_connection = |other: &str| {
        context.origin.is_some_and(|origin| other == if origin.connection_has_tls { "https" } else { "http" })
    };
    if uri.scheme_str().is_some_and(|other| other != scheme && !is_of_connection(other)) {
        let detail = format!("The request is for another scheme than {scheme}, which this connection is for.");
        return Err(Problem::new(ProblemType::MisdirectedRequest, detail));
    }
    // hyper decodes what ends with `chunked`, and a proxy might take the end of the body to be elsewhere.
    if let Some(coding) = headers.get(header::TRANSFER_ENCODING)
        && !(coding.as_bytes().eq_ignore_ascii_case(b"chunked")
            && headers.get_all(header::TRANSFER_ENCODING).iter().count() == 1)
    {
        let detail = "The only Transfer-Encoding that the server supports is chunked, once.";
        return Err(malformed(detail).with_header(header::CONNECTION, HeaderValue::from_static("close")));
    }
    if request.version() == Version::HTTP_2
        && let (Some(host), Some(authority)) = (headers.get(header::HOST), uri.authority())
        && !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes())
    {
        return Err(malformed("The Host header and :authority differ."));
    }
    Ok(())
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(ProblemType::Malformed, detail)
}
