//! Follows every `$ref`.

use std::collections::HashMap;

use serde_json::Value;

use super::Faults;
use super::structure::Structure;
use crate::Kind;
use crate::pointer::{self, join, local};

pub(super) fn check(document: &Value, structure: &Structure<'_>, faults: &mut Faults<'_>) {
    for (at, kind, target) in &structure.references {
        if let Err(message) = follow(document, structure, at, *kind, target) {
            faults.add(&join(at, "$ref"), message);
        }
    }
    mappings(document, &structure.nodes, faults);
}

fn follow(document: &Value, structure: &Structure<'_>, at: &str, kind: Kind, target: &str) -> Result<(), String> {
    let Some(pointer) = local(target) else {
        return Err(format!("`{target}` is not in this file: refer to `#/components/…`"));
    };
    let Some(value) = document.pointer(&pointer) else {
        return Err(format!("`{target}` does not exist"));
    };
    match structure.nodes.get(&pointer) {
        // A validator is handed `components/schemas` and nothing else of the document.
        Some((Kind::Schema, _)) if kind == Kind::Schema && !pointer.starts_with("/components/schemas/") => {
            Err(format!("`{target}` is not under `#/components/schemas/`"))
        }
        Some((found, _)) if *found == kind => match pointer::resolve(document, value, pointer) {
            Some(_) => Ok(()),
            None if reaches_itself(document, at) => Err(format!("`{target}` leads back to itself")),
            // The fault is further on, and is told there.
            None => Ok(()),
        },
        Some((found, _)) => Err(format!("`{target}` is {found}; {kind} is needed here")),
        None => Err(format!("`{target}` is not {kind}")),
    }
}

/// Whether following the reference at `at` comes back to it.
fn reaches_itself(document: &Value, at: &str) -> bool {
    let mut pointer = at.to_owned();
    for _ in 0..pointer::MAX_HOPS {
        let next = document.pointer(&pointer).and_then(pointer::reference).and_then(local);
        match next {
            Some(next) if next == at => return true,
            Some(next) => pointer = next,
            None => return false,
        }
    }
    // Too long a way to tell: refused like a circle.
    true
}

/// A discriminator's mapping names schemas, either by reference or by the last part of one.
fn mappings(document: &Value, nodes: &HashMap<String, (Kind, &Value)>, faults: &mut Faults<'_>) {
    for (at, (kind, value)) in nodes {
        let Some(mapping) = value.get("mapping").and_then(Value::as_object) else { continue };
        if *kind != Kind::Discriminator {
            continue;
        }
        for (name, target) in mapping {
            let Some(target) = target.as_str() else { continue };
            let pointer = match local(target) {
                Some(pointer) => pointer,
                None => join("/components/schemas", target),
            };
            if document.pointer(&pointer).is_none() {
                faults.add(&join(&join(at, "mapping"), name), format!("`{target}` does not exist"));
            }
        }
    }
}
