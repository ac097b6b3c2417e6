//! Any query of a list, with a cursor or without, is a page or a problem of the client's.
#![no_main]

use std::sync::LazyLock;

use fuzz::SERVER;
use libfuzzer_sys::fuzz_target;

static TOKEN: LazyLock<String> = LazyLock::new(|| {
    // For as long as a run may take.
    let mut claims = SERVER.issuer.claims("users:read");
    claims["exp"] = u32::MAX.into();
    SERVER.pair.sign(&claims)
});

fuzz_target!(|query: &str| {
    for path in ["/users", "/users/changes"] {
        for parameter in ["", "limit=2&cursor=", "after="] {
            SERVER.get(&format!("{path}?{parameter}{query}"), &TOKEN);
        }
    }
});
