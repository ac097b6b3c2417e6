//! Settings of requests and responses.

use std::{num::NonZeroU32, time::Duration};

use api::public_url::PublicUrl;
use http::HeaderValue;
use reqwest::Url;

use super::parse::{Invalid, Parsed, boolean, duration, duration_from, expected, integer, list, optional, settings};

/// The maximum of RATE_LIMIT_BURST.
const MAX_BURST: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

/// Its parts are times that a database can keep.
const MIN_REQUEST_TIMEOUT: Duration = Duration::from_millis(100);

settings! {
    "HTTP"
    /// Requests and responses.
    HttpArgs => HttpConfig {
        /// Maximum time to process a request after it is read; then 503.
        request_timeout: Duration = duration_from(MIN_REQUEST_TIMEOUT), "1s", "DURATION";

        /// Maximum time to receive a request body; then 408.
        body_timeout: Duration = duration, "10s", "DURATION";

        /// Maximum size of a request body in bytes; then 413.
        max_body_bytes: usize = integer(1, 1 << 30), "2097152", "BYTES";

        /// Refuse changes of an existing resource without `If-Match` (428), so that no client overwrites a change that it
        /// has not seen.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        require_preconditions: bool = boolean, "false", "BOOL";

        /// Hosts that the server serves, separated by commas; other hosts get 421. Empty: every host, or without credentials
        /// only those of this machine.
        allowed_hosts: Vec<String> = hosts, "", "HOSTS";

        /// Origins whose pages can call the API (CORS), separated by commas, or `*`. Empty: none.
        cors_allowed_origins: Cors = cors, "", "ORIGINS";

        /// URL under which clients reach `/` through a proxy that removes the path of this URL, such as
        /// `https://example.org/api/v1`. References in responses and the documents begin with it. Empty: references are paths,
        /// as without a proxy.
        public_url: Option<PublicUrl> = optional(public_url), "", "URL";

        /// Maximum rate of requests per client address, such as `500/s` or `1000/m`; then 429. `off`: no limit. Health
        /// and documents have no limit, and metrics only one for requests without a valid token.
        rate_limit: Option<Rate> = rate, "500/s", "RATE";

        /// Maximum number of requests that a client can send at once. Empty: twice the number in RATE_LIMIT.
        rate_limit_burst: Option<NonZeroU32> = optional(integer(NonZeroU32::MIN, MAX_BURST)), "", "N";

        /// Maximum rate of requests per caller, as RATE_LIMIT, whatever address it has; then 429. Twice the number can be sent
        /// at once. `off`: no limit.
        caller_rate_limit: Option<Rate> = rate, "1000/s", "RATE";
    }
}

/// A maximum rate of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The number of requests per unit of time.
    pub count: NonZeroU32,
    /// The time in which one more request is allowed.
    pub period: Duration,
}

/// The origins whose pages can call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// None: no CORS header is sent.
    Off,
    /// Every origin.
    AnyOrigin,
    /// These origins.
    Origins(Vec<HeaderValue>),
}

/// Parses host names. They are compared in lower case and without the dot of the root of DNS, and IPv6 addresses in their shortest
/// form and in brackets, as in a URI.
fn hosts(value: &str) -> Parsed<Vec<String>> {
    let normalize = |host: &str| {
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        match address.parse::<std::net::Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
        }
    };
    let hosts: Vec<_> = list(value).map(normalize).collect();
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_host = |host: &String| {
        let name = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        name.parse::<std::net::IpAddr>().is_ok() || name.split('.').all(is_label)
    };
    if hosts.iter().all(is_host) {
        Ok(hosts)
    } else {
        expected("host names without a port and without patterns, such as api.example.com,localhost")
    }
}

fn cors(value: &str) -> Parsed<Cors> {
    if value == "*" {
        return Ok(Cors::AnyOrigin);
    }
    match list(value).map(origin).collect::<Option<Vec<_>>>() {
        Some(origins) if origins.is_empty() => Ok(Cors::Off),
        Some(origins) => Ok(Cors::Origins(origins)),
        None => expected(
            "origins without a path and without patterns, such as https://app.example.com,http://localhost:3000, or *",
        ),
    }
}

/// Parses an origin. Browsers send one form of it, in which this returns it: lower case, `xn--` for other letters, addresses in
/// their shortest form, and no default port.
fn origin(text: &str) -> Option<HeaderValue> {
    let (_, authority) = text.split_once("://")?;
    let url: Url = text.parse().ok()?;
    let origin = url.origin().ascii_serialization();
    // A pattern would never match: origins are compared as a whole. The parser of URLs ignores tabs and line breaks.
    let is_origin = matches!(url.scheme(), "http" | "https")
        && !authority.contains(['/', '\\', '?', '#', '@', '\t', '\n', '\r'])
        && !authority.starts_with('.')
        && !origin.contains("..")
        && !origin.contains('*');
    is_origin.then(|| HeaderValue::try_from(origin).ok())?
}

fn rate(value: &str) -> Parsed<Option<Rate>> {
    if value == "off" {
        return Ok(None);
    }
    let rate = value.split_once('/').and_then(|(count, unit)| {
        let unit = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(60 * 60),
            _ => return None,
        };
        let count = count.parse::<NonZeroU32>().ok().filter(|count| count.get() <= 1_000_000)?;
        Some(Rate { count, period: unit / count.get() })
    });
    rate.map_or_else(|| expected("a rate from 1 to 1000000, such as 500/s or 1000/m, or off"), |rate| Ok(Some(rate)))
}

/// Parses the URL of the server for clients.
fn public_url(value: &str) -> Parsed<PublicUrl> {
    let parsed = value.parse::<Url>();
    if parsed.as_ref().is_ok_and(|url| !url.username().is_empty() || url.password().is_some()) {
        return Err(Invalid::Secret("it must have no user information, which every response would contain".to_owned()));
    }
    match parsed {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            Ok(PublicUrl::new(url.as_str()))
        }
        _ => expected("a URL with http or https, without query and fragment, such as https://example.org/api/v1"),
    }
}
