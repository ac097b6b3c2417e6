//! Authentication and authorization, as the contract's `security` says, on the head of a request: nothing of its body is read
//! for a caller who may not send it.

use std::sync::Arc;

use api::{
    caller::CallerName,
    problem::{Problem, ProblemType},
};
use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::Authority};

use super::host::is_local;
use crate::{
    auth::{
        authenticator::Authenticator,
        caller::{Caller, Refusal},
    },
    config::Cors,
    contract::operations::Operation,
    http::request_context::RequestContext,
    telemetry::metrics::count_authentication_failure,
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks who may call.
pub(in crate::http) enum Authentication {
    /// Callers have tokens.
    Tokens(Arc<Authenticator>),
    /// There are no credentials, so only programs on this machine can call, but not the pages of other sites that its browser
    /// shows, except those of these origins.
    Local(Vec<HeaderValue>),
}

impl Authentication {
    pub(in crate::http) fn new(authenticator: Option<Arc<Authenticator>>, cors: &Cors) -> Self {
        match (authenticator, cors) {
            (Some(authenticator), _) => Self::Tokens(authenticator),
            (None, Cors::Origins(origins)) => Self::Local(origins.clone()),
            // `*` opens responses that are public, and nothing here is meant to be.
            (None, Cors::Off | Cors::AnyOrigin) => Self::Local(Vec::new()),
        }
    }

    /// Checks that the caller may call the operation, and adds its name to the context and the request.
    ///
    /// # Errors
    /// 401, 403, or 503 if the issuer of tokens cannot be reached.
    pub(in crate::http) async fn check(&self, context: &RequestContext, request: &mut Request) -> Result<(), Problem> {
        let Some(operation) = &context.operation else { return Ok(()) };
        match self {
            _ if operation.security.is_empty() => Ok(()),
            Self::Local(origins) if is_cross_site(request.uri(), request.headers(), origins) => {
                count_authentication_failure("cross_site");
                let detail =
                    "The page of another site sent this request. List its origin in CORS_ALLOWED_ORIGINS to allow it.";
                Err(Problem::new(ProblemType::Forbidden, detail))
            }
            Self::Local(_) if is_forwarded(request.headers()) => {
                count_authentication_failure("forwarded");
                let detail = "A proxy forwarded this request, and this server checks no credentials, so it serves only \
                              programs on its own machine. Configure API_KEYS_FILE or OIDC_ISSUER to serve others.";
                Err(Problem::new(ProblemType::Forbidden, detail))
            }
            Self::Local(_) => Ok(()),
            Self::Tokens(authenticator) => {
                let caller = authenticate(authenticator, operation, request.headers()).await?;
                // Set once per request, also if the caller is refused, for the log.
                let _ = context.caller.set(caller.name.clone());
                authorize(operation, &caller)?;
                request.extensions_mut().insert(CallerName(caller.name));
                Ok(())
            }
        }
    }
}

/// Returns the caller.
async fn authenticate(
    authenticator: &Authenticator,
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let scopes = scopes(operation);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => {
            count_authentication_failure("no_token");
            let detail = "This operation needs a bearer token in the Authorization header.";
            return Err(refuse(ProblemType::Unauthorized, detail, None, &scopes));
        }
        (Some(value), None) => value.to_str().ok().and_then(bearer_token),
        (Some(_), Some(_)) => None,
    };
    let invalid = |detail| {
        count_authentication_failure("invalid_token");
        refuse(ProblemType::Unauthorized, detail, Some("invalid_token"), &scopes)
    };
    let token = token.ok_or_else(|| invalid("The Authorization header is not `Bearer` and one token."))?;
    authenticator.authenticate(token).await.map_err(|refusal| match refusal {
        Refusal::Invalid(detail) => invalid(detail),
        Refusal::Unavailable => {
            count_authentication_failure("issuer_unavailable");
            Problem::unavailable("The issuer of the token cannot be reached to verify it.")
        }
    })
}

/// The scopes in a challenge: those of the first alternative.
fn scopes(operation: &Operation) -> String {
    operation.security.first().map(|scopes| scopes.join(" ")).unwrap_or_default()
}

/// Checks that a caller has the scopes of an operation.
fn authorize(operation: &Operation, caller: &Caller) -> Result<(), Problem> {
    if operation.security.iter().any(|scopes| scopes.iter().all(|scope| caller.scopes.contains(scope))) {
        return Ok(());
    }
    count_authentication_failure("missing_scope");
    let missing = operation.security.first().into_iter().flatten().filter(|scope| !caller.scopes.contains(*scope));
    let missing = missing.map(String::as_str).collect::<Vec<_>>().join(" ");
    let detail = format!("The token does not have the scope {missing}.");
    Err(refuse(ProblemType::Forbidden, detail, Some("insufficient_scope"), &scopes(operation)))
}

/// Returns the token of an `Authorization` header (RFC 6750, section 2.1).
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.bytes().all(is_token)).then_some(token)
}

/// Returns a problem with a challenge (RFC 6750, section 3).
fn refuse(
    problem_type: ProblemType,
    detail: impl Into<std::borrow::Cow<'static, str>>,
    error: Option<&str>,
    scopes: &str,
) -> Problem {
    let error = error.map(|error| format!("error=\"{error}\""));
    let scopes = Some(scopes).filter(|scopes| !scopes.is_empty()).map(|scopes| format!("scope=\"{scopes}\""));
    let parameters = error.into_iter().chain(scopes).collect::<Vec<_>>().join(", ");
    // Scopes are of the contract.
    let challenge = HeaderValue::try_from(format!("Bearer {parameters}").trim_end());
    let challenge = challenge.unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    Problem::new(problem_type, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// Whether a proxy sent the request, for a client that is elsewhere.
fn is_forwarded(headers: &HeaderMap) -> bool {
    const OF_PROXIES: [&str; 8] = [
        "forwarded",
        "via",
        "x-real-ip",
        "client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-envoy-external-address",
    ];
    headers.keys().map(HeaderName::as_str).any(|name| OF_PROXIES.contains(&name) || name.starts_with("x-forwarded-"))
}

/// Whether a browser sent the request for the page of another site. Other programs send neither header. Browsers send each once,
/// with one of the values of the Fetch Metadata specification; anything else is taken for another site.
fn is_cross_site(target: &Uri, headers: &HeaderMap, allowed: &[HeaderValue]) -> bool {
    let is_repeated = |name| headers.get_all(name).iter().nth(1).is_some();
    if is_repeated(header::ORIGIN) || is_repeated(SEC_FETCH_SITE) {
        return true;
    }
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| allowed.contains(origin)) {
        return false;
    }
    // Also the server's own pages at a name of ALLOWED_HOSTS: the host has been checked.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = target.authority().map(Authority::as_str).or(host);
    let is_local_origin = |origin: &HeaderValue| {
        let uri = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        let authority = uri.as_ref().and_then(Uri::authority);
        authority.is_some_and(|authority| is_local(authority.host()) || host == Some(authority.as_str()))
    };
    headers.get(SEC_FETCH_SITE).is_some_and(|site| !["same-origin", "same-site", "none"].iter().any(|own| site == own))
        || origin.is_some_and(|origin| !is_local_origin(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_one_token() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  a.b-c_~+/== ", Some("a.b-c_~+/==")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer a b", None),
            ("Bearer a,b", None),
            ("Basic abc", None),
            ("Bearerabc", None),
        ] {
            assert_eq!(bearer_token(value), token, "{value}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_recognized_by_either_header() {
        let allowed = [HeaderValue::from_static("https://app.example.com")];
        for (site, origin, is_other) in [
            (None, None, false),
            (Some("none"), None, false),
            (Some("same-origin"), Some("http://localhost:8080"), false),
            (Some("same-site"), Some("http://localhost:3000"), false),
            (Some("cross-site"), None, true),
            (Some("cross-site"), Some("http://localhost:3000"), true),
            (Some("cross-site"), Some("https://app.example.com"), false),
            (None, Some("https://evil.example"), true),
            (None, Some("http://127.0.0.1.evil.example"), true),
            (None, Some("null"), true),
            (None, Some("http://[::1]:8080"), false),
            (Some("Cross-Site"), None, true),
            (Some(""), None, true),
            (Some("same-origin"), Some("http://box.test:8080"), false),
            (Some("same-origin"), Some("http://box.test:8081"), true),
            (Some("cross-site"), Some("http://box.test:8080"), true),
        ] {
            let site = site.map(|site| (SEC_FETCH_SITE, HeaderValue::from_static(site)));
            let origin = origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin)));
            let mut headers: HeaderMap = site.into_iter().chain(origin).collect();
            headers.insert(header::HOST, HeaderValue::from_static("box.test:8080"));
            assert_eq!(is_cross_site(&Uri::default(), &headers, &allowed), is_other, "{headers:?}");
            for (name, value) in headers.iter().filter(|(name, _)| **name != header::HOST) {
                let mut twice = headers.clone();
                twice.append(name, value.clone());
                assert!(is_cross_site(&Uri::default(), &twice, &allowed), "{twice:?}");
            }
            // As in HTTP/2, without the header.
            headers.remove(header::HOST);
            let target = Uri::from_static("http://box.test:8080/users");
            assert_eq!(is_cross_site(&target, &headers, &allowed), is_other, "{headers:?}");
        }
    }
}
