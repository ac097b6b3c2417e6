//! The keys of the issuer of access tokens: discovered at its address (OpenID Connect Discovery 1.0), cached and renewed.

use std::{
    error::Error,
    net::IpAddr,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use http::Uri;
use jsonwebtoken::{
    DecodingKey,
    jwk::{Jwk, JwkSet},
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::error_chain::with_causes;

/// The interval at which the keys are renewed: a key that the issuer withdraws is trusted for about this long.
const RENEWAL: Duration = Duration::from_secs(5 * 60);

/// How long the keys are trusted while the issuer cannot be reached.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// How long a request waits for the keys.
const MAX_WAIT: Duration = Duration::from_millis(800);

/// The time between two requests to the issuer. A token with an unknown key, which anyone can make, causes at most one.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// The time limit of a request to the issuer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of a response of the issuer in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A key of an issuer.
#[derive(Debug)]
pub(super) struct IssuerKey {
    pub(super) jwk: Jwk,
    /// `None`: the key is of a kind that the server does not support.
    pub(super) decoding: Option<DecodingKey>,
}

#[derive(Debug)]
pub(super) struct Issuer {
    url: String,
    client: reqwest::Client,
    /// The keys, and when they were received.
    keys: RwLock<Option<(Vec<Arc<IssuerKey>>, Instant)>>,
    /// When the keys were last asked for. Held during a request, so that there is one at a time.
    asked: Mutex<Option<Instant>>,
}

/// What is used of the metadata of an issuer.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(super) fn new(url: String) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // What another host answers is not what the issuer says.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { url, client, keys: RwLock::default(), asked: Mutex::default() })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the key with this id, or the only key if a token names none. Asks the issuer for a key that is unknown. `Err`: its
    /// keys are not known, because the issuer cannot be reached.
    pub(super) async fn key(self: &Arc<Self>, id: Option<&str>) -> Result<Option<Arc<IssuerKey>>, ()> {
        if let Ok(Some(key)) = self.cached(id) {
            return Ok(Some(key));
        }
        // A task of its own, since the request may end first.
        let issuer = self.clone();
        let renewal = tokio::spawn(async move { issuer.renew().await });
        let _ = tokio::time::timeout(MAX_WAIT, renewal).await;
        self.cached(id)
    }

    fn cached(&self, id: Option<&str>) -> Result<Option<Arc<IssuerKey>>, ()> {
        let keys = self.keys.read().map_err(|_| ())?;
        let Some((keys, received)) = &*keys else { return Err(()) };
        if received.elapsed() > MAX_AGE {
            return Err(());
        }
        let key = match (id, keys.as_slice()) {
            (Some(id), _) => keys.iter().find(|key| key.jwk.common.key_id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        Ok(key.cloned())
    }

    /// Renews the keys regularly, and soon while there are none.
    pub(super) async fn keep_renewing(&self) {
        loop {
            self.renew().await;
            let has_keys = self.cached(None).is_ok();
            tokio::time::sleep(if has_keys { RENEWAL } else { MIN_INTERVAL }).await;
        }
    }

    /// Asks the issuer for its keys, unless it was asked a moment ago. Keeps those it has if that fails.
    async fn renew(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|time| time.elapsed() < MIN_INTERVAL) {
            return;
        }
        *asked = Some(Instant::now());
        match self.fetch().await {
            Ok(set) => {
                let received = set.keys.into_iter().map(|jwk| {
                    let decoding = DecodingKey::from_jwk(&jwk).ok();
                    Arc::new(IssuerKey { jwk, decoding })
                });
                let received = received.collect();
                if let Ok(mut keys) = self.keys.write() {
                    *keys = Some((received, Instant::now()));
                }
            }
            Err(error) => tracing::error!(issuer = self.url, error, "cannot get the keys of the issuer"),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let metadata: Metadata = self.get(&format!("{}/.well-known/openid-configuration", self.url)).await?;
        self.get(self.check(&metadata)?).await
    }

    /// Returns where the keys are.
    fn check<'a>(&self, metadata: &'a Metadata) -> Result<&'a str, String> {
        if metadata.issuer.trim_end_matches('/') != self.url {
            return Err(format!("it calls itself {:?}, which is not OIDC_ISSUER", metadata.issuer));
        }
        if !is_protected(&metadata.jwks_uri) {
            return Err("its `jwks_uri` is not a URL with https, or with http on this machine".to_owned());
        }
        Ok(&metadata.jwks_uri)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: &dyn Error| format!("{url}: {}", with_causes(error));
        let response = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|error| failed(&error.without_url()))?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| failed(&error.without_url()))? {
            body.extend_from_slice(&part);
            if body.len() > MAX_BYTES {
                return Err(format!("{url}: the response is larger than {MAX_BYTES} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| failed(&error))
    }
}

/// Whether what is received from this URL cannot be replaced on the way: it has TLS, or is on the same machine.
pub(crate) fn is_protected(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, expected) in [
            ("https://login.example.com/keys", true),
            ("http://localhost:8080/keys", true),
            ("http://[::1]/keys", true),
            ("http://127.0.0.1/keys", true),
            ("http://login.example.com/keys", false),
            ("http://localhost.example.com/keys", false),
            ("file:///keys", false),
            ("/keys", false),
        ] {
            assert_eq!(is_protected(url), expected, "{url}");
            let metadata = Metadata { issuer: "https://login.example.com/".to_owned(), jwks_uri: url.to_owned() };
            let issuer = Issuer::new("https://login.example.com".to_owned()).unwrap();
            assert_eq!(issuer.check(&metadata).is_ok(), expected, "{url}");
        }
    }
}
