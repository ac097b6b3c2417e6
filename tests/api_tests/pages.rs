//! Pagination.

use serde_json::Value;

use crate::harness::{App, matrix};

pub(super) fn names(page: &Value) -> Vec<String> {
    page["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// Follows `Link` to the end.
pub(super) async fn all_pages(app: &App, first: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let response = app.get(&path).await;
        assert_eq!(response.status, 200);
        pages.push(names(&response.json()));
        next = response.header("link").map(|link| {
            let (address, relation) = link.split_once("; ").unwrap();
            assert_eq!(relation, "rel=\"next\"");
            address.trim_matches(['<', '>']).to_owned()
        });
        assert_eq!(next.is_some(), response.json().get("next_cursor").is_some());
    }
    pages
}

matrix! {
    async fn an_empty_list_is_a_page_without_users(app: App) {
        let response = app.get("/users").await;
        assert_eq!((response.status, response.text()), (200, r#"{"users":[]}"#.to_owned()));
        assert_eq!(response.header("link"), None);
    }

    async fn users_are_listed_newest_first(app: App) {
        for name in ["a", "b", "c"] {
            app.create_user(name).await;
        }
        assert_eq!(names(&app.get("/users").await.json()), ["c", "b", "a"]);
    }

    async fn every_user_is_on_one_page(app: App) {
        for number in 0..7 {
            app.create_user(&format!("u{number}")).await;
        }
        assert_eq!(all_pages(&app, "/users?limit=3").await, [vec!["u6", "u5", "u4"], vec!["u3", "u2", "u1"], vec!["u0"]]);
        // A full last page has no next page.
        assert_eq!(all_pages(&app, "/users?limit=7").await.len(), 1);
    }

    /// The default of `limit` in the contract.
    async fn a_page_has_fifty_users_by_default(app: App) {
        for number in 0..51 {
            app.create_user(&format!("u{number}")).await;
        }
        let pages = all_pages(&app, "/users").await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 1]);
    }

    async fn users_added_and_removed_meanwhile_do_not_shift_the_pages(app: App) {
        let mut ids = Vec::new();
        for number in 0..6 {
            ids.push(app.create_user(&format!("u{number}")).await["id"].as_str().unwrap().to_owned());
        }
        let first = app.get("/users?limit=2").await.json();
        assert_eq!(names(&first), ["u5", "u4"]);
        app.create_user("late").await;
        // The user of the cursor is deleted, and one of the next page.
        app.delete(&format!("/users/{}", ids[4])).await;
        app.delete(&format!("/users/{}", ids[3])).await;
        let next = format!("/users?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        assert_eq!(names(&app.get(&next).await.json()), ["u2", "u1"]);
    }

    async fn any_uuid_is_a_valid_cursor(app: App) {
        app.create_user("ada").await;
        let below = app.get("/users?cursor=00000000-0000-0000-0000-000000000000").await;
        assert_eq!(names(&below.json()), Vec::<String>::new());
        let above = app.get("/users?cursor=FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF").await;
        assert_eq!(names(&above.json()), ["ada"]);
    }
}
