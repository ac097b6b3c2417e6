//! The fixed rules: methods, CORS, security headers, hosts, request ids.

use reqwest::Method;

use crate::harness::{matrix, operations::operations};

const USER: &str = "/users/00000000-0000-0000-0000-000000000000";

matrix! {
    async fn an_unsupported_method_is_refused_with_the_supported_ones(app: App) {
        for (method, path, allow) in [
            ("DELETE", "/users", "GET, HEAD, POST, OPTIONS"),
            ("POST", USER, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
            ("POST", "/health", "GET, HEAD, OPTIONS"),
            ("TRACE", "/users", "GET, HEAD, POST, OPTIONS"),
            ("PUT", "/openapi.json", "GET, HEAD, OPTIONS"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = app.request(method.clone(), path).send().await;
            assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{method} {path}");
            let options = app.request(Method::OPTIONS, path).send().await;
            assert_eq!((options.status, options.header("allow")), (204, Some(allow)), "{path}");
        }
    }

    async fn an_unknown_method_is_not_implemented(app: App) {
        let brew = Method::from_bytes(b"BREW").unwrap();
        for path in ["/users", "/nothing"] {
            assert_eq!(app.request(brew.clone(), path).send().await.status, 501, "{path}");
        }
    }

    async fn head_is_get_without_the_body(app: App) {
        app.create_user("ada").await;
        for path in ["/users", "/health", "/metrics", "/openapi.json", USER, "/nothing"] {
            let (get, head) = (app.get(path).await, app.request(Method::HEAD, path).send().await);
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        }
    }

    async fn an_unknown_path_is_a_problem(app: App) {
        for path in ["/nothing", "/users/", "/Users", "/users/a/b", "//users", "/health/", "/swagger-ui/../openapi.json/x"] {
            let response = app.get(path).await;
            assert_eq!((response.status, &response.json()["type"]), (404, &"/problems/not-found".into()), "{path}");
            assert_eq!(app.request(Method::OPTIONS, path).send().await.status, 404, "{path}");
        }
    }

    async fn no_route_bypasses_the_middleware(app: App) using ["--rate-limit", "1000/s"] {
        let documents = ["/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/swagger-ui/", "/problems/not-found", "/nothing"];
        let documents = documents.map(|path| app.request(Method::GET, path));
        let requests = operations().iter().map(|operation| operation.request(&app)).chain(documents);
        for (number, request) in requests.enumerate() {
            let response = request.header("x-request-id", "the-id").send().await;
            let is_limited = response.headers.contains_key("ratelimit");
            assert_eq!(response.header("x-request-id"), Some("the-id"), "{:?}", response.headers);
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
            let has_limit = operations().get(number).is_some_and(|operation| operation.limited);
            assert_eq!(is_limited, has_limit, "{number}");
        }
    }

    async fn every_response_has_the_security_headers(app: App) {
        for path in ["/health", "/users", "/nothing", "/openapi.json", "/swagger-ui/"] {
            let response = app.get(path).await;
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
            assert!(response.header("content-security-policy").unwrap().contains("default-src 'none'"), "{path}");
            assert_eq!(response.headers.get_all("content-security-policy").iter().count(), 1, "{path}");
            assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        }
        assert_eq!(app.get("/users").await.header("cache-control"), Some("no-store"));
    }

    async fn a_valid_request_id_is_kept(app: App) {
        let with = |id: &str| app.request(Method::GET, USER).header("x-request-id", id);
        let response = with("order-17.a_B").send().await;
        assert_eq!(response.header("x-request-id"), Some("order-17.a_B"));
        assert_eq!(response.json()["request_id"], "order-17.a_B");
        for id in ["", "a b", "a;b", "{}", &"x".repeat(65)] {
            assert_ne!(with(id).send().await.header("x-request-id"), Some(id));
        }
    }

    async fn problems_have_the_path_and_the_request_id(app: App) {
        let response = app.get(&format!("{USER}?x=1")).await;
        let problem = response.json();
        assert_eq!(problem["instance"], USER);
        assert_eq!(problem["request_id"].as_str(), response.header("x-request-id"));
    }

    async fn without_origins_no_cors_header_is_sent(app: App) {
        let preflight = app.request(Method::OPTIONS, "/users").header("origin", "https://a.example");
        let response = preflight.header("access-control-request-method", "POST").send().await;
        assert_eq!((response.status, response.header("access-control-allow-origin")), (204, None));
    }

    async fn pages_of_listed_origins_can_call_and_read(app: App) using ["--cors-allowed-origins", "https://a.example"] {
        let preflight = |origin: &str| {
            app.request(Method::OPTIONS, "/users").header("origin", origin).header("access-control-request-method", "PATCH")
        };
        let response = preflight("https://a.example").send().await;
        assert_eq!((response.status, response.header("access-control-allow-origin")), (200, Some("https://a.example")));
        assert!(response.header("access-control-allow-methods").unwrap().contains("PATCH"));
        assert_eq!(response.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
        // `*` would not include `Authorization`. Every header of the contract is listed.
        let allowed = response.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        let allowed: Vec<_> = allowed.split(',').map(str::trim).collect();
        for name in ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "traceparent", "x-request-id"] {
            assert!(allowed.contains(&name), "{name}: {allowed:?}");
        }
        assert!(!allowed.contains(&"*"));
        assert_eq!(preflight("https://b.example").send().await.header("access-control-allow-origin"), None);
        // Refusals are readable too, and the headers that a client needs.
        for (method, target, status) in [("GET", "/users?x=1", 400), ("BREW", "/users", 501)] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let refused = app.request(method, target).header("origin", "https://a.example").send().await;
            let origin = refused.header("access-control-allow-origin");
            assert_eq!((refused.status, origin), (status, Some("https://a.example")));
            let exposed = refused.header("access-control-expose-headers").unwrap();
            assert!(exposed.contains("etag") && exposed.contains("www-authenticate"), "{exposed}");
        }
        // A plain OPTIONS is not a preflight.
        let plain = app.request(Method::OPTIONS, "/users").send().await;
        assert_eq!((plain.status, plain.header("allow")), (204, Some("GET, HEAD, POST, OPTIONS")));
    }

    async fn an_unknown_host_is_misdirected(app: App) using ["--allowed-hosts", "127.0.0.1,api.example.com"] {
        assert_eq!(app.get("/users").await.status, 200);
        for (host, status) in [("API.example.com:8080", 200), ("evil.example", 421), ("api.example.com.evil.example", 421)] {
            let response = app.request(Method::GET, "/users").header("host", host).send().await;
            assert_eq!(response.status, status, "{host}");
            // An unknown host does not receive the supported methods either.
            let options = app.request(Method::OPTIONS, "/users").header("host", host).send().await;
            assert_eq!(options.status, if status == 200 { 204 } else { 421 }, "{host}");
        }
        // A probe uses the address of an instance as its host.
        let probe = app.request(Method::GET, "/health/ready").header("host", "10.0.0.7:8080").send().await;
        assert_eq!(probe.status, 200);
    }
}
