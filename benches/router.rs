//! Every operation through the router in process: middleware, validation, handler and an SQLite file, without sockets.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use clap::Parser;
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use web_server::{app::App, cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator};

/// Makes every address unique.
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn request(method: &str, path: &str, body: Option<String>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = if body.is_some() { request.header("content-type", "application/json") } else { request };
    request.body(body.map_or_else(Body::empty, Body::from)).expect("a request")
}

fn new_user() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!(r#"{{"name":"Ada Lovelace","email":"ada{number}@example.com"}}"#)
}

async fn call(router: &Router, status: u16, request: Request<Body>) -> Vec<u8> {
    let response = router.clone().oneshot(request).await.expect("the router does not fail");
    assert_eq!(response.status(), status);
    to_bytes(response.into_body(), usize::MAX).await.expect("a whole body").to_vec()
}

async fn create(router: &Router) -> String {
    let body = call(router, 201, request("POST", "/users", Some(new_user()))).await;
    let user: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    format!("/users/{}", user["id"].as_str().expect("an id"))
}

fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let cli = Cli::try_parse_from(["web_server", "--database-url", &url, "--rate-limit", "off"]).expect("known flags");
    let config = Config::validate(&cli.settings).expect("valid flags");
    let runtime = Runtime::new().expect("a runtime");
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let app = runtime.block_on(App::build(&config, clock, ids)).expect("the app starts");
    let router = &app.router;
    let path = &runtime.block_on(create(router));

    let mut group = criterion.benchmark_group("router");
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    for (name, method, path, status, body) in [
        ("getHealth", "GET", "/health", 200, None),
        ("getReadiness", "GET", "/health/ready", 200, None),
        ("getMetrics", "GET", "/metrics", 200, None),
        ("getUser", "GET", path, 200, None),
        ("listUsers", "GET", "/users?limit=20", 200, None),
        ("updateUser", "PATCH", path, 200, Some(r#"{"name":"Ada King"}"#)),
        ("createUser, invalid", "POST", "/users", 422, Some(r#"{"name":" ","email":"x"}"#)),
        ("unknown path", "GET", "/nothing", 404, None),
    ] {
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter(|| call(router, status, request(method, path, body.map(str::to_owned))));
        });
    }
    group.bench_function("createUser", |bench| bench.to_async(&runtime).iter(|| create(router)));
    group.bench_function("createUser and deleteUser", |bench| {
        bench.to_async(&runtime).iter(|| async {
            let path = create(router).await;
            call(router, 204, request("DELETE", &path, None)).await
        });
    });
    group.finish();
    runtime.block_on(app.store.close());
}

criterion_group!(group, benches);
criterion_main!(group);
