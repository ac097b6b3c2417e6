//! Clients behind a trusted proxy, and the URL under which a proxy publishes the server. The tests' client is the proxy.

use reqwest::Method;
use serde_json::json;

use crate::harness::{OPEN, Request, matrix};

const URL: &str = "https://example.org/api/v1";

fn from<'a>(app: &'a crate::harness::App, client: &str) -> Request<'a> {
    app.request(Method::GET, "/users").header("x-forwarded-for", client)
}

matrix! {
    async fn clients_of_a_proxy_have_quotas_of_their_own(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "127.0.0.0/8"] {
        for (client, status) in [
            ("192.0.2.1", 200),
            ("192.0.2.1", 429),
            ("192.0.2.2", 200),
            // What the client itself sent is on the left.
            ("192.0.2.3, 192.0.2.1", 429),
            ("192.0.2.3, 192.0.2.1, 127.0.0.7", 429),
            // An IPv6 network is one client.
            ("2001:db8::1", 200),
            ("2001:db8::2", 429),
            ("[2001:db8:0:1::1]:4711", 200),
            // Whatever is no address is the proxy.
            ("192.0.2.4, unknown", 200),
            ("192.0.2.5, _hidden", 429),
        ] {
            assert_eq!(from(&app, client).send().await.status, status, "{client}");
        }
        let forwarded = from(&app, "192.0.2.1").header("forwarded", "for=192.0.2.9");
        assert_eq!(forwarded.send().await.status, 429, "the other header is ignored");
    }

    async fn the_header_can_be_that_of_rfc_7239(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "127.0.0.1",
               "--forwarded-header", "forwarded"] {
        for (forwarded, status) in [
            ("for=192.0.2.1", 200),
            ("for=192.0.2.1;proto=https", 429),
            ("for=\"[2001:db8::1]:4711\";proto=https", 200),
            ("for=192.0.2.3, for=\"[2001:db8::2]\"", 429),
        ] {
            let request = from(&app, "192.0.2.9").header("forwarded", forwarded);
            assert_eq!(request.send().await.status, status, "{forwarded}");
        }
    }

    async fn other_clients_cannot_choose_their_address(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "10.0.0.0/8"] {
        assert_eq!(from(&app, "192.0.2.1").header("x-forwarded-proto", "https").send().await.status, 200);
        let refused = from(&app, "192.0.2.2").header("x-forwarded-proto", "https").send().await;
        assert_eq!((refused.status, refused.header("strict-transport-security")), (429, None));
    }

    async fn the_proxy_reports_whether_the_client_has_tls(app: App) using ["--trusted-proxies", "127.0.0.1"] {
        for (scheme, policy) in [("https", Some("max-age=31536000")), ("http", None)] {
            let response = from(&app, "192.0.2.1").header("x-forwarded-proto", scheme).send().await;
            assert_eq!((response.status, response.header("strict-transport-security")), (200, policy));
        }
    }

    async fn references_begin_with_the_public_url(app: App)
        using ["--public-url", "https://example.org/api/v1/", "--rate-limit", "off"] {
        let new = json!({ "name": "Ada", "email": "ada@example.com" });
        let create = || app.request(Method::POST, "/users").header("idempotency-key", "one").json(&new);
        let created = create().send().await;
        let location = format!("{URL}/users/{}", created.json()["id"].as_str().unwrap());
        assert_eq!((created.status, created.header("location")), (201, Some(&*location)));
        let replayed = create().send().await;
        assert_eq!((replayed.header("idempotency-replayed"), replayed.header("location")), (Some("true"), Some(&*location)));

        app.create_user("bob").await;
        let page = app.get("/users?limit=1").await;
        let link = page.header("link").unwrap().to_owned();
        assert!(link.starts_with(&format!("<{URL}/users?limit=1&")) && link.ends_with(">; rel=\"next\""), "{link}");
        let changes = app.get("/users/changes?limit=1").await;
        assert!(changes.header("link").unwrap().starts_with(&format!("<{URL}/users/changes?")));

        for (path, kind) in [("/users/x?a=\"b\"", "invalid-parameter"), ("/nothing/<here>", "not-found")] {
            let problem = app.get(path).await.json();
            let path = path.split('?').next().unwrap().replace('<', "%3C").replace('>', "%3E");
            assert_eq!((&problem["type"], &problem["instance"]), (&json!(format!("{URL}/problems/{kind}")), &json!(format!("{URL}{path}"))));
        }
        let batch = json!({ "users": [{ "name": "Ada", "email": "ada@example.com" }] });
        let result = app.post("/users/batch", batch).await.json();
        assert_eq!(result["results"][0]["problem"]["type"], format!("{URL}/problems/conflict"));

        for (path, target) in [("/", "/swagger-ui/"), ("/swagger-ui", "/swagger-ui/")] {
            assert_eq!(app.get(path).await.header("location"), Some(&*format!("{URL}{target}")));
        }
    }

    async fn the_documents_have_the_public_url(app: App) using ["--public-url", "https://example.org/api/v1"] {
        let servers = json!([{ "url": "https://example.org/api/v1" }]);
        for path in ["/openapi.json", "/openapi-3.0.json"] {
            assert_eq!(app.get(path).await.json()["servers"], servers);
        }
        // The rest of the text is as it was written.
        let (yaml, written) = (app.get("/openapi.yaml").await.text(), include_str!("../../openapi.yaml"));
        let removed: Vec<_> = written.lines().filter(|line| !yaml.contains(line)).collect();
        assert_eq!(removed, ["  - url: /", "    description: The server of this document."]);
        assert!(yaml.ends_with("\nservers: [{ url: \"https://example.org/api/v1\" }]\n"));
    }

    /// Without the setting, and without credentials, documents that are projected twice.
    async fn a_server_without_credentials_can_have_a_public_url(app: App)
        using [OPEN, "--public-url", "http://localhost:8000"] {
        let json = app.get("/openapi.json").await.json();
        assert_eq!((&json["servers"][0]["url"], &json["security"]), (&json!("http://localhost:8000"), &json!([])));
        assert_eq!(app.get("/").await.header("location"), Some("http://localhost:8000/swagger-ui/"));
    }

    async fn without_the_operations_of_operators_too(app: App)
        using ["--admin-addr", "127.0.0.1:0", "--public-url", "https://example.org"] {
        let json = app.get("/openapi.json").await.json();
        assert_eq!((&json["servers"][0]["url"], &json["paths"]["/metrics"]), (&json!("https://example.org"), &json!(null)));
    }

    /// Swagger UI refers to its files and to the contract by relative references, so that it works below any path.
    async fn the_ui_refers_to_nothing_by_an_absolute_path(app: App) {
        let script = app.get("/swagger-ui/page.js").await.text();
        assert!(script.contains("url: './openapi.json'"), "{script}");
        let page = app.get("/swagger-ui/").await.text();
        assert!(!page.contains("=\"/"), "{page}");
    }
}
