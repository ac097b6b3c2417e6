//! Access tokens: JWTs (RFC 9068) of an issuer, verified with its public keys.

use std::sync::Arc;

use jsonwebtoken::{
    Algorithm, Validation, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use serde::Deserialize;

use super::{caller::Refusal, issuer::Issuer};

/// The algorithms that are accepted: signatures with a public key. A token chooses one of those that fit the key of the
/// issuer, and never `none` or a shared secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The difference between the clocks that is tolerated, in seconds.
const LEEWAY: u64 = 30;

/// The maximum length of a subject: it is in every log line and change.
const MAX_SUBJECT: usize = 255;

/// Verifies access tokens.
#[derive(Debug)]
pub(super) struct AccessTokens {
    issuer: Arc<Issuer>,
    audience: String,
}

/// The claims that are used. The others are checked by the library.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: String,
}

/// Who a token was issued for, and what it allows.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
}

impl AccessTokens {
    pub(super) fn new(issuer: Arc<Issuer>, audience: String) -> Self {
        Self { issuer, audience }
    }

    /// Verifies a token: its signature, type, issuer, audience, and the time in which it is valid.
    pub(super) async fn verify(&self, token: &str) -> Result<Subject, Refusal> {
        let invalid = |what: &'static str| Refusal::Invalid(what);
        let header = decode_header(token).map_err(|_| invalid("The token is neither an API key nor a JWT."))?;
        // So that no other JWT of the issuer, such as an ID token, is taken for an access token (RFC 9068, section 4).
        let kind = header.typ.as_deref().unwrap_or_default();
        let kind = kind
            .get("application/".len()..)
            .filter(|_| kind.to_ascii_lowercase().starts_with("application/"))
            .unwrap_or(kind);
        if !kind.eq_ignore_ascii_case("at+jwt") {
            return Err(invalid("The token is not an access token: its type is not at+jwt."));
        }
        // What must be understood to accept the token (RFC 7515, section 4.1.11): no extension is.
        if header.crit.is_some() {
            return Err(invalid("The token has a critical header parameter (`crit`) that is not supported."));
        }
        if !ALGORITHMS.contains(&header.alg) {
            return Err(invalid("The algorithm of the token is not accepted."));
        }
        let Ok(key) = self.issuer.key(header.kid.as_deref()).await else { return Err(Refusal::Unavailable) };
        let key = key.ok_or(invalid("The key of the token is not one of the issuer's."))?;
        if !fits(&key.jwk, header.alg) {
            return Err(invalid("The algorithm of the token is not that of its key."));
        }
        let key = key.decoding.as_ref().ok_or(invalid("The key of the token cannot be used."))?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[&self.audience]);
        // Both forms are in use, and one address has only one issuer.
        validation.set_issuer(&[self.issuer.url(), &format!("{}/", self.issuer.url())]);
        let claims = decode::<Claims>(token, key, &validation).map_err(|error| invalid(reason(error.kind())))?.claims;
        // PostgreSQL cannot store a NUL.
        if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT || claims.sub.contains(char::is_control) {
            return Err(invalid("The subject of the token is empty or too long, or has control characters."));
        }
        let scopes = claims.scope.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Subject { name: claims.sub, scopes })
    }
}

/// Whether an algorithm is for this key. The library checks the type of the key too, but not its use and its own algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signatures = key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
    let own = key.common.key_algorithm.map(|own| own.to_string());
    let is_public = !matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
    is_for_signatures && is_public && own.is_none_or(|own| own == format!("{algorithm:?}"))
}

fn reason(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::ExpiredSignature => "The token is expired.",
        ErrorKind::ImmatureSignature => "The token is not valid yet.",
        ErrorKind::InvalidAudience => "The token is for another audience.",
        ErrorKind::InvalidIssuer => "The token is of another issuer.",
        ErrorKind::InvalidSignature => "The signature of the token is invalid.",
        ErrorKind::MissingRequiredClaim(_) => "The token has no `exp`, `iss`, `aud` or `sub`.",
        _ => "The token is invalid.",
    }
}
