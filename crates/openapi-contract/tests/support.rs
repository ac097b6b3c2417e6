//! Helpers for the tests of the contract crates: a contract with every construct of the subset, and ways to change it.

#![allow(dead_code, reason = "no crate's tests need all of it")]

use openapi_contract::{Contract, LoadError};
use serde_json::Value;

/// A contract with every construct that the subset has.
pub(crate) const LIBRARY: &str = include_str!("fixtures/library.yaml");

/// Whether to try everything, as `scripts/mutation-test` does, or a sample that takes seconds without optimisation.
#[expect(clippy::disallowed_methods, reason = "how thorough a test is; no setting of the server")]
pub(crate) fn is_thorough() -> bool {
    std::env::var_os("ALL_MUTATIONS").is_some()
}

/// All items, or every seventh: a prime number, so that the sample has every kind.
pub(crate) fn chosen<T>(all: Vec<T>) -> impl Iterator<Item = T> {
    all.into_iter().step_by(if is_thorough() { 1 } else { 7 })
}

pub(crate) fn library() -> Contract {
    load(LIBRARY)
}

/// Loads a contract that must be valid.
#[track_caller]
pub(crate) fn load(yaml: &str) -> Contract {
    Contract::load("openapi.yaml", yaml).unwrap_or_else(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("not a contract:\n{}", errors.join("\n"))
    })
}

/// A contract whose document is this one: JSON is YAML.
pub(crate) fn load_json(document: &Value) -> Result<Contract, Vec<LoadError>> {
    Contract::load("openapi.yaml", &document.to_string())
}

/// Asserts that one replacement in a text causes exactly one message, which starts like this.
#[track_caller]
pub(crate) fn only_message(
    yaml: &str,
    (from, to): (&str, &str),
    expected: &str,
    messages: impl Fn(&str) -> Vec<String>,
) {
    assert_eq!(yaml.matches(from).count(), 1, "`{from}` must occur once");
    let found = messages(&yaml.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "expected: {expected}\n   found: {}", found[0]);
}

/// The pointers of every node but the root.
pub(crate) fn pointers(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![(String::new(), document)];
    while let Some((pointer, value)) = next.pop() {
        let join = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::Object(members) => next.extend(members.iter().map(|(key, member)| (join(key), member))),
            Value::Array(items) => {
                next.extend(items.iter().enumerate().map(|(index, item)| (join(&index.to_string()), item)));
            }
            _ => {}
        }
        if !pointer.is_empty() {
            found.push(pointer);
        }
    }
    found.sort();
    found
}

/// Every mutation of the node at `pointer`, each with its name.
pub(crate) fn mutants(document: &Value, pointer: &str) -> Vec<(&'static str, Value)> {
    let (parent, key) = pointer.rsplit_once('/').expect("not the root");
    let key = key.replace("~1", "/").replace("~0", "~");
    let mut mutants = Vec::new();
    let mut mutate = |word, change: &dyn Fn(&mut Value) -> Option<()>| {
        let mut mutant = document.clone();
        if change(&mut mutant).is_some() {
            mutants.push((word, mutant));
        }
    };
    mutate("removed", &|mutant| match mutant.pointer_mut(parent)? {
        Value::Object(members) => members.remove(&key).map(drop),
        Value::Array(items) => key.parse().ok().map(|index: usize| drop(items.remove(index))),
        _ => None,
    });
    mutate("renamed", &|mutant| {
        let members = mutant.pointer_mut(parent)?.as_object_mut()?;
        let value = members.remove(&key)?;
        members.insert(format!("{key}Q"), value);
        Some(())
    });
    mutate("changed", &|mutant| {
        let node = mutant.pointer_mut(pointer)?;
        *node = match node {
            Value::Null => Value::from(1),
            Value::Bool(flag) => Value::from(!*flag),
            Value::Number(number) => Value::from(number.as_f64()? + 1.0),
            Value::String(text) => Value::from(format!("{text}Q")),
            Value::Array(_) | Value::Object(_) => Value::from("another thing"),
        };
        Some(())
    });
    // Whole numbers stay whole: the loader refuses a count with a fraction.
    mutate("stepped", &|mutant| {
        let node = mutant.pointer_mut(pointer)?;
        *node = Value::from(node.as_u64()? + 1);
        Some(())
    });
    mutants
}
