//! Host validation: the server handles only requests for its own hosts.

use std::{borrow::Cow, net::IpAddr};

use api::problem::{Problem, ProblemType};
use axum::extract::Request;
use http::{Version, header, uri::Authority};

use crate::{config::HttpConfig, http::request_context::RequestContext};

/// The allowed hosts.
pub(in crate::http) enum HostValidation {
    Any,
    /// Names and addresses of this machine.
    Local,
    Listed(Vec<String>),
}

impl HostValidation {
    /// Without credentials and a list, only local hosts are allowed.
    pub(in crate::http) fn new(config: &HttpConfig, has_credentials: bool) -> Self {
        match config.allowed_hosts.as_slice() {
            [] if has_credentials => Self::Any,
            [] => Self::Local,
            listed => Self::Listed(listed.to_vec()),
        }
    }

    /// Refuses a request without a host (RFC 9112, section 3.2), with several hosts, or with a host that is not allowed: a
    /// page that points its own host name at this address (DNS rebinding) must not reach the API.
    pub(in crate::http) fn check(&self, context: &RequestContext, request: &Request) -> Result<(), Problem> {
        let host = host(request)?;
        // Orchestrators send probes to the address of an instance. The response to a probe is harmless.
        let is_probe = context.operation.as_ref().is_some_and(|operation| operation.probe);
        let is_allowed = match self {
            _ if is_probe => true,
            Self::Any => true,
            Self::Local => is_local(&host.unwrap_or_default()),
            Self::Listed(hosts) => {
                let host = host.unwrap_or_default().to_ascii_lowercase();
                // The name with the dot of the root of DNS is the same.
                hosts.iter().any(|allowed| allowed == host.strip_suffix('.').unwrap_or(&host))
            }
        };
        if is_allowed {
            return Ok(());
        }
        Err(Problem::new(ProblemType::MisdirectedRequest, "This server does not serve this host."))
    }
}

/// Whether a host, as in a URI, is this machine: a loopback address, or a name that no DNS server decides about (RFC 6761,
/// section 6.3).
pub(in crate::http) fn is_local(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}

/// Returns the host of a request, without the port. It is optional in HTTP/1.0.
fn host(request: &Request) -> Result<Option<Cow<'_, str>>, Problem> {
    let malformed = |detail: &'static str| Problem::new(ProblemType::Malformed, detail);
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = match (hosts.next(), hosts.next(), request.uri().authority()) {
        (_, Some(_), _) => return Err(malformed("The request has more than one Host header.")),
        // In HTTP/2 the host is in the target (RFC 9113, section 8.3.1). HTTP/1.1 requires the header anyway.
        (None, None, None) if request.version() < Version::HTTP_11 => return Ok(None),
        (None, None, _) if request.version() == Version::HTTP_11 => {
            return Err(malformed("The Host header is missing."));
        }
        // The target takes precedence, but an invalid header is an error anyway (RFC 9112, section 3.2).
        (Some(host), None, Some(authority)) => {
            if !Authority::try_from(host.as_bytes()).is_ok_and(|host| is_host(&host)) {
                return Err(malformed("The Host header is invalid."));
            }
            authority.clone()
        }
        (None, None, Some(authority)) => authority.clone(),
        (Some(host), None, None) => {
            if let Some(host) = plain_host(host.as_bytes()) {
                return Ok(Some(Cow::Borrowed(host)));
            }
            Authority::try_from(host.as_bytes()).map_err(|_| malformed("The Host header is invalid."))?
        }
        (None, None, None) => return Err(malformed("The Host header is missing.")),
    };
    if !is_host(&authority) {
        return Err(malformed("The Host header is invalid."));
    }
    Ok(Some(Cow::Owned(authority.host().to_owned())))
}

/// Returns the host if it is a plain name or IPv4 address, with or without a port, as nearly every host is. This is a fast
/// path: `None` does not mean that the host is invalid.
fn plain_host(text: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let end = text.iter().position(|byte| !is_plain(byte)).unwrap_or(text.len());
    let (host, port) = text.split_at_checked(end)?;
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => {
            let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
            let number = digits.iter().try_fold(0_u32, |number, byte| Some((number * 10 + digit(byte)?).min(65_536)));
            !digits.is_empty() && number.is_some_and(|number| number < 65_536)
        }
        _ => false,
    };
    std::str::from_utf8(host).ok().filter(|host| is_port && !host.is_empty())
}

/// Whether an authority is a host with or without a valid port, and without user information.
fn is_host(authority: &Authority) -> bool {
    let text = authority.as_str();
    let after_host = text.get(authority.host().len()..).unwrap_or("@");
    after_host.is_empty() || after_host == ":" || authority.port_u16().is_some_and(|_| !text.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the fast path returns a host, the full parser returns the same one.
    #[test]
    fn the_fast_path_agrees_with_the_parser() {
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
