//! Settings of authentication.

use std::path::PathBuf;

use http::Uri;

use super::parse::{Invalid, Parsed, boolean, expected, optional, path, settings, text};
use crate::auth::api_keys::ApiKey;

settings! {
    "Authentication"
    /// Who may call. Without any of these, only programs on the same machine can.
    AuthArgs => AuthConfig {
        /// API keys: the entries that `web_server keys new` prints, separated by `;` or line breaks. The server knows only
        /// digests of keys.
        #[arg(hide_env_values = true)]
        api_keys: Vec<ApiKey> = api_keys, "", "ENTRIES";

        /// File with an entry per line. It is read again when it changes and at SIGHUP, so that keys can be added and
        /// revoked.
        api_keys_file: Option<PathBuf> = optional(path), "", "PATH";

        /// Issuer of access tokens (JWTs, RFC 9068), such as `https://login.example.com/realms/main`. Its public keys are
        /// found by OpenID Connect Discovery. Empty: none.
        oidc_issuer: Option<String> = optional(issuer), "", "URL";

        /// Audience that an access token must be for. Required with OIDC_ISSUER.
        oidc_audience: Option<String> = optional(text), "", "NAME";

        /// Keep the token that is entered in Swagger UI (*Authorize*) in the storage of the browser, also when the page is
        /// closed: not on shared machines.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        swagger_ui_remember_authorization: bool = boolean, "false", "BOOL";
    }
}

impl AuthConfig {
    /// Whether requests can have credentials.
    pub fn is_configured(&self) -> bool {
        !self.api_keys.is_empty() || self.api_keys_file.is_some() || self.oidc_issuer.is_some()
    }
}

fn api_keys(value: &str) -> Parsed<Vec<ApiKey>> {
    match ApiKey::parse_all(value) {
        // What somebody set must not leave the server open.
        Ok(keys) if keys.is_empty() && !value.is_empty() => {
            Err(Invalid::Secret("there is no entry: expected those that `web_server keys new` prints".to_owned()))
        }
        keys => keys.map_err(Invalid::Secret),
    }
}

/// Parses the address of an issuer, without a final slash. Its keys must not be replaced on the way, so it has TLS, unless it
/// is on the same machine.
fn issuer(value: &str) -> Parsed<String> {
    let is_safe = |uri: &Uri| match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        _ => false,
    };
    match value.parse::<Uri>() {
        Ok(uri) if is_safe(&uri) && uri.query().is_none() => Ok(value.trim_end_matches('/').to_owned()),
        _ => expected("a URL with https, such as https://login.example.com/realms/main, or with http on this machine"),
    }
}
