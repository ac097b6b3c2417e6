//! Readiness follows what requests meet: which ability is lost, and when it is back.

use std::{future::Future, time::Duration};

use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::{
    environment::{Client, Environment, on_both, other_connections},
    harness::{App, Database, faults::Fault, postgres::Cluster, until::until},
    process::{Process, run, web_server},
};

/// Waits until readiness has this status, and returns the detail of a problem.
async fn until_ready_is(app: &App, status: u16) -> String {
    let mut detail = String::new();
    until("readiness follows", async || {
        let response = app.get("/health/ready").await;
        response.json()["detail"].as_str().unwrap_or_default().clone_into(&mut detail);
        response.status == status
    })
    .await;
    detail
}

async fn create(app: &App, name: &str) -> u16 {
    app.post("/users", json!({ "name": name, "email": format!("{name}@example.com") })).await.status
}

/// A fault of the writes alone: no create succeeds, every read does, and after the repair the server is ready by itself.
async fn loses_writes(app: &App, repair: impl Future<Output = ()>) {
    for number in 0..3 {
        assert_eq!(create(app, &format!("lost{number}")).await, 503);
        assert_eq!(app.get("/users").await.status, 200);
    }
    assert_eq!(until_ready_is(app, 503).await, "The database does not serve writes.");
    // It stays so, although a probe tries again and again.
    for number in 0..8 {
        sleep(Duration::from_millis(300)).await;
        assert_eq!((create(app, &format!("lost{number}")).await, app.get("/health/ready").await.status), (503, 503));
    }
    assert_eq!(app.get("/users").await.status, 200);
    repair.await;
    until_ready_is(app, 200).await;
    assert_eq!(create(app, "after").await, 201);
}

async fn start(environment: &Environment) -> Process {
    let mut command = web_server(environment.path());
    command.env("DATABASE_URL", environment.storage.url()).env("REQUEST_TIMEOUT", "5s");
    Process::start(command).await
}

on_both! {
    async fn a_column_that_is_renamed_is_a_503_and_loses_writes(environment: Environment) {
        let process = start(environment).await;
        let mut client = Client::connect(&environment.storage).await;
        assert_eq!(create(&process.app, "ada").await, 201);
        client.execute("ALTER TABLE users RENAME COLUMN email_key TO other").await;
        loses_writes(&process.app, client.execute("ALTER TABLE users RENAME COLUMN other TO email_key")).await;
        // Once, with the cause, and not for each request.
        process.until_logged(&["\"INFO\"", "writes of the database succeed again"]).await;
        process.is_logged(&["\"ERROR\"", "email_key"], 1).await;
    }

    /// What a probe can read does not show what requests can.
    async fn a_column_that_no_read_finds_loses_reads(environment: Environment) {
        let process = start(environment).await;
        let mut client = Client::connect(&environment.storage).await;
        assert_eq!(process.app.get("/users").await.status, 200);
        client.execute("ALTER TABLE users RENAME COLUMN name TO other").await;
        process.app.until_status("/users", 503).await;
        process.app.until_status("/health/ready", 503).await;
        for _ in 0..10 {
            assert_eq!(process.app.get("/users").await.status, 503);
            let ready = process.app.get("/health/ready").await;
            assert_eq!(ready.json()["detail"], "The database does not serve reads.");
        }
        assert_eq!(process.logged(&["\"INFO\"", "reads of the database succeed again"]), 0);
        client.execute("ALTER TABLE users RENAME COLUMN other TO name").await;
        until_ready_is(&process.app, 200).await;
        assert_eq!(process.app.get("/users").await.status, 200);
    }

    /// What a migration by hand or another program adds to the table: each is logged with its cause, also soon after another.
    async fn a_constraint_that_refuses_rows_is_a_503_and_loses_writes(environment: Environment) {
        let process = start(environment).await;
        let mut client = Client::connect(&environment.storage).await;
        assert_eq!(create(&process.app, "ada").await, 201);
        let faults: &[(&str, &str)] = match environment.storage.database() {
            Database::Sqlite => &[
                ("CREATE TRIGGER refuse BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'refused'); END", "DROP TRIGGER refuse"),
                ("ALTER TABLE users ADD COLUMN team TEXT CHECK (length(email) < 16)", "ALTER TABLE users DROP COLUMN team"),
                (
                    "CREATE TRIGGER refuse BEFORE INSERT ON users BEGIN SELECT abs(-9223372036854775807 - 1); END",
                    "DROP TRIGGER refuse",
                ),
            ],
            Database::Postgres => &[
                ("ALTER TABLE users ADD COLUMN team text NOT NULL DEFAULT ''; ALTER TABLE users ALTER team DROP DEFAULT", "ALTER TABLE users DROP COLUMN team"),
                ("ALTER TABLE users ADD CONSTRAINT refuse CHECK (length(email) < 16)", "ALTER TABLE users DROP CONSTRAINT refuse"),
                (
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused' USING ERRCODE = '45000'; END$$; \
                     CREATE TRIGGER refuse BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse()",
                    "DROP FUNCTION refuse CASCADE",
                ),
            ],
        };
        for (number, (fault, repair)) in faults.iter().enumerate() {
            client.execute(fault).await;
            loses_writes(&process.app, client.execute(repair)).await;
            client.execute("DELETE FROM users WHERE name = 'after'").await;
            process.is_logged(&["\"ERROR\"", "writes of the database fail"], number + 1).await;
        }
    }

    /// A constraint of the operator that every user meets but one: the probe meets it too.
    async fn a_constraint_that_refuses_one_user_does_not_lose_writes(environment: Environment) {
        let process = start(environment).await;
        let mut client = Client::connect(&environment.storage).await;
        assert_eq!(create(&process.app, "ada").await, 201);
        client.execute(match environment.storage.database() {
            Database::Sqlite => {
                "CREATE TRIGGER refuse BEFORE INSERT ON users WHEN NEW.email NOT LIKE '%@example.com' \
                 BEGIN SELECT RAISE(ABORT, 'refused'); END"
            }
            Database::Postgres => "ALTER TABLE users ADD CONSTRAINT refuse CHECK (email LIKE '%@example.com')",
        }).await;
        let refused = process.app.post("/users", json!({ "name": "Ada", "email": "ada@other.example" })).await;
        assert_eq!(refused.status, 503);
        for _ in 0..8 {
            sleep(Duration::from_millis(300)).await;
            // On a busy machine, a probe may be too late.
            let ready = process.app.get("/health/ready").await;
            assert_ne!(ready.json()["detail"], "The database does not serve writes.");
        }
        until_ready_is(&process.app, 200).await;
    }

    /// An index of the operator: on a column, the conflict is one of the request; on an expression, only the log has it.
    async fn another_unique_index_is_a_409_or_a_logged_503(environment: Environment) {
        let process = start(environment).await;
        let mut client = Client::connect(&environment.storage).await;
        client.execute("CREATE UNIQUE INDEX users_name_unique ON users (name)").await;
        assert_eq!(create(&process.app, "ada").await, 201);
        let same = json!({ "name": "ada", "email": "other@example.com" });
        for (path, body) in [("/users", same.clone()), ("/users/batch", json!({ "users": [same] }))] {
            let conflict = process.app.post(path, body).await;
            assert_eq!((conflict.status, &conflict.json()["errors"][0]["pointer"]), (409, &json!("/name")), "{path}");
        }
        client.execute("DROP INDEX users_name_unique; CREATE UNIQUE INDEX other ON users (length(name))").await;
        assert_eq!(create(&process.app, "bob").await, 503);
        process.until_logged(&["\"ERROR\"", "writes of the database fail"]).await;
    }

    /// What everything waits for is lost, although the database responds.
    async fn a_table_that_stays_locked_loses_writes(environment: Environment) {
        let mut command = web_server(environment.path());
        command.env("DATABASE_URL", environment.storage.url()).env("REQUEST_TIMEOUT", "5s");
        command.env("DATABASE_LOCK_TIMEOUT", "100ms");
        let process = Process::start(command).await;
        let mut client = Client::connect(&environment.storage).await;
        client.execute(match environment.storage.database() {
            Database::Sqlite => "BEGIN IMMEDIATE",
            Database::Postgres => "BEGIN; LOCK TABLE users IN EXCLUSIVE MODE",
        }).await;
        loses_writes(&process.app, client.execute("ROLLBACK")).await;
        process.until_logged(&["\"WARN\"", "a lock was not released in time"]).await;
    }

    /// While requests succeed, a few that fail do not take the server out of the load balancer.
    async fn a_server_whose_requests_succeed_is_ready(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &["--request-timeout", "5s"]).await;
        for number in 0..20 {
            app.faults.store(Fault::Unavailable);
            assert_eq!(create(&app, &format!("a{number}")).await, 503);
            assert_eq!(app.get("/users").await.status, 503);
            app.faults.store(None);
            assert_eq!(create(&app, &format!("b{number}")).await, 201);
            assert_eq!(app.get("/users").await.status, 200);
            assert_eq!(app.get("/health/ready").await.status, 200);
        }
        app.faults.store(Fault::Unavailable);
        assert_eq!(until_ready_is(&app, 503).await, "The database does not serve reads.");
        app.faults.store(None);
        until_ready_is(&app, 200).await;
        server.stop().await;
    }
}

/// A type that the server does not read is found by a probe too, and logged.
#[tokio::test]
async fn a_column_of_another_type_loses_reads() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    let process = start(&environment).await;
    let mut client = Client::connect(&environment.storage).await;
    assert_eq!(create(&process.app, "ada").await, 201);
    client.execute("ALTER TABLE users ALTER version TYPE int").await;
    assert_eq!(process.app.get("/users").await.status, 503);
    assert_eq!(until_ready_is(&process.app, 503).await, "The database does not serve reads.");
    for _ in 0..8 {
        sleep(Duration::from_millis(300)).await;
        assert_eq!((process.app.get("/users").await.status, process.app.get("/health/ready").await.status), (503, 503));
    }
    process.is_logged(&["\"ERROR\"", "INT4"], 1).await;
    client.execute("ALTER TABLE users ALTER version TYPE bigint").await;
    until_ready_is(&process.app, 200).await;
    assert_eq!(process.app.get("/users").await.status, 200);
    environment.storage.drop_database().await;
}

/// While commits wait for a standby, which has no timeout, the probe does not fill PostgreSQL with connections that wait.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the operator's statements")]
async fn a_lost_standby_loses_writes_and_takes_few_connections() {
    // A cluster of its own: the setting is one for all databases.
    let Some(cluster) = Cluster::start(&[]) else { return eprintln!("skipped: PostgreSQL is not installed") };
    let mut client = PgConnection::connect(&cluster.url).await.unwrap();
    let mut set = async |statement: &'static str| {
        sqlx::raw_sql(statement).execute(&mut client).await.unwrap();
        sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut client).await.unwrap();
        other_connections(&mut client).await
    };
    let folder = tempfile::tempdir().unwrap();
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL", &cluster.url).env("REQUEST_TIMEOUT", "1s");
    let process = Process::start(command).await;
    assert_eq!(create(&process.app, "ada").await, 201);
    let before = set("ALTER SYSTEM SET synchronous_standby_names = 'lost'").await;
    assert_eq!(
        process.app.post("/users", json!({ "name": "Bob", "email": "bob@example.com" })).await.json()["outcome"],
        "unknown"
    );
    assert_eq!(until_ready_is(&process.app, 503).await, "The database does not serve writes.");
    for _ in 0..12 {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(process.app.get("/health/ready").await.status, 503);
    }
    let after = set("ALTER SYSTEM RESET synchronous_standby_names").await;
    // That of the request, that of the first probe, and one for reads.
    assert!(after <= before + 3, "{before} connections before, {after} after");
    until_ready_is(&process.app, 200).await;
    process.is_logged(&["\"ERROR\"", "commits wait for a synchronous standby"], 1).await;
}

/// A full disk is an error that an operator sees once, with its cause.
#[tokio::test]
async fn a_full_disk_of_postgres_is_logged_once() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    let mut client = Client::connect(&environment.storage).await;
    let process = start(&environment).await;
    client
        .execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
             $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END$$; \
             CREATE TRIGGER fail BEFORE INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION fail()",
        )
        .await;
    for number in 0..5 {
        assert_eq!(create(&process.app, &format!("lost{number}")).await, 503);
    }
    client.execute("DROP FUNCTION fail CASCADE").await;
    assert_eq!(create(&process.app, "after").await, 201);
    process.until_logged(&["\"INFO\"", "writes of the database succeed again"]).await;
    process.is_logged(&["\"ERROR\"", "could not extend file"], 1).await;
    environment.storage.drop_database().await;
}

/// A primary that becomes read-only is noticed without a request, and connections that were opened before do not matter.
#[tokio::test]
async fn postgres_that_becomes_read_only() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    let process = start(&environment).await;
    let mut client = Client::connect(&environment.storage).await;
    until_ready_is(&process.app, 200).await;
    set_read_only(&mut client, true).await;
    assert_eq!(until_ready_is(&process.app, 503).await, "The database does not serve writes.");
    loses_writes(&process.app, set_read_only(&mut client, false)).await;
    environment.storage.drop_database().await;
}

/// A role with the privileges of docs/operation.md, and no others.
#[tokio::test]
async fn a_role_with_few_privileges() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    let url = environment.storage.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut client = Client::connect(&environment.storage).await;
    let execute =
        async |client: &mut Client, statements: String| client.execute(Box::leak(statements.into_boxed_str())).await;
    let grants = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
    let create_role = format!(
        "CREATE ROLE {name} LOGIN; GRANT {grants} TO {name}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
    );
    execute(&mut client, create_role).await;
    let mut command = web_server(environment.path());
    let address = server.rsplit_once('@').unwrap().1;
    command.env("DATABASE_URL", format!("postgres://{name}@{address}/{name}")).env("REQUEST_TIMEOUT", "5s");
    let refused = run(&mut command);
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("permission denied for schema public: ") && message.contains("NO_MIGRATE"), "{message}");
    command.env("NO_MIGRATE", "true");
    let process = Process::start(command).await;
    assert_eq!(create(&process.app, "ada").await, 201);
    execute(&mut client, format!("REVOKE INSERT ON users FROM {name}")).await;
    loses_writes(&process.app, execute(&mut client, format!("GRANT INSERT ON users TO {name}"))).await;
    drop(process);
    execute(&mut client, format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
    environment.storage.drop_database().await;
}

async fn set_read_only(client: &mut Client, is_read_only: bool) {
    let set = if is_read_only { "on" } else { "off" };
    let statements = format!(
        "SET default_transaction_read_only = off; \
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {set}', current_database()); END $$; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    );
    client.execute(Box::leak(statements.into_boxed_str())).await;
}
