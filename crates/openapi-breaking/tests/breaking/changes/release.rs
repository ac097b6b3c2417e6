//! The version step, approvals, stable fingerprints and places of changes.

use openapi_breaking::{Approvals, Change, RULES, Severity, Step, changes_between, required_step};
use openapi_contract::Contract;
use openapi_contract::diagnostics;
use serde_json::{Value, json};

use super::{BASE, base, between, put, read, today};

/// The base with one fragment put in.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = base();
    put(&mut document, pointer, &value);
    document
}

const NAME: &str = "/components/schemas/Thing/properties/name";

fn tightened() -> Vec<Change> {
    between(&base(), &with(NAME, json!({"type": "string", "maxLength": 50})))
}

fn only(changes: &[Change], severity: Severity) -> Vec<Change> {
    changes.iter().filter(|change| change.rule.severity == severity).cloned().collect()
}

#[test]
fn the_version_takes_the_step_that_the_most_severe_change_requires() {
    let all = tightened();
    let breaking = only(&all, Severity::Breaking);
    let safe = only(&all, Severity::Safe);
    let addition = between(&with(NAME, json!(null)), &base());
    let possibly = between(&base(), &with("/paths/~1things/get/operationId", json!("list")));
    let prose = between(&base(), &with("/info/title", json!("T")));
    for (name, changes, old, new, demanded) in [
        ("a break", &breaking, "1.2.3", "2.0.0", Some(Step::Major)),
        ("a break", &breaking, "1.2.3", "1.3.0", None),
        ("a break before 1.0", &breaking, "0.2.3", "0.3.0", Some(Step::Minor)),
        ("a break before 1.0", &breaking, "0.2.3", "1.0.0", Some(Step::Minor)),
        ("a break before 1.0", &breaking, "0.2.3", "0.2.4", None),
        ("a break before 0.1", &breaking, "0.0.3", "0.0.4", Some(Step::Patch)),
        ("a break on the way to 2.0", &breaking, "1.2.3", "2.0.0-rc.1", Some(Step::Major)),
        ("a break between pre-releases", &breaking, "2.0.0-rc.1", "2.0.0-rc.2", Some(Step::Major)),
        ("a break in the same pre-release", &breaking, "2.0.0-rc.1", "2.0.0-rc.1", None),
        ("an addition", &addition, "1.2.3", "1.3.0", Some(Step::Minor)),
        ("an addition", &addition, "1.2.3", "1.2.4", None),
        ("an addition before 1.0", &addition, "0.2.3", "0.2.4", Some(Step::Patch)),
        ("a possible break", &possibly, "1.2.3", "1.3.0", Some(Step::Minor)),
        ("a possible break", &possibly, "1.2.3", "1.2.4", None),
        ("nothing new", &safe, "1.2.3", "1.2.4", Some(Step::Patch)),
        ("nothing new", &safe, "1.2.3", "1.2.3", None),
        ("prose", &prose, "1.2.3", "1.2.3", Some(Step::None)),
        ("prose", &prose, "1.2.3", "1.2.4", Some(Step::None)),
        ("prose", &prose, "1.2.3", "1.2.2", None),
        ("no semver", &prose, "1.2.3", "next", None),
        ("no semver", &prose, "v1", "1.2.3", None),
    ] {
        assert_eq!(required_step(changes, old, new).ok().flatten(), demanded, "{name}, {old} to {new}");
    }
    let message = required_step(&breaking, "1.2.3", "1.3.0").unwrap_err().to_string();
    assert_eq!(
        message,
        "1 breaking change requires a major version step, from 1.2.3 to at least 2.0.0, but the new version is 1.3.0"
    );
}

#[test]
fn an_approved_break_passes_and_a_line_without_a_change_is_an_error() {
    let all = tightened();
    let fingerprint = &only(&all, Severity::Breaking)[0].fingerprint;
    let text = format!("# for the next release\n\n{fingerprint} # meant\n0123456789ab\n");
    let approvals = Approvals::parse(&text).expect("approvals");
    let reviewed = approvals.review(&all);
    assert_eq!((reviewed.approved.len(), reviewed.unapproved.len()), (1, 0));
    let upper_case = Approvals::parse(&fingerprint.to_uppercase()).expect("approvals");
    assert_eq!(upper_case.review(&all).approved.len(), 1);
    assert_eq!(reviewed.stale.len(), 1);
    assert_eq!(reviewed.stale[0].line, 4);
    assert_eq!(Approvals::default().review(&all).unapproved.len(), 1);
    // The version step is still required.
    assert!(required_step(&all, "1.4.0", "1.5.0").is_err());
}

#[test]
fn every_malformed_line_of_approvals_is_reported() {
    let bad = Approvals::parse("0123456789ab\nABCDEF01234G\n0123\n0123456789AB\n").unwrap_err();
    let lines: Vec<usize> = bad.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [2, 3, 4]);
    assert!(bad[2].to_string().starts_with("line 4: "));
}

#[test]
fn a_fingerprint_does_not_depend_on_what_is_around_the_change() {
    let before = &tightened()[0].fingerprint;
    // Another operation uses the component first, a path parameter is renamed, the fragment is written differently.
    let moved = |name: Value| {
        let mut document = with(NAME, name);
        let item = document["paths"].as_object_mut().unwrap().remove("/things/{id}").unwrap();
        document["paths"]["/things/{thing}"] = item;
        let mut first = document["paths"]["/things"]["post"].clone();
        first["operationId"] = "first".into();
        first["requestBody"]["content"]["application/json"]["schema"] = json!({"$ref": "#/components/schemas/Thing"});
        document["paths"]["/a"] = json!({ "put": first });
        document
    };
    let old = moved(json!({"type": "string", "maxLength": 100}));
    let new = moved(json!({"maxLength": 50.0, "type": "string"}));
    let changes = between(&old, &new);
    assert!(changes.iter().any(|change| &change.fingerprint == before), "{changes:#?}");
    // Another value is another change.
    let other = between(&base(), &with(NAME, json!({"type": "string", "maxLength": 49})));
    assert!(other.iter().all(|change| &change.fingerprint != before));
}

#[test]
fn no_two_changes_have_one_fingerprint() {
    for case in super::cases() {
        let changes = &case.changes;
        let mut prints: Vec<_> = changes.iter().map(|change| &change.fingerprint).collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), changes.len(), "{}: {changes:#?}", case.text("name"));
    }
}

#[test]
fn a_response_removed_from_two_operations_is_two_changes() {
    let document = |is_documented: bool| {
        let mut document = base();
        document["components"]["responses"] = json!({"Fine": {"description": "d", "headers": {"X-A": {"schema": {}}}}});
        for path in ["/paths/~1things/get", "/paths/~1things/post"] {
            let fine = if is_documented { json!({"$ref": "#/components/responses/Fine"}) } else { json!(null) };
            put(&mut document, &format!("{path}/responses/203"), &fine);
        }
        document
    };
    let lost = between(&document(true), &document(false));
    let lost: Vec<_> = lost.iter().filter(|change| change.rule.id == "response-success-removed").collect();
    assert_eq!(lost.len(), 2);
    assert_ne!(lost[0].fingerprint, lost[1].fingerprint);
    assert!(lost.iter().all(|change| change.also.is_empty() && change.old.pointer.ends_with("/responses/203")));
}

#[test]
fn a_change_of_a_component_is_reported_once_with_all_places() {
    let changes = tightened();
    let response = changes.iter().find(|change| change.rule.id == "response-bound-tightened").expect("a change");
    assert_eq!(response.place, "GET /things → 200 → application/json → items → name → maxLength");
    // Not once more for `part`, which is a thing in a thing in a thing.
    assert_eq!(response.also, ["GET /things/{id} → 200 → application/json → name → maxLength"]);
    assert_eq!(response.sentence, "`maxLength` changes from 100 to 50");
}

#[test]
fn both_files_are_named_with_line_and_column() {
    let shifted = BASE.replace("maxLength: 100", "maxLength: 50").replace("info:", "# moved\ninfo:");
    let (old, new) = (read("openapi.yaml", BASE), read("openapi.yaml", &shifted));
    let changes = changes_between(&old, &new, today());
    let line = |text: &str| 1 + text.lines().position(|line| line.contains("maxLength")).expect("a line");
    for change in &changes {
        assert_eq!(change.old.position.line, line(BASE));
        assert_eq!(change.new.position.line, line(BASE) + 1);
        assert_eq!(change.old.pointer, format!("{NAME}/maxLength"));
    }
    let finding = changes[0].diagnostic([&[], &[]]);
    assert_eq!((finding.severity, finding.code.as_str()), (diagnostics::Severity::Error, "request-bound-tightened"));
    assert!(finding.detail.contains(&format!("before: openapi.yaml:{}:", line(BASE))));
    assert!(finding.detail.contains(&format!("fingerprint: {}", changes[0].fingerprint)));
    assert!(!finding.message.contains('\n'));
}

#[test]
fn a_sentence_names_the_old_and_the_new_value() {
    for (old, new, expected) in [
        (json!({}), json!({"pattern": "^a"}), "`pattern` is added: \"^a\""),
        (json!({"pattern": "^a"}), json!({"pattern": "^b"}), "`pattern` changes from \"^a\" to \"^b\""),
        (
            json!({"not": {"const": 1}}),
            json!({"not": {"const": 2}}),
            "`not` changes from {\"const\":1} to {\"const\":2}",
        ),
        (json!({"maximum": 9}), json!({}), "`maximum` is removed, it was 9"),
        (
            json!({"maximum": 9}),
            json!({"exclusiveMaximum": 5}),
            "`maximum`, now `exclusiveMaximum`, changes from 9 to 5",
        ),
    ] {
        let changes = between(&with(NAME, old), &with(NAME, new));
        assert!(changes.iter().all(|change| change.sentence == expected), "{changes:#?}");
    }
}

/// Every place exists: for what is added or removed, it is that of the nearest ancestor.
#[test]
fn the_pointers_of_a_change_exist_in_both_documents() {
    let without = with("/paths/~1things~1{id}/get", json!(null));
    for (documents, rule) in [([&base(), &without], "operation-removed"), ([&without, &base()], "operation-added")] {
        let changes = between(documents[0], documents[1]);
        let change = changes.iter().find(|change| change.rule.id == rule).expect("a change");
        for (place, document) in [&change.old, &change.new].into_iter().zip(documents) {
            assert!(document.pointer(&place.pointer).is_some(), "{}", place.pointer);
            assert!(place.pointer.starts_with("/paths/~1things~1{id}"), "{}", place.pointer);
        }
    }
}

#[test]
fn rules_have_unique_ids_and_a_remedy_where_they_need_one() {
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        let harmless = matches!(rule.severity, Severity::Safe | Severity::Prose);
        assert_eq!(rule.remedy.is_empty(), harmless, "{}: a remedy exactly where a change is not safe", rule.id);
        assert!(rule.sentence().ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_rule_applies_to_some_pair() {
    let known: Vec<String> =
        super::cases().iter().flat_map(|case| case.expected().into_iter().map(str::to_owned)).collect();
    let missing: Vec<_> = RULES
        .iter()
        .map(|rule| format!("{}, {}, {}", rule.severity, rule.direction, rule.id))
        .filter(|rule| !known.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no pair for {missing:#?}");
}

#[test]
fn difficult_documents_are_compared() {
    // Cycles of every kind, and references that lead nowhere.
    let schemas = |limit: u32| {
        json!({
            "A": {"$ref": "#/components/schemas/B"},
            "B": {"$ref": "#/components/schemas/A"},
            "C": {"allOf": [{"$ref": "#/components/schemas/C"}, {"type": "object", "maxProperties": limit}]},
            "D": {"oneOf": [{"$ref": "#/components/schemas/D"}, {"type": "null"}]},
            "E": {"properties": {
                "a": {"$ref": "#/components/schemas/E"}, "b": {"allOf": [{"$ref": "#/components/schemas/E"},
                {"$ref": "#/components/schemas/F"}]}, "c": {"$ref": "#/nowhere"}, "d": {"$ref": "else.yaml"}}},
            "F": {"properties": {"a": {"$ref": "#/components/schemas/F"}, "b": {"$ref": "#/components/schemas/E"},
                "n": {"type": "integer", "maximum": limit}}, "not": {"$ref": "#/components/schemas/F"}},
            // Each of these contains itself many times: following every path would not end.
            "G": {"allOf": vec![json!({"$ref": "#/components/schemas/G"}); 9], "anyOf": vec![json!({"$ref": "#/components/schemas/H"}); 9]},
            "H": {"allOf": vec![json!({"$ref": "#/components/schemas/G"}); 9], "items": {"allOf": vec![json!({"$ref": "#/components/schemas/H"}); 9]}},
        })
    };
    let all: Vec<Value> = ["A", "B", "C", "D", "E", "F", "G", "H"]
        .map(|name| json!({"$ref": format!("#/components/schemas/{name}")}))
        .into();
    let document = |limit| {
        let mut document = with("/components/schemas", schemas(limit));
        let place = "/paths/~1things/post/requestBody/content/application~1json/schema";
        put(&mut document, place, &json!({ "type": "array", "items": { "anyOf": all.clone() } }));
        document
    };
    let changes = between(&document(9), &document(5));
    assert!(changes.iter().any(|change| change.rule.id == "request-bound-tightened"), "{changes:#?}");
    // Values that the loader refuses.
    for pointer in crate::support::chosen(crate::support::pointers(&base())) {
        for odd in [json!([]), json!({}), json!(1), json!("x"), json!([[]]), json!([null])] {
            let broken = with(&pointer, odd);
            between(&base(), &broken);
            between(&broken, &base());
        }
    }
    // A change of a reference to another document is reported.
    let foreign = |target: &str| with(NAME, json!({ "$ref": target }));
    let changes = between(&foreign("else.yaml#/A"), &foreign("else.yaml#/B"));
    assert!(changes.iter().any(|change| change.rule.id == "request-constraint-changed"), "{changes:#?}");
    let empty = Contract::from_value("empty.json", json!(null));
    assert!(changes_between(&empty, &empty, today()).is_empty());
    assert!(!changes_between(&empty, &read("base.yaml", BASE), today()).is_empty());
}
