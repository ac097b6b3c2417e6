//! Finds out who sends a request, by its bearer token.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
    time::Duration,
};

use super::{
    access_tokens::AccessTokens,
    api_keys::{ApiKey, ApiKeys},
    caller::{Caller, Refusal},
    issuer::Issuer,
};
use crate::{
    clock::Clock,
    config::AuthConfig,
    watched_files::{Contents, WatchedFiles},
};

/// The interval at which the file with the API keys is read: a revoked key is accepted for at most this long.
const REREAD: Duration = Duration::from_secs(1);

/// The settings of API keys, for messages.
const API_KEYS: &str = "API_KEYS (--api-keys)";
const API_KEYS_FILE: &str = "API_KEYS_FILE (--api-keys-file)";

/// Checks tokens.
pub(crate) struct Authenticator {
    clock: Arc<dyn Clock>,
    /// The keys of the configuration, and those of the file.
    keys: RwLock<Arc<ApiKeys>>,
    configured: Vec<ApiKey>,
    /// The scopes of the contract.
    scopes: BTreeSet<String>,
    /// The file, and what it contained at the start.
    file: Option<(WatchedFiles, Contents)>,
    tokens: Option<AccessTokens>,
    issuer: Option<Arc<Issuer>>,
}

impl Authenticator {
    /// Reads the keys, whose scopes must be among `scopes`. `None`: no credentials are configured.
    ///
    /// # Errors
    /// The file with the keys cannot be read, or keys are invalid.
    pub(crate) async fn new(
        config: &AuthConfig,
        clock: Arc<dyn Clock>,
        scopes: BTreeSet<String>,
    ) -> Result<Option<Self>, String> {
        if !config.is_configured() {
            return Ok(None);
        }
        let issuer = match &config.oidc_issuer {
            Some(url) => Some(Arc::new(Issuer::new(url.clone()).map_err(|error| format!("OIDC_ISSUER: {error}"))?)),
            None => None,
        };
        let audience = config.oidc_audience.clone().unwrap_or_default();
        let file = match &config.api_keys_file {
            Some(path) => {
                let file = WatchedFiles::new([(API_KEYS_FILE, path.clone())]);
                let content = file.read().await?;
                Some((file, content))
            }
            None => None,
        };
        let authenticator = Self {
            clock,
            keys: RwLock::default(),
            configured: config.api_keys.clone(),
            scopes,
            file,
            tokens: issuer.clone().map(|issuer| AccessTokens::new(issuer, audience)),
            issuer,
        };
        let content = authenticator.file.as_ref().map_or([].as_slice(), |(_, content)| content);
        let keys = authenticator.parse(content)?;
        authenticator.replace(keys);
        Ok(Some(authenticator))
    }

    /// Returns who has this token.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Caller, Refusal> {
        if ApiKeys::is_key(token) {
            let keys = self.keys.read().map(|keys| keys.clone()).unwrap_or_default();
            let key = keys.find(token).ok_or(Refusal::Invalid("The API key is unknown or revoked."))?;
            if key.expires.is_some_and(|end| self.clock.now().datetime() >= end) {
                return Err(Refusal::Invalid("The API key is expired."));
            }
            let scopes = key.scopes.iter().cloned().collect();
            return Ok(Caller { name: format!("key:{}", key.name).into(), scopes });
        }
        let Some(tokens) = &self.tokens else { return Err(Refusal::Invalid("The token is not an API key.")) };
        let subject = tokens.verify(token).await?;
        Ok(Caller { name: format!("sub:{}", subject.name).into(), scopes: subject.scopes.into_iter().collect() })
    }

    /// Reads the keys again when the file changes and at SIGHUP, and gets the keys of the issuer.
    pub(crate) fn spawn_upkeep(self: &Arc<Self>) {
        if let Some(issuer) = self.issuer.clone() {
            tokio::spawn(async move { issuer.keep_renewing().await });
        }
        if let Some((file, content)) = self.file.clone() {
            let authenticator = self.clone();
            file.watch(REREAD, content, move |content| {
                let keys = authenticator.parse(&content)?;
                let count = keys.len();
                if authenticator.replace(keys) {
                    tracing::info!(count, "read the API keys again");
                    if count == 0 {
                        tracing::warn!("there are no API keys any more: every one is refused (see API_KEYS_FILE)");
                    }
                }
                Ok(())
            });
        }
    }

    /// Returns the keys of the configuration and of the file.
    fn parse(&self, content: &[Vec<u8>]) -> Result<ApiKeys, String> {
        let of_setting = |setting: &'static str| move |error: String| format!("{setting}: {error}");
        self.check_scopes(&self.configured).map_err(of_setting(API_KEYS))?;
        let mut keys = self.configured.clone();
        for text in content {
            let text = std::str::from_utf8(text).map_err(|_| format!("{API_KEYS_FILE}: expected text in UTF-8"))?;
            let added = ApiKey::parse_file(text).map_err(of_setting(API_KEYS_FILE))?;
            self.check_scopes(&added).map_err(of_setting(API_KEYS_FILE))?;
            keys.extend(added);
        }
        // Those of API_KEYS are distinct.
        ApiKeys::new(keys).map_err(of_setting(API_KEYS_FILE))
    }

    /// Refuses scopes that no operation needs: a misspelt one would be noticed only when its caller is refused.
    fn check_scopes(&self, keys: &[ApiKey]) -> Result<(), String> {
        let is_known = |key: &&ApiKey| key.scopes.iter().all(|scope| self.scopes.contains(scope));
        let Some(key) = keys.iter().find(|key| !is_known(key)) else { return Ok(()) };
        let known = self.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(format!("the key {} has a scope that no operation needs: expected some of {known}", key.name))
    }

    /// Returns whether these are others.
    fn replace(&self, keys: ApiKeys) -> bool {
        let Ok(mut current) = self.keys.write() else { return false };
        let is_other = **current != keys;
        *current = Arc::new(keys);
        is_other
    }
}
