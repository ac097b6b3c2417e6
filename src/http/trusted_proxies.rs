//! Trusted proxies, and the client whose request they pass on.
//!
//! Every proxy appends the address of its own client to a header, so only what trusted proxies wrote is reliable: the entries
//! are read from the right, while they are addresses of trusted proxies. The next one is the client, and what is left of it is
//! what the client claims. A header is never split from the left, so that a quote of the client's does not hide the entries
//! of the proxies.
//!
//! A proxy that sets one of the two headers passes the other one on as the client sent it. Which one it sets cannot be found out
//! from a request, so a setting names it (`FORWARDED_HEADER`), and the other one is ignored.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The header in which trusted proxies write the address of their client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with the scheme in `X-Forwarded-Proto`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The address of the client: of its end of the connection, or that which trusted proxies report.
    pub client: IpAddr,
    /// Whether the client sent it over TLS.
    pub has_tls: bool,
    /// Whether the connection to this server has TLS.
    pub connection_has_tls: bool,
}

/// The proxies whose headers are believed.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// Returns the proxies in these networks, which write this header.
    pub fn new(networks: Vec<IpNet>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// Returns the same header without any proxy.
    pub(super) fn none(&self) -> Self {
        Self::new(Vec::new(), self.header)
    }

    /// Whether this is the address of a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Replaces the origin of a request that a trusted proxy sent by what it reports. A malformed or unknown address ends the
    /// search: the client is then the last address that is known.
    pub fn resolve(&self, origin: &mut Origin, headers: &HeaderMap) {
        match self.header {
            ForwardedHeader::XForwardedFor => {
                if let Some(is_https) = last_element(headers, &X_FORWARDED_PROTO).and_then(is_https) {
                    origin.has_tls = is_https;
                }
                for entry in elements(headers, &X_FORWARDED_FOR) {
                    let Some(address) = address(entry) else { return };
                    origin.client = address;
                    if !self.contains(address) {
                        return;
                    }
                }
            }
            ForwardedHeader::Forwarded => {
                for element in elements(headers, &header::FORWARDED) {
                    // The proxy that wrote this is trusted, since the walk has not ended.
                    let Some(forwarded) = Forwarded::parse(element) else { return };
                    if let Some(is_https) = forwarded.proto.as_deref().and_then(is_https) {
                        origin.has_tls = is_https;
                    }
                    let Some(address) = forwarded.node.as_deref().and_then(address) else { return };
                    origin.client = address;
                    if !self.contains(address) {
                        return;
                    }
                }
            }
        }
    }
}

fn is_https(scheme: &str) -> Option<bool> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => Some(true),
        _ if scheme.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

/// Returns the elements of a list from the last one to the first. Empty elements are no elements (RFC 9110, section 5.6.1), and one
/// that is not text is a malformed one.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).iter().rev();
    let elements = lines.flat_map(|line| FromTheRight(Some(line.as_bytes()))).filter(|element| !element.is_empty());
    elements.map(|element| str::from_utf8(element).unwrap_or("\""))
}

fn last_element<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    elements(headers, name).next()
}

/// Splits a line at the commas that are not between quotes, from the right.
struct FromTheRight<'a>(Option<&'a [u8]>);

impl<'a> Iterator for FromTheRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let mut is_quoted = false;
        let comma = rest.iter().rposition(|byte| {
            is_quoted ^= *byte == b'"';
            *byte == b',' && !is_quoted
        });
        let (left, element) = match comma {
            Some(comma) => (rest.get(..comma), rest.get(comma + 1..)),
            None => (None, Some(rest)),
        };
        self.0 = left;
        element.map(<[u8]>::trim_ascii)
    }
}

/// The parameters of an element of `Forwarded` (RFC 7239, section 4) that the server uses.
#[derive(Debug, Default, PartialEq, Eq)]
struct Forwarded {
    node: Option<String>,
    proto: Option<String>,
}

impl Forwarded {
    /// `None` if the element is malformed.
    fn parse(element: &str) -> Option<Self> {
        let mut forwarded = Self::default();
        let mut rest = element;
        loop {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = value(after)?;
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_token) || value.is_empty() {
                return None;
            }
            let parameter = match name {
                _ if name.eq_ignore_ascii_case("for") => Some(&mut forwarded.node),
                _ if name.eq_ignore_ascii_case("proto") => Some(&mut forwarded.proto),
                _ => None,
            };
            // Each parameter occurs at most once.
            if let Some(parameter) = parameter
                && parameter.replace(value).is_some()
            {
                return None;
            }
            // Some proxies write a space after the semicolon.
            match after.strip_prefix(';').map(str::trim_start) {
                Some(next) => rest = next,
                None => return after.is_empty().then_some(forwarded),
            }
        }
    }
}

/// Reads a token or a quoted string (RFC 9110, section 5.6.4), and returns it with what follows.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (token, after) = text.split_at_checked(end)?;
        // Addresses with a port are accepted without quotes, as several proxies write them.
        let is_token = token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        return is_token.then(|| (token.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => return Some((value, quoted.get(at + 1..)?)),
            (_, '\\') => value.push(characters.next()?.1),
            (_, character) => value.push(character),
        }
    }
}

/// Reads an address with or without a port (RFC 7239, section 6). `None` if it is malformed, `unknown` or obfuscated (`_x`).
/// IPv6 addresses without brackets occur in `X-Forwarded-For`.
fn address(node: &str) -> Option<IpAddr> {
    let is_port = |port: &str| port.parse::<u16>().is_ok() || is_obfuscated(port);
    let address = if let Some(rest) = node.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_valid = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        IpAddr::V6(address.parse::<Ipv6Addr>().ok().filter(|_| is_valid)?)
    } else if let Ok(address) = node.parse::<IpAddr>() {
        address
    } else if let Ok(address) = node.parse::<SocketAddr>() {
        address.ip()
    } else {
        let (address, port) = node.split_once(':')?;
        IpAddr::V4(address.parse().ok().filter(|_| is_port(port))?)
    };
    Some(address.to_canonical())
}

/// Whether a port is an obfuscated one.
fn is_obfuscated(port: &str) -> bool {
    port.strip_prefix('_').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn resolve(header: ForwardedHeader, lines: &[(&'static str, &str)]) -> Origin {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            // As the bytes of ISO 8859-1.
            let bytes: Vec<u8> = value.chars().map(|character| u8::try_from(character).unwrap()).collect();
            headers.append(*name, HeaderValue::from_bytes(&bytes).unwrap());
        }
        let mut origin = Origin { client: PEER.parse().unwrap(), has_tls: false, connection_has_tls: false };
        TrustedProxies::new(networks, header).resolve(&mut origin, &headers);
        origin
    }

    #[test]
    fn the_client_of_x_forwarded_for_is_the_rightmost_untrusted_address() {
        for (lines, client) in [
            (&[][..], PEER),
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            (&["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
            (&["203.0.113.9, 192.0.2.1, 10.0.0.2,2001:db8:1::5"], "192.0.2.1"),
            (&["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
            (&["192.0.2.1,, ,"], "192.0.2.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["::ffff:10.0.0.9"], "10.0.0.9"),
            // Malformed: the last address that is known.
            (&["192.0.2.1, nonsense"], PEER),
            (&["192.0.2.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            (&["192.0.2.1, unknown"], PEER),
            (&["192.0.2.1:x"], PEER),
            (&["192.0.2.1:70000"], PEER),
            (&["[192.0.2.1]"], PEER),
            (&["[2001:db8::7]x"], PEER),
            (&["192.0.2.01"], PEER),
            (&["\u{e9}, 10.0.0.2"], "10.0.0.2"),
            (&["\u{e9}, 192.0.2.1"], "192.0.2.1"),
            // What a client writes does not hide what the proxy appends.
            (&["\", 192.0.2.1"], "192.0.2.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-for", *value)).collect();
            let origin = resolve(ForwardedHeader::XForwardedFor, &lines);
            assert_eq!(origin.client, client.parse::<IpAddr>().unwrap(), "{lines:?}");
        }
    }

    #[test]
    fn the_client_of_forwarded_is_the_rightmost_untrusted_address() {
        for (lines, client, has_tls) in [
            (&["for=192.0.2.1"][..], "192.0.2.1", false),
            (&["FOR=192.0.2.1;Proto=HTTPS;by=203.0.113.43"], "192.0.2.1", true),
            (&["for=\"192.0.2.1:4711\"; proto=\"https\""], "192.0.2.1", true),
            (&["for=\"[2001:db8::7]:4711\""], "2001:db8::7", false),
            (&["for=\"[2001:db8::7]\""], "2001:db8::7", false),
            (&["for=\"192.0.2.1:_port\""], "192.0.2.1", false),
            (&["for=\"192.0.2\\.1\""], "192.0.2.1", false),
            (&["host=\"a,b;c\";for=192.0.2.1"], "192.0.2.1", false),
            (&["for=203.0.113.9;proto=https, for=192.0.2.1;proto=http, for=10.0.0.2;proto=https"], "192.0.2.1", false),
            (&["for=203.0.113.9", "for=192.0.2.1"], "192.0.2.1", false),
            (&["for=192.0.2.1, for=unknown"], PEER, false),
            (&["for=192.0.2.1, for=_hidden;proto=https"], PEER, true),
            (&["for=192.0.2.1, for=_hidden, for=10.0.0.2"], "10.0.0.2", false),
            (&["for=192.0.2.1, proto=https"], PEER, true),
            // Malformed elements.
            (&["for=192.0.2.1, for"], PEER, false),
            (&["for=192.0.2.1, for="], PEER, false),
            (&["for=192.0.2.1;"], PEER, false),
            (&["for=192.0.2.1;for=192.0.2.2"], PEER, false),
            (&["for=\"192.0.2.1"], PEER, false),
            (&["for=\"192.0.2.1\"x"], PEER, false),
            (&["f r=192.0.2.1"], PEER, false),
            // What a client writes does not hide what the proxy appends, nor look like it.
            (&["for=\", for=192.0.2.1"], "192.0.2.1", false),
            (&["for=192.0.2.1;host=\"a\\\",for=192.0.2.9;b=\\\"c\""], PEER, false),
            (&["for=\"\\", "for=192.0.2.1"], "192.0.2.1", false),
        ] {
            let lines: Vec<_> = lines.iter().map(|value| ("forwarded", *value)).collect();
            let origin = resolve(ForwardedHeader::Forwarded, &lines);
            assert_eq!((origin.client, origin.has_tls), (client.parse().unwrap(), has_tls), "{lines:?}");
        }
    }

    #[test]
    fn only_the_header_of_the_setting_is_read() {
        let both = [("forwarded", "for=192.0.2.1;proto=https"), ("x-forwarded-for", "192.0.2.2")];
        let x_forwarded_for = resolve(ForwardedHeader::XForwardedFor, &both);
        assert_eq!((x_forwarded_for.client, x_forwarded_for.has_tls), ("192.0.2.2".parse().unwrap(), false));
        let both = [("x-forwarded-for", "192.0.2.2"), ("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.1")];
        let forwarded = resolve(ForwardedHeader::Forwarded, &both);
        assert_eq!((forwarded.client, forwarded.has_tls), ("192.0.2.1".parse().unwrap(), false));
    }

    #[test]
    fn the_scheme_is_what_the_nearest_proxy_reports() {
        for (lines, has_tls) in [
            (&["https"][..], true),
            (&["http"], false),
            (&["https, http"], false),
            (&["http", "HTTPS"], true),
            (&["nonsense"], false),
        ] {
            let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-proto", *value)).collect();
            assert_eq!(resolve(ForwardedHeader::XForwardedFor, &lines).has_tls, has_tls, "{lines:?}");
        }
    }
}
