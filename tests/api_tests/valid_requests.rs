//! Without preconditions, the server accepts every request that the contract allows.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{App, document::Document, matrix, values::Values};

/// The number of requests per operation and media type.
const REQUESTS: usize = 40;

/// A valid path and query. An id is that of an existing resource half of the time, and optional parameters are left out half
/// of the time.
fn target(
    document: &Document,
    values: &mut Values<'_>,
    template: &str,
    parameters: [&Value; 2],
    id: Option<&str>,
) -> String {
    let (mut path, mut query) = (template.to_owned(), Vec::new());
    for parameter in parameters.into_iter().filter_map(Value::as_array).flatten() {
        let parameter = document.resolve(parameter);
        let name = parameter["name"].as_str().expect("a parameter has a name");
        let value = values.generate(&parameter["schema"]);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if parameter["in"] == "path" {
            let id = id.filter(|_| values.coin());
            path = path.replace(&format!("{{{name}}}"), id.unwrap_or(&value));
        } else if parameter["in"] == "query" && (parameter["required"] == true || values.coin()) {
            query.push(format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// A valid body, without some of its optional properties.
fn generate_body(document: &Document, values: &mut Values<'_>, schema: &Value) -> Value {
    let mut body = values.generate(schema);
    let required = document.resolve(schema)["required"].as_array();
    if let Some(properties) = body.as_object_mut() {
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|required| required == name));
        properties.retain(|name, _| is_required(name) || values.coin());
    }
    body
}

/// Creates a resource of the collection to which a path belongs, if there is one, and returns its id.
async fn create(app: &App, document: &Document, values: &mut Values<'_>, template: &str) -> Option<String> {
    let (collection, _) = template.split_once("/{")?;
    let (_, item) = document.paths().find(|(path, _)| *path == collection)?;
    let (_, schema) = document.json_content(document.resolve(&item["post"]["requestBody"])).next()?;
    let created = app.post(collection, values.generate(schema)).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()["id"].as_str().map(str::to_owned)
}

matrix! {
    /// A valid request succeeds, unless it is about a user that does not exist, or an e-mail address that another user has.
    async fn every_valid_request_succeeds_or_is_a_404_or_409(app: App) {
        let document = Document::of_the_contract();
        let mut values = Values::new(document);
        let (mut all, mut succeeded) = (BTreeSet::new(), BTreeSet::new());
        for (template, item) in document.paths() {
            for (method, operation) in item.as_object().into_iter().flatten().filter(|(name, _)| *name != "parameters") {
                all.insert(operation["operationId"].as_str().expect("an operation has an id"));
                let method: Method = method.to_ascii_uppercase().parse().expect("a method");
                let contents = document.json_content(document.resolve(&operation["requestBody"]));
                let mut contents: Vec<_> = contents.map(Some).collect();
                if contents.is_empty() {
                    contents.push(None);
                }
                for content in contents.into_iter().flat_map(|content| std::iter::repeat_n(content, REQUESTS)) {
                    let id = create(&app, document, &mut values, template).await;
                    let parameters = [&item["parameters"], &operation["parameters"]];
                    let target = target(document, &mut values, template, parameters, id.as_deref());
                    let mut request = app.request(method.clone(), &target);
                    let mut sent = json!(null);
                    if let Some((media_type, schema)) = content {
                        sent = generate_body(document, &mut values, schema);
                        request = request.content_type(media_type).json(&sent);
                    }
                    let response = request.send().await;
                    let is_expected = matches!(response.status, 200..300 | 404 | 409);
                    assert!(is_expected, "{method} {target} {sent}: {}", response.text());
                    if response.status < 300 {
                        succeeded.insert(operation["operationId"].as_str().expect("an operation has an id"));
                    }
                }
            }
        }
        assert_eq!(succeeded, all, "every operation succeeded at least once");
    }
}
