//! Access tokens of an issuer. The tests go through every operation of the contract.

use std::{future::Future, time::Duration};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::{
    self, App, Database,
    credentials::{ALL, EVERY_SCOPE},
    issuer::{AUDIENCE, Issuer, Pair},
    operations::{Operation, operations},
};

/// Runs a test with an issuer whose key is `pair`, and a server that trusts it. The server has API keys too.
async fn with_issuer<F: Future<Output = ()>>(
    module: &str,
    database: Database,
    body: impl FnOnce(App, Issuer, Pair) -> F,
) {
    let pair = Pair::new("one");
    let issuer = Issuer::start(&[&pair]).await;
    let url = issuer.url.clone();
    let flags = ["--oidc-issuer", &url, "--oidc-audience", AUDIENCE, "--api-keys", &ALL.entry];
    harness::run(module, database, &flags, |app| body(app, issuer, pair)).await;
}

/// Declares tests that run on both databases.
macro_rules! with_issuer {
    ($(async fn $name:ident($($argument:ident: $Type:ty),*) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body($($argument: $Type),*) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                with_issuer(module_path!(), Database::Sqlite, body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                with_issuer(module_path!(), Database::Postgres, body).await;
            }
        }
    )*};
}

/// The operations that need credentials.
fn secured() -> impl Iterator<Item = &'static Operation> {
    operations().iter().filter(|operation| operation.documents(401))
}

/// Sends a token to every operation that needs one, for 403 to every one that needs a scope, and expects one status of all.
async fn all_return(app: &App, token: &str, status: u16, why: &str) {
    let app = app.with_token(Some(token));
    for operation in secured().filter(|operation| status != 403 || !operation.scopes.is_empty()) {
        let response = operation.request(&app).send().await;
        assert_eq!(response.status, status, "{} {why}: {}", operation.id, response.text());
    }
}

/// Replaces members of claims; `null` removes one.
fn with(claims: &Value, changes: Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

with_issuer! {
    async fn a_token_with_the_scope_is_accepted(app: App, issuer: Issuer, pair: Pair) {
        for operation in secured() {
            let scope = operation.scopes.join(" ");
            for claims in [
                issuer.claims(&scope),
                issuer.claims(&format!("openid {scope} profile")),
                with(&issuer.claims(&scope), json!({ "aud": ["others", AUDIENCE] })),
            ] {
                let app = app.with_token(Some(&pair.sign(&claims)));
                let status = operation.request(&app).send().await.status;
                assert!(![401, 403].contains(&status), "{}: {status}", operation.id);
            }
        }
        issuer.stop();
    }

    async fn a_token_that_is_not_valid_is_refused(app: App, issuer: Issuer, pair: Pair) {
        let claims = issuer.claims(&EVERY_SCOPE.join(" "));
        let now = jsonwebtoken::get_current_timestamp();
        for (changes, why) in [
            (json!({ "exp": now - 60 }), "expired"),
            (json!({ "exp": null }), "without an end"),
            (json!({ "nbf": now + 60 }), "not valid yet"),
            (json!({ "aud": "others" }), "for another audience"),
            (json!({ "aud": null }), "without an audience"),
            (json!({ "iss": "https://issuer.example" }), "of another issuer"),
            (json!({ "iss": null }), "without an issuer"),
            (json!({ "sub": null }), "without a subject"),
            (json!({ "sub": "" }), "with an empty subject"),
        ] {
            all_return(&app, &pair.sign(&with(&claims, changes)), 401, why).await;
        }
        let kind = |typ: &str| Header { typ: Some(typ.to_owned()), ..Header::new(Algorithm::ES256) };
        all_return(&app, &pair.sign_with(kind("id_token+jwt"), &claims), 401, "of another type").await;
        for critical in [vec![], vec!["b64".to_owned()]] {
            let header = Header { crit: Some(critical), ..Header::new(Algorithm::ES256) };
            all_return(&app, &pair.sign_with(header, &claims), 401, "with a critical extension").await;
        }
        let accepted = app.with_token(Some(&pair.sign_with(kind("Application/at+JWT"), &claims)));
        assert_eq!(accepted.get("/users").await.status, 200);
        issuer.stop();
    }

    async fn a_token_of_another_signer_is_refused(app: App, issuer: Issuer, pair: Pair) {
        let claims = issuer.claims(&EVERY_SCOPE.join(" "));
        let valid = pair.sign(&claims);
        let parts: Vec<_> = valid.split('.').collect();
        // {"alg":"none","typ":"at+jwt"}
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
        all_return(&app, &format!("{none}.{}.", parts[1]), 401, "without a signature").await;
        all_return(&app, &format!("{none}.{}.{}", parts[1], parts[2]), 401, "with another algorithm").await;
        all_return(&app, &format!("{}.{}.", parts[0], parts[1]), 401, "with an empty signature").await;
        let other = issuer.claims("users:read");
        let forged = pair.sign(&other);
        let forged: Vec<_> = forged.split('.').collect();
        all_return(&app, &format!("{}.{}.{}", forged[0], parts[1], forged[2]), 401, "with the claims of another").await;

        // The same id, another key.
        let stranger = Pair::new("one");
        all_return(&app, &stranger.sign(&claims), 401, "with a key of somebody else").await;
        all_return(&app, &Pair::new("unknown").sign(&claims), 401, "with an unknown key").await;

        // Public values of the key as a shared secret.
        let public = serde_json::to_value(&pair.public).unwrap();
        for secret in [public["x"].as_str().unwrap(), &public.to_string()] {
            let header = Header { typ: Some("at+jwt".to_owned()), kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
            let token = encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap();
            all_return(&app, &token, 401, "with a confused key").await;
        }
        issuer.stop();
    }

    async fn a_token_without_the_scope_is_refused(app: App, issuer: Issuer, pair: Pair) {
        for claims in [issuer.claims("openid"), issuer.claims(""), with(&issuer.claims(""), json!({ "scope": null }))] {
            all_return(&app, &pair.sign(&claims), 403, "without the scope").await;
        }
        assert_eq!(app.with_token(Some(&ALL.secret)).get("/users").await.status, 200, "an API key works too");
        issuer.stop();
    }

    async fn new_keys_of_the_issuer_are_found(app: App, issuer: Issuer, pair: Pair) {
        let claims = issuer.claims(&EVERY_SCOPE.join(" "));
        assert_eq!(app.with_token(Some(&pair.sign(&claims))).get("/users").await.status, 200);
        let next = Pair::new("two");
        issuer.rotate(&[&pair, &next]);
        let app = app.with_token(Some(&next.sign(&claims)));
        // The issuer is asked at most once in 10 s.
        let found = async {
            while app.get("/users").await.status != 200 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found).await.expect("the new key is found");
        issuer.stop();
    }
}

/// The token cannot be verified, which is not the fault of its caller.
mod an_issuer_that_cannot_be_reached_is_a_503 {
    use super::*;

    async fn check(database: Database) {
        let pair = Pair::new("one");
        let issuer = Issuer::start(&[&pair]).await;
        let (url, token) = (issuer.url.clone(), pair.sign(&issuer.claims(&EVERY_SCOPE.join(" "))));
        issuer.stop();
        let flags = ["--oidc-issuer", &url, "--oidc-audience", AUDIENCE, "--api-keys", &ALL.entry];
        harness::run(module_path!(), database, &flags, |app| async move {
            all_return(&app, &token, 503, "of a lost issuer").await;
            assert_eq!(app.with_token(Some(&ALL.secret)).get("/users").await.status, 200, "API keys need no issuer");
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        check(Database::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        check(Database::Postgres).await;
    }
}
