//! An approval is for one change: two changes that differ never have the same fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use openapi_breaking::{Change, Severity};
use serde_json::Value;

use super::{base, between, cases, read};
use crate::support::pointers;
use crate::support::{LIBRARY, chosen, is_thorough};

/// Rules of changes that place and rule describe completely: parts that are added or removed, and flags.
const WITHOUT_VALUES: &[&str] = &[
    "link-added",
    "link-removed",
    "operation-added",
    "operation-built",
    "operation-removed",
    "operation-removed-after-sunset",
    "operation-removed-before-sunset",
    "operation-removed-without-sunset",
    "operation-withdrawn",
    "parameter-added-optional",
    "parameter-added-required",
    "parameter-removed",
    "query-parameter-removed",
    "request-body-added-optional",
    "request-body-added-required",
    "request-body-removed",
    "request-media-type-added",
    "request-media-type-removed",
    "request-null-accepted",
    "request-null-refused",
    "request-property-added-optional",
    "request-property-added-required",
    "request-property-added-required-with-default",
    "request-property-became-optional",
    "request-property-became-read-only",
    "request-property-became-required",
    "request-property-became-required-with-default",
    "request-property-removed",
    "request-property-removed-from-open",
    "request-union-changed",
    "response-failure-added",
    "response-header-added",
    "response-header-removed",
    "response-media-type-added",
    "response-media-type-removed",
    "response-null-added",
    "response-null-withdrawn",
    "response-optional-header-removed",
    "response-optional-property-removed",
    "response-property-added",
    "response-property-added-to-closed",
    "response-property-became-optional",
    "response-property-became-required",
    "response-property-removed",
    "response-status-removed",
    "response-success-added",
    "response-success-removed",
    "response-union-changed",
    "server-added",
    "server-removed",
    "webhook-body-added",
    "webhook-body-removed",
    "webhook-response-added",
    "webhook-response-removed",
];

/// What is reported of a change, without its other places.
fn facts(change: &Change) -> (&'static str, String, String, String) {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(String::new, Value::to_string);
    (change.rule.id, change.sentence.clone(), value(&change.before), value(&change.after))
}

/// Two documents that differ from this one, and from each other, in one scalar.
fn others(document: &Value, pointer: &str) -> Option<[Value; 2]> {
    let values = match document.pointer(pointer)? {
        Value::Number(number) => [1.0, 2.0].map(|more| number.as_f64().map(|number| Value::from(number + more))),
        Value::String(text) => ["Q", "R"].map(|more| Some(Value::from(format!("{text}{more}")))),
        _ => return None,
    };
    let [Some(one), Some(other)] = values else { return None };
    let with = |value: Value| {
        let mut document = document.clone();
        if let Some(node) = document.pointer_mut(pointer) {
            *node = value;
        }
        document
    };
    Some([with(one), with(other)])
}

#[test]
fn changes_that_differ_have_fingerprints_that_differ() {
    let mut by_rule: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    let mut compared = 0;
    let mut compare = |sides: &[&[Change]]| {
        let mut known = BTreeMap::new();
        for change in sides.iter().copied().flatten().filter(|change| change.rule.severity != Severity::Prose) {
            compared += 1;
            by_rule.entry(change.rule.id).or_default().insert(change.before.is_some() || change.after.is_some());
            let first = known.entry(change.fingerprint.clone()).or_insert_with(|| facts(change));
            if *first != facts(change) {
                wrong.insert(format!("{first:?} and {:?}", facts(change)));
            }
        }
    };
    for document in [read("library.yaml", LIBRARY).document().clone(), base()] {
        for pointer in chosen(pointers(&document)) {
            let Some(pair) = others(&document, &pointer) else { continue };
            let forth = pair.clone().map(|other| between(&document, &other));
            let back = pair.map(|other| between(&other, &document));
            compare(&[&forth[0], &forth[1]]);
            compare(&[&back[0], &back[1]]);
        }
    }
    // Pairs with the same old document and different new ones.
    for case in cases() {
        compare(&[&case.changes]);
        let others = cases().iter().filter(|other| other.place == case.place);
        for other in chosen(others.collect()) {
            compare(&[&case.changes, &other.changes]);
        }
    }
    println!("{compared} changes compared");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let bare: Vec<&str> = by_rule.iter().filter(|(_, with)| with.contains(&false)).map(|(rule, _)| *rule).collect();
    let unlisted: Vec<_> = bare.iter().filter(|rule| !WITHOUT_VALUES.contains(rule)).collect();
    assert!(unlisted.is_empty(), "a rule whose values vary must report them: {unlisted:#?}");
    if is_thorough() {
        assert_eq!(bare, WITHOUT_VALUES, "a listed rule reports values");
    }
}
