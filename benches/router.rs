//! Every operation through the router in process: middleware, validation, handler and an SQLite file, without sockets.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::{
    sync::{
        Arc, LazyLock,
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
use criterion::{Criterion, criterion_group};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use web_server::{
    app::App, auth::api_keys::ApiKey, cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator,
};

/// Makes every e-mail address unique.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The API key of the requests, and its entry.
static KEY: LazyLock<(String, ApiKey)> = LazyLock::new(|| {
    let scopes = ["users:read", "users:write", "metrics:read"].map(str::to_owned);
    ApiKey::generate("bench".to_owned(), scopes.to_vec(), None).expect("a valid name")
});

fn request(method: &str, path: &str, body: Option<String>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {}", KEY.0));
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

/// The runs of each case in [`count_instructions`]; as in `scripts/instructions`.
const RUNS: usize = 5;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The operations on one request each: name, method, path, status, body. `{user}` is the path of a user.
const CASES: [(&str, &str, &str, u16, Option<&str>); 8] = [
    ("getHealth", "GET", "/health", 200, None),
    ("getReadiness", "GET", "/health/ready", 200, None),
    ("getMetrics", "GET", "/metrics", 200, None),
    ("getUser", "GET", "{user}", 200, None),
    ("listUsers", "GET", "/users?limit=20", 200, None),
    ("updateUser", "PATCH", "{user}", 200, Some(r#"{"name":"Ada King"}"#)),
    ("createUser, invalid", "POST", "/users", 422, Some(r#"{"name":" ","email":"x"}"#)),
    ("unknown path", "GET", "/nothing", 404, None),
];

/// The app with an API key on a new SQLite file with 100 users. Returns it with the path of a user, and the folder of the file.
async fn app() -> (App, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    // Deadlines are long, because valgrind is slow.
    let flags = ["--rate-limit=1000000/s", "--request-timeout=60s"];
    let entry = KEY.1.to_string();
    let settings = ["web_server", "--database-url", &url, "--api-keys", &entry].into_iter().chain(flags);
    let cli = Cli::try_parse_from(settings).expect("known flags");
    let config = Config::validate(&cli.settings).expect("valid flags");
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let app = App::build(&config, clock, ids).await.expect("the app starts");
    for _ in 1..100 {
        create(&app.router).await;
    }
    let path = create(&app.router).await;
    (app, path, folder)
}

fn benches(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (app, user, _folder) = runtime.block_on(app());
    let router = &app.router;

    let mut group = criterion.benchmark_group("router");
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    for (name, method, path, status, body) in CASES {
        let path = &path.replace("{user}", &user);
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

    // What a header of the request adds to the middleware.
    let mut group = criterion.benchmark_group("middleware");
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    for (name, method, path, status, header, value) in [
        ("no header", "GET", "/users?limit=20", 200, "accept", "*/*"),
        ("x-request-id", "GET", "/users?limit=20", 200, "x-request-id", "0123456789abcdef"),
        ("traceparent", "GET", "/users?limit=20", 200, "traceparent", TRACE),
        ("accept-encoding: gzip", "GET", "/users?limit=20", 200, "accept-encoding", "gzip"),
        ("origin", "GET", "/users?limit=20", 200, "origin", "https://example.com"),
        ("not acceptable", "GET", "/users?limit=20", 406, "accept", "text/html"),
        ("unknown key", "GET", "/users?limit=20", 401, "authorization", "Bearer wsk_0"),
        ("OPTIONS", "OPTIONS", "/users", 204, "accept", "*/*"),
    ] {
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter(|| {
                let mut request = request(method, path, None);
                request.headers_mut().insert(header, value.parse().expect("a value"));
                call(router, status, request)
            });
        });
    }
    group.finish();
    runtime.block_on(app.store.close());
}

/// Sends `count` requests of each of the named cases, [`RUNS`] times, for `scripts/instructions`, which counts the instructions
/// between two calls of [`boundary`]. On one thread, so that the counts are repeatable.
fn count_instructions(count: usize, names: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (app, user, _folder) = app().await;
        let create_user = ("createUser", "POST", "/users", 201, None);
        for wanted in names {
            let case = CASES.into_iter().chain([create_user]).find(|case| case.0 == wanted);
            let (name, method, path, status, body) = case.expect("a case of this name");
            let send = async || {
                let body = if name == "createUser" { Some(new_user()) } else { body.map(str::to_owned) };
                call(&app.router, status, request(method, &path.replace("{user}", &user), body)).await;
            };
            for _ in 0..20 {
                send().await; // fills caches
            }
            for _ in 0..RUNS {
                boundary();
                for _ in 0..count {
                    send().await;
                }
            }
            boundary();
        }
        app.store.close().await;
    });
}

#[inline(never)]
fn boundary() {
    std::hint::black_box(());
}

criterion_group!(group, benches);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, count, names @ ..] = &arguments[..]
        && command == "count-instructions"
    {
        return count_instructions(count.parse().expect("a number"), names);
    }
    group();
    Criterion::default().configure_from_args().final_summary();
}
