//! An issuer of access tokens, which the tests start: its metadata, its public keys, and tokens of every kind.

use std::sync::{Arc, Mutex};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Router, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The audience of its tokens.
pub const AUDIENCE: &str = "users-api";

pub struct Issuer {
    pub url: String,
    /// The public keys that it serves.
    keys: Arc<Mutex<Vec<Jwk>>>,
    server: JoinHandle<()>,
}

/// A key pair for ES256.
pub struct Pair {
    pub private: EncodingKey,
    pub public: Jwk,
}

impl Pair {
    pub fn new(id: &str) -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let private = EncodingKey::from_ec_der(document.expect("random numbers").as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).expect("a public key");
        public.common.key_id = Some(id.to_owned());
        Self { private, public }
    }

    /// A token with these claims, and the header of an access token.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(Header::new(Algorithm::ES256), claims)
    }

    /// A token with another header. Its type and key id are set, unless it has others.
    pub fn sign_with(&self, mut header: Header, claims: &Value) -> String {
        if header.typ.as_deref() == Some("JWT") {
            header.typ = Some("at+jwt".to_owned());
        }
        header.kid = header.kid.or(self.public.common.key_id.clone());
        encode(&header, claims, &self.private).expect("a token")
    }
}

impl Issuer {
    /// Starts an issuer that serves these keys.
    pub async fn start(keys: &[&Pair]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/realms/tests", listener.local_addr().expect("an address"));
        let keys = Arc::new(Mutex::new(keys.iter().map(|pair| pair.public.clone()).collect::<Vec<_>>()));
        let (metadata, served) = (json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }), keys.clone());
        let jwks = move || {
            let keys = served.lock().expect("no test panics in here").clone();
            async move { json!({ "keys": keys }).to_string() }
        };
        #[expect(clippy::disallowed_methods, reason = "this is not a route of the server")]
        let router = Router::new()
            .route("/realms/tests/.well-known/openid-configuration", get(|| async move { metadata.to_string() }))
            .route("/realms/tests/keys", get(jwks));
        let server = tokio::spawn(async move {
            // It runs until the test aborts it.
            let _ = axum::serve(listener, router).await;
        });
        Self { url, keys, server }
    }

    /// Serves these keys from now on.
    pub fn rotate(&self, keys: &[&Pair]) {
        *self.keys.lock().expect("no test panics in here") = keys.iter().map(|pair| pair.public.clone()).collect();
    }

    /// The claims of a token that is valid for some minutes.
    pub fn claims(&self, scope: &str) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        json!({
            "iss": self.url, "aud": AUDIENCE, "sub": "ada", "client_id": "app", "jti": uuid::Uuid::new_v4(),
            "iat": now, "exp": now + 300, "scope": scope,
        })
    }

    pub fn stop(self) {
        self.server.abort();
    }
}
