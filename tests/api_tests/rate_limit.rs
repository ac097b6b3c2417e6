//! The rate limit of a client.

use serde_json::json;

use crate::harness::{credentials, matrix, operations::operations};

matrix! {
    async fn a_client_over_the_limit_receives_the_time_to_wait(app: App) using ["--rate-limit", "1/h", "--rate-limit-burst", "3"] {
        for left in [2, 1, 0] {
            let response = app.get("/users").await;
            let reset = (3 - left) * 3600;
            assert_eq!(response.status, 200);
            assert_eq!(response.header("ratelimit"), Some(format!("\"address\";r={left};t={reset}").as_str()));
            assert_eq!(response.header("ratelimit-policy"), Some("\"address\";q=3;w=10800"));
        }
        let refused = app.post("/users", json!({ "name": "Ada", "email": "ada@example.com" })).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3600")));
        assert_eq!(refused.header("ratelimit"), Some("\"address\";r=0;t=10800"));
        // Health, metrics and documents have no limit and no such header.
        for path in ["/health", "/health/ready", "/metrics", "/openapi.json", "/swagger-ui/"] {
            let response = app.get(path).await;
            assert_eq!((response.status, response.header("ratelimit")), (200, None), "{path}");
        }
    }

    /// A caller has one quota, whatever address it has, and others are not affected. A request for several users counts as
    /// several.
    async fn a_caller_has_a_quota_of_its_own(app: App) using ["--rate-limit", "1000/h", "--caller-rate-limit", "15/h"] {
        let batch = json!({ "users": [{ "name": "Ada", "email": "ada@example.com" }] });
        let created = app.post("/users/batch", batch.clone()).await;
        let left = "\"address\";r=1980;t=72, \"caller\";r=10;t=4800";
        assert_eq!((created.status, created.header("ratelimit")), (200, Some(left)));
        assert_eq!(created.header("ratelimit-policy"), Some("\"address\";q=2000;w=7200, \"caller\";q=30;w=7200"));
        let refused = app.post("/users/batch", batch).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2400")));
        assert_eq!(app.get("/users").await.status, 200, "a smaller request fits");
        let other = app.with_token(Some(&credentials::OTHER.secret));
        assert_eq!(other.get("/users").await.status, 200);
    }

    /// Whether valid requests count or not.
    async fn tokens_cannot_be_tried_without_limit(app: App) using ["--rate-limit", "1/h", "--rate-limit-burst", "9"] {
        let stranger = app.with_token(Some("wsk_0"));
        for _ in 0..20 {
            assert_eq!(app.get("/metrics").await.status, 200);
        }
        let secured: Vec<_> = operations().iter().filter(|operation| operation.documents(401)).collect();
        let mut statuses = Vec::new();
        for operation in secured.iter().cycle().take(secured.len().max(9)) {
            statuses.push(operation.request(&stranger).send().await.status);
        }
        assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
        while stranger.get("/metrics").await.status == 401 {}
        for operation in &secured {
            assert_eq!(operation.request(&stranger).send().await.status, 429, "{}", operation.id);
        }
        // Or a valid one would be noticed.
        for operation in secured {
            assert_eq!(operation.request(&app).send().await.status, 429, "{}", operation.id);
        }
        assert_eq!(app.get("/health").await.status, 200);
    }

    /// `Retry-After` is exact to the second.
    async fn a_client_that_waits_is_served(app: App) using ["--rate-limit", "1/s", "--rate-limit-burst", "1"] {
        assert_eq!(app.get("/users").await.status, 200);
        let refused = app.get("/users").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(app.get("/users").await.status, 200);
    }

    async fn a_script_of_a_listed_origin_can_read_the_refusal(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--cors-allowed-origins", "https://a.example"] {
        app.get("/users").await;
        let refused = app.request(reqwest::Method::GET, "/users").header("origin", "https://a.example").send().await;
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (429, Some("https://a.example")));
        let exposed = refused.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("retry-after") && exposed.contains("ratelimit"), "{exposed}");
        // A preflight does not count.
        let preflight = app.request(reqwest::Method::OPTIONS, "/users").header("origin", "https://a.example");
        assert_eq!(preflight.header("access-control-request-method", "GET").send().await.status, 200);
    }

    async fn without_a_limit_there_are_no_rate_limit_headers(app: App) using ["--rate-limit", "off"] {
        assert_eq!(app.get("/users").await.header("ratelimit"), None);
    }
}
