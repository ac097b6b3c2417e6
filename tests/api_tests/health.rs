//! Health and metrics.

use reqwest::Method;

use crate::harness::{credentials::WITHOUT, faults::Fault, matrix};

/// Whether the counter is not zero. Each is there from the start.
fn has_counted(metrics: &str, series: &str) -> bool {
    metrics.lines().any(|line| line.starts_with(series) && !line.ends_with(" 0"))
}

matrix! {
    async fn a_running_server_is_alive_and_ready(app: App) {
        for path in ["/health", "/health/live"] {
            let response = app.get(path).await;
            assert_eq!((response.status, &response.json()["status"]), (200, &"up".into()));
        }
        let response = app.get("/health/ready").await;
        assert_eq!((response.status, response.text()), (200, r#"{"status":"ready"}"#.to_owned()));
    }

    /// Load balancers and scrapers add queries of their own.
    async fn probes_and_metrics_ignore_the_query(app: App) {
        let alone = app.get("/health").await.text();
        assert_eq!(app.get("/health?source=elb").await.text(), alone);
        for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
            for query in ["", "source=elb", "name[]=x&name[]=y", "%ff=%ff", "a&&=b#c"] {
                let path = format!("{path}?{query}");
                assert_eq!(app.get(&path).await.status, 200, "{path}");
                let head = app.request(Method::HEAD, &path).send().await;
                assert_eq!((head.status, head.text().len()), (200, 0), "{path}");
            }
            // What is wrong with the request itself is still refused.
            assert_eq!(app.request(Method::GET, path).header("host", "a b").send().await.status, 400, "{path}");
        }
    }

    /// Each refusal is counted by its reason.
    async fn refusals_are_counted(app: App) using ["--rate-limit", "1/h", "--rate-limit-burst", "2"] {
        let key = &WITHOUT["users:read"];
        for (token, status) in [
            (None, 401),
            (Some("wsk_unknown"), 401),
            // The burst is used.
            (Some(&*key.secret), 429),
        ] {
            assert_eq!(app.with_token(token).get("/users").await.status, status, "{token:?}");
        }
        let metrics = app.get("/metrics").await.text();
        for series in [
            r#"authentication_failures_total{reason="no_token"}"#,
            r#"authentication_failures_total{reason="invalid_token"}"#,
            r#"http_rate_limited_total{limit="address"}"#,
        ] {
            assert!(has_counted(&metrics, series), "{series} is zero in\n{metrics}");
        }
    }

    async fn failures_are_counted_by_kind(app: App) {
        app.create_user("ada").await;
        let lost = app.with_token(Some(&WITHOUT["users:write"].secret));
        let user = serde_json::json!({ "name": "Ada", "email": "ada@example.com" });
        assert_eq!(lost.post("/users", user).await.status, 403);
        app.faults.store(Fault::Unavailable);
        assert_eq!(app.get("/users").await.status, 503);
        app.faults.store(None);
        let metrics = app.get("/metrics").await.text();
        for series in [r#"authentication_failures_total{reason="missing_scope"}"#, r#"database_errors_total{kind="no_connection"}"#] {
            assert!(has_counted(&metrics, series), "{series} is zero in\n{metrics}");
        }
    }

    async fn requests_are_counted_by_path_template(app: App) {
        let user = app.create_user("ada").await;
        app.get(&format!("/users/{}", user["id"].as_str().unwrap())).await;
        app.get("/no/such/path").await;
        let response = app.get("/metrics").await;
        assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let metrics = response.text();
        for series in [
            r#"http_requests_total{method="POST",path="/users",status="201"}"#,
            r#"http_requests_total{method="GET",path="/users/{id}",status="200"}"#,
            r#"http_requests_total{method="GET",path="unmatched",status="404"}"#,
            r#"http_request_duration_seconds_bucket{method="GET",path="/users/{id}",le="0.01"}"#,
            r#"database_operation_duration_seconds_count{operation="users.create"}"#,
            "http_active_connections ",
            "http_requests_in_flight ",
            "database_pool_connections{pool=",
            "database_pool_max_connections{pool=",
            "database_pool_wait_seconds_bucket{pool=",
            "web_server_build_info{version=",
            "process_resident_memory_bytes ",
            "process_cpu_seconds_total ",
        ] {
            assert!(has_counted(&metrics, series), "{series} is zero in\n{metrics}");
        }
        // Values that clients send, such as ids and raw paths, are no labels.
        assert!(!metrics.contains(user["id"].as_str().unwrap()) && !metrics.contains("/no/such/path"));
    }
}
