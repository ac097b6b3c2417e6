//! References on either side: which place is reported, and how often.

use openapi_drift::{DriftKind, compare};
use serde_json::json;

use crate::compare::{LIST, code_drifts, contract_drifts, remove, set};
use crate::support::{LIBRARY, library, load};
use crate::{generated, only_drift};

#[test]
fn a_fault_in_a_shared_component_is_told_once() {
    let contract = load(&LIBRARY.replacen("minimum: 1 } }", "minimum: 2 } }", 1));
    let drift = only_drift(&contract, &generated());
    assert_eq!(drift.pointer, "/components/responses/Problem/headers/Retry-After/schema/minimum");
    assert_eq!(drift.place, "GET /books → 400 → header Retry-After → minimum");
    assert_eq!(
        drift.also,
        ["GET /books/{id} → 404 → header Retry-After → minimum", "POST /books → 400 → header Retry-After → minimum"]
    );
    assert_eq!(drift.reference, None);
}

#[test]
fn a_reference_to_another_component_is_the_fault_itself() {
    contract_drifts(
        "schema: { $ref: '#/components/schemas/BookList' }",
        "schema: { $ref: '#/components/schemas/Book' }",
        "openapi.yaml:53:25: GET /books → 200 → application/json: expected \"#/components/schemas/Book\" (openapi.yaml), found \"#/components/schemas/BookList\" (the code) (#/paths/~1books/get/responses/200/content/application~1json/schema/$ref)",
    );
}

/// The same word in every operation but one: that one is odd, by the contract's reference or by its own code.
#[test]
fn a_component_that_is_kept_elsewhere_is_not_to_blame() {
    let total = "X-Total:
              description: How many there are in all.
              required: true
              schema: { type: integer, minimum: 0 }";
    let shared = "  headers:\n    Total: { schema: { type: integer, minimum: 0 } }\n    Link:";
    let yaml = LIBRARY.replacen(total, "X-Total: { $ref: '#/components/headers/Total' }", 1);
    let yaml = yaml.replacen("  headers:\n    Link:", shared, 1);
    assert!(compare(&load(&yaml), &generated()).is_empty());
    let wrong =
        yaml.replacen("Link: { $ref: '#/components/headers/Link' }", "Link: { $ref: '#/components/headers/Total' }", 1);
    let drifts = compare(&load(&wrong), &generated());
    assert!(!drifts.is_empty());
    for drift in drifts {
        assert_eq!(drift.position.to_string(), "46:21", "{drift}");
        assert!(drift.pointer.starts_with("/components/headers/Total/schema/"), "{drift}");
    }

    let mut code = generated();
    set(&mut code, "/paths/~1books/post/responses/400/headers/Retry-After/schema/minimum", json!(3));
    let drift = only_drift(&library(), &code);
    assert_eq!(drift.pointer, "/components/responses/Problem/headers/Retry-After/schema/minimum");
    let reference = library().position("/paths/~1books/post/responses/400/$ref");
    assert_eq!(Some(drift.position), reference, "{drift}");
    assert_eq!(drift.reference.as_deref(), Some("/paths/~1books/post/responses/400/$ref"));
}

#[test]
fn a_schema_against_none_is_one_drift() {
    code_drifts(
        |code| set(code, "/components/schemas/ByWord/properties/by", json!({"description": "anything"})),
        "openapi.yaml:203:9: GET /books → query filter → application/json → oneOf → 1 → by: expected {\"type\":\"string\"} (openapi.yaml), found {\"description\":\"anything\"} (the code) (#/components/schemas/ByWord/properties/by)",
    );
    let contract = load(&LIBRARY.replacen("schema: { $ref: '#/components/schemas/BookList' }", "schema: {}", 1));
    let drift = only_drift(&contract, &generated());
    assert_eq!(drift.pointer, "/paths/~1books/get/responses/200/content/application~1json/schema");
    assert_eq!((drift.contract, drift.code), (Some(json!({})), Some(json!({"$ref": "#/components/schemas/BookList"}))));
}

#[test]
fn references_of_the_code_that_lead_nowhere() {
    code_drifts(
        |code| {
            let schema = format!("{LIST}/responses/200/content/application~1json/schema");
            set(code, &schema, json!({"$ref": "#/components/schemas/Gone"}));
        },
        "openapi.yaml:53:15: GET /books → 200 → application/json: the generated spec refers to {\"$ref\":\"#/components/schemas/Gone\"}, which it does not contain (#/paths/~1books/get/responses/200/content/application~1json/schema)",
    );
    for (pointer, expected) in [
        (format!("{LIST}/parameters/-"), format!("{LIST}/parameters/-")),
        ("/paths/~1lost".to_owned(), "/paths/~1lost".to_owned()),
    ] {
        let mut code = generated();
        set(&mut code, &pointer, json!({"$ref": "#/gone"}));
        let drift = only_drift(&library(), &code);
        assert_eq!((drift.kind, drift.pointer), (DriftKind::Dangling, expected));
    }
}

#[test]
fn operations_beside_a_reference_do_not_go_unnoticed() {
    let mut code = generated();
    let item = remove(&mut code, "/paths/~1books~1{id}");
    set(&mut code, "/components/pathItems", json!({"Book": item}));
    set(&mut code, "/paths/~1books~1{id}", json!({"$ref": "#/components/pathItems/Book"}));
    assert!(compare(&library(), &code).is_empty());
    set(&mut code, "/paths/~1books~1{id}/delete", json!({"operationId": "burn", "responses": {}}));
    assert_eq!(only_drift(&library(), &code).pointer, "/paths/~1books~1{id}");
}
