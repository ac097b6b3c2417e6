//! Order and filters of the list.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::pages::{all_pages, names};
use crate::harness::{App, matrix};

async fn create(app: &App, name: &str, email: &str) -> Value {
    let created = app.post("/users", json!({ "name": name, "email": email })).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()
}

/// The names of all pages of at most two users.
async fn list(app: &App, query: &str) -> Vec<String> {
    all_pages(app, &format!("/users?limit=2&{query}")).await.concat()
}

matrix! {
    async fn the_order_is_that_of_creation_or_its_reverse(app: App) {
        for number in 0..5 {
            app.create_user(&format!("u{number}")).await;
        }
        assert_eq!(list(&app, "sort=created_at").await, ["u0", "u1", "u2", "u3", "u4"]);
        assert_eq!(list(&app, "sort=created_at_desc").await, ["u4", "u3", "u2", "u1", "u0"]);
        assert_eq!(list(&app, "").await, ["u4", "u3", "u2", "u1", "u0"]);
    }

    /// The id of the last user is a cursor: the walk continues with the users that were created since.
    async fn a_walk_from_the_oldest_continues_later(app: App) {
        for number in 0..3 {
            app.create_user(&format!("u{number}")).await;
        }
        let page = app.get("/users?sort=created_at").await.json();
        assert_eq!((names(&page), page.get("next_cursor")), (vec!["u0".into(), "u1".into(), "u2".into()], None));
        app.create_user("u3").await;
        app.create_user("u4").await;
        let next = format!("sort=created_at&cursor={}", page["users"][2]["id"].as_str().unwrap());
        assert_eq!(list(&app, &next).await, ["u3", "u4"]);
    }

    async fn an_email_matches_regardless_of_case(app: App) {
        create(&app, "Ada", "Ada@Example.com").await;
        create(&app, "Bob", "bob@example.com").await;
        assert_eq!(list(&app, "email=aDA%40eXAMPLE.COM").await, ["Ada"]);
        assert_eq!(list(&app, "email=ada%40example.org").await, Vec::<String>::new());
        assert_eq!(list(&app, "email=ada%40example.com&name_prefix=a&sort=created_at").await, ["Ada"]);
        assert_eq!(list(&app, "email=ada%40example.com&name_prefix=b").await, Vec::<String>::new());
    }

    async fn a_name_begins_with_a_text_regardless_of_the_case_of_ascii_letters(app: App) {
        let all = ["ada", "Ada King", "ADAM", "Bob", "Ädam", "ädam", "a%b", "a_b", "a\u{10fffd}", "Adä", "Z", "[", "`"];
        for (number, name) in all.iter().enumerate() {
            create(&app, name, &format!("u{number}@example.com")).await;
        }
        for (prefix, expected) in [
            ("ada", vec!["ADAM", "Ada King", "ada"]),
            ("AdA", vec!["ADAM", "Ada King", "ada"]),
            ("ada ", vec!["Ada King"]),
            ("Ä", vec!["Ädam"]),
            ("ä", vec!["ädam"]),
            ("a%", vec!["a%b"]),
            ("a_", vec!["a_b"]),
            ("adä", vec!["Adä"]),
            ("a\u{10fffd}", vec!["a\u{10fffd}"]),
            ("z", vec!["Z"]),
            ("[", vec!["["]),
            ("x", vec![]),
        ] {
            let encoded = utf8_percent_encode(prefix, NON_ALPHANUMERIC);
            assert_eq!(list(&app, &format!("name_prefix={encoded}")).await, expected, "{prefix}");
        }
        assert_eq!(list(&app, "name_prefix=ADA&sort=created_at").await, ["ada", "Ada King", "ADAM"]);
    }

    /// Both bounds are exclusive, to the microsecond.
    async fn users_are_between_two_times(app: App) {
        let mut times = Vec::new();
        for number in 0..4 {
            let user = app.create_user(&format!("u{number}")).await;
            times.push(user["created_at"].as_str().unwrap().to_owned());
            // The times differ.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(list(&app, &format!("created_after={}", times[1])).await, ["u3", "u2"]);
        assert_eq!(list(&app, &format!("created_before={}", times[1])).await, ["u0"]);
        let between = format!("created_after={}&created_before={}&sort=created_at", times[0], times[3]);
        assert_eq!(list(&app, &between).await, ["u1", "u2"]);
        // A part of a microsecond counts.
        let (before, after) = (times[1].replace('Z', "001Z"), times[1].replace('Z', "999Z"));
        assert_eq!(list(&app, &format!("created_before={before}")).await, ["u1", "u0"]);
        assert_eq!(list(&app, &format!("created_after={after}")).await, ["u3", "u2"]);
        assert_eq!(list(&app, &format!("created_after={}&created_before={}", times[2], times[1])).await, Vec::<String>::new());
        // Another offset, and times that are far away.
        assert_eq!(list(&app, "created_after=1969-12-31T23:00:00-01:00&name_prefix=u").await.len(), 4);
        for time in ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00%2B23:59", "1969-12-31T00:00:00Z"] {
            assert_eq!(list(&app, &format!("created_after={time}")).await.len(), 4);
            assert_eq!(list(&app, &format!("created_before={time}")).await.len(), 0);
        }
        for time in ["9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-23:59", "2990-06-30T23:59:60Z"] {
            assert_eq!(list(&app, &format!("created_after={time}")).await.len(), 0);
            assert_eq!(list(&app, &format!("created_before={time}")).await.len(), 4);
        }
    }

    /// `Link` has every parameter of the page.
    async fn the_next_page_has_the_same_filters(app: App) {
        for number in 0..3 {
            create(&app, &format!("u {number}+&"), &format!("u{number}@example.com")).await;
        }
        app.create_user("other").await;
        let query = "limit=1&name_prefix=u+&created_after=2020-01-01T00:00:00%2B02:00&sort=created_at";
        let pages = all_pages(&app, &format!("/users?{query}")).await;
        assert_eq!(pages.concat(), ["u 0+&", "u 1+&", "u 2+&"]);
    }

    async fn an_invalid_filter_is_refused(app: App) {
        let query = "sort=name&email=ada&name_prefix=%00&created_after=yesterday&created_before=2026-02-30T00:00:00Z";
        let refused = app.get(&format!("/users?{query}")).await;
        assert_eq!(refused.status, 400);
        let problem = refused.json();
        let errors = problem["errors"].as_array().unwrap();
        let parameters: BTreeSet<_> = errors.iter().map(|error| error["parameter"].as_str().unwrap()).collect();
        let expected = ["sort", "email", "name_prefix", "created_after", "created_before"];
        assert_eq!(parameters, expected.into_iter().collect());
    }
}
