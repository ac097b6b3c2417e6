//! Settings of authentication.

use std::path::PathBuf;

use http::Uri;

use super::parse::{Invalid, Parsed, boolean, expected, optional, path, settings, text};
use crate::auth::{api_keys::ApiKey, issuer::is_protected};

settings! {
    "Authentication"
    /// Who may call. Without any of these, only programs on the same machine can.
    AuthArgs => AuthConfig {
        /// API keys: the entries that `web_server keys new` prints, separated by `;` or line breaks. The server knows only
        /// digests of keys. Their scopes must be those of the contract.
        api_keys: Vec<ApiKey> = api_keys, "", "ENTRIES";

        /// Regular file of at most 1 MiB with an entry per line. It is read again when it changes and at SIGHUP, so that keys can
        /// be added and revoked.
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

/// Parses the address of an issuer, without a final slash. The message does not quote what may contain a password.
fn issuer(value: &str) -> Parsed<String> {
    let is_url_alone = match value.parse::<Uri>() {
        Ok(uri) => {
            !(uri.authority().is_some_and(|authority| authority.as_str().contains('@')) || value.contains(['?', '#']))
        }
        Err(_) => !value.contains(['@', '?', '#']),
    };
    if !is_url_alone {
        return Err(Invalid::Secret("expected a URL without user information, query and fragment".to_owned()));
    }
    if !is_protected(value) {
        return expected(
            "a URL with https, such as https://login.example.com/realms/main, or with http on this machine",
        );
    }
    Ok(value.trim_end_matches('/').to_owned())
}
