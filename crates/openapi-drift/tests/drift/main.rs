//! Where the code differs from the contract, and the fixes.

mod check;
mod code_fixes;
mod compare;
mod contract_fixes;
mod mutation;
mod normal_form;
mod references;
mod safety;
mod size;
#[path = "../../../openapi-contract/tests/support.rs"]
mod support;

use openapi_contract::Contract;
use openapi_drift::{Drift, compare};
use serde_json::Value;

use support::library;

/// What utoipa would generate for code that keeps [`LIBRARY`]: everything but schemas inline, prose of its own.
const GENERATED: &str = include_str!("../../../openapi-contract/tests/fixtures/library.generated.json");

fn generated() -> Value {
    serde_json::from_str(GENERATED).expect("the fixture is JSON")
}

/// Drifts, one a line, for messages of failed tests.
fn listed(drifts: &[Drift]) -> String {
    drifts.iter().map(|drift| format!("{drift}\n")).collect()
}

/// The one drift between a contract and a spec.
#[track_caller]
fn only_drift(contract: &Contract, generated: &Value) -> Drift {
    let mut drifts = compare(contract, generated);
    assert_eq!(drifts.len(), 1, "wanted one drift, got:\n{}", listed(&drifts));
    drifts.remove(0)
}

#[test]
fn code_that_keeps_the_contract_does_not_drift() {
    let drifts = compare(&library(), &generated());
    assert!(drifts.is_empty(), "{}", listed(&drifts));
}
