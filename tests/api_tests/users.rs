//! Create, read, replace, patch and delete users.

use serde_json::json;

use crate::harness::matrix;

matrix! {
    async fn test_user_creation(app: App) {
        let response = app.post("/users", json!({ "name": "Ada Lovelace", "email": "ada@example.com" })).await;
        assert_eq!(response.status, 201);
        let user = response.json();
        assert_eq!((&user["name"], &user["email"]), (&json!("Ada Lovelace"), &json!("ada@example.com")));
        assert_eq!(user["created_at"], user["updated_at"]);
        assert_eq!(response.header("location"), Some(format!("/users/{}", user["id"].as_str().unwrap()).as_str()));
        assert_eq!(response.header("etag"), Some("\"1\""));
        // The resource at `Location` is the created one, byte for byte.
        let read = app.get(response.header("location").unwrap()).await;
        assert_eq!((read.status, &read.body, read.header("etag")), (200, &response.body, Some("\"1\"")));
    }

    async fn times_have_six_decimals_and_are_utc(app: App) {
        let user = app.create_user("ada").await;
        let time = user["created_at"].as_str().unwrap();
        assert_eq!((time.len(), &time[19..20], &time[26..]), (27, ".", "Z"));
    }

    /// An address is unique regardless of the case of its letters, and is returned as sent.
    async fn an_email_is_unique_regardless_of_case(app: App) {
        let first = app.post("/users", json!({ "name": "Ada", "email": "Ada@Example.com" })).await;
        assert_eq!((first.status, &first.json()["email"]), (201, &json!("Ada@Example.com")));
        let second = app.post("/users", json!({ "name": "Bob", "email": "aDA@eXAMPLE.COM" })).await;
        assert_eq!((second.status, second.places()), (409, vec!["/email".to_owned()]));
        assert_eq!(app.get("/users").await.json()["users"].as_array().unwrap().len(), 1);
    }

    async fn a_name_in_any_script_is_returned_as_sent(app: App) {
        for (number, name) in ["Ὑπατία", "李白", "محمد", "Zoë 👩 O'Neil", "a", &"é".repeat(100), "x\u{3000}y"].iter().enumerate() {
            let sent = json!({ "name": name, "email": format!("user{number}@example.com") });
            let response = app.post("/users", sent).await;
            assert_eq!((response.status, &response.json()["name"]), (201, &json!(name)));
            let read = app.get(response.header("location").unwrap()).await;
            assert_eq!(read.json()["name"], json!(name));
        }
    }

    async fn a_replacement_keeps_id_and_time_of_creation(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let response = app.put(&path, json!({ "name": "Bob", "email": "bob@example.com" })).await;
        let replaced = response.json();
        assert_eq!((response.status, response.header("etag")), (200, Some("\"2\"")));
        assert_eq!((&replaced["name"], &replaced["email"]), (&json!("Bob"), &json!("bob@example.com")));
        assert_eq!((&replaced["id"], &replaced["created_at"]), (&user["id"], &user["created_at"]));
        assert!(replaced["updated_at"].as_str() > user["updated_at"].as_str());
        assert_eq!(app.get(&path).await.body, response.body);
    }

    async fn a_patch_changes_only_what_it_has(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let renamed = app.patch(&path, json!({ "name": "Ada King" })).await;
        assert_eq!((renamed.status, renamed.header("etag")), (200, Some("\"2\"")));
        assert_eq!((&renamed.json()["name"], &renamed.json()["email"]), (&json!("Ada King"), &user["email"]));
        let moved = app.patch(&path, json!({ "email": "king@example.com" })).await;
        assert_eq!((&moved.json()["name"], &moved.json()["email"]), (&json!("Ada King"), &json!("king@example.com")));
        // The old address is free again.
        assert_eq!(app.post("/users", json!({ "name": "New", "email": user["email"] })).await.status, 201);
    }

    /// Some clients send every patch as plain JSON.
    async fn a_patch_can_be_plain_json(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let response = app.request(reqwest::Method::PATCH, &path).json(&json!({ "name": "Bob" })).send().await;
        assert_eq!((response.status, &response.json()["name"]), (200, &json!("Bob")));
    }

    async fn an_empty_patch_changes_nothing(app: App) {
        let user = app.create_user("ada").await;
        let response = app.patch(&format!("/users/{}", user["id"].as_str().unwrap()), json!({})).await;
        assert_eq!((response.status, response.json(), response.header("etag")), (200, user, Some("\"1\"")));
    }

    async fn a_user_can_change_the_case_of_its_address(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let response = app.patch(&path, json!({ "email": "ADA@example.com" })).await;
        assert_eq!((response.status, &response.json()["email"]), (200, &json!("ADA@example.com")));
    }

    /// A refused change has no effect, not even by its valid part.
    async fn a_change_to_the_address_of_another_user_is_refused(app: App) {
        app.create_user("ada").await;
        let bob = app.create_user("bob").await;
        let path = format!("/users/{}", bob["id"].as_str().unwrap());
        let taken = json!({ "name": "Other", "email": "ADA@example.com" });
        assert_eq!(app.patch(&path, taken.clone()).await.status, 409);
        assert_eq!(app.put(&path, taken).await.status, 409);
        let read = app.get(&path).await;
        assert_eq!((read.json(), read.header("etag")), (bob, Some("\"1\"")));
    }

    async fn a_deleted_user_is_not_found_and_its_address_is_free(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        assert_eq!(app.delete(&path).await.status, 204);
        assert_eq!(app.get(&path).await.status, 404);
        assert_eq!(app.delete(&path).await.status, 404);
        assert_eq!(app.put(&path, json!({ "name": "Ada", "email": "ada@example.com" })).await.status, 404);
        assert_eq!(app.patch(&path, json!({ "name": "Ada" })).await.status, 404);
        assert_eq!(app.patch(&path, json!({})).await.status, 404);
        assert_ne!(app.create_user("ada").await["id"], user["id"]);
    }

    /// One of many concurrent requests succeeds, the others get 409.
    async fn one_of_many_concurrent_requests_gets_an_address(app: App) {
        let attempts: Vec<_> = (0..100)
            .map(|number| {
                let app = app.clone();
                tokio::spawn(async move {
                    app.post("/users", json!({ "name": format!("n{number}"), "email": "one@example.com" })).await.status
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for attempt in attempts {
            statuses.push(attempt.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 99][..]));
    }

    /// The version is the number of writes.
    async fn concurrent_patches_are_all_counted(app: App) {
        let user = app.create_user("ada").await;
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        let patches: Vec<_> = (0..20)
            .map(|number| {
                let (app, path) = (app.clone(), path.clone());
                tokio::spawn(async move { app.patch(&path, json!({ "name": format!("n{number}") })).await.status })
            })
            .collect();
        for patch in patches {
            assert_eq!(patch.await.unwrap(), 200);
        }
        assert_eq!(app.get(&path).await.header("etag"), Some("\"21\""));
    }
}
