//! The documents, served as ready bytes.

use reqwest::Method;

use crate::harness::matrix;

matrix! {
    async fn the_contract_is_served_as_it_was_written(app: App) {
        let yaml = app.get("/openapi.yaml").await;
        assert_eq!((yaml.status, yaml.header("content-type")), (200, Some("application/yaml")));
        assert_eq!(yaml.text(), include_str!("../../openapi.yaml"));
        let json = app.get("/openapi.json").await;
        assert_eq!((json.header("content-type"), &json.json()["openapi"]), (Some("application/json"), &"3.1.0".into()));
    }

    async fn a_client_that_has_a_document_is_told_so(app: App) {
        for path in ["/openapi.yaml", "/openapi.json", "/swagger-ui/", "/swagger-ui/swagger-ui-bundle.js", "/problems/conflict"] {
            let etag = app.get(path).await.header("etag").unwrap().to_owned();
            for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
                let answer = app.request(Method::GET, path).header("if-none-match", &known).send().await;
                assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(&*etag)), "{path} {known}");
            }
            assert_eq!(app.request(Method::GET, path).header("if-none-match", "\"x\"").send().await.status, 200);
        }
    }

    async fn the_root_leads_to_the_ui(app: App) {
        let root = app.get("/").await;
        assert_eq!((root.status, root.header("location")), (307, Some("/swagger-ui/")));
        assert_eq!(app.get("/swagger-ui").await.header("location"), Some("/swagger-ui/"));
        let ui = app.get("/swagger-ui/").await;
        assert_eq!(ui.header("content-type"), Some("text/html"));
        assert!(ui.header("content-security-policy").unwrap().contains("script-src 'self'"));
        // Every file that the page names is there.
        let page = ui.text();
        let names = page.split(['"', '\'']).filter(|word| word.starts_with("./"));
        for name in names.chain(["./swagger-initializer.js"]) {
            assert_eq!(app.get(&format!("/swagger-ui/{}", &name[2..])).await.status, 200, "{name}");
        }
        assert_eq!(app.get("/swagger-ui/nothing.js").await.status, 404);
    }

    async fn the_type_of_a_problem_leads_to_its_page(app: App) {
        let kind = app.get("/users?x=1").await.json()["type"].as_str().unwrap().to_owned();
        let page = app.get(&kind).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.text().contains("Invalid parameter"));
        assert_eq!(app.get("/problems/nothing").await.status, 404);
    }
}
