//! The `-wal` file of SQLite is bounded, after a reader that kept it from being copied into the database.

use std::fs;

use serde_json::json;

use crate::{
    environment::{Client, Environment},
    harness::{App, Database, Storage, until::until},
};

const MAX: u64 = 16 << 20;

#[tokio::test]
async fn a_long_wal_file_is_truncated_after_its_reader() {
    let Some(environment) = Environment::new(Database::Sqlite).await else { return };
    let (app, server) = App::start(&environment.storage, &[]).await;
    let Storage::Sqlite(_) = &environment.storage else { return };
    let url = environment.storage.url();
    let wal = format!("{}-wal", url.trim_start_matches("sqlite://"));
    let len = || fs::metadata(&wal).expect("the -wal file").len();
    let mut reader = Client::connect(&environment.storage).await;
    reader.execute("BEGIN; SELECT count(*) FROM users").await;
    let mut batch = 0;
    while len() <= MAX + (4 << 20) {
        batch += 1;
        let users: Vec<_> = (0..1000)
            .map(|number| json!({ "name": "a".repeat(100), "email": format!("user{number}.{batch}@example.com") }))
            .collect();
        assert_eq!(app.post("/users/batch", json!({ "users": users })).await.status, 200);
    }
    reader.execute("COMMIT").await;
    let mut number = 0;
    until("the file is truncated", async || {
        app.create_user(&format!("u{number}")).await;
        number += 1;
        len() <= MAX
    })
    .await;
    server.stop().await;
}
