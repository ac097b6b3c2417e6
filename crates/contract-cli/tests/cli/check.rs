//! `contract check`.

use std::fs;

use super::{contract, run_in, text};

const CONTRACT: &str = include_str!("../../../../openapi.yaml");

#[test]
fn the_contract_is_compared_with_the_handlers_in_the_program() {
    assert_eq!(contract(&[("openapi.yaml", CONTRACT)], &["check"]).0, Some(0));
    let drifted = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, output) = contract(&[("openapi.yaml", &drifted)], &["check"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.starts_with("error[drift-differs]: openapi.yaml:") && output.contains("expected 90"), "{output}");
    let (code, output) = contract(&[], &["check"]);
    assert_eq!((code, output.lines().count()), (Some(2), 1), "{output}");
    // A fault of the contract hides no drift, and programs get both without parsing prose.
    let faulty = drifted.replacen("info:\n", "info:\n  x-foo: 1\n", 1);
    let (code, output) = contract(&[("openapi.yaml", &faulty)], &["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&output).unwrap();
    let [fault, drift] = [&found[0], &found[1]];
    assert_eq!((code, &fault["code"], found.as_array().unwrap().len()), (Some(1), &"contract-unsupported".into(), 2));
    assert_eq!((&drift["contract"], &drift["code"]), (&90.into(), &"drift-differs".into()));
    let line = &drift["line"];
    let edit = serde_json::json!({"file": "openapi.yaml", "first": line, "last": line, "text": "      maxLength: 100"});
    let fix = &drift["fixes"][0];
    assert_eq!((&fix["side"], &fix["edits"][0]), (&"contract".into(), &edit));
    assert_eq!(fix["applicability"], "machine-applicable");
    assert_eq!(drift["fixes"][1]["side"], "code");
}

/// A contract, the spec of another project, and its source.
const PAGE: [(&str, &str); 3] = [
    (
        "openapi.yaml",
        "openapi: 3.1.0\ninfo: { title: T, version: 1.0.0 }\nsecurity: []\npaths:\n  /pages:\n    post:\n      operationId: add\n      \
         requestBody:\n        required: true\n        content:\n          application/json:\n            schema: { $ref: \
         '#/components/schemas/Page' }\n      responses:\n        '204': { description: Added. }\ncomponents:\n  schemas:\n    Page:\n      \
         type: string\n      maxLength: 9 # short\n",
    ),
    (
        "spec.json",
        r##"{"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {"/pages": {"post": {"operationId": "add",
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}},
            "responses": {"204": {"description": ""}}}}}, "components": {"schemas": {"Page": {"type": "string", "maxLength": 7}}}}"##,
    ),
    ("page.rs", "#[derive(ToSchema)]\n#[schema(max_length = 7)]\npub struct Page(String);\n"),
];

/// Any contract is compared with any generated spec, and either side is edited to match the other.
#[test]
fn fixes_are_applied_to_either_side_of_any_project() {
    let arguments = ["check", "--generated", "spec.json", "--sources", "."];
    let (code, output) = contract(&PAGE, &arguments);
    assert!(code == Some(1) && output.contains("expected 9 (openapi.yaml), found 7 (./page.rs:2)"), "{output}");
    for (option, file, expected) in [
        ("--fix", "page.rs", "#[schema(max_length = 9)]\n"),
        ("--fix=code", "page.rs", "#[schema(max_length = 9)]\n"),
        ("--fix=contract", "openapi.yaml", "      maxLength: 7 # short\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        PAGE.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let output = run_in(folder.path(), &[&arguments[..], &[option]].concat());
        let printed = text(&output);
        assert!(output.status.success() && printed.contains("fixes applied in 1 round"), "{printed}");
        let edited = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(edited.contains(expected), "{option}: {edited}");
    }
}
