//! The artifacts that the build writes for the server.

use openapi_contract::{Artifacts, OperationTable};
use serde_json::{Value, json};

use crate::support::{library, load};

const YAML: &str = "\
openapi: 3.1.0
info: { title: T, version: 1.0.0 }
security: []
paths:
  /built:
    post:
      operationId: build
      deprecated: true
      x-deprecated-since: '2026-01-31'
      x-sunset: '2027-01-31T00:00:00Z'
      x-max-body-bytes: 1.0e+3
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Alias' } } } }
      responses: { 204: { description: Built., headers: { X-A: { required: true, schema: { type: string } } } } }
  # Next year.
  /planned:
    get:
      operationId: plan
      x-status: planned
      responses: { 200: { description: P., content: { application/json: { schema: { $ref: '#/components/schemas/Plan' } } } } }
components:
  schemas:
    Alias: { $ref: '#/components/schemas/Thing' }
    Thing: { type: object }
    Plan: { type: object }
";

fn compiled() -> Artifacts {
    Artifacts::of(&load(YAML)).expect("compiles")
}

#[test]
fn planned_operations_are_not_served() {
    let compiled = compiled();
    for (name, text) in compiled.files() {
        assert!(!text.contains("lan"), "{name} contains a planned operation: {text}");
    }
    assert!(compiled.yaml.contains("/built:") && !compiled.yaml.contains("Next year"));
    assert_eq!(compiled.json, load(&compiled.yaml).to_json());
    assert_eq!(compiled.json_3_0.lines().nth(1), Some("  \"openapi\": \"3.0.3\","));
    assert_eq!(OperationTable::of(&load(YAML)).operations, compiled.table.operations);
}

#[test]
fn the_table_is_the_same_after_writing_and_reading() {
    for table in [compiled().table, OperationTable::of(&library())] {
        let text = serde_json::to_string(&table).expect("is JSON");
        assert_eq!(serde_json::from_str::<OperationTable>(&text).expect("is a table"), table);
    }
    let files = compiled().files().map(|(_, text)| &*text.into_owned().leak());
    assert_eq!(Artifacts::from_files(files).expect("is a compiled contract").table, compiled().table);
    assert!(Artifacts::from_files(["", "", "", "{}"]).is_err());
}

#[test]
fn the_table_has_the_properties_of_each_operation() {
    let operation = compiled().table.operations.remove(0);
    let said = json!({
        "id": operation.id, "method": operation.method, "path": operation.path,
        "max": operation.max_body_bytes, "since": operation.deprecated_since, "sunset": operation.sunset_at,
        "statuses": operation.responses.keys().collect::<Vec<_>>(),
    });
    let expected = json!({
        "id": "build", "method": "POST", "path": "/built",
        "max": 1000, "since": 1_769_817_600, "sunset": 1_801_353_600, "statuses": [204],
    });
    assert_eq!(said, expected);
}

#[test]
fn references_of_the_table_resolve() {
    let table = compiled().table;
    let body = table.operations[0].body.as_ref().expect("a body");
    let schema = &body.content["application/json"];
    assert_eq!(table.resolve(schema), &json!({ "type": "object" }));
    assert_eq!(table.standalone_schema(schema)["components"]["schemas"]["Thing"], json!({ "type": "object" }));
    for lost in [json!({"$ref": "#/nowhere"}), json!({"$ref": "#/components/schemas/No"}), json!(1), Value::Null] {
        assert_eq!(table.resolve(&lost), &lost);
    }
}
