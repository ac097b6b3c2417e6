//! Where a fix of the code or the contract is not applied without a review.

use openapi_contract::Contract;
use openapi_drift::{Applicability, CodeSide, Finding, Side, SourceFile, apply, findings, repair};
use serde_json::Value;

use crate::support::load;

const CONTRACT: &str = include_str!("../fixtures/shop/openapi.yaml");
const SPEC: &str = include_str!("../fixtures/shop/openapi.generated.json");
const USERS: &str = include_str!("../fixtures/shop/src/users.rs");

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { path: format!("src/{name}.rs"), text: text.to_owned() }
}

fn spec() -> Value {
    serde_json::from_str(SPEC).expect("JSON")
}

#[track_caller]
fn changed(from: &str, to: &str) -> Contract {
    assert!(CONTRACT.contains(from), "{from}");
    load(&CONTRACT.replacen(from, to, 1))
}

/// The only drift.
#[track_caller]
fn finding(contract: &Contract, files: &[SourceFile]) -> Finding {
    let mut found = findings(contract, &spec(), CodeSide { files, ..CodeSide::UNKNOWN });
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// A struct of parameters that two handlers use: an edit for one operation would change the other, and two operations with
/// different bounds would be fixed in turns for ever.
#[test]
fn a_shared_struct_of_parameters_needs_a_review() {
    let contract = changed("            maximum: 100\n", "            maximum: 200\n");
    let safe = |text: &str| {
        let found = finding(&contract, &[file("users", text)]);
        let fix = found.fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix").clone();
        assert!(!fix.edits.is_empty(), "{fix:#?}");
        fix.applicability
    };
    assert_eq!(safe(USERS), Applicability::MachineApplicable);
    let shared = format!(
        "{USERS}\n#[utoipa::path(get, path = \"/orders\", operation_id = \"listOrders\", params(Page), \
         responses((status = 200)))]\nasync fn list_orders() {{}}\n"
    );
    assert_eq!(safe(&shared), Applicability::NeedsReview);
}

/// Another struct of the same name that has no schema, in a file that sorts before.
#[test]
fn only_types_with_a_schema_are_edited() {
    let contract = changed("maxLength: 100", "maxLength: 120");
    let plain = file("a_database", "struct UserName {\n    value: String,\n}\n");
    let run = |files: &[SourceFile]| repair(Side::Code, &contract, &spec(), CodeSide { files, ..CodeSide::UNKNOWN });
    let repaired = run(&[plain, file("users", USERS)]);
    let edited: Vec<&str> = repaired.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((edited.as_slice(), repaired.left.len()), (&["src/users.rs"][..], 0));
    // With two of them, it is not known which one the spec is generated from.
    let other = file("other", "#[derive(ToSchema)]\npub struct UserName(String);\n");
    let repaired = run(&[other, file("users", USERS)]);
    assert_eq!((repaired.files.len(), repaired.left.len()), (0, 1));
}

/// The spec is older than the sources: the field is there already, and is not inserted twice.
#[test]
fn a_second_run_on_the_same_spec_changes_nothing() {
    let name = "      required: [name]\n      properties:\n        name: { $ref: '#/components/schemas/UserName' }\n";
    let contract = changed(name, &format!("{name}        nick: {{ type: string }}\n"));
    let run = |files: &[SourceFile]| repair(Side::Code, &contract, &spec(), CodeSide { files, ..CodeSide::UNKNOWN });
    let first = run(&[file("users", USERS)]);
    assert_eq!((first.files.len(), first.left.len()), (1, 0));
    let second = run(&first.files);
    assert_eq!((second.files.len(), second.left.len()), (0, 1));
    let note = &second.left[0].fixes.iter().find(|fix| fix.side == Side::Code).expect("a fix").note;
    assert!(note.contains("generate the spec again"), "{note}");
}

/// A handler without `operation_id` has that of its function.
#[test]
fn a_handler_is_found_by_the_name_of_its_function() {
    let users = USERS.replace("operation_id = \"listUsers\", ", "").replace("fn list_users", "fn listUsers");
    let contract = changed("            maximum: 100\n", "            maximum: 200\n");
    assert!(finding(&contract, &[file("users", &users)]).code_line.is_some());
}

#[test]
fn line_breaks_stay_as_they_are() {
    let contract = changed("maxLength: 100", "maxLength: 120");
    let users = USERS.replace('\n', "\r\n");
    let repair =
        repair(Side::Code, &contract, &spec(), CodeSide { files: &[file("users", &users)], ..CodeSide::UNKNOWN });
    let text = &repair.files[0].text;
    assert_eq!(*text, users.replace("max_length = 100", "max_length = 120"));
    assert_eq!(apply("a\r\nb\r\n", &[]), "a\r\nb\r\n");
}

/// Edits are made for YAML: in JSON they would leave unquoted keys.
#[test]
fn a_contract_in_json_is_not_edited() {
    let contract = load(&serde_json::to_string_pretty(changed("maxLength: 100", "maxLength: 120").document()).unwrap());
    let found = finding(&contract, &[file("users", USERS)]);
    let fix = found.fixes.iter().find(|fix| fix.side == Side::Contract).expect("a fix");
    assert!(fix.edits.is_empty() && fix.note.contains("JSON"), "{fix:#?}");
}

/// Only one side composes a schema of others: a fix of that keyword alone would leave the other keywords.
#[test]
fn a_keyword_is_not_fixed_where_its_neighbours_differ() {
    let contract =
        changed("        name: { $ref: '#/components/schemas/UserName' }\n", "        name: { type: number }\n");
    let mut spec = spec();
    let choice = serde_json::json!({"anyOf": [{"type": "number"}, {"type": "string"}]});
    let mut found = 0;
    for schema in ["User", "UserInput", "UserPatch"] {
        spec["components"]["schemas"][schema]["properties"]["name"] = choice.clone();
    }
    let files = [file("users", USERS)];
    for one in findings(&contract, &spec, CodeSide { files: &files, ..CodeSide::UNKNOWN }) {
        for fix in one.fixes.iter().filter(|fix| fix.side == Side::Contract && one.drift.pointer.ends_with("/anyOf")) {
            assert!(!fix.is_automatic(), "{fix:#?}");
            found += 1;
        }
    }
    assert!(found > 0);
}

/// A fix that restores a reference leaves a component that nothing uses, which is a drift of its own, to review.
#[test]
fn a_round_may_leave_another_drift() {
    let name = "      required: [name]\n      properties:\n        name: { $ref: '#/components/schemas/UserName' }\n";
    let yaml = CONTRACT.replacen(name, &name.replace("UserName", "Nick"), 1);
    let yaml = yaml.replacen("    UserName:\n", "    Nick: { type: string, maxLength: 9 }\n    UserName:\n", 1);
    let repair = repair(Side::Contract, &load(&yaml), &spec(), CodeSide::UNKNOWN);
    let left: Vec<String> = repair.left.iter().map(Finding::message).collect();
    assert_eq!((repair.stopped, left), (None, vec!["schemas → Nick: missing in the code".to_owned()]));
    assert!(repair.files[0].text.contains(name));
}
