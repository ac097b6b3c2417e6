//! The classification of changes: the table of pairs, compared with two other tools, and the rest by example.
//!
//! Each pair of `../fixtures/cases.yaml` is one fragment before and after, inserted into `base.yaml`. It lists every change
//! that must be reported, with severity, direction and rule; what the documentation of oasdiff has for it; and what
//! api-smart-diff reports (`scripts/measure-api-smart-diff`). Where one of them classifies differently, the pair has the reason
//! in one sentence.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use openapi_breaking::{Change, Day, Severity, changes_between};
use openapi_contract::{Contract, Profile};
use serde_json::Value;

mod coverage;
mod document;
mod everything;
mod fingerprints;
mod foreign;
mod release;
mod soundness;

const BASE: &str = include_str!("../fixtures/base.yaml");
const EVERYTHING: &str = include_str!("../fixtures/everything.yaml");
const CASES: &str = include_str!("../fixtures/cases.yaml");

/// The day on which every comparison of these tests is made.
fn today() -> Day {
    Day::parse("2026-07-01").expect("a day")
}

/// Any YAML document that has the `openapi` of 3.1, which the loader requires.
fn read(file: &str, yaml: &str) -> Contract {
    Contract::read(file, yaml, Profile::Standard).unwrap_or_else(|errors| panic!("{file}: {}", errors[0]))
}

/// The changes from one document to another.
fn between(old: &Value, new: &Value) -> Vec<Change> {
    let [old, new] =
        [("old.yaml", old), ("new.yaml", new)].map(|(file, value)| Contract::from_value(file, value.clone()));
    changes_between(&old, &new, today())
}

fn base() -> Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| read("base.yaml", BASE).document().clone()).clone()
}

/// Sets the value at `pointer`; `null` removes it.
fn put(document: &mut Value, pointer: &str, value: &Value) {
    let (owner, key) = pointer.rsplit_once('/').expect("not the root");
    let key = key.replace("~1", "/").replace("~0", "~");
    let owner = document.pointer_mut(owner).unwrap_or_else(|| panic!("{pointer} is nowhere"));
    match (owner, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(&key)),
        (Value::Array(items), value) => items[key.parse::<usize>().expect("an index")] = value.clone(),
        (owner, value) => owner[key] = value.clone(),
    }
}

/// One pair of the table, and the changes found.
struct Case {
    value: Value,
    /// The pointer of the fragment.
    place: String,
    changes: Vec<Change>,
}

impl Case {
    fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_else(|| panic!("{}: no `{key}`", self.value))
    }

    fn side(&self, key: &str) -> Value {
        let mut document = base();
        match self.value.get(key) {
            None => {}
            Some(Value::Object(edits)) if self.place == "several" => {
                edits.iter().for_each(|(pointer, value)| put(&mut document, pointer, value));
            }
            Some(value) => put(&mut document, &self.place, value),
        }
        document
    }

    fn expected(&self) -> Vec<&str> {
        self.value["expect"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
    }
}

/// The table.
fn cases() -> &'static [Case] {
    static KNOWN: OnceLock<Vec<Case>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let lines = table()["cases"].as_array().expect("a list").iter().map(|value| {
            let at = value["at"].as_str().expect("a place");
            let place = table()["places"][at].as_str().unwrap_or(at).to_owned();
            let mut case = Case { value: value.clone(), place, changes: Vec::new() };
            case.changes = between(&case.side("old"), &case.side("new"));
            case
        });
        lines.collect()
    })
}

/// The file of the table.
fn table() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| read("cases.yaml", CASES).document().clone())
}

/// The effect of a verdict in CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Breaks,
    Warns,
    Passes,
}

fn ours(changes: &[Change]) -> Level {
    match changes.iter().map(|change| change.rule.severity).min() {
        Some(Severity::Breaking) => Level::Breaks,
        Some(Severity::PossiblyBreaking) => Level::Warns,
        Some(Severity::Safe | Severity::Prose) | None => Level::Passes,
    }
}

fn oasdiff(verdict: &str) -> Level {
    match verdict.split(' ').next() {
        Some("error") => Level::Breaks,
        Some("warning") => Level::Warns,
        Some("info" | "none") => Level::Passes,
        other => panic!("`{other:?}` is no level of oasdiff"),
    }
}

fn api_smart_diff(verdict: &str) -> Level {
    match verdict {
        "breaking" => Level::Breaks,
        "unclassified" => Level::Warns,
        "non-breaking" | "annotation" | "none" => Level::Passes,
        other => panic!("`{other}` is no verdict of api-smart-diff: measure it"),
    }
}

#[test]
fn every_pair_is_classified_as_in_the_table() {
    let cases = cases();
    assert!(cases.len() >= 150, "only {} pairs", cases.len());
    let mut wrong = String::new();
    for case in cases {
        let mut reported: Vec<String> = case
            .changes
            .iter()
            .map(|change| format!("{}, {}, {}", change.rule.severity, change.rule.direction, change.rule.id))
            .collect();
        reported.sort();
        let mut expected = case.expected();
        expected.sort_unstable();
        if reported != expected {
            wrong += &format!("{}\n  expected {expected:?}\n  reported {reported:?}\n", case.text("name"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The level of a verdict of a reference.
type LevelOf = fn(&str) -> Level;

const REFERENCES: [(&str, LevelOf); 2] = [("oasdiff", oasdiff), ("api-smart-diff", api_smart_diff)];

/// How often a reference agrees, and why it disagrees.
#[derive(Default)]
struct Agreement {
    agree: usize,
    disagree: BTreeMap<String, Vec<String>>,
    faults: String,
}

/// Compares the verdicts of a reference with ours: each disagreement must have an explanation, and nothing else may.
fn agreement(reference: &str, level: LevelOf) -> Agreement {
    let mut found = Agreement::default();
    for case in cases() {
        let Some(verdict) = case.value.get(reference).and_then(Value::as_str) else { continue };
        let (ours, theirs) = (ours(&case.changes), level(verdict));
        let why = case.value.get(format!("why-{reference}")).and_then(Value::as_str);
        let name = case.text("name");
        match (ours == theirs, why) {
            (true, None) => found.agree += 1,
            (true, Some(_)) => {
                found.faults += &format!("{name}: explains a disagreement with {reference} that does not exist\n")
            }
            (false, None) => {
                found.faults += &format!("{name}: ours {ours:?}, {reference} {theirs:?}, without an explanation\n")
            }
            (false, Some(why)) => {
                let sentence = table()["reasons"].get(why).and_then(Value::as_str).unwrap_or(why);
                found.disagree.entry(sentence.to_owned()).or_default().push(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_disagreement_with_the_references_is_explained() {
    let mut faults = String::new();
    for (reference, level) in REFERENCES {
        let found = agreement(reference, level);
        let disagree: usize = found.disagree.values().map(Vec::len).sum();
        println!(
            "{reference}: {} of {} pairs agree, {disagree} disagree and are explained",
            found.agree,
            found.agree + disagree
        );
        faults += &found.faults;
    }
    assert!(faults.is_empty(), "{faults}");
}
