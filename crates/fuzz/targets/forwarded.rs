//! Whatever a client writes into the headers of proxies, its address is the one that the trusted proxy appended.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use web_server::http::trusted_proxies::{ForwardedHeader, Origin, TrustedProxies};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fuzz_target!(|value: &[u8]| {
    for (header, name, last) in [
        (ForwardedHeader::XForwardedFor, "x-forwarded-for", "192.0.2.7"),
        (ForwardedHeader::Forwarded, "forwarded", "for=192.0.2.7;proto=http"),
    ] {
        let proxies = TrustedProxies::new(vec![PROXY.into()], header);
        let resolve = |line: Vec<u8>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(&line).ok()?);
            let mut origin = Origin { client: PROXY, has_tls: false, connection_has_tls: false };
            proxies.resolve(&mut origin, &headers);
            Some(origin)
        };
        // Without a proxy that appends, anything is possible but a panic.
        let _ = resolve(value.to_vec());
        if let Some(origin) = resolve([value, b", ", last.as_bytes()].concat()) {
            // A proxy appends to a valid list. A quote that the client left open hides what follows, and ends the search.
            assert!(origin.client == CLIENT || (value.contains(&b'"') && origin.client == PROXY), "{origin:?}");
            assert!(!origin.has_tls);
        }
    }
});
