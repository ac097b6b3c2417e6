//! What means the same is no drift, on whichever side it is written.

use openapi_drift::compare;
use serde_json::{Value, json};

use crate::listed;
use crate::support::load_json;

/// A document with one operation, made of parts.
fn document(operation: &Value, components: &Value) -> Value {
    let mut operation = operation.clone();
    operation["operationId"] = "op".into();
    operation["security"] = json!([]);
    if operation.get("responses").is_none() {
        operation["responses"] = json!({"204": {"description": "d"}});
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/p": {"post": operation}},
        "components": components,
    })
}

fn with_schema(schema: &Value, components: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    document(&json!({"requestBody": {"content": content}}), components)
}

fn with_parameter(parameter: &Value) -> Value {
    document(&json!({"parameters": [parameter]}), &json!({}))
}

/// Asserts that neither order of the two documents drifts.
#[track_caller]
fn alike(a: &Value, b: &Value) {
    for (contract, generated) in [(a, b), (b, a), (a, a)] {
        let contract = load_json(contract).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let drifts = compare(&contract, generated);
        assert!(drifts.is_empty(), "{}", listed(&drifts));
    }
}

#[track_caller]
fn schemas_alike(a: &Value, b: &Value) {
    alike(&with_schema(a, &json!({})), &with_schema(b, &json!({})));
}

#[track_caller]
fn parameters_alike(a: &Value, b: &Value) {
    alike(&with_parameter(a), &with_parameter(b));
}

#[test]
fn order_and_spelling() {
    schemas_alike(&json!({"required": ["a", "b"]}), &json!({"required": ["b", "a"]}));
    schemas_alike(&json!({"enum": ["a", 1]}), &json!({"enum": [1.0, "a"]}));
    schemas_alike(&json!({"maximum": 1}), &json!({"maximum": 1.0}));
    schemas_alike(&json!({"default": {"a": [1]}}), &json!({"default": {"a": [1.0]}}));
    alike(&document(&json!({"tags": ["a", "b"]}), &json!({})), &document(&json!({"tags": ["b", "a"]}), &json!({})));
}

#[test]
fn defaults_of_schemas() {
    for (key, value) in [
        ("required", json!([])),
        ("properties", json!({})),
        ("additionalProperties", json!(true)),
        ("additionalProperties", json!({})),
        ("additionalProperties", json!({"description": "anything"})),
        ("deprecated", json!(false)),
        ("readOnly", json!(false)),
        ("writeOnly", json!(false)),
        ("uniqueItems", json!(false)),
        ("minLength", json!(0)),
        ("minItems", json!(0)),
        ("minProperties", json!(0)),
    ] {
        schemas_alike(&json!({"type": "object", key: value}), &json!({"type": "object"}));
    }
    schemas_alike(&json!({"additionalProperties": true}), &json!({"additionalProperties": {}}));
}

#[test]
fn defaults_of_parameters() {
    let query = json!({"name": "q", "in": "query", "schema": {}});
    for (key, value) in [
        ("required", json!(false)),
        ("deprecated", json!(false)),
        ("allowEmptyValue", json!(false)),
        ("allowReserved", json!(false)),
        ("style", json!("form")),
        ("explode", json!(true)),
    ] {
        let mut spelt = query.clone();
        spelt[key] = value;
        parameters_alike(&query, &spelt);
    }
    let header = json!({"name": "q", "in": "header", "schema": {}});
    let spelt = json!({"name": "q", "in": "header", "schema": {}, "style": "simple", "explode": false});
    parameters_alike(&header, &spelt);
}

#[test]
fn defaults_of_operations_bodies_and_responses() {
    let plain = json!({"requestBody": {"content": {}}, "responses": {"200": {"description": "d"}}});
    let spelt = json!({
        "parameters": [],
        "tags": [],
        "deprecated": false,
        "requestBody": {"content": {}, "required": false},
        "responses": {"200": {"description": "d", "headers": {}, "content": {}}},
    });
    alike(&document(&plain, &json!({})), &document(&spelt, &json!({})));
}

#[test]
fn references_against_equal_inline() {
    let components = json!({
        "schemas": {"Name": {"type": "string"}, "Alias": {"$ref": "#/components/schemas/Name"}},
        "parameters": {"Q": {"name": "q", "in": "query", "schema": {"type": "string"}}},
        "headers": {"H": {"schema": {"type": "string"}}},
        "responses": {"R": {"description": "r", "headers": {"H": {"$ref": "#/components/headers/H"}}}},
        "requestBodies": {"B": {"content": {"text/plain": {"schema": {"$ref": "#/components/schemas/Alias"}}}}},
    });
    let shared = document(
        &json!({
            "parameters": [{"$ref": "#/components/parameters/Q"}],
            "requestBody": {"$ref": "#/components/requestBodies/B"},
            "responses": {"200": {"$ref": "#/components/responses/R"}},
        }),
        &components,
    );
    let inline = document(
        &json!({
            "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}},
            "responses": {"200": {"description": "other", "headers": {"H": {"schema": {"type": "string"}}}}},
        }),
        &json!({}),
    );
    alike(&shared, &inline);
}

#[test]
fn components_of_other_names() {
    let a = with_schema(&json!({"$ref": "#/components/schemas/A"}), &json!({"schemas": {"A": {"type": "string"}}}));
    let b = with_schema(&json!({"$ref": "#/components/schemas/B"}), &json!({"schemas": {"B": {"type": "string"}}}));
    alike(&a, &b);
}

#[test]
fn recursion_unrolled_or_not() {
    let tree = |next: &str| json!({"type": "object", "properties": {"next": {"$ref": format!("#/components/schemas/{next}")}}});
    let once = with_schema(&json!({"$ref": "#/components/schemas/A"}), &json!({"schemas": {"A": tree("A")}}));
    let twice =
        with_schema(&json!({"$ref": "#/components/schemas/A"}), &json!({"schemas": {"A": tree("B"), "B": tree("A")}}));
    alike(&once, &twice);
}

#[test]
fn path_parameters_wherever_they_stand() {
    let parameter = json!({"name": "q", "in": "query", "schema": {}});
    let below = with_parameter(&parameter);
    let mut above = document(&json!({}), &json!({}));
    above["paths"]["/p"]["parameters"] = json!([parameter]);
    alike(&below, &above);
}

#[test]
fn prose_and_what_only_the_contract_has() {
    let plain = document(&json!({}), &json!({}));
    let mut changed = document(
        &json!({
            "summary": "s", "description": "d", "deprecated": true, "x-sunset": "2027-01-01", "x-max-body-bytes": 9,
            "externalDocs": {"url": "u"}, "servers": [{"url": "/"}],
            "responses": {"204": {"description": "e", "links": {"l": {"operationId": "op"}}}},
        }),
        &json!({"links": {"l": {"operationId": "op"}}, "examples": {"e": {"value": 1}}}),
    );
    changed["tags"] = json!([{"name": "a"}]);
    changed["servers"] = json!([{"url": "/"}]);
    changed["openapi"] = "3.1.1".into();
    changed["paths"]["/p"]["summary"] = "p".into();
    alike(&plain, &changed);
    let schema = json!({"title": "t", "description": "d", "example": 1, "examples": [1], "externalDocs": {"url": "u"}});
    schemas_alike(&json!({}), &schema);
}

/// utoipa writes these beside a `$ref`; the contract, where nothing may stand there, inside the schema.
#[test]
fn siblings_of_a_reference_in_the_code() {
    let contract = with_schema(&json!({"type": "string", "default": "a", "readOnly": true}), &json!({}));
    let generated = with_schema(
        &json!({"$ref": "#/components/schemas/A", "description": "d", "default": "a", "readOnly": true}),
        &json!({"schemas": {"A": {"type": "string"}}}),
    );
    let drifts = compare(&load_json(&contract).expect("a contract"), &generated);
    assert!(drifts.is_empty(), "{}", listed(&drifts));
    let other = with_schema(&json!({"type": "string", "default": "b", "readOnly": true}), &json!({}));
    let drift = crate::only_drift(&load_json(&other).expect("a contract"), &generated);
    assert_eq!((drift.contract, drift.code), (Some("b".into()), Some("a".into())));
}

#[test]
fn a_list_of_one_type_in_the_code() {
    let contract = load_json(&with_schema(&json!({"type": "string"}), &json!({}))).expect("a contract");
    assert!(compare(&contract, &with_schema(&json!({"type": ["string"]}), &json!({}))).is_empty());
    assert_eq!(compare(&contract, &with_schema(&json!({"type": ["string", "null"]}), &json!({}))).len(), 1);
}

#[test]
fn planned_operations_are_left_out() {
    let built = document(&json!({}), &json!({}));
    let mut planned = built.clone();
    planned["paths"]["/q"] = json!({"get": {
        "operationId": "later", "x-status": "planned", "security": [],
        "responses": {"200": {"description": "d", "content": {"a/b": {"schema": {"$ref": "#/components/schemas/Later"}}}}},
    }});
    planned["components"] = json!({"schemas": {"Later": {"type": "string"}}});
    let contract = load_json(&planned).expect("a contract");
    let drifts = compare(&contract, &built);
    assert!(drifts.is_empty(), "{}", listed(&drifts));
}
