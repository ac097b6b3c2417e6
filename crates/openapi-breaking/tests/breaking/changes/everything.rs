//! No difference passes unreported: every node of a document with every construct is removed, renamed and changed in turn,
//! and each mutant must be reported.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{EVERYTHING, between, read};
use crate::support::{LIBRARY, chosen, is_thorough, load_json};
use crate::support::{mutants, pointers};

/// Mutants that mean the same as the library, and why.
const SURVIVORS: &[(&str, &str)] = &[
    ("changed /info/version", "the changes determine the version"),
    ("removed /paths/~1books/get/parameters/1/style", "it is the default"),
];

/// Mutants that mean the same as [`EVERYTHING`], and why.
const SYNONYMS: &[(&str, &str)] = &[
    ("changed /info/version", "the changes determine the version"),
    ("changed /paths/~1things/get/security/0", "a value that is no object requires nothing, like `{}`"),
    ("changed /paths/~1things/get/security/1/key", NO_SCOPES),
    ("changed /paths/~1things/get/security/2/key", NO_SCOPES),
    ("changed /paths/~1things/post/security/2/key", NO_SCOPES),
    ("changed /paths/~1uploads/put/security", "a value that is no list lists nothing, like `[]`"),
    ("removed /info/version", "the changes determine the version"),
];

const NO_SCOPES: &str = "a value that is no list has no scopes, like `[]`";

#[test]
fn every_mutant_is_reported() {
    let library = read("library.yaml", LIBRARY).document().clone();
    let (reported, survivors) = survivors(&library, &|mutant| load_json(mutant).is_ok(), &mutants);
    assert!(reported > 100, "only {reported} mutants");
    only_expected(&survivors, SURVIVORS);
}

/// The old release may use what the supported subset excludes.
#[test]
fn every_mutant_outside_the_supported_subset_is_reported() {
    let everything = read("everything.yaml", EVERYTHING).document().clone();
    let (reported, survivors) = survivors(&everything, &|_| true, &|document, pointer| {
        let mut all = mutants(document, pointer);
        all.extend(grown(document, pointer));
        all
    });
    assert!(reported > 500, "only {reported} mutants");
    only_expected(&survivors, SYNONYMS);
}

/// Every mutation of a node, with a name.
type Mutate<'s> = &'s dyn Fn(&Value, &str) -> Vec<(&'static str, Value)>;

/// The number of mutants that were reported, and those that were not, of the mutants that count.
fn survivors(document: &Value, counts: &dyn Fn(&Value) -> bool, mutate: Mutate<'_>) -> (usize, BTreeSet<String>) {
    assert!(between(document, document).is_empty());
    let (mut reported, mut survivors) = (0, BTreeSet::new());
    for pointer in chosen(pointers(document)) {
        for (word, mutant) in mutate(document, &pointer) {
            // What is added in one direction is removed in the other.
            for changes in [between(document, &mutant), between(&mutant, document)] {
                if !changes.is_empty() {
                    reported += 1;
                } else if counts(&mutant) {
                    survivors.insert(format!("{word} {pointer}"));
                }
            }
        }
    }
    println!("{reported} comparisons report a mutant, {} mutants mean the same", survivors.len());
    (reported, survivors)
}

fn only_expected(survivors: &BTreeSet<String>, list: &[(&str, &str)]) {
    let expected: BTreeSet<String> = list.iter().map(|(mutant, _)| (*mutant).to_owned()).collect();
    let unexpected: Vec<_> = survivors.difference(&expected).collect();
    assert!(unexpected.is_empty(), "not reported: {unexpected:#?}");
    if is_thorough() {
        assert_eq!(*survivors, expected);
    }
}

/// The node with one more member, or one more item.
fn grown(document: &Value, pointer: &str) -> Vec<(&'static str, Value)> {
    let flags = [("readOnly", json!(true)), ("writeOnly", json!(true)), ("nullable", json!(true))];
    let words = [("x-fresh", json!(1)), ("fresh", json!({"a": 1})), ("summary", json!("Fresh."))];
    let key = pointer.rsplit('/').next().expect("a key");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut mutant = document.clone();
        change(mutant.pointer_mut(pointer).expect("a node"));
        mutant
    };
    match document.pointer(pointer).expect("a node") {
        // Values of a discriminator are strings.
        Value::Object(members) if key != "mapping" => {
            let fresh = flags.into_iter().chain(words).filter(|(key, _)| !members.contains_key(*key));
            fresh.map(|(key, value)| (key, with(&|node| node[key] = value.clone()))).collect()
        }
        Value::Array(_) => {
            let item = match key {
                "parameters" => json!({"in": "query", "name": "fresh"}),
                "security" => json!({"bearer": []}),
                "type" => json!("boolean"),
                "allOf" | "oneOf" | "anyOf" | "prefixItems" => json!({"title": "Fresh"}),
                _ => json!("fresh"),
            };
            let append = |node: &mut Value| node.as_array_mut().expect("a list").push(item.clone());
            vec![("appended", with(&append))]
        }
        _ => Vec::new(),
    }
}

/// The time grows with the size of the documents, not with its square, which would take minutes here.
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
