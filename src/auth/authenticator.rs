//! Finds out who sends a request, by its bearer token.

use std::{
    path::PathBuf,
    sync::{Arc, RwLock},
    time::Duration,
};

use super::{
    access_tokens::AccessTokens,
    api_keys::{ApiKey, ApiKeys},
    caller::{Caller, Refusal},
    issuer::Issuer,
};
use crate::{clock::Clock, config::AuthConfig};

/// The interval at which the file with the API keys is read: a revoked key is accepted for at most this long.
const REREAD: Duration = Duration::from_secs(1);

/// Checks tokens.
pub(crate) struct Authenticator {
    clock: Arc<dyn Clock>,
    /// The keys of the configuration, and those of the file.
    keys: RwLock<Arc<ApiKeys>>,
    configured: Vec<ApiKey>,
    file: Option<PathBuf>,
    tokens: Option<AccessTokens>,
    issuer: Option<Arc<Issuer>>,
}

impl Authenticator {
    /// Reads the keys. `None`: no credentials are configured.
    ///
    /// # Errors
    /// The file with the keys cannot be read or is invalid.
    pub(crate) fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Result<Option<Self>, String> {
        if !config.is_configured() {
            return Ok(None);
        }
        let issuer = match &config.oidc_issuer {
            Some(url) => Some(Arc::new(Issuer::new(url.clone()).map_err(|error| format!("OIDC_ISSUER: {error}"))?)),
            None => None,
        };
        let audience = config.oidc_audience.clone().unwrap_or_default();
        let authenticator = Self {
            clock,
            keys: RwLock::default(),
            configured: config.api_keys.clone(),
            file: config.api_keys_file.clone(),
            tokens: issuer.clone().map(|issuer| AccessTokens::new(issuer, audience)),
            issuer,
        };
        let keys = authenticator.read().map_err(|error| format!("API_KEYS_FILE (--api-keys-file): {error}"))?;
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
        if self.file.is_none() {
            return;
        }
        let authenticator = self.clone();
        tokio::spawn(async move {
            let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
            let mut last = None;
            loop {
                let signal = async {
                    match &mut hangup {
                        Some(hangup) => hangup.recv().await,
                        None => std::future::pending().await,
                    }
                };
                // A comparison of the content works for every kind of mount, also where a folder is replaced.
                let is_signal = tokio::time::timeout(REREAD, signal).await.is_ok();
                let keys = authenticator.read();
                if is_signal || last.as_ref() != Some(&keys) {
                    last = Some(keys.clone());
                    authenticator.reread(keys);
                }
            }
        });
    }

    fn reread(&self, keys: Result<Vec<ApiKey>, String>) {
        match keys {
            Ok(keys) => {
                if self.replace(keys) {
                    let count = self.keys.read().map_or(0, |keys| keys.len());
                    tracing::info!(count, "read the API keys again");
                }
            }
            Err(error) => tracing::error!(error, "cannot read the API keys again; those that were read before stay"),
        }
    }

    fn read(&self) -> Result<Vec<ApiKey>, String> {
        let mut keys = self.configured.clone();
        if let Some(file) = &self.file {
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| format!("the file {file:?} cannot be read: {error}"))?;
            keys.extend(ApiKey::parse_all(&text).map_err(|error| format!("the file {file:?}: {error}"))?);
        }
        Ok(keys)
    }

    /// Returns whether these are others.
    fn replace(&self, keys: Vec<ApiKey>) -> bool {
        let keys = Arc::new(ApiKeys::new(keys));
        let Ok(mut current) = self.keys.write() else { return false };
        let is_other = *current != keys;
        *current = keys;
        is_other
    }
}
