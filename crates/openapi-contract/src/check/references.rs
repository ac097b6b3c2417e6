//! Follows every `$ref`.

use serde_json::Value;

use super::errors::Errors;
use super::structure::Structure;
use crate::error::Code;
use crate::kind::Kind;
use crate::pointer::{self, MAX_HOPS, join, local};
use crate::profile::Profile;
use crate::suggestions::nearest;

type Refusal = (Code, String);

pub(super) fn check(document: &Value, structure: &Structure<'_>, profile: Profile, errors: &mut Errors<'_>) {
    for (at, kind, target) in &structure.references {
        if let Err((code, message)) = follow(document, structure, (at, *kind, target), profile) {
            errors.add(code, &join(at, "$ref"), message);
        }
    }
    mappings(document, structure, errors);
}

fn follow(
    document: &Value,
    structure: &Structure<'_>,
    (at, kind, target): (&str, Option<Kind>, &str),
    profile: Profile,
) -> Result<(), Refusal> {
    let invalid = |message| Err((Code::Invalid, message));
    let unsupported = |message| Err((Code::Unsupported, message));
    let Some(pointer) = local(target) else {
        return unsupported(match profile {
            Profile::Supported => format!("`{target}` is not in this file: refer to `#/components/…`"),
            Profile::Standard if target.starts_with('#') => {
                format!("`{target}` is not a JSON pointer: anchors are not followed; refer to `#/…`")
            }
            Profile::Standard => {
                format!("`{target}` is not in this file: bundle the document into one file first")
            }
        });
    };
    if pointer::find(document, &pointer).is_none() {
        return invalid(format!("`{target}` does not exist{}", suggestion(structure, kind, &pointer)));
    }
    match (kind, structure.nodes.get(&pointer)) {
        // A validator is compiled from `components/schemas` only.
        (Some(Kind::Schema), Some((Kind::Schema, _)))
            if profile == Profile::Supported && !pointer.starts_with("/components/schemas/") =>
        {
            unsupported(format!("`{target}` is not under `#/components/schemas/`"))
        }
        (Some(kind), Some((found, _))) if *found != kind => invalid(format!("`{target}` is {found}; expected {kind}")),
        (Some(kind), None) if profile == Profile::Supported => invalid(format!("`{target}` is not {kind}")),
        _ => chain(document, at, target),
    }
}

/// The component that a wrong reference probably means: of the expected kind, with the same name or nearly the same
/// pointer.
fn suggestion(structure: &Structure<'_>, kind: Option<Kind>, pointer: &str) -> String {
    let known = structure.nodes.iter().filter(|(at, (found, _))| Some(*found) == kind && is_component(at));
    let mut known: Vec<&str> = known.map(|(at, _)| at.as_str()).collect();
    // The order of a hash map differs from run to run.
    known.sort_unstable();
    let same_name = |at: &&&str| at.rsplit('/').next() == pointer.rsplit('/').next();
    let near = known.iter().find(same_name).copied().or_else(|| nearest(pointer, known.iter().copied()));
    near.map_or_else(String::new, |near| format!(": did you mean `#{near}`?"))
}

fn is_component(pointer: &str) -> bool {
    pointer.starts_with("/components/") && pointer.split('/').count() == 4
}

/// Follows the references from `at` on, which must end.
fn chain(document: &Value, at: &str, target: &str) -> Result<(), Refusal> {
    let mut seen: Vec<String> = Vec::new();
    while let Some(reference) =
        pointer::find(document, seen.last().map_or(at, String::as_str)).and_then(pointer::reference)
    {
        match local(reference) {
            Some(next) if next == at => {
                return Err((Code::Invalid, format!("`{target}` is a reference to itself")));
            }
            // Each reference of the cycle is an error of its own.
            Some(next) if seen.contains(&next) => return Ok(()),
            _ if seen.len() == MAX_HOPS => {
                let message = format!("`{target}` leads to more than {MAX_HOPS} references in a row");
                return Err((Code::Unsupported, message));
            }
            Some(next) => seen.push(next),
            // The error is further on, and reported there.
            None => return Ok(()),
        }
    }
    Ok(())
}

/// A discriminator's mapping names schemas, by reference or by the name of a component.
fn mappings(document: &Value, structure: &Structure<'_>, errors: &mut Errors<'_>) {
    for (at, (kind, value)) in &structure.nodes {
        let mapping = value.get("mapping").filter(|_| *kind == Kind::Discriminator);
        for (name, target) in mapping.and_then(Value::as_object).into_iter().flatten() {
            let Some(target) = target.as_str() else { continue };
            let pointer = local(target).unwrap_or_else(|| join("/components/schemas", target));
            if pointer::find(document, &pointer).is_none() {
                errors.invalid(&join(&join(at, "mapping"), name), format!("`{target}` does not exist"));
            }
        }
    }
}
