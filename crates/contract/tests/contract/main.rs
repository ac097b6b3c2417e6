//! What a contract is, what it says, and what the differ sees: one binary, one module per question.

mod breaking;
mod compiled;
mod contradictions;
mod drift;
mod enforce;
mod fixit;
mod inspection;
mod load;
mod mutation;
mod normal_form;
mod openapi_3_0;
mod operations;
mod projection;
mod size;

use contract::{Contract, Drift, diff};
use serde_json::Value;

/// A contract with every construct that the subset has.
const LIBRARY: &str = include_str!("fixtures/library.yaml");

/// Whether everything is tried, as `scripts/mutation-test` asks for, or a part that takes seconds without optimisation.
#[expect(clippy::disallowed_methods, reason = "a test is told how thorough to be; no setting of the server")]
fn is_thorough() -> bool {
    std::env::var_os("ALL_MUTATIONS").is_some()
}

/// All of them, or a part. Each seventh: a prime, so that no kind is passed over for good.
fn chosen<T>(all: Vec<T>) -> impl Iterator<Item = T> {
    all.into_iter().step_by(if is_thorough() { 1 } else { 7 })
}

/// What utoipa would generate for code that keeps [`LIBRARY`]: everything but schemas inline, prose of its own.
const GENERATED: &str = include_str!("fixtures/library.generated.json");

fn library() -> Contract {
    load(LIBRARY)
}

fn generated() -> Value {
    serde_json::from_str(GENERATED).expect("the fixture is JSON")
}

/// Loads a contract that must be sound.
#[track_caller]
fn load(yaml: &str) -> Contract {
    Contract::load("openapi.yaml", yaml).unwrap_or_else(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("not a contract:\n{}", errors.join("\n"))
    })
}

/// A contract whose document is this one. JSON is YAML, so the reader takes it as it is.
fn load_json(document: &Value) -> Result<Contract, Vec<contract::LoadError>> {
    Contract::load("openapi.yaml", &document.to_string())
}

/// Asserts that one replacement in a text makes exactly one message, which starts like this.
#[track_caller]
fn only_message(yaml: &str, (from, to): (&str, &str), expected: &str, messages: impl Fn(&str) -> Vec<String>) {
    assert_eq!(yaml.matches(from).count(), 1, "`{from}` must occur once");
    let found = messages(&yaml.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "expected: {expected}\n   found: {}", found[0]);
}

/// Drifts as they are told, for messages of failed tests.
fn told(drifts: &[Drift]) -> String {
    drifts.iter().map(|drift| format!("{drift}\n")).collect()
}

/// The one drift between a contract and a spec.
#[track_caller]
fn only_drift(contract: &Contract, generated: &Value) -> Drift {
    let mut drifts = diff(contract, generated);
    assert_eq!(drifts.len(), 1, "wanted one drift, got:\n{}", told(&drifts));
    drifts.remove(0)
}

#[test]
fn code_that_keeps_the_contract_does_not_drift() {
    let drifts = diff(&library(), &generated());
    assert!(drifts.is_empty(), "{}", told(&drifts));
}
