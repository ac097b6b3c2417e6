//! The role and the password for PostgreSQL change while the server runs.
#![expect(clippy::disallowed_methods, reason = "acts as an operator of PostgreSQL, not the server's own SQL")]

use std::{fs, path::Path};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    harness::{Database, Storage},
    process::{Process, web_server},
};

/// The URL of the database with another role.
fn url_of(storage: &Storage, role: &str) -> String {
    let url = storage.url();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, place) = rest.rsplit_once('@').expect("a role");
    format!("{scheme}://{role}:secret@{place}")
}

/// As an operator does: in one step.
fn write(file: &Path, content: &str) {
    let new = file.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, file).unwrap();
}

#[tokio::test]
async fn new_connections_have_the_role_of_the_file() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let mut operator = PgConnection::connect(&storage.url()).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut operator).await.unwrap();
    let [old, new] = ["old", "new"].map(|suffix| format!("{name}_{suffix}"));
    for (role, may) in [(&old, "SUPERUSER"), (&new, "")] {
        let create = format!("CREATE ROLE {role} LOGIN {may} PASSWORD 'secret'");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut operator).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    write(&file, &format!("{}\n", url_of(&storage, &old)));
    let mut command = web_server(folder.path());
    command.env("DATABASE_URL_FILE", &file);
    let mut process = Process::start(command).await;
    process.app.create_user("before").await;

    // What cannot be used is logged, and changes nothing.
    write(&file, "postgres://other:secret@127.0.0.1:1/elsewhere");
    process.until_logged(&["DATABASE_URL_FILE: another database needs a restart"]).await;
    write(&file, "secret");
    process.until_logged(&["DATABASE_URL_FILE: not a URL"]).await;

    // A role that can connect and no more.
    write(&file, &url_of(&storage, &new));
    process.until_logged(&["DATABASE_URL_FILE cannot be used", "the role lacks"]).await;
    process.app.create_user("still").await;
    assert_eq!(process.logged(&["new database connections use"]), 0);
    let grant = format!("ALTER ROLE {new} SUPERUSER");
    sqlx::raw_sql(AssertSqlSafe(grant)).execute(&mut operator).await.unwrap();
    process.until_logged(&["new database connections use the role and password"]).await;
    process.app.create_user("meanwhile").await;
    // The old role is locked, and its connections are closed.
    let lock = format!("ALTER ROLE {old} NOLOGIN");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut operator).await.unwrap();
    let close = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1";
    let closed: i64 = sqlx::query_scalar(close).bind(&old).fetch_one(&mut operator).await.unwrap();
    assert!(closed > 0);
    process.app.until_healthy().await;
    process.app.create_user("after").await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
    for (role, is_used) in [(&old, false), (&new, true)] {
        let count: i64 = sqlx::query_scalar(count).bind(role).fetch_one(&mut operator).await.unwrap();
        assert_eq!(count > 0, is_used, "{role}");
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
    assert!(!process.log.lock().unwrap().iter().any(|line| line.contains("secret")));
    for role in [&old, &new] {
        let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut operator).await.unwrap();
    }
    operator.close().await.unwrap();
    storage.drop_database().await;
}
