//! Requests are validated against the schemas of the contract; a problem lists every violation with its location.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::matrix;

fn new_user(name: &str, email: &str) -> Value {
    json!({ "name": name, "email": email })
}

matrix! {
    async fn every_violation_is_listed(app: App) {
        let response = app.post("/users", json!({ "name": " x", "email": 7, "nick": "a", "a/b": 1 })).await;
        assert_eq!(response.status, 422);
        assert_eq!(response.places(), ["/a~1b", "/email", "/name", "/nick"]);
        assert_eq!(app.post("/users", json!({})).await.places(), ["/email", "/name"]);
        assert_eq!(app.post("/users", json!([1])).await.places(), [""]);
    }

    /// One violation for each place, with the rule and its bound for programs, and a sentence for people.
    async fn a_violation_has_the_most_telling_code_of_its_place(app: App) {
        let of = |code: &str, detail: &str| json!({ "code": code, "detail": detail });
        let bound = |code: &str, limit: u32, detail: &str| json!({ "code": code, "limit": limit, "detail": detail });
        let address = "must be an e-mail address of ASCII characters with a domain, such as ada@example.com";
        let name = "must not begin or end with white space, and must not contain control, invisible or direction-override \
                    characters";
        for (body, pointer, violation) in [
            (new_user("Ada", "ada"), "/email", of("pattern", address)),
            (new_user("Ada", ""), "/email", of("pattern", address)),
            (new_user("Ada", &"a".repeat(300)), "/email", bound("too_long", 254, "must have at most 254 characters")),
            (new_user(" Ada", "a@b.cd"), "/name", of("pattern", name)),
            (new_user("", "a@b.cd"), "/name", bound("too_short", 1, "must not be empty")),
            (new_user(&" ".repeat(101), "a@b.cd"), "/name", bound("too_long", 100, "must have at most 100 characters")),
            (json!({ "name": 7, "email": "a@b.cd" }), "/name", of("type", "must be of type string")),
            (json!({ "name": "Ada" }), "/email", of("required", "is required")),
            (json!([]), "", of("type", "must be of type object")),
        ] {
            let mut expected = violation;
            expected["pointer"] = json!(pointer);
            assert_eq!(app.post("/users", body.clone()).await.json()["errors"], json!([expected]), "{body}");
        }
        let two = app.post("/users", json!({ "name": "Ada ", "email": "a@b.cd", "nick/name": 1 })).await.json();
        let unknown = json!({ "pointer": "/nick~1name", "code": "unknown_property", "detail": "unknown property" });
        let spaced = json!({ "pointer": "/name", "code": "pattern", "detail": name });
        assert!([json!([unknown, spaced]), json!([spaced, unknown])].contains(&two["errors"]), "{two}");
        let empty = app.post("/users/batch", json!({ "users": [] })).await.json();
        let expected = json!([{ "pointer": "/users", "code": "too_few_items", "limit": 1, "detail": "must not be empty" }]);
        assert_eq!(empty["errors"], expected);
        let many = app.post("/users/lookup", json!({ "ids": vec![0; 501] })).await.json();
        let expected = json!([{ "pointer": "/ids", "code": "too_many_items", "limit": 500, "detail": "must have at most 500 items" }]);
        assert_eq!(many["errors"], expected);
    }

    async fn a_violation_in_a_parameter_has_a_code_too(app: App) {
        let nobody = "/users/00000000-0000-0000-0000-000000000000";
        for (path, header, parameter, code, limit, detail) in [
            ("/users?limit=0", None, "limit", "minimum", Some(1), "must be at least 1"),
            ("/users?limit=101", None, "limit", "maximum", Some(100), "must be at most 100"),
            ("/users?limit=x", None, "limit", "type", None, "must be of type integer"),
            ("/users?limit=1&limit=1", None, "limit", "repeated", None, "is repeated"),
            ("/users?cursor=x", None, "cursor", "format", None, "must have the format uuid"),
            ("/users?cursor=%ff", None, "cursor", "not_utf8", None, "is not valid UTF-8 after percent-decoding"),
            ("/users?page=1&page=2", None, "page", "unknown_parameter", None, "unknown parameter"),
            ("/users?sort=name", None, "sort", "enum", None, r#"must be one of "created_at", "created_at_desc""#),
            ("/users?name_prefix=", None, "name_prefix", "too_short", Some(1), "must not be empty"),
            ("/users?name_prefix=a%00", None, "name_prefix", "pattern", None, "must not contain control characters"),
            (nobody, Some("1"), "If-None-Match", "pattern", None,
                r#"must be *, or entity tags in quotes separated by commas, such as "1", "2""#),
        ] {
            let request = app.request(Method::GET, path);
            let request = header.into_iter().fold(request, |request, value| request.header("if-none-match", value));
            let mut expected = json!({ "parameter": parameter, "code": code, "detail": detail });
            if let Some(limit) = limit {
                expected["limit"] = json!(limit);
            }
            assert_eq!(request.send().await.json()["errors"], json!([expected]), "{path}");
        }
    }

    async fn every_invalid_parameter_is_listed(app: App) {
        let response = app.get("/users?limit=0&cursor=x&page=2").await;
        assert_eq!((response.status, response.places()), (400, vec!["cursor".into(), "limit".into(), "page".into()]));
        assert_eq!(response.json()["type"], "/problems/invalid-parameter");
    }

    async fn parameters_are_parsed_strictly(app: App) {
        for query in [
            "limit=101", "limit=-1", "limit=", "limit", "limit=+5", "limit=5.0", "limit=5e0", "limit=007", "limit=%205",
            "limit=99999999999999999999", "limit=1&limit=1", "Limit=1", "cursor=", "cursor=%ff", "%ff=1", "=1",
            "cursor=00000000-0000-0000-0000-00000000000", "cursor=00000000000000000000000000000000",
            "cursor={00000000-0000-0000-0000-000000000000}",
        ] {
            let response = app.get(&format!("/users?{query}")).await;
            assert_eq!((response.status, response.places().len()), (400, 1), "{query}");
        }
        for query in ["", "limit=1", "limit=100", "l%69mit=5", "&limit=5&"] {
            assert_eq!(app.get(&format!("/users?{query}")).await.status, 200, "{query}");
        }
    }

    /// An operation without parameters accepts none, so that a misspelt parameter or a cache buster is noticed.
    async fn unknown_query_parameters_are_refused(app: App) {
        let id = app.create_user("ada").await["id"].as_str().unwrap().to_owned();
        for path in [&format!("/users/{id}"), "/users", "/users/changes"] {
            let response = app.get(&format!("{path}?x=1")).await;
            assert_eq!((response.status, response.places()), (400, vec!["x".to_owned()]), "{path}");
        }
        assert_eq!(app.delete(&format!("/users/{id}?force=true")).await.status, 400);
        assert_eq!(app.get(&format!("/users/{id}")).await.status, 200);
    }

    async fn an_id_that_is_not_a_uuid_is_an_invalid_parameter(app: App) {
        for id in ["1", "x", "%00", "%ff", "00000000-0000-0000-0000-00000000000g", "00000000-0000-0000-0000-000000000000%20"] {
            let response = app.get(&format!("/users/{id}")).await;
            assert_eq!(response.status, 400, "{id}");
        }
        assert_eq!(app.get("/users/00000000-0000-0000-0000-00000000000A").await.status, 404);
    }

    async fn names_match_the_contract(app: App) {
        let long = "é".repeat(101);
        for name in [
            "", " ", " a", "a ", "\u{a0}a", "a\u{3000}", "a\u{0}b", "a\nb", "a\tb", "a\u{7f}", "a\u{85}b", "a\u{200b}b",
            "\u{feff}a", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "a\u{ad}b", "a\u{61c}b", &long,
        ] {
            let response = app.post("/users", new_user(name, "a@example.com")).await;
            assert_eq!(response.status, 422, "{name:?}");
            assert!(response.places().iter().all(|place| place == "/name"), "{name:?}");
        }
    }

    /// Joiners, variation selectors and tags change the character before them. Persian, Sinhala, Malayalam (also at the end,
    /// as it was written before Unicode 5.1), Bengali, Marathi, Mongolian, Japanese; emoji; Braille with its blank.
    async fn names_with_joiners_and_selectors_are_returned_as_sent(app: App) {
        for (number, name) in [
            "علی\u{200c}رضا", "ශ්\u{200d}රී", "രാജന്\u{200d}", "র\u{200d}্যা", "ऱ्\u{200d}या", "ᠨᠠᠷᠠ\u{180b}ᠨ ᠭᠡᠷᠡᠯ\u{180e}ᠡ", "葛\u{e0100}城",
            "👩\u{200d}💻", "Ada ❤\u{fe0f}", "👩\u{200d}❤\u{fe0f}\u{200d}👩", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "⠁⠙⠁⠀⠇", "達‧法拉", "Ada  King",
        ].into_iter().enumerate() {
            let response = app.post("/users", new_user(name, &format!("user{number}@example.com"))).await;
            assert_eq!((response.status, &response.json()["name"]), (201, &json!(name)), "{name:?}");
            assert_eq!(app.get(response.header("location").unwrap()).await.json()["name"], json!(name));
        }
    }

    async fn a_name_of_invisible_characters_is_refused(app: App) {
        for name in [
            "\u{3164}", "\u{2800}", "\u{34f}", "\u{fe0f}", "\u{fe00}\u{fe01}", "\u{e0100}", "\u{e0041}\u{e0042}", "\u{e0001}",
            "\u{fdd0}", "\u{ffff}", "\u{1fffe}", "\u{10ffff}", "\u{200d}", "\u{200c}", "\u{200d}\u{200c}", "\u{180b}", "\u{180e}",
            "\u{115f}", "\u{1160}", "\u{ffa0}", "\u{17b4}", "\u{2800}\u{2800}", "\u{3164} \u{3164}", "\u{1d159}", "\u{1d173}",
            // And invisible characters where a name has none.
            "a\u{3164}", "\u{200d}a", "a \u{200d}", "a\u{2800}", "a\u{fdd0}b", "a\u{fffe}", "a\u{2060}b", "\u{e0020}a", "a\u{ffa0}b",
        ] {
            let response = app.post("/users", new_user(name, "a@example.com")).await;
            assert_eq!((response.status, response.places()), (422, vec!["/name".to_owned()]), "{name:?}");
        }
    }

    async fn addresses_match_the_contract(app: App) {
        let label = "d".repeat(64);
        let long = format!("a@{}.{}.{}.{}.com", &label[1..], &label[1..], &label[1..], &label[1..]);
        let local = format!("{}@example.com", "l".repeat(65));
        for email in [
            "", "a", "a@", "@b.cd", "a@b", "a@localhost", "a b@example.com", "a@exa mple.com", ".a@example.com",
            "a.@example.com", "a..b@example.com", "a@-example.com", "a@example-.com", "a@example..com", "a@.com",
            "a@example.com.", "\"a b\"@example.com", "é@example.com", "a@exämple.com", "a@[127.0.0.1]", "a@example.c",
            "a@b@example.com", "a@127.0.0.1", "a@example.com\n", " a@example.com", &format!("a@{label}.com"), &long, &local,
        ] {
            let response = app.post("/users", new_user("a", email)).await;
            assert_eq!(response.status, 422, "{email:?}");
            assert!(response.places().iter().all(|place| place == "/email"), "{email:?}");
        }
        for email in ["a@b.cd", "O'Neil+tag!#$%&*/=?^_`{|}~-@x-y.example.co", "a.b.c@xn--bcher-kva.example", "1@2.xy"] {
            assert_eq!(app.post("/users", new_user("a", email)).await.status, 201, "{email:?}");
        }
    }

    async fn a_patch_cannot_remove_or_add_members(app: App) {
        let id = app.create_user("ada").await["id"].as_str().unwrap().to_owned();
        for patch in [json!({ "name": null }), json!({ "id": id }), json!({ "version": 1 }), json!(null), json!([])] {
            assert_eq!(app.patch(&format!("/users/{id}"), patch.clone()).await.status, 422, "{patch}");
        }
        assert_eq!(app.get(&format!("/users/{id}")).await.header("etag"), Some("\"1\""));
    }

    async fn a_body_that_is_not_json_is_malformed(app: App) {
        let json = |body: Vec<u8>| app.request(Method::POST, "/users").header("content-type", "application/json").body(body);
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for body in [
            &b""[..], b"{", b"{\"name\":", b"name=a", b"{} {}", b"\xff", b"{\"name\":\"\xff\"}", b"\xef\xbb\xbf{}",
            b"{\"name\":\"\\ud800\"}", b"{\"name\":\"a\",\"name\":\"b\",\"email\":\"a@b.cd\"}", b"[1e999]", b"NaN",
            b"{\"name\":\"a\nb\"}", deep.as_bytes(),
        ] {
            let response = json(body.to_vec()).send().await;
            assert_eq!((response.status, &response.json()["type"]), (400, &json!("/problems/malformed")), "{body:?}");
        }
    }

    async fn only_the_documented_media_types_are_accepted(app: App) {
        let body = new_user("a", "a@example.com").to_string();
        for media in ["text/plain", "application/merge-patch+json", "application/json; charset=latin1", "json", "*/*", ""] {
            let request = app.request(Method::POST, "/users").header("content-type", media).body(body.clone());
            assert_eq!(request.send().await.status, 415, "{media:?}");
        }
        let untyped = app.request(Method::POST, "/users").body(body.clone());
        assert_eq!(untyped.send().await.status, 415);
        let twice = app.request(Method::POST, "/users").header("content-type", "application/json");
        assert_eq!(twice.header("content-type", "text/plain").body(body.clone()).send().await.status, 415);
        // Several codings count, in one header or in several; `identity` is not a coding.
        for (codings, status) in [(&["gzip"][..], 415), (&["identity", "gzip"], 415), (&["identity, br"], 415), (&["identity", ""], 201)] {
            let request = app.request(Method::POST, "/users").header("content-type", "application/json");
            let request = codings.iter().fold(request, |request, coding| request.header("content-encoding", coding));
            assert_eq!(request.body(body.clone()).send().await.status, status, "{codings:?}");
        }
        let body = new_user("b", "b@example.com").to_string();

        let odd = app.request(Method::POST, "/users").header("content-type", "Application/JSON ; Charset=\"UTF-8\"");
        assert_eq!(odd.body(body).send().await.status, 201);
    }

    async fn accept_can_exclude_every_representation(app: App) {
        for (path, accept, status) in [
            ("/users", "text/html", 406), ("/users", "application/json;q=0, */*", 406), ("/health", "text/plain", 406),
            ("/metrics", "application/json", 406), ("/metrics", "text/plain;version=0.0.4", 200),
            ("/users", "text/html, */*;q=0.1", 200), ("/users", "application/*", 200), ("/users", "nonsense", 406),
        ] {
            let response = app.request(Method::GET, path).header("accept", accept).send().await;
            assert_eq!(response.status, status, "{path} {accept}");
        }
        // A response without content is never refused.
        let id = app.create_user("ada").await["id"].as_str().unwrap().to_owned();
        let deleted = app.request(Method::DELETE, &format!("/users/{id}")).header("accept", "text/html").send().await;
        assert_eq!(deleted.status, 204);
    }

    async fn a_body_over_the_limit_is_too_large(app: App) using ["--max-body-bytes", "100"] {
        let fits = new_user("a", "a@example.com");
        let over = new_user(&"a".repeat(80), "a@example.com");
        assert_eq!(app.post("/users", over).await.status, 413);
        assert_eq!(app.post("/users", fits).await.status, 201);
    }

    /// The order is fixed: media type, size, syntax, contract.
    async fn the_first_failed_check_decides(app: App) using ["--max-body-bytes", "100"] {
        let large = vec![b'{'; 200];
        let post = |media: &str, body: &[u8]| app.request(Method::POST, "/users").header("content-type", media).body(body);
        assert_eq!(post("text/plain", &large).send().await.status, 415);
        assert_eq!(post("application/json", &large).send().await.status, 413);
        assert_eq!(post("application/json", b"{").send().await.status, 400);
        assert_eq!(post("application/json", b"{}").send().await.status, 422);
        // An invalid id is reported before an invalid body, and an invalid body before an unknown user.
        let nobody = "/users/00000000-0000-0000-0000-000000000000";
        assert_eq!(app.put("/users/x", json!({})).await.status, 400);
        assert_eq!(app.put(nobody, json!({})).await.status, 422);
        assert_eq!(app.put(nobody, new_user("a", "a@example.com")).await.status, 404);
    }

    /// A small request cannot cause a huge response.
    async fn the_number_of_listed_violations_is_limited(app: App) {
        let response = app.post("/users/batch", json!({ "users": vec![json!({}); 1_000] })).await;
        assert_eq!((response.status, response.places().len()), (422, 1_000));
        assert!(response.json()["detail"].as_str().unwrap().contains("more than 1000 errors"));
    }

    /// What has more elements or members than the contract allows is not judged further.
    async fn a_bound_of_size_is_reported_alone(app: App) {
        let unknown = |count: usize| (0..count).map(|number| (format!("m{number}"), json!(0))).collect::<Value>();
        let too_long = |list: &str, count: usize| json!({ list: vec![0; count], "unknown": 0 });
        for (path, body, place) in [
            ("/users/batch", too_long("users", 1_001), "/users"),
            ("/users/lookup", too_long("emails", 501), "/emails"),
            ("/users/batch", json!({ "users": [unknown(1_003)] }), "/users/0"),
            ("/users", unknown(1_003), ""),
        ] {
            let response = app.post(path, body).await;
            assert_eq!((response.status, response.places()), (422, vec![place.to_owned()]));
        }
        let response = app.post("/users", unknown(900)).await;
        assert_eq!((response.status, response.places().len()), (422, 902));
    }
}
