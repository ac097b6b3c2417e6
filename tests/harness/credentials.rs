//! API keys for tests. Every app accepts them, unless a test says otherwise.
#![allow(dead_code, reason = "one of the two test binaries does not need all of them")]

use std::{collections::BTreeMap, sync::LazyLock};

use web_server::{app, auth::api_keys::ApiKey};

/// Every scope of the contract, also those of an operation that is added.
pub static EVERY_SCOPE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let table = app::artifacts().expect("the build writes the artifacts").table;
    table.scopes().into_iter().map(str::to_owned).collect()
});

/// A key with every scope of the contract, which requests have by default.
pub static ALL: LazyLock<Key> = LazyLock::new(|| Key::new("tests", &EVERY_SCOPE, None));

/// Another caller with every scope.
pub static OTHER: LazyLock<Key> = LazyLock::new(|| Key::new("others", &EVERY_SCOPE, None));

/// Keys with every scope but one, by that scope; none if the contract has only one.
pub static WITHOUT: LazyLock<BTreeMap<&str, Key>> = LazyLock::new(|| {
    let without = EVERY_SCOPE.iter().map(|scope| {
        let others: Vec<_> = EVERY_SCOPE.iter().filter(|other| *other != scope).collect();
        let name = format!("without-{}", scope.replace(':', "-"));
        (!others.is_empty()).then(|| (scope.as_str(), Key::new(&name, &others, None)))
    });
    without.flatten().collect()
});

/// A key that has expired.
pub static EXPIRED: LazyLock<Key> = LazyLock::new(|| Key::new("expired", &EVERY_SCOPE, Some("2026-01-01T00:00:00Z")));

/// The value of `API_KEYS` with these keys.
pub static ENTRIES: LazyLock<String> = LazyLock::new(|| {
    [&*ALL, &OTHER, &EXPIRED].into_iter().chain(WITHOUT.values()).map(|key| &*key.entry).collect::<Vec<_>>().join(";")
});

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
