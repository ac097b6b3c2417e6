//! Contradictions inside a contract: bounds that no value satisfies, required names that no object may have, values that
//! their own schema rejects.
//!
//! A contract with contradictions can still be compared, so the loader accepts it and drifts are still reported.
//!
//! `schemas` compares the keywords of each schema with each other and `required` its names with its properties; `values`
//! finds every default, example and enum value and `validators` validates it; `objects` checks links, servers and
//! mutually exclusive members.

mod objects;
mod required;
mod schemas;
mod validators;
mod values;

use openapi_contract::nodes::nodes;
use openapi_contract::{Code, Contract, Kind, LoadError, Profile};

use crate::findings::Findings;

/// Every contradiction of a contract, in the order of the file.
pub fn contradictions(contract: &Contract) -> Vec<LoadError> {
    let nodes = nodes(contract.document(), Profile::Supported);
    let mut findings = Findings::new(contract, Code::Inconsistent, "");
    let parts = required::parts_of_others(contract, &nodes);
    for node in nodes.iter().filter(|node| !node.is_reference()) {
        if node.kind != Kind::Schema {
            objects::check(&mut findings, node);
            continue;
        }
        schemas::check(&mut findings, node);
        if !parts.contains(&node.at) {
            required::check(&mut findings, node);
        }
    }
    values::check(&mut findings, &nodes);
    findings.finish()
}
