//! The OpenAPI 3.0 form.

use serde_json::{Value, json};

use crate::support::{LIBRARY, library, load};

fn form(yaml: &str) -> Value {
    let text = load(yaml).to_json_3_0().unwrap_or_else(|errors| panic!("{errors:?}"));
    serde_json::from_str(&text).expect("is JSON")
}

/// The fixture has every construct of the subset.
#[test]
fn only_scopes_and_path_items_are_written_differently() {
    let mut expected = library().document().clone();
    expected["openapi"] = "3.0.3".into();
    assert_eq!(form(LIBRARY).pointer("/components/pathItems"), None);
    let item = expected["components"]["pathItems"]["Book"].clone();
    expected["components"].as_object_mut().expect("a mapping").remove("pathItems");
    expected["paths"]["/books/{id}"] = item;
    assert_eq!(form(LIBRARY), expected);
}

#[test]
fn what_3_0_lacks_is_left_out_or_written_differently() {
    let document = form(
        "{openapi: 3.1.0, info: {title: T, version: '1', summary: S, license: {name: MIT, identifier: MIT}},
          security: [{key: [read], oauth: [read]}],
          paths: {/a: {get: {operationId: a, security: [{key: [write]}], parameters: [
            {name: q, in: query, schema: {type: string, examples: [x, z]}},
            {name: r, in: query, schema: {type: string, example: x, examples: [z]}}],
            responses: {204: {description: d}}}}},
          components: {securitySchemes: {key: {type: http, scheme: bearer}, oauth: {type: oauth2, flows:
            {clientCredentials: {tokenUrl: /t, scopes: {read: r}}}}}}}",
    );
    assert_eq!(
        document["info"],
        json!({"title": "T", "version": "1", "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"}})
    );
    assert_eq!(document["security"], json!([{"key": [], "oauth": ["read"]}]));
    let operation = &document["paths"]["/a"]["get"];
    assert_eq!(operation["security"], json!([{"key": []}]));
    for parameter in 0..2 {
        assert_eq!(operation["parameters"][parameter]["schema"], json!({"type": "string", "example": "x"}));
    }
    let expression =
        LIBRARY.replace("version: 1.0.0\n", "version: 1.0.0\n  license: { name: L, identifier: A OR B }\n");
    assert_eq!(form(&expression)["info"]["license"], json!({"name": "L"}), "there is no address of both");
}

#[test]
fn members_keep_the_order_of_the_yaml() {
    let text = library().to_json_3_0().expect("has a form");
    let places: Vec<_> =
        ["\"openapi\"", "\"info\"", "\"paths\"", "\"components\""].map(|key| text.find(key).expect(key)).to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_3_0_cannot_express_is_an_error_at_its_place() {
    let yaml = LIBRARY
        .replace("      summary: The shelves\n", "      requestBody: { content: { application/json: {} } }\n")
        .replace(
            "        400: { $ref: '#/components/responses/Problem' }\n    post",
            "        400: { $ref: '#/components/pathItems/Book/get/responses/200' }\n    post",
        );
    let errors = load(&yaml).to_json_3_0().expect_err("has no form");
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "openapi.yaml:23:7: has no form in OpenAPI 3.0: the request body of a GET, HEAD, DELETE or TRACE is ignored",
            "openapi.yaml:58:16: has no form in OpenAPI 3.0: references into `components/pathItems` do not resolve: \
             move the target to another component",
        ]
    );
}
