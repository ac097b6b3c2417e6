//! The keys of the issuer of access tokens: discovered at its address (OpenID Connect Discovery 1.0), cached and renewed.

use std::{
    error::Error,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::jwk::{Jwk, JwkSet};
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

#[derive(Debug)]
pub(super) struct Issuer {
    url: String,
    client: reqwest::Client,
    /// The keys, and when they were received.
    keys: RwLock<Option<(JwkSet, Instant)>>,
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
    pub(super) async fn key(self: &Arc<Self>, id: Option<&str>) -> Result<Option<Jwk>, ()> {
        if let Ok(Some(key)) = self.cached(id) {
            return Ok(Some(key));
        }
        // A task of its own, since the request may end first.
        let issuer = self.clone();
        let renewal = tokio::spawn(async move { issuer.renew().await });
        let _ = tokio::time::timeout(MAX_WAIT, renewal).await;
        self.cached(id)
    }

    fn cached(&self, id: Option<&str>) -> Result<Option<Jwk>, ()> {
        let keys = self.keys.read().map_err(|_| ())?;
        let Some((set, received)) = &*keys else { return Err(()) };
        if received.elapsed() > MAX_AGE {
            return Err(());
        }
        let key = match (id, set.keys.as_slice()) {
            (Some(id), _) => set.find(id),
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
                if let Ok(mut keys) = self.keys.write() {
                    *keys = Some((set, Instant::now()));
                }
            }
            Err(error) => tracing::error!(issuer = self.url, error, "cannot get the keys of the issuer"),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let metadata: Metadata = self.get(&format!("{}/.well-known/openid-configuration", self.url)).await?;
        if metadata.issuer.trim_end_matches('/') != self.url {
            return Err(format!("it calls itself {:?}, which is not OIDC_ISSUER", metadata.issuer));
        }
        self.get(&metadata.jwks_uri).await
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
