//! Requests for several users: `POST /users/batch` and `POST /users/lookup`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{faults::Fault, matrix};

fn user(name: &str) -> Value {
    json!({ "name": name, "email": format!("{name}@example.com") })
}

/// The status of each result.
fn statuses(results: &Value) -> Vec<i64> {
    let results = results["results"].as_array().expect("results");
    results.iter().map(|result| result["status"].as_i64().expect("a status")).collect()
}

matrix! {
    /// An address that exists, or that an earlier user of the list has, fails its own item only.
    async fn a_batch_has_a_result_for_each_user(app: App) {
        app.create_user("ada").await;
        let mut again = user("cid");
        again["email"] = json!("BOB@example.com");
        let batch = json!({ "users": [user("bob"), user("ada"), again, user("dan")] });
        let response = app.post("/users/batch", batch).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let body = response.json();
        assert_eq!(statuses(&body), [201, 409, 409, 201]);
        for (place, name) in [(0, "bob"), (3, "dan")] {
            let created = &body["results"][place]["user"];
            let read = app.get(&format!("/users/{}", created["id"].as_str().expect("an id"))).await;
            assert_eq!((read.json(), &created["name"], read.header("etag")), (created.clone(), &json!(name), Some("\"1\"")));
        }
        for place in [1, 2] {
            let problem = &body["results"][place]["problem"];
            assert_eq!((&problem["type"], &problem["status"]), (&json!("/problems/conflict"), &json!(409)));
            assert_eq!(problem["errors"], json!([{ "pointer": format!("/users/{place}/email"), "code": "not_unique", "detail": "must be unique" }]));
        }
        let bob = body["results"][0]["user"]["id"].as_str().expect("an id");
        assert!(bob < body["results"][3]["user"]["id"].as_str().expect("an id"), "ids are in the order of the list");
    }

    async fn an_atomic_batch_creates_all_or_none(app: App) {
        app.create_user("ada").await;
        app.create_user("bob").await;
        let mut again = user("dan");
        again["email"] = json!("CID@example.com");
        let batch = json!({ "atomic": true, "users": [user("cid"), user("ada"), again, user("bob"), user("eve")] });
        let response = app.post("/users/batch", batch).await;
        assert_eq!((response.status, &response.json()["type"]), (409, &json!("/problems/conflict")));
        assert_eq!(response.places(), ["/users/1/email", "/users/2/email", "/users/3/email"]);
        assert_eq!(app.get("/users").await.json()["users"].as_array().map(Vec::len), Some(2));
        let response = app.post("/users/batch", json!({ "atomic": true, "users": [user("cid"), user("eve")] })).await;
        assert_eq!((response.status, statuses(&response.json())), (200, vec![201, 201]));
        let response = app.post("/users/batch", json!({ "atomic": true, "users": [user("cid"), user("fay")] })).await;
        assert_eq!((response.status, response.places()), (409, vec!["/users/0/email".to_owned()]));
    }

    /// Every violation is listed, and nothing is created.
    async fn an_invalid_batch_creates_nothing(app: App) {
        let response = app.post("/users/batch", json!({ "users": [user("ada"), { "name": "", "email": "x" }], "x": 1 })).await;
        assert_eq!(response.status, 422);
        let places = response.places();
        for place in ["/users/1/name", "/users/1/email", "/x"] {
            assert!(places.iter().any(|found| found == place), "{place} in {places:?}");
        }
        assert_eq!(app.post("/users/batch", json!({ "users": [] })).await.status, 422);
        let many: Vec<_> = (0..1001).map(|number| user(&format!("user{number}"))).collect();
        assert_eq!(app.post("/users/batch", json!({ "users": many })).await.status, 422);
        assert_eq!(app.get("/users").await.json()["users"], json!([]));
    }

    /// The longest batch, with the longest values.
    async fn a_batch_has_up_to_1000_users(app: App) {
        let name = "\u{1f468}\u{200d}".repeat(50);
        let long = |number: usize| {
            let domain = "d".repeat(60);
            json!({ "name": name, "email": format!("{number:064}@{domain}.{domain}.{domain}.com") })
        };
        let users: Vec<_> = (0..1000).map(long).collect();
        let response = app.post("/users/batch", json!({ "users": users })).await;
        assert_eq!((response.status, statuses(&response.json())), (200, vec![201; 1000]));
        let results = response.json();
        let created: Vec<_> = results["results"].as_array().expect("results").iter().map(|result| &result["user"]).collect();
        let ids: Vec<_> = created.iter().map(|user| &user["id"]).collect();
        assert!(created.iter().zip(&users).all(|(created, user)| created["email"] == user["email"]));
        assert!(ids.is_sorted_by_key(|id| id.as_str()), "ids are in the order of the list");
        let emails: Vec<_> = created[500..].iter().map(|user| &user["email"]).collect();
        let found = app.post("/users/lookup", json!({ "ids": &ids[..500], "emails": emails })).await;
        assert_eq!(found.json()["users"].as_array().expect("users").iter().collect::<Vec<_>>(), created);
        assert_eq!(app.post("/users/lookup", json!({ "ids": &ids[..501] })).await.status, 422);
    }

    async fn a_lookup_returns_each_user_that_exists_once(app: App) {
        let (ada, bob, cid) = (app.create_user("ada").await, app.create_user("bob").await, app.create_user("cid").await);
        let unknown = "00000000-0000-0000-0000-000000000000";
        for (lookup, expected) in [
            (json!({ "ids": [cid["id"], unknown, ada["id"], cid["id"]] }), vec![&ada, &cid]),
            (json!({ "emails": ["BOB@example.com", "no@example.com", "bob@example.com"] }), vec![&bob]),
            (json!({ "ids": [bob["id"], cid["id"]], "emails": ["bob@example.com", "ada@example.com"] }), vec![&ada, &bob, &cid]),
            (json!({ "ids": [unknown], "emails": [] }), vec![]),
            (json!({}), vec![]),
        ] {
            let response = app.post("/users/lookup", lookup.clone()).await;
            assert_eq!((response.status, response.json()), (200, json!({ "users": expected })), "{lookup}");
        }
        assert_eq!(app.post("/users/lookup", json!({ "ids": ["x"], "emails": ["x"], "y": 1 })).await.status, 422);
    }

    /// At most 16 have a connection, and time out. The others wait, at most 128, or are refused.
    async fn few_lookups_wait_for_the_database(app: App) using ["--request-timeout", "3s"] {
        app.faults.store(Fault::Hang);
        let responses = join_all((0..200).map(|_| app.post("/users/lookup", json!({ "ids": [] })))).await;
        assert!(responses.iter().all(|response| response.status == 503));
        let refused = responses.iter().filter(|response| response.text().contains("Too many requests wait")).count();
        assert!((200 - 16..200).contains(&refused), "{refused}");
    }
}
