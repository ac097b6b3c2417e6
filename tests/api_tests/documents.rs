//! Swagger UI, the contract's documents and the problem pages.

use reqwest::Method;

use crate::harness::matrix;

matrix! {
    async fn the_contract_is_served_as_it_was_written(app: App) {
        let yaml = app.get("/openapi.yaml").await;
        assert_eq!((yaml.status, yaml.header("content-type")), (200, Some("application/yaml")));
        assert_eq!(yaml.text(), include_str!("../../openapi.yaml"));
        let json = app.get("/openapi.json").await;
        assert_eq!((json.header("content-type"), &json.json()["openapi"]), (Some("application/json"), &"3.1.0".into()));
        let old = app.get("/openapi-3.0.json").await;
        assert_eq!((old.header("content-type"), &old.json()["openapi"]), (Some("application/json"), &"3.0.3".into()));
        // Apart from scopes, which a bearer token has only in 3.1, this contract's operations read the same in both.
        let mut paths = json.json()["paths"].clone();
        for operation in paths.as_object_mut().unwrap().values_mut().flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
            if let Some(scopes) = operation.pointer_mut("/security/0/bearerAuth") {
                *scopes = serde_json::json!([]);
            }
        }
        assert_eq!(old.json()["paths"], paths);
    }

    async fn a_known_document_is_not_sent_again(app: App) {
        for path in ["/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/swagger-ui/", "/swagger-ui/swagger-ui-bundle.js", "/problems/conflict"] {
            let etag = app.get(path).await.header("etag").unwrap().to_owned();
            for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
                let response = app.request(Method::GET, path).header("if-none-match", &known).send().await;
                assert_eq!((response.status, response.body.len(), response.header("etag")), (304, 0, Some(&*etag)), "{path} {known}");
            }
            assert_eq!(app.request(Method::GET, path).header("if-none-match", "\"x\"").send().await.status, 200);
        }
    }

    /// The compressed document has a validator of its own.
    async fn documents_are_compressed_on_request(app: App) {
        for path in ["/openapi.yaml", "/openapi-3.0.json", "/swagger-ui/swagger-ui-bundle.js"] {
            let plain = app.get(path).await;
            let gzip = app.request(Method::GET, path).header("accept-encoding", "br, GZIP;q=0.5").send().await;
            assert_eq!((gzip.status, gzip.header("content-encoding"), gzip.header("vary")), (200, Some("gzip"), Some("accept-encoding")));
            assert_ne!(gzip.header("etag"), plain.header("etag"));
            assert!(gzip.body.len() * 3 < plain.body.len());
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip.body[..]), &mut unpacked).unwrap();
            assert!(unpacked == plain.body);
        }
    }

    /// A response with an ETag is not compressed, since the ETag identifies the bytes. Others are compressed if they are large.
    async fn only_large_responses_without_a_validator_are_compressed(app: App) {
        for number in 0..20 {
            app.create_user(&format!("user{number}")).await;
        }
        let get = |path: &str, coding: &str| app.request(Method::GET, path).header("accept-encoding", coding);
        assert_eq!(get("/health", "gzip").send().await.header("content-encoding"), None);
        let id = app.get("/users?limit=1").await.json()["users"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(get(&format!("/users/{id}"), "gzip").send().await.header("content-encoding"), None);
        // If every coding is excluded, the bytes are sent as they are: after the handler has run, 406 would be wrong.
        assert_eq!(get("/users", "identity;q=0, *;q=0").send().await.status, 200);
        for refused in ["gzip;q=0", "gzip ; Q=0.0"] {
            assert_eq!(get("/users", refused).send().await.header("content-encoding"), None, "{refused}");
        }

        let compressed = crate::harness::client().get(format!("{}/users", app.base)).header("accept-encoding", "gzip");
        let compressed = compressed.bearer_auth(app.token.as_ref().unwrap()).send().await.unwrap();
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        let body = compressed.bytes().await.unwrap();
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut unpacked).unwrap();
        assert_eq!(unpacked, app.get("/users").await.body);
    }

    async fn the_root_redirects_to_the_ui(app: App) {
        let root = app.get("/").await;
        assert_eq!((root.status, root.header("location")), (307, Some("/swagger-ui/")));
        for path in ["/swagger-ui", "/docs"] {
            assert_eq!(app.get(path).await.header("location"), Some("/swagger-ui/"));
        }
        let ui = app.get("/swagger-ui/").await;
        assert_eq!(ui.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(ui.header("content-security-policy").unwrap().contains("script-src 'self'"));
        // Every file that the page refers to exists.
        let page = ui.text();
        assert!(page.contains("<title>Users API</title>"), "{page}");
        let names = page.split(['"', '\'']).filter(|word| word.starts_with("./"));
        for name in names.chain(["./openapi.json"]) {
            assert_eq!(app.get(&format!("/swagger-ui/{}", &name[2..])).await.status, 200, "{name}");
        }
        assert_eq!(app.get("/swagger-ui/nothing.js").await.status, 404);
    }

    async fn every_page_fits_a_phone_and_follows_dark_colours(app: App) {
        for path in ["/swagger-ui/", "/problems/validation"] {
            let page = app.get(path).await.text();
            let named = |name: &str, content: &str| format!("<meta name=\"{name}\" content=\"{content}\">");
            for meta in [named("viewport", "width=device-width, initial-scale=1"), named("color-scheme", "light dark")] {
                assert!(page.contains(&meta), "{path}: {page}");
            }
        }
    }

    async fn the_type_of_a_problem_is_the_path_of_its_page(app: App) {
        let kind = app.get("/users?x=1").await.json()["type"].as_str().unwrap().to_owned();
        let page = app.get(&kind).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.text().contains("Invalid parameter"));
        assert_eq!(app.get("/problems/nothing").await.status, 404);
    }
}
