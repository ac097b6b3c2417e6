//! Every change has the name of its caller, and of no other.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    environment::{Client, Environment, on_both},
    harness::{App, Database, OPEN, credentials},
};

/// Type and caller of every change, oldest first.
async fn changes(app: &App) -> Vec<(String, Value)> {
    let list = app.get("/users/changes?limit=1000").await.json();
    let changes = list["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["type"].as_str().unwrap().to_owned(), change["changed_by"].clone())).collect()
}

fn path(user: &Value) -> String {
    format!("/users/{}", user["id"].as_str().unwrap())
}

on_both! {
    async fn changes_have_the_name_of_their_caller(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &[]).await;
        let other = app.with_token(Some(&credentials::OTHER.secret));
        let mut client = Client::connect(&environment.storage).await;
        let ada = path(&app.create_user("ada").await);
        other.patch(&ada, json!({ "name": "Ada" })).await;
        // It changes nothing, so the next change is not one of this caller.
        app.patch(&ada, json!({ "name": "Ada" })).await;
        client.execute("UPDATE users SET name = 'Ada King'").await;
        client.execute("UPDATE users SET name = 'Ada', version = version + 1").await;
        app.put(&ada, json!({ "name": "Ada King", "email": "ada@example.com" })).await;
        let keyed = other.request(reqwest::Method::DELETE, &ada).header("idempotency-key", "one");
        assert_eq!(keyed.send().await.status, 204);
        let bob = path(&other.create_user("bob").await);
        assert_eq!(app.delete(&bob).await.status, 204);
        app.create_user("cid").await;
        client.execute("DELETE FROM users").await;
        let users = [json!({ "name": "Eve", "email": "eve@example.com" })];
        assert_eq!(other.post("/users/batch", json!({ "users": users })).await.status, 200);

        let (tests, others) = (json!("key:tests"), json!("key:others"));
        let expected = [
            ("created", &tests), ("updated", &others), ("updated", &Value::Null), ("updated", &Value::Null), ("updated", &tests),
            ("deleted", &others), ("created", &others), ("deleted", &tests), ("created", &tests), ("deleted", &Value::Null),
            ("created", &others),
        ];
        assert_eq!(changes(&app).await, expected.map(|(kind, caller)| (kind.to_owned(), caller.clone())));
        server.stop().await;

        let (app, server) = App::start(&environment.storage, &[OPEN]).await;
        let user = path(&app.create_user("fay").await);
        app.patch(&user, json!({ "name": "Fay" })).await;
        app.delete(&user).await;
        let expected = ["created", "updated", "deleted"].map(|kind| (kind.to_owned(), Value::Null));
        assert_eq!(changes(&app).await[11..], expected);
        server.stop().await;
    }

    /// Statements that callers share keep them apart.
    async fn concurrent_callers_are_not_mixed_up(environment: Environment) {
        let (app, server) = App::start(&environment.storage, &[]).await;
        let other = app.with_token(Some(&credentials::OTHER.secret));
        let names: Vec<_> = (0..200).map(|number| format!("user{number}")).collect();
        let calls = names.iter().enumerate().map(async |(number, name)| {
            let app = if number % 3 == 0 { &other } else { &app };
            let user = path(&app.create_user(name).await);
            let patched = app.patch(&user, json!({ "name": "changed" })).await;
            assert_eq!(patched.status, 200, "{}", patched.text());
            let deleted = app.delete(&user).await;
            assert_eq!(deleted.status, 204, "{}", deleted.text());
            user
        });
        let users = join_all(calls).await;
        let list = app.get("/users/changes?limit=1000").await.json();
        let changes = list["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 600);
        for change in changes {
            let user = format!("/users/{}", change["user_id"].as_str().unwrap());
            let number = users.iter().position(|one| *one == user).unwrap();
            assert_eq!(change["changed_by"], if number % 3 == 0 { "key:others" } else { "key:tests" }, "{change}");
        }
        server.stop().await;
    }
}
