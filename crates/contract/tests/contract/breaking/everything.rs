//! Nothing passes unread: every node of a contract with every construct is removed, renamed and changed in turn, and each
//! time something is told.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{between, read};
use crate::mutation::{mutants, pointers};
use crate::{LIBRARY, chosen, is_thorough, load_json};

/// Mutants that mean what the library means, and why.
const SURVIVORS: &[(&str, &str)] = &[
    ("changed /info/version", "the version follows from the changes"),
    ("removed /components/parameters/Limit/required", "it is the default"),
    ("removed /components/schemas/Book/allOf/1/type", "the other schema of `allOf` says it too"),
    ("removed /components/schemas/BookList/properties/books/minItems", "no list has less than nothing"),
    ("removed /components/schemas/NewBook/properties/kind/type", "the listed values are all strings"),
    ("removed /paths/~1books/get/parameters/1/style", "it is the default"),
    ("removed /servers", "none named is `/`"),
    ("removed /servers/0", "none named is `/`"),
];

#[test]
fn every_mutant_is_told() {
    let library = read("library.yaml", LIBRARY).document().clone();
    assert!(between(&library, &library).is_empty());
    let (mut killed, mut survivors) = (0, BTreeSet::new());
    for pointer in chosen(pointers(&library)) {
        for (word, mutant) in mutants(&library, &pointer) {
            if !between(&library, &mutant).is_empty() {
                killed += 1;
            } else if load_json(&mutant).is_ok() {
                survivors.insert(format!("{word} {pointer}"));
            }
        }
    }
    println!("{killed} mutants of {} told", killed + survivors.len());
    assert!(killed > 100, "only {killed} mutants");
    let expected: BTreeSet<String> = SURVIVORS.iter().map(|(mutant, _)| (*mutant).to_owned()).collect();
    let unexpected: Vec<_> = survivors.difference(&expected).collect();
    assert!(unexpected.is_empty(), "nobody noticed: {unexpected:#?}");
    if is_thorough() {
        assert_eq!(survivors, expected);
    }
}

/// The time of the answer grows with the documents, not with their square: that would take minutes here.
#[test]
fn large_documents_are_compared() {
    let many = if is_thorough() { 10_000 } else { 2_000 };
    let names = |from: usize| (from..from + many).map(|index| format!("v{index}"));
    let document = |schema: Value, path: &str| {
        let operation =
            json!({"operationId": "o", "responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let paths = names(0).map(|name| (format!("/{name}/{path}"), json!({"get": operation})));
        json!({"openapi": "3.1.0", "paths": paths.take(500).collect::<serde_json::Map<_, _>>()})
    };
    let variants = |from| names(from).take(many / 10).map(|name| json!({"required": [name], "properties": {"a": {}}}));
    for (name, old, new) in [
        ("values", json!({"enum": names(0).collect::<Vec<_>>()}), json!({"enum": names(5).collect::<Vec<_>>()})),
        (
            "alternatives",
            json!({"oneOf": variants(0).collect::<Vec<_>>()}),
            json!({"oneOf": variants(5).collect::<Vec<_>>()}),
        ),
    ] {
        let refers = json!({"$ref": "#/components/schemas/Big"});
        let [old, new] = [(old, "{a}"), (new, "{b}")].map(|(schema, path)| {
            let mut document = document(refers.clone(), path);
            document["components"] = json!({"schemas": {"Big": schema}});
            document
        });
        let changes = between(&old, &new);
        assert!(changes.len() >= 10, "{name}");
    }
}
