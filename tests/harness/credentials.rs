//! API keys for tests. Every app accepts them, unless a test says otherwise.
#![allow(dead_code, reason = "one of the two test binaries does not need all of them")]

use std::{collections::BTreeSet, sync::LazyLock};

use web_server::{app, auth::api_keys::ApiKey};

/// Every scope of the contract, also those of an operation that is added.
pub static EVERY_SCOPE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let operations = app::artifacts().expect("the build writes the artifacts").table.operations;
    let security = operations.into_iter().flat_map(|operation| operation.security);
    let scopes: BTreeSet<_> = security.flat_map(|schemes| schemes.into_values().flatten()).collect();
    scopes.into_iter().collect()
});

/// A key with every scope of the contract, which requests have by default.
pub static ALL: LazyLock<Key> = LazyLock::new(|| Key::new("tests", &EVERY_SCOPE, None));

/// Another caller with every scope.
pub static OTHER: LazyLock<Key> = LazyLock::new(|| Key::new("others", &EVERY_SCOPE, None));

/// A key with a scope that no operation needs.
pub static USELESS: LazyLock<Key> = LazyLock::new(|| Key::new("useless", &["nothing"], None));

/// A key that has expired.
pub static EXPIRED: LazyLock<Key> = LazyLock::new(|| Key::new("expired", &EVERY_SCOPE, Some("2026-01-01T00:00:00Z")));

/// The value of `API_KEYS` with these keys.
pub static ENTRIES: LazyLock<String> =
    LazyLock::new(|| [&ALL, &OTHER, &USELESS, &EXPIRED].map(|key| key.entry.clone()).join(";"));

/// An API key.
pub struct Key {
    /// What its caller sends.
    pub secret: String,
    /// What the server knows.
    pub entry: String,
}

impl Key {
    pub fn new(name: &str, scopes: &[impl AsRef<str>], expires: Option<&str>) -> Self {
        let scopes = scopes.iter().map(|scope| scope.as_ref().to_owned()).collect();
        let expires = expires.map(|time| time.parse().expect("a time"));
        let (secret, key) = ApiKey::generate(name.to_owned(), scopes, expires).expect("a valid name");
        Self { secret, entry: key.to_string() }
    }
}
