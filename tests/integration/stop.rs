//! Readiness, the operators' listener, and the stop.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{
    environment::{Client, Environment, on_both, other_connections},
    harness::{App, Database, Storage, client, credentials},
    process::{Process, run, web_server},
};

/// A free port. On a test machine, the server under test is the next program to bind it.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A draining server is alive, serves, and reports that it is not ready; every response closes its connection.
#[tokio::test]
async fn a_draining_server_serves_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("SHUTDOWN_DELAY", "2s");
    let mut process = Process::start(command).await;
    assert_eq!(process.app.get("/health/ready").await.status, 200);
    process.signal("TERM");
    let response = loop {
        let response = process.app.get("/health/ready").await;
        if response.status == 503 {
            break response;
        }
    };
    assert!(response.json()["detail"].as_str().unwrap().contains("draining"));
    assert_eq!(response.header("connection"), Some("close"));
    process.app.create_user("late").await;
    assert_eq!(process.exit().await.code(), Some(0));
}

/// `timeout` and some shells send a signal to the process and to its group: that is one signal. A client that repeats it until the
/// server stops has sent more than one, however fast.
#[tokio::test]
async fn signals_within_a_moment_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("SHUTDOWN_DELAY", "60s");
    let mut process = Process::start(command).await;
    // The shell's own `kill`, so that both are sent at once.
    let both = format!("kill -s TERM {0}; kill -s INT {0}", process.id());
    assert!(std::process::Command::new("sh").args(["-c", &both]).status().unwrap().success());
    while process.app.get("/health/ready").await.status != 503 {}
    assert_eq!(process.app.get("/health").await.status, 200);
    for _ in 0..100 {
        let wait = Duration::from_millis(100);
        if let Ok(exit) = tokio::time::timeout(wait, process.exit()).await {
            assert_eq!(exit.code(), Some(1));
            return process.until_logged(&["stopped immediately on a second signal"]).await;
        }
        process.signal("TERM");
    }
    panic!("the server does not stop");
}

/// SIGTERM under load, twenty times: every request on a connection is served, and the server exits with 0. Only new connections
/// are refused.
#[tokio::test(flavor = "multi_thread")]
async fn under_load_a_stop_fails_no_request() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let mut command = web_server(folder.path());
        // Long enough for every client of a busy machine to receive one response that closes its connection.
        command.env("SHUTDOWN_DELAY", "500ms").env("RUST_LOG", "info,access=off");
        let mut process = Process::start(command).await;
        let path = format!("{}/users", process.app.base);
        let clients: Vec<_> = (0..16)
            .map(|number| {
                let (client, path) = (client(), path.clone());
                tokio::spawn(async move {
                    for request in 0.. {
                        let email = format!("user{number}-{request}@example.com");
                        let sent = match request % 2 {
                            0 => client.get(&path).send().await,
                            _ => {
                                client
                                    .post(&path)
                                    .json(&serde_json::json!({ "name": "Ada", "email": email }))
                                    .send()
                                    .await
                            }
                        };
                        match sent {
                            Ok(response) => assert!(response.status().is_success(), "{}", response.status()),
                            Err(error) if error.is_connect() => return request,
                            Err(error) => panic!("a request in flight fails: {error:?}"),
                        }
                    }
                    0
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(200 + 10 * round)).await;
        process.signal("TERM");
        assert_eq!(process.exit().await.code(), Some(0));
        let mut served = 0;
        for client in clients {
            served += client.await.expect("no request fails");
        }
        assert!(served > 16, "there was no load");
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("SHUTDOWN_DELAY", "1h");
    let mut process = Process::start(command).await;
    process.signal("TERM");
    while process.app.get("/health/ready").await.status == 200 {}
    // As by `timeout`, which sends its signal to the process and to the group.
    process.signal("TERM");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(process.app.get("/health").await.status, 200);
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(1));
}

/// A lost database is detected within a second, and so is its return; the process stays alive.
#[tokio::test]
async fn readiness_follows_the_database() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let Storage::Postgres(database) = &storage else { return };
    let database = database.handle();
    let (app, server) = App::start(&storage, &[]).await;
    assert_eq!(app.get("/health/ready").await.status, 200);

    database.allow_connections(false).await;
    let lost = Instant::now();
    while app.get("/health/ready").await.status == 200 {
        assert!(lost.elapsed() < Duration::from_secs(5), "a lost database is not seen");
    }
    assert_eq!(app.get("/health").await.status, 200);
    database.allow_connections(true).await;
    let back = Instant::now();
    while app.get("/health/ready").await.status == 503 {
        assert!(back.elapsed() < Duration::from_secs(5), "its return is not seen");
    }
    server.stop().await;
    storage.drop_database().await;
}

/// Concurrent checks of readiness are one query.
#[tokio::test]
async fn concurrent_readiness_checks_share_a_query() {
    let storage = Storage::new(Database::Sqlite).await.unwrap();
    let (app, server) = App::start(&storage, &["--database-max-connections", "1"]).await;
    let questions: Vec<_> = (0..200)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.get("/health/ready").await.status })
        })
        .collect();
    for question in questions {
        assert_eq!(question.await.unwrap(), 200);
    }
    server.stop().await;
}

/// With a listener for operators, the clients' listener has neither metrics nor readiness, and neither have its documents.
#[tokio::test]
async fn the_operators_listener_has_metrics_and_readiness() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = web_server(folder.path());
    // A scraper uses the address of an instance as its host, which is not in the list for clients.
    command.env("ADMIN_ADDR", &address).env("ALLOWED_HOSTS", "127.0.0.1").env("API_KEYS", &credentials::ALL.entry);
    let mut process = Process::start(command).await;
    let admin = format!("http://{address}");
    let get = |url: String| client().get(url).bearer_auth(&credentials::ALL.secret);
    let status = async |url: String| get(url).send().await.unwrap().status().as_u16();
    let base = process.app.base.clone();

    for path in ["/metrics", "/health/ready"] {
        assert_eq!(
            (status(format!("{base}{path}")).await, status(format!("{admin}{path}")).await),
            (404, 200),
            "{path}"
        );
    }
    let anonymous = client().get(format!("{admin}/metrics")).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    for path in ["/users", "/openapi.json", "/openapi-3.0.json", "/swagger-ui/", "/"] {
        assert_eq!(status(format!("{admin}{path}")).await, 404, "{path}");
    }
    let by_another_name = get(format!("{admin}/metrics")).header("host", "10.0.0.7:9090").send().await.unwrap();
    assert_eq!(by_another_name.status(), 200);
    assert!(by_another_name.text().await.unwrap().contains("\nweb_server_ready 1"));
    assert_eq!(status(format!("{base}/health")).await, 200);
    assert_eq!(status(format!("{base}/users")).await, 200);
    for document in ["/openapi.json", "/openapi-3.0.json"] {
        let document = process.app.get(document).await.json();
        let paths: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let users = ["/users", "/users/batch", "/users/changes", "/users/lookup", "/users/{id}"];
        assert_eq!(paths, ["/health", "/health/live"].into_iter().chain(users).collect());
        // Neither the components that only they use.
        assert!(document["components"]["schemas"].get("Readiness").is_none());
    }
    let yaml = process.app.get("/openapi.yaml").await.text();
    assert!(!yaml.contains("\n  /metrics:") && yaml.contains("\n  /users:"));

    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
}

/// The health check of a container without curl.
#[tokio::test]
async fn the_health_command_checks_the_server_with_the_same_settings() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let probe = |address: &str| run(web_server(folder.path()).arg("health").env("LISTEN_ADDR", address));
    let away = probe(&address);
    assert_eq!(away.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&away.stderr).contains(&address));

    let mut command = web_server(folder.path());
    // Every address, and a list of hosts: a probe uses the address.
    let port = address.rsplit_once(':').unwrap().1;
    command.env("LISTEN_ADDR", format!("0.0.0.0:{port}")).env("ALLOWED_HOSTS", "api.example.com");
    command.env("API_KEYS", &credentials::ALL.entry);
    let process = Process::start(command).await;
    let there = probe(&format!("0.0.0.0:{port}"));
    assert_eq!(there.status.code(), Some(0), "{}", String::from_utf8_lossy(&there.stderr));
    drop(process);
}

on_both! {
    /// A start that waits for another client of the database ends at the first signal.
    async fn a_signal_ends_a_start_that_waits(environment: Environment) {
        environment.run(&["migrate"]);
        let mut other = Client::connect(&environment.storage).await;
        other.execute(match environment.storage.database() {
            Database::Sqlite => "BEGIN EXCLUSIVE",
            Database::Postgres => "BEGIN; LOCK TABLE _sqlx_migrations",
        }).await;
        for (arguments, signal, code) in [(&["serve"][..], "TERM", Some(0)), (&["serve"], "INT", Some(0)), (&["migrate"], "TERM", Some(1))] {
            let mut command = environment.command(arguments);
            command.env("LISTEN_ADDR", "127.0.0.1:0").env("REQUEST_TIMEOUT", "30s");
            let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(child.try_wait().unwrap(), None, "{arguments:?} waits");
            let kill = std::process::Command::new("kill").args(["-s", signal, &child.id().unwrap().to_string()]).status();
            assert!(kill.unwrap().success());
            // The lock is held for longer.
            let exit = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it ends").unwrap();
            assert_eq!(exit.code(), code, "{arguments:?}");
            // No statement waits for the lock on behalf of a process that has ended.
            if let Client::Postgres(client) = &mut other {
                let ended = async {
                    while other_connections(client).await > 0 {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                };
                tokio::time::timeout(Duration::from_secs(10), ended).await.expect("PostgreSQL ends the statement");
            }
        }
        other.execute("ROLLBACK").await;
    }
}
