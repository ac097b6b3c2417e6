//! Every statement that lists users finds its rows by an index.
#![expect(clippy::disallowed_methods, reason = "reads the plans of the database itself")]

use sqlx::{AssertSqlSafe, Connection, Row};
use web_server::storage::LIST;

use crate::harness::{App, Database, Storage};

/// The values of the parameters, as literals: PostgreSQL has to plan without them, and SQLite always does.
const PARAMETERS: &str = "'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', \
                          '1970-01-01', '9999-01-01', 20";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let storage = Storage::new(Database::Sqlite).await.expect("SQLite");
    let (_app, server) = App::start(&storage, &[]).await;
    let mut connection = sqlx::SqliteConnection::connect(&storage.url()).await.expect("a connection");
    for (statement, column) in LIST {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps = sqlx::query(explain).fetch_all(&mut connection).await.expect("a plan");
        let plan: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        let expected = match column {
            "id" => "SEARCH users USING PRIMARY KEY (id>? AND id<?)",
            "email_key" => "SEARCH users USING INDEX sqlite_autoindex_users_2 (email_key=?)",
            _ => "SEARCH users USING INDEX users_name (<expr>>? AND <expr><?)",
        };
        assert_eq!(plan[0], expected, "{statement}: {plan:?}");
        // A page in the order of an index needs no sort.
        assert_eq!(plan.len(), if column == "name" { 2 } else { 1 }, "{statement}: {plan:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(storage) = Storage::new(Database::Postgres).await else { return eprintln!("skipped: no PostgreSQL here") };
    let (_app, server) = App::start(&storage, &[]).await;
    let mut connection = sqlx::PgConnection::connect(&storage.url()).await.expect("a connection");
    // The plan that a prepared statement has after some executions.
    let setup = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; \
                 INSERT INTO users SELECT gen_random_uuid(), 'User ' || n, n || '@example.com', n || '@example.com', 1, now(), now() \
                 FROM generate_series(1, 20000) AS n";
    sqlx::raw_sql(setup).execute(&mut connection).await.expect("rows");
    for analyze in ["SELECT 1", "ANALYZE users"] {
        sqlx::raw_sql(analyze).execute(&mut connection).await.expect("it succeeds");
        for (number, (statement, column)) in LIST.into_iter().enumerate() {
            let more = ["", ", 'a', 'b'", ", 'a', 'b', 'c'"]
                [statement.matches("lower").count() / 2 + usize::from(statement.contains("$8"))];
            let name = format!("list_{number}");
            let sql =
                format!("DEALLOCATE ALL; PREPARE {name} AS {statement}; EXPLAIN EXECUTE {name} ({PARAMETERS}{more})");
            let lines = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("a plan");
            let plan = lines.iter().map(|line| line.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
            let (index, condition) = match column {
                "id" => ("users_pkey", "Index Cond: ((id > $1) AND (id < $2))"),
                "email_key" => ("users_email_key_unique", "Index Cond: (email_key = $8)"),
                _ => ("users_name", "Index Cond: ((lower((name)::text) >= $6) AND (lower((name)::text) < $7))"),
            };
            assert!(plan.contains(index) && plan.contains(condition), "{statement}:\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{statement}:\n{plan}");
            assert!(column != "id" || !plan.contains("Sort"), "{statement}:\n{plan}");
        }
    }
    server.stop().await;
    storage.drop_database().await;
}
