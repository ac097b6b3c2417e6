//! The proof that every node is compared: every node of both documents is removed, changed and renamed in turn.
//!
//! Each mutant must be refused by the loader or reported as a drift, at the right place. The survivors are listed below,
//! by hand, and each must be prose or drive the server.

use std::collections::BTreeSet;

use openapi_drift::compare;
use serde_json::Value;

use crate::support::{LIBRARY, chosen, is_thorough, library, load, load_json, mutants, pointers};
use crate::{generated, listed};

/// Whether `reported` is where a reader would look for a fault of `pointer`: above, below or beside it.
fn is_near(reported: &str, pointer: &str) -> bool {
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let beside = reported.rsplit_once('/').map_or("", |(parent, _)| parent) == parent;
    within(reported, pointer) || within(pointer, reported) || beside
}

/// Nodes of the contract that neither the loader nor the comparison reports, as `pointer/*` where all below is meant.
const SURVIVORS: &[&str] = &[
    // Prose.
    "/info/*",
    "/servers/*",
    "/tags/*",
    "/components/schemas/BookInput/description",
    "/components/schemas/BookInput/properties/title/description",
    "/components/schemas/Problem/properties/status/example",
    "/components/schemas/Shelf/description",
    "/components/headers/Link/description",
    "/components/responses/Problem/description",
    "/components/pathItems/Book/get/responses/200/description",
    "/paths/~1books/get/summary",
    "/paths/~1books/get/responses/200/description",
    "/paths/~1books/get/responses/200/content/application~1json/examples/*",
    "/paths/~1books/get/responses/200/headers/X-Total/description",
    "/paths/~1books/post/responses/201/description",
    "/paths/~1covers~1{id}/put/responses/204/description",
    // Drives the server.
    "/security/*",
    "/components/securitySchemes/*",
    "/paths/~1books/get/security",
    "/paths/~1books/get/responses/200/headers/X-Total/required",
    "/paths/~1books/post/x-max-body-bytes",
    "/components/schemas/BookInput/properties/title/x-pattern-description",
    "/paths/~1books/post/responses/201/links/*",
    "/paths/~1books/post/responses/201/headers/Location/required",
    "/paths/~1covers~1{id}/put/deprecated",
    "/paths/~1covers~1{id}/put/x-sunset",
    "/components/pathItems/Book/get/security/*",
    // Planned: not compared until it is built.
    "/paths/~1loans/*",
    "/components/schemas/Loan/*",
    // Says no more than leaving it out.
    "/components/parameters/Limit/required",
    "/components/schemas/BookList/properties/books/minItems",
    "/paths/~1books/get/parameters/1/style",
];

/// Which of the list `pointer` is, if any.
fn survivor(list: &[&'static str], pointer: &str) -> Option<&'static str> {
    list.iter().copied().find(|entry| match entry.strip_suffix("/*") {
        Some(above) => pointer == above || pointer.starts_with(&format!("{above}/")),
        None => pointer == *entry,
    })
}

#[test]
fn every_node_of_the_contract_counts() {
    let document = library().document().clone();
    let generated = generated();
    let mut survived = BTreeSet::new();
    let mut tried = 0;
    for pointer in chosen(pointers(&document)) {
        for (word, mutant) in mutants(&document, &pointer) {
            tried += 1;
            let said: Vec<(String, String)> = match load_json(&mutant) {
                Err(errors) => errors.iter().map(|error| (error.pointer.clone(), error.to_string())).collect(),
                Ok(contract) => compare(&contract, &generated)
                    .iter()
                    .map(|drift| {
                        // A reference to the wrong component shows inside the component.
                        let reference = drift.reference.as_ref().filter(|at| at.starts_with(&pointer));
                        (reference.unwrap_or(&drift.pointer).clone(), drift.to_string())
                    })
                    .collect(),
            };
            if said.is_empty() {
                let Some(entry) = survivor(SURVIVORS, &pointer) else {
                    panic!("{word} {pointer}: not reported");
                };
                survived.insert(entry);
                continue;
            }
            // A parameter is identified by its name, so a renamed one is reported where it is used.
            let used_by = |reported: &str| {
                let target = mutant.pointer(reported).and_then(|node| node.get("$ref")).and_then(Value::as_str);
                target.is_some_and(|target| pointer.starts_with(target.trim_start_matches('#')))
            };
            // What a path item's parameter lacks, its operations lack; what refers to a lost component is reported there.
            let near = said.iter().any(|(reported, text)| {
                let path_item = pointer.strip_prefix("/paths/").and_then(|rest| rest.split('/').next());
                is_near(reported, &pointer)
                    || used_by(reported)
                    || pointer.contains("/parameters") && path_item.is_some_and(|path| reported.contains(path))
                    || pointer.starts_with("/components/") && text.contains("does not exist")
                    || pointer.starts_with("/paths/~1loans") && text.contains("schemas → Loan")
                    || text.contains("no operation has the id")
                    || text.contains("is not declared")
                    || text.contains("`security` is missing")
            });
            let said: String = said.iter().map(|(_, text)| format!("{text}\n")).collect();
            assert!(near, "{word} {pointer}: reported elsewhere:\n{said}");
        }
    }
    assert!(tried > 100, "only {tried} mutants");
    if is_thorough() {
        assert!(tried > 1_000, "only {tried} mutants");
        let listed: BTreeSet<_> = SURVIVORS.iter().copied().collect();
        assert_eq!(survived, listed, "some listed survivors do not survive");
    }
}

/// Nodes of the generated spec that the comparison does not report.
const CODE_SURVIVORS: &[&str] = &["/info/*", "/openapi", "/components/securitySchemes/*"];

#[test]
fn every_node_of_the_code_counts() {
    let contract = library();
    let generated = generated();
    for pointer in chosen(pointers(&generated)) {
        let key = pointer.rsplit('/').next().expect("a key");
        let is_property = pointer.rsplit('/').nth(1) == Some("properties");
        for (word, mutant) in mutants(&generated, &pointer) {
            let drifts = compare(&contract, &mutant);
            if !drifts.is_empty() {
                continue;
            }
            let prose = key == "description" && !is_property;
            let default = matches!(
                (key, mutant.pointer(&pointer)),
                ("required", None) if pointer.contains("/parameters/") && generated.pointer(&pointer) == Some(&false.into())
            ) || matches!((key, word), ("minItems" | "style", "removed"));
            assert!(prose || default || survivor(CODE_SURVIVORS, &pointer).is_some(), "{word} {pointer}: not reported");
        }
    }
}

/// Every reference of the contract in turn refers to another component of its kind.
#[test]
fn every_reference_counts() {
    let document = library().document().clone();
    let generated = generated();
    for pointer in pointers(&document) {
        let Some(target) = document.pointer(&pointer).and_then(Value::as_str) else { continue };
        let Some((section, name)) = target.rsplit_once('/').filter(|_| pointer.ends_with("/$ref")) else { continue };
        let Some(components) = document.pointer(section.trim_start_matches('#')).and_then(Value::as_object) else {
            continue;
        };
        for other in components.keys().filter(|other| *other != name) {
            let mut mutant = document.clone();
            if let Some(node) = mutant.pointer_mut(&pointer) {
                *node = format!("{section}/{other}").into();
            }
            let Ok(contract) = load_json(&mutant) else { continue };
            let drifts = compare(&contract, &generated);
            let planned = pointer.contains("~1loans") || pointer.contains("/examples/");
            assert!(!drifts.is_empty() || planned, "{pointer} → {other}: not reported");
            // Between two components of the contract, the reference alone is wrong.
            if pointer.contains("/schema/") && !planned {
                let at: Vec<_> = drifts.iter().map(|drift| drift.pointer.as_str()).collect();
                assert!(
                    at.contains(&pointer.as_str()),
                    "{pointer} → {other}: reported elsewhere:\n{}",
                    listed(&drifts)
                );
            }
        }
    }
}

/// Every line of the YAML in turn is dropped: no drift is reported at a line that does not exist.
#[test]
fn positions_stay_inside_the_file() {
    let lines: Vec<&str> = LIBRARY.lines().collect();
    let generated = generated();
    for dropped in 0..lines.len() {
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|(index, _)| *index != dropped).map(|(_, line)| *line).collect();
        let text = kept.join("\n");
        let positions: Vec<_> = match openapi_contract::Contract::load("openapi.yaml", &text) {
            Ok(contract) => compare(&contract, &generated).iter().map(|drift| drift.position).collect(),
            Err(errors) => errors.iter().map(|error| error.position).collect(),
        };
        assert!(positions.iter().all(|at| at.line >= 1 && at.line <= kept.len() + 1 && at.column >= 1));
    }
    assert_eq!(load(LIBRARY).operations().len(), 5);
}
