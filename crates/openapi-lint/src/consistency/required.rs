//! Required names and the properties that an object may have.
//!
//! A schema is checked together with the schemas that it is composed of: a part of `allOf` may require what another part
//! describes, and an alternative what the whole describes.

use std::collections::HashSet;

use openapi_contract::Contract;
use openapi_contract::nodes::Node;
use openapi_contract::pointer::join;
use openapi_contract::suggestions::did_you_mean;
use serde_json::Value;

use crate::findings::{Findings, items};

const COMPOSITION: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The pointers of the schemas that are parts of others, and need not be complete.
pub(super) fn parts_of_others(contract: &Contract, nodes: &[Node<'_>]) -> HashSet<String> {
    let mut parts = HashSet::new();
    for Node { value, at, .. } in nodes {
        if let Some(refused) = value.get("not") {
            parts.insert(contract.follow(refused, join(at, "not")).1);
        }
        for key in COMPOSITION {
            let inner = items(value, key).map(|(index, part)| (part, join(&join(at, key), &index)));
            parts.extend(inner.map(|(part, at)| contract.follow(part, at).1));
        }
    }
    parts
}

/// A schema that another one is composed of.
struct Part<'a> {
    value: &'a Value,
    at: String,
    /// Whether it applies to every object, not only to an alternative.
    always: bool,
}

impl<'a> Part<'a> {
    fn has_property(&self, name: &str) -> bool {
        self.value.get("properties").is_some_and(|properties| properties.get(name).is_some())
    }

    /// `additionalProperties` is present, and `false` or not.
    fn is_closed(&self) -> Option<bool> {
        self.value.get("additionalProperties").map(|others| *others == Value::Bool(false))
    }
}

pub(super) fn check(findings: &mut Findings<'_>, Node { value, at, .. }: &Node<'_>) {
    let parts = parts(findings.contract, value, at);
    let properties = parts.iter().filter_map(|part| part.value.get("properties")?.as_object());
    let known: HashSet<&str> = properties.flat_map(|names| names.keys()).map(String::as_str).collect();
    // A schema that accepts other properties, or names none, may require any name.
    let is_complete = !known.is_empty() && !parts.iter().any(|part| part.is_closed() == Some(false));
    for part in &parts {
        for (index, name) in items(part.value, "required") {
            let Some(name) = name.as_str() else { continue };
            let here = join(&join(&part.at, "required"), &index);
            let refuses = |other: &&Part<'_>| {
                other.is_closed() == Some(true) && (other.always || other.at == part.at) && !other.has_property(name)
            };
            let near = did_you_mean(name, known.iter().copied());
            match parts.iter().find(refuses) {
                Some(closed) if closed.at == part.at => findings.add(
                    here,
                    format!("no object is valid: `{name}` is required, but not in `properties`, and `additionalProperties` is false{near}"),
                ),
                Some(closed) => {
                    let position = findings.contract.nearest_position(&join(&closed.at, "additionalProperties"));
                    findings.add(
                        here,
                        format!("no object is valid: `{name}` is required, but refused by `additionalProperties: false` at {position}"),
                    );
                }
                None if is_complete && !known.contains(name) => {
                    findings.add(here, format!("`{name}` is required, but not in `properties`{near}"));
                }
                None => {}
            }
        }
    }
}

/// A schema and the schemas that it is composed of, references followed, each once.
fn parts<'a>(contract: &'a Contract, schema: &'a Value, at: &str) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut seen = HashSet::new();
    let mut next = vec![Part { value: schema, at: at.to_owned(), always: true }];
    while let Some(part) = next.pop() {
        if !seen.insert(part.at.clone()) {
            continue;
        }
        for key in COMPOSITION {
            for (index, inner) in items(part.value, key) {
                let (value, at) = contract.follow(inner, join(&join(&part.at, key), &index));
                next.push(Part { value, at, always: part.always && key == "allOf" });
            }
        }
        parts.push(part);
    }
    parts
}
