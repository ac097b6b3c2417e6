//! Required names and the properties that an object may have.
//!
//! A schema is checked together with the schemas that it is composed of: a part of `allOf` may require what another part
//! describes, and an alternative what the whole describes.

use std::collections::HashSet;

use openapi_contract::Contract;
use openapi_contract::fields::items;
use openapi_contract::nodes::Node;
use openapi_contract::pointer::join;
use openapi_contract::suggestions::did_you_mean;
use serde_json::Value;

use crate::composition::{Part, parts};
use crate::findings::Findings;

/// The pointers of the schemas that are parts of others, and need not be complete.
pub(super) fn parts_of_others(contract: &Contract, nodes: &[Node<'_>]) -> HashSet<String> {
    let mut all = HashSet::new();
    for Node { value, at, .. } in nodes {
        all.extend(value.get("not").map(|refused| contract.follow(refused, join(at, "not")).1));
        all.extend(Part { value, at: at.clone(), always: true }.inner(contract).map(|part| part.at));
    }
    all
}

pub(super) fn check(findings: &mut Findings<'_>, Node { value, at, .. }: &Node<'_>) {
    let parts = parts(findings.contract, value, at);
    let properties = parts.iter().filter_map(|part| part.value.get("properties")?.as_object());
    let known: HashSet<&str> = properties.flat_map(|names| names.keys()).map(String::as_str).collect();
    let others = |part: &Part<'_>| part.value.get("additionalProperties").map(|others| *others != Value::Bool(false));
    // A schema that accepts other properties, or names none, may require any name.
    let is_complete = !known.is_empty() && !parts.iter().any(|part| others(part) == Some(true));
    for part in &parts {
        for (index, name) in items(part.value, "required") {
            let Some(name) = name.as_str() else { continue };
            let refuses = |other: &&Part<'_>| {
                let has_property = other.value.get("properties").is_some_and(|known| known.get(name).is_some());
                others(other) == Some(false) && (other.always || other.at == part.at) && !has_property
            };
            let near = did_you_mean(name, known.iter().copied());
            let message = match parts.iter().find(refuses) {
                Some(closed) if closed.at == part.at => format!(
                    "no object is valid: `{name}` is required, but not in `properties`, and `additionalProperties` is false{near}"
                ),
                Some(closed) => {
                    let position = findings.errors.position(&join(&closed.at, "additionalProperties"));
                    format!(
                        "no object is valid: `{name}` is required, but refused by `additionalProperties: false` at {position}"
                    )
                }
                None if is_complete && !known.contains(name) => {
                    format!("`{name}` is required, but not in `properties`{near}")
                }
                None => continue,
            };
            findings.add(join(&join(&part.at, "required"), &index), message);
        }
    }
}
