//! `contract check`.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{NOTES, contract, run_in, text, tool};

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

#[test]
fn drifts_and_faults_are_reported_together() {
    let arguments = ["check", "--generated", "spec.json", "--sources", "."];
    let (code, output) = contract(&PAGE, &arguments);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.starts_with("error[drift-differs]: openapi.yaml:") && output.contains("expected 9"), "{output}");
    let (code, output) = contract(&PAGE[1..], &arguments);
    assert_eq!((code, output.lines().count()), (Some(2), 1), "{output}");
    // A fault of the contract hides no drift, and programs get both without parsing prose.
    let faulty = PAGE[0].1.replacen("application/json:\n", "application/json:\n            example: 5\n", 1);
    let files = [(PAGE[0].0, &*faulty), PAGE[1], PAGE[2]];
    let (code, output) = contract(&files, &[&arguments[..], &["--format", "json"]].concat());
    let found: serde_json::Value = serde_json::from_str(&output).unwrap();
    let [fault, drift] = [&found[0], &found[1]];
    assert_eq!((code, &fault["code"], found.as_array().unwrap().len()), (Some(1), &"contract-inconsistent".into(), 2));
    assert_eq!((&drift["contract"], &drift["code"]), (&9.into(), &"drift-differs".into()));
    let line = &drift["line"];
    let text = "      maxLength: 7 # short";
    let edit = serde_json::json!({"file": "openapi.yaml", "first": line, "last": line, "text": text});
    let fix = &drift["fixes"][0];
    assert_eq!((&fix["side"], &fix["edits"][0]), (&"contract".into(), &edit));
    assert_eq!(fix["applicability"], "machine-applicable");
    assert_eq!(drift["fixes"][1]["side"], "code");
}

/// A document of another server may use all of OpenAPI 3.0 and 3.1, on both sides.
#[test]
fn any_document_is_compared_with_a_saved_spec() {
    let hook = "webhooks:\n  added: { post: { responses: { 2XX: { description: Ok. } } } }\n";
    let contract_3_1 = PAGE[0].1.replacen("info: {", "x-foo: 1\ninfo: {", 1).replacen("security: []\n", hook, 1);
    let spec_3_1 = PAGE[1].1.replacen(
        "{\"openapi\"",
        "{\"webhooks\": {\"added\": {\"post\": {\"responses\": {\"2XX\": {\"description\": \"\"}}}}}, \"openapi\"",
        1,
    );
    let nullable = ("maxLength: 9 # short", "nullable: true");
    let contract_3_0 = PAGE[0].1.replacen("3.1.0", "3.0.3", 1).replacen(nullable.0, nullable.1, 1);
    let spec_3_0 = PAGE[1].1.replacen("3.1.0", "3.0.3", 1).replacen("\"maxLength\": 7", "\"nullable\": true", 1);
    for (contract_yaml, spec, differences) in [
        (&contract_3_1, &spec_3_1.replacen("7}", "9}", 1), 0),
        (&contract_3_1, &spec_3_1, 1),
        (&contract_3_0, &spec_3_0, 0),
        (
            &contract_3_0,
            &spec_3_0.replacen("3.0.3", "3.1.0", 1).replacen(
                "\"string\", \"nullable\": true",
                "[\"null\", \"string\"]",
                1,
            ),
            0,
        ),
        (&contract_3_0, &PAGE[1].1.to_owned(), 2),
        (&contract_3_1, &"swagger: '2.0'".to_owned(), 1),
    ] {
        let files = [("openapi.yaml", &**contract_yaml), ("spec.json", &**spec)];
        let (code, output) = contract(&files, &["check", "--generated", "spec.json", "--format", "json"]);
        let found: serde_json::Value = serde_json::from_str(&output).unwrap();
        let count = found.as_array().unwrap().len();
        assert_eq!((code, count), (Some(i32::from(differences > 0)), differences), "{spec}\n{output}");
    }
}

#[test]
fn fixes_of_the_code_need_its_sources() {
    let (code, output) = contract(&PAGE, &["check", "--generated", "spec.json", "--fix"]);
    assert_eq!(code, Some(2), "{output}");
    assert!(output.starts_with("error: `--generated` with `--fix` needs `--sources DIR`"), "{output}");
}

/// A project whose package `api` has this library, and an example `contract` that prints its arguments.
fn project(library: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir_all(folder.path().join("examples")).unwrap();
    write("Cargo.toml", "[package]\nname = \"api\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n");
    write("lib.rs", library);
    write(
        "examples/contract.rs",
        "fn main() {\n    api::User { name: String::new() };\n    \
         println!(\"{:?}\", std::env::args().skip(1).collect::<Vec<_>>());\n    std::process::exit(1);\n}\n",
    );
    write("openapi.yaml", NOTES);
    folder
}

fn run_with_cargo(folder: &Path, arguments: &[&str]) -> Output {
    let target = folder.join("target");
    tool(folder).env("CARGO_TARGET_DIR", target).args(arguments).output().expect("the tool runs")
}

#[test]
fn without_a_spec_the_program_with_the_handlers_makes_the_comparison() {
    let project = project("pub struct User { pub name: String }\n");
    let output = run_with_cargo(project.path(), &["--format", "json", "check", "--fix"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert_eq!(text(&output).lines().next(), Some(r#"["--format", "json", "check", "--fix"]"#));
}

/// A fix adds a property to a struct, and a literal of the struct lacks it: rustc reports that place, and the tool runs.
#[test]
fn the_tool_runs_while_the_handlers_do_not_compile() {
    let project = project("pub struct User { pub name: String, pub locale: Option<String> }\n");
    let output = run_with_cargo(project.path(), &["check"]);
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.contains("error[E0063]") && printed.contains("error[spec-unavailable]: crates/api"), "{printed}");
    assert!(run_in(project.path(), &["lint"]).status.success());
    assert!(run_in(project.path(), &["diff", "openapi.yaml", "openapi.yaml"]).status.success());
}

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
