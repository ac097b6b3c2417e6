//! Who may call. The tests go through every operation of the contract, so one that is added is tested too.

use crate::harness::{
    OPEN,
    credentials::{ALL, EVERY_SCOPE, EXPIRED, Key, WITHOUT},
    matrix,
    operations::{Operation, operations},
};
use reqwest::Method;

/// The operations that need credentials.
fn secured() -> impl Iterator<Item = &'static Operation> {
    operations().iter().filter(|operation| operation.documents(401))
}

/// Other spellings of a path, which must not lead around the check.
fn spellings(target: &str) -> Vec<String> {
    let (first, rest) = (&target[1..2], &target[2..]);
    let encoded = format!("/%{:02x}{rest}", first.as_bytes()[0]);
    vec![
        target.to_owned(),
        format!("{target}?"),
        format!("{target}/"),
        format!("/{target}"),
        format!("/.{target}"),
        format!("{target}%2e"),
        encoded,
        target.to_uppercase(),
        format!("{target};x=1"),
        format!("{target}%00"),
    ]
}

matrix! {
    async fn every_operation_refuses_a_caller_without_a_valid_token(app: App) {
        let unknown = Key::new("unknown", &EVERY_SCOPE, None).secret;
        let upper = ALL.secret.to_uppercase();
        let tokens = [None, Some(&*EXPIRED.secret), Some(&unknown), Some(&upper), Some("x"), Some("a.b.c"), Some("")];
        for operation in secured() {
            for token in tokens {
                let response = operation.request(&app.with_token(token)).send().await;
                assert_eq!(response.status, 401, "{} {token:?}: {}", operation.id, response.text());
                let challenge = response.header("www-authenticate").unwrap_or_default();
                let scopes = operation.scopes.join(" ");
                assert!(challenge.starts_with("Bearer") && challenge.contains(&scopes), "{challenge}");
                assert_eq!(challenge.contains("invalid_token"), token.is_some(), "{challenge}");
            }
            for header in [format!("Basic {}", ALL.secret), ALL.secret.clone(), format!("Bearer {0} {0}", ALL.secret)] {
                let without = app.with_token(None);
                let request = operation.request(&without).header("authorization", &header);
                assert_eq!(request.send().await.status, 401, "{} {header}", operation.id);
            }
            let twice = operation.request(&app).header("authorization", &format!("Bearer {}", ALL.secret));
            assert_eq!(twice.send().await.status, 401, "{}", operation.id);
        }
    }

    async fn every_operation_refuses_a_caller_without_its_scope(app: App) {
        for operation in secured() {
            let Some(key) = operation.scopes.first().and_then(|scope| WITHOUT.get(scope.as_str())) else { continue };
            let response = operation.request(&app.with_token(Some(&key.secret))).send().await;
            assert_eq!(response.status, 403, "{}", operation.id);
            assert!(response.text().contains(&operation.scopes[0]), "{}", response.text());
            let challenge = response.header("www-authenticate").unwrap_or_default();
            assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        }
    }

    async fn every_operation_accepts_a_caller_with_its_scope(app: App) {
        for operation in operations() {
            let status = operation.request(&app).send().await.status;
            assert!(![401, 403].contains(&status), "{}: {status}", operation.id);
            if !operation.documents(401) {
                assert_eq!(operation.request(&app.with_token(None)).send().await.status, 200, "{}", operation.id);
            }
        }
    }

    async fn no_spelling_of_a_path_leads_around_the_check(app: App) {
        let app = app.with_token(None);
        for operation in secured() {
            for target in spellings(&operation.target) {
                let request = app.request(operation.method.clone(), &target);
                let request = match &operation.body {
                    Some((media, body)) => request.content_type(media).json(body),
                    None => request,
                };
                let status = request.send().await.status;
                assert!([400, 401, 404, 405].contains(&status), "{} {target}: {status}", operation.method);
            }
        }
        assert_eq!(app.request(Method::HEAD, "/users").send().await.status, 401);
        assert_eq!(app.request(Method::OPTIONS, "/users").send().await.status, 204);
    }

    /// The body is neither needed nor read.
    async fn a_caller_is_refused_before_its_body_is_read(app: App) {
        for operation in secured().filter(|operation| operation.body.is_some()) {
            let without = app.with_token(None);
            assert_eq!(operation.request(&without).never_ending().send().await.status, 401, "{}", operation.id);
        }
    }

    async fn without_credentials_only_this_machine_can_call(app: App) using [OPEN] {
        let document = app.get("/openapi.json").await.json();
        assert!(!document["info"]["description"].as_str().unwrap().contains("401"));
        assert_eq!(document["components"]["securitySchemes"], serde_json::Value::Null);
        for operation in secured() {
            let status = operation.request(&app).send().await.status;
            assert!(![401, 403, 421].contains(&status), "{}: {status}", operation.id);
            for (name, value, expected) in [
                ("host", "example.com", 421),
                ("host", "127.0.0.1.example.com:80", 421),
                ("sec-fetch-site", "cross-site", 403),
                ("origin", "https://example.com", 403),
                ("origin", "null", 403),
                ("sec-fetch-site", "Cross-Site", 403),
                ("forwarded", "for=192.0.2.1", 403),
                ("x-forwarded-for", "192.0.2.1", 403),
                ("x-forwarded-host", "example.com", 403),
                ("via", "1.1 proxy", 403),
                ("x-real-ip", "192.0.2.1", 403),
                ("cf-connecting-ip", "192.0.2.1", 403),
            ] {
                let response = operation.request(&app).header(name, value).send().await;
                assert_eq!(response.status, expected, "{} {name}: {value}", operation.id);
            }
            for (name, value) in [("host", "localhost"), ("host", "[::1]:8080"), ("origin", "http://localhost:3000")] {
                let status = operation.request(&app).header(name, value).send().await.status;
                assert!(![403, 421].contains(&status), "{} {name}: {value}: {status}", operation.id);
            }
        }
    }

    async fn without_credentials_pages_of_listed_origins_can_call(app: App)
        using [OPEN, "--cors-allowed-origins", "https://app.example.com"]
    {
        let from = async |origin| app.request(Method::GET, "/users").header("origin", origin).send().await.status;
        assert_eq!((from("https://app.example.com").await, from("https://example.com").await), (200, 403));
    }

    async fn any_origin_does_not_include_a_server_without_credentials(app: App)
        using [OPEN, "--cors-allowed-origins", "*"]
    {
        let response = app.request(Method::GET, "/users").header("origin", "https://example.com").send().await;
        assert_eq!(response.status, 403);
    }
}
