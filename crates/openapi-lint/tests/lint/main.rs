//! Findings in contracts that load.

mod consistency;
mod enforceability;
#[path = "../../../openapi-contract/tests/support.rs"]
mod support;
mod usability;

use openapi_contract::{Contract, LoadError};
use serde_json::json;

/// Findings as `line:column message`, without the common prefix.
fn without_prefix(contract: &Contract, findings: &[LoadError], prefix: &str) -> Vec<String> {
    findings
        .iter()
        .map(|error| {
            assert_eq!(error.file, "openapi.yaml");
            assert!(contract.document().pointer(&error.pointer).is_some(), "{}", error.pointer);
            format!("{} {}", error.position, error.message.strip_prefix(prefix).expect("the common prefix"))
        })
        .collect()
}

/// Findings of consistency and enforceability and of the 3.0 form are reported together, in the order of the file.
#[test]
fn all_findings_are_reported_together() {
    let yaml = "\
openapi: 3.1.0
info: { title: T, version: 1.0.0 }
security: []
paths:
  /built:
    post:
      operationId: build
      x-deprecated-since: '2026-01-31'
      responses: { 204: { description: Built. } }
  /planned:
    get:
      operationId: plan
      x-status: planned
      requestBody: { content: { application/json: {} } }
      responses: { 204: { description: P. } }
";
    let errors = openapi_lint::lint(&support::load(yaml));
    let found: Vec<_> = errors.iter().map(|error| (error.position.line, error.pointer.as_str())).collect();
    assert_eq!(found, [(8, "/paths/~1built/post/x-deprecated-since"), (14, "/paths/~1planned/get/requestBody")]);
}

/// A value of some other type in the place of every node: the result does not matter, but it must not panic.
#[test]
fn no_document_makes_the_lint_panic() {
    let document = support::library().document().clone();
    let wrong = [json!(null), json!(true), json!(-1), json!(""), json!([]), json!({}), json!({"$ref": "#/paths"})];
    for (index, pointer) in support::pointers(&document).into_iter().enumerate() {
        let mut mutated = document.clone();
        if let Some(node) = mutated.pointer_mut(&pointer) {
            *node = wrong[index % wrong.len()].clone();
        }
        if let Ok(contract) = support::load_json(&mutated) {
            let _ = openapi_lint::lint(&contract);
        }
    }
}
