//! A token is accepted only if its claims are those of an access token for this server, also if the issuer signed it.
//!
//! Input with a NUL is a header and claims, which are signed with the key of the issuer. Other input is a token.
#![no_main]

use fuzz::{SERVER, issuer::AUDIENCE};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (token, claims) = match text.split_once('\0') {
        Some((header, claims)) => (SERVER.sign(header, claims), Some(claims)),
        None => (text.to_owned(), None),
    };
    if SERVER.get("/users", &token).is_some_and(|status| status.is_success()) {
        let claims: Value = serde_json::from_str(claims.expect("only what is signed is accepted")).expect("JSON");
        let is_audience = |audience: &Value| *audience == AUDIENCE;
        let audience = &claims["aud"];
        assert!(
            is_audience(audience) || audience.as_array().is_some_and(|list| list.iter().any(is_audience)),
            "{claims}"
        );
        assert_eq!(
            claims["iss"].as_str().map(|issuer| issuer.trim_end_matches('/')),
            Some(&*SERVER.issuer.url),
            "{claims}"
        );
        assert!(claims["sub"].as_str().is_some_and(|subject| !subject.is_empty()), "{claims}");
        let now = jsonwebtoken::get_current_timestamp() as f64;
        assert!(claims["exp"].as_f64().is_some_and(|time| time > now - 60.0), "{claims}");
        assert!(
            claims["scope"].as_str().is_some_and(|scopes| scopes.split(' ').any(|scope| scope == "users:read")),
            "{claims}"
        );
    }
});
