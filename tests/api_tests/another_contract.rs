//! The contract determines the behaviour of the server: a change of the contract alone changes the server.

use std::sync::Arc;

use axum::{body::Body, extract::Request, routing::get};
use clap::Parser;
use openapi_contract::{Artifacts, Contract};
use reqwest::{Method, header::HeaderMap};
use tower::ServiceExt;
use web_server::{app, cli::Cli, clock::SystemClock, config::Config, ids::UuidV7Generator};

use crate::harness::{App, Database, Server, Storage, credentials};

const YAML: &str = include_str!("../../openapi.yaml");

/// The contract with each first occurrence of a text replaced.
#[track_caller]
fn changed(changes: &[(&str, &str)]) -> Artifacts {
    let mut yaml = YAML.to_owned();
    for (from, to) in changes {
        assert!(yaml.contains(from), "{from:?}");
        yaml = yaml.replacen(from, to, 1);
    }
    let contract = Contract::load("openapi.yaml", &yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
    Artifacts::of(&contract).unwrap_or_else(|errors| panic!("{errors:?}"))
}

async fn start(contract: &Artifacts, flags: &[&str]) -> (App, Server, Storage) {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite is always there");
    let (app, server) = App::start_by(contract, &storage, flags).await;
    (app, server, storage)
}

fn deprecated_list() -> Artifacts {
    let list = "operationId: listUsers\n";
    let keys =
        "      deprecated: true\n      x-deprecated-since: '2023-06-30T23:59:59Z'\n      x-sunset: '2027-01-31'\n";
    changed(&[(list, &format!("{list}{keys}"))])
}

fn dates(headers: &HeaderMap) -> [Option<&str>; 2] {
    ["deprecation", "sunset"].map(|name| headers.get(name).map(|value| value.to_str().expect("ASCII")))
}

/// The dates are those of RFC 9745, section 2.1, and of `date --rfc-email`.
#[tokio::test]
async fn a_deprecated_operation_has_headers_and_a_counter() {
    let (app, server, _storage) = start(&deprecated_list(), &["--cors-allowed-origins", "*"]).await;
    let calls = async || {
        let metrics = app.get("/metrics").await.text();
        let line = metrics.lines().find_map(|line| line.strip_prefix("http_deprecated_requests_total"));
        let count = line.and_then(|line| line.strip_prefix("{operation=\"listUsers\"} "));
        count.expect("the counter is there before the first call").parse::<u64>().expect("a count")
    };
    assert_eq!(calls().await, 0);
    let both = [Some("@1688169599"), Some("Sun, 31 Jan 2027 00:00:00 GMT")];
    // On success and on errors.
    for path in ["/users", "/users?limit=0"] {
        let response = app.request(Method::GET, path).header("origin", "https://example.com").send().await;
        assert_eq!(dates(&response.headers), both, "{path}");
        let exposed = response.header("access-control-expose-headers").expect("some headers").to_ascii_lowercase();
        assert!(exposed.contains("deprecation") && exposed.contains("sunset"), "{exposed}");
    }
    assert_eq!(calls().await, 2);
    // Other operations have no headers, on the same path and elsewhere.
    for response in
        [app.post("/users", serde_json::json!({})).await, app.get("/health").await, app.get("/nothing").await]
    {
        assert_eq!(dates(&response.headers), [None; 2]);
    }
    assert_eq!(calls().await, 2);
    for document in ["/openapi.json", "/openapi-3.0.json"] {
        let list = &app.get(document).await.json()["paths"]["/users"]["get"];
        assert_eq!(
            (&list["deprecated"], &list["x-sunset"]),
            (&true.into(), &"2027-01-31".into()),
            "Swagger UI shows it"
        );
    }
    server.stop().await;
}

/// A planned operation is in no document, no route and no `Allow`.
#[tokio::test]
async fn planned_operations_are_not_served() {
    let contract = changed(&[
        (
            "  /users/{id}:\n",
            "  # Next year.\n  /gadgets:\n    get:\n      operationId: listGadgets\n      x-status: planned\n      responses:\n        \
             '200': { $ref: '#/components/responses/Gadgets' }\n\n  /users/{id}:\n",
        ),
        (
            "  responses:\n    NotModified:\n",
            "  responses:\n    Gadgets: { description: Gadgets. }\n    NotModified:\n",
        ),
        (
            "    delete:\n      operationId: deleteUser\n",
            "    trace:\n      operationId: traceUser\n      x-status: planned\n      responses: { 204: { description: T. } }\n    \
             delete:\n      operationId: deleteUser\n",
        ),
    ]);
    let (app, server, _storage) = start(&contract, &[]).await;
    for document in ["/openapi.yaml", "/openapi.json", "/openapi-3.0.json"] {
        let text = app.get(document).await.text();
        assert!(!text.to_lowercase().contains("gadgets") && !text.contains("traceUser"), "{document}");
    }
    assert_eq!(app.get("/gadgets").await.status, 404);
    let allow = app.request(Method::OPTIONS, "/users/0").send().await;
    assert_eq!(allow.header("allow"), Some("GET, HEAD, PUT, PATCH, DELETE, OPTIONS"));
    server.stop().await;
}

/// The body limit of one operation.
#[tokio::test]
async fn the_contract_limits_the_body_of_an_operation() {
    let create = "operationId: createUser\n      x-max-body-bytes: ";
    let contract = changed(&[(&format!("{create}16384"), &format!("{create}10")), ("default: 50", "default: 1")]);
    let (app, server, _storage) = start(&contract, &[]).await;
    assert_eq!(app.post("/users", serde_json::json!({ "name": "Ada" })).await.status, 413);
    server.stop().await;
}

/// A server whose router and contract differ does not start, whichever has more.
#[tokio::test]
async fn a_router_that_differs_from_the_contract_does_not_start() {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite is always there");
    let url = storage.url();
    let unrouted =
        "GET /health/live is routed, but not in the contract; GET /health/alive is in the contract, but not routed";
    let unplanned = "GET /users is routed, but not in the contract";
    let planned = ("operationId: listUsers\n", "operationId: listUsers\n      x-status: planned\n");
    for (flags, change, wrong) in [
        (&[][..], ("  /health/live:\n", "  /health/alive:\n"), unrouted),
        (&[], planned, unplanned),
        (&["--admin-addr", "127.0.0.1:0"], planned, unplanned),
    ] {
        let arguments = ["web_server", "--database-url", &url].into_iter().chain(flags.iter().copied());
        let cli = Cli::try_parse_from(arguments).expect("the flags are known");
        let config = Config::validate(&cli.settings).expect("the flags are right");
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(UuidV7Generator::new(clock.clone()));
        let store = app::App::open(&config, clock.clone(), ids.clone()).await.expect("the database opens");
        let contract = changed(&[change]);
        let app = app::App::assemble(&contract, &config, clock, ids, store, api::router).await;
        let error = app.err().expect("does not start").to_string();
        assert_eq!(error, format!("the router and the contract differ: {wrong}"));
    }
}

/// It would be served without authentication and validation.
#[tokio::test]
async fn a_route_that_is_not_declared_is_not_served() {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite is always there");
    let url = storage.url();
    let cli = Cli::try_parse_from(["web_server", "--database-url", &url, "--api-keys", &credentials::ENTRIES]);
    let config = Config::validate(&cli.expect("the flags are known").settings).expect("the flags are right");
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let store = app::App::open(&config, clock.clone(), ids.clone()).await.expect("the database opens");
    #[expect(clippy::disallowed_methods, reason = "a route that the contract does not have")]
    let routes = |surface, state| api::router(surface, state).route("/secrets", get(|| async { "secret" }));
    let contract = app::artifacts().expect("the build writes the artifacts");
    let app = app::App::assemble(&contract, &config, clock, ids, store, routes).await.expect("the app starts");
    for (path, status) in [("/secrets", 404), ("/users", 401), ("/openapi.json", 200), ("/health", 200)] {
        let request = Request::get(path).header("host", "localhost").body(Body::empty()).expect("a request");
        let response = app.router.clone().oneshot(request).await.expect("a response");
        assert_eq!(response.status(), status, "{path}");
    }
}
