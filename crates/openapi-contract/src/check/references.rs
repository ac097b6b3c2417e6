//! Follows every `$ref`.

use std::collections::HashMap;

use serde_json::Value;

use super::structure::{Structure, nearest};
use super::{Faults, Profile};
use crate::Kind;
use crate::pointer::{self, MAX_HOPS, join, local};

pub(super) fn check(document: &Value, structure: &Structure<'_>, profile: Profile, faults: &mut Faults<'_>) {
    for (at, kind, target) in &structure.references {
        // A document may have parts in other files, and schemas that are known by anchors.
        if profile == Profile::Standard && local(target).is_none() {
            continue;
        }
        if let Err(message) = follow(document, structure, (at, *kind, target), profile) {
            faults.add(&join(at, "$ref"), message);
        }
    }
    mappings(document, &structure.nodes, faults);
}

fn follow(
    document: &Value,
    structure: &Structure<'_>,
    (at, kind, target): (&str, Kind, &str),
    profile: Profile,
) -> Result<(), String> {
    let Some(pointer) = local(target) else {
        return Err(format!("`{target}` is not in this file: refer to `#/components/…`"));
    };
    if pointer::find(document, &pointer).is_none() {
        return Err(format!("`{target}` does not exist{}", meant(structure, kind, &pointer)));
    }
    match structure.nodes.get(&pointer) {
        // A validator is handed `components/schemas` and nothing else of the document.
        Some((Kind::Schema, _))
            if kind == Kind::Schema
                && profile == Profile::Supported
                && !pointer.starts_with("/components/schemas/") =>
        {
            Err(format!("`{target}` is not under `#/components/schemas/`"))
        }
        Some((found, _)) if *found == kind => chain(document, at, target),
        Some((found, _)) => Err(format!("`{target}` is {found}; {kind} is needed here")),
        None if profile == Profile::Standard => chain(document, at, target),
        None => Err(format!("`{target}` is not {kind}")),
    }
}

/// What a reference that leads nowhere may have meant: a component of the kind that is needed, of nearly this name.
fn meant(structure: &Structure<'_>, kind: Kind, pointer: &str) -> String {
    let fits = |(at, (found, _)): &(&String, &(Kind, &Value))| *found == kind && at.starts_with("/components/");
    let known = structure.nodes.iter().filter(fits).map(|(at, _)| at.as_str()).filter(|at| at.split('/').count() == 4);
    // The order of a map is not the same twice.
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let same_name = |at: &&&str| at.rsplit('/').next() == pointer.rsplit('/').next();
    let near = known.iter().find(same_name).copied().or_else(|| nearest(pointer, known.iter().copied()));
    near.map_or_else(String::new, |near| format!(": did you mean `#{near}`?"))
}

/// Follows the references from `at` on: whoever reads the contract must come to their end.
fn chain(document: &Value, at: &str, target: &str) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    while let Some(reference) =
        pointer::find(document, seen.last().map_or(at, String::as_str)).and_then(pointer::reference)
    {
        match local(reference) {
            Some(next) if next == at => return Err(format!("`{target}` leads back to itself")),
            // Those on the circle are told that they are.
            Some(next) if seen.contains(&next) => return Ok(()),
            _ if seen.len() == MAX_HOPS => {
                return Err(format!("`{target}` leads on to more than {MAX_HOPS} references in a row"));
            }
            Some(next) => seen.push(next),
            // The fault is further on, and is told there.
            None => return Ok(()),
        }
    }
    Ok(())
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
            if pointer::find(document, &pointer).is_none() {
                faults.add(&join(&join(at, "mapping"), name), format!("`{target}` does not exist"));
            }
        }
    }
}
