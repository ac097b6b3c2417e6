//! The command line tool `contract`, as people and CI use it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The tool, to be run in this folder.
fn tool(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contract"));
    command.current_dir(folder);
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the tool runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs `contract …` in a folder that holds these files. Returns the exit code and what was printed.
fn contract(files: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    let output = run(tool(folder.path()).args(arguments));
    (output.status.code(), stdout(&output) + &stderr(&output))
}

const CONTRACT: &str = include_str!("../../../openapi.yaml");

#[test]
fn the_contract_is_compared_with_the_handlers_in_the_program() {
    assert_eq!(contract(&[("openapi.yaml", CONTRACT)], &["check"]).0, Some(0));
    let drifted = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, text) = contract(&[("openapi.yaml", &drifted)], &["check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("error[drift-differs]: openapi.yaml:") && text.contains("expected 90"), "{text}");
    let (code, text) = contract(&[], &["check"]);
    assert_eq!((code, text.lines().count()), (Some(2), 1), "{text}");
    // A fault of the contract hides no drift, and programs get both without parsing prose.
    let faulty = drifted.replacen("info:\n", "info:\n  x-foo: 1\n", 1);
    let (code, text) = contract(&[("openapi.yaml", &faulty)], &["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
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
    let (code, text) = contract(&PAGE, &arguments);
    assert!(code == Some(1) && text.contains("expected 9 (openapi.yaml), found 7 (./page.rs:2)"), "{text}");
    for (option, file, expected) in [
        ("--fix", "page.rs", "#[schema(max_length = 9)]\n"),
        ("--fix=code", "page.rs", "#[schema(max_length = 9)]\n"),
        ("--fix=contract", "openapi.yaml", "      maxLength: 7 # short\n"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        PAGE.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let output = run(tool(folder.path()).args(arguments).arg(option));
        let printed = stdout(&output);
        assert!(output.status.success() && printed.contains("fixes applied in 1 round"), "{printed}");
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.contains(expected), "{option}: {text}");
    }
}

#[test]
fn the_contract_is_linted_by_itself() {
    assert_eq!(contract(&[("a.yaml", CONTRACT)], &["lint", "a.yaml"]).0, Some(0));
    let misspelt = CONTRACT.replacen("maxLength: 100", "maxLenght: 100", 1);
    let (code, told) = contract(&[("a.yaml", &misspelt)], &["--format", "json", "lint", "a.yaml"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told[0]["file"], &told[0]["severity"]), (Some(1), &"a.yaml".into(), &"error".into()));
}

/// What cannot be read as a contract is a finding like any other; so is a version that nothing can be compared with.
#[test]
fn what_is_no_contract_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), b"openapi: \xff").unwrap();
    let output = run(tool(folder.path()).args(["lint", "a.yaml"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("error[contract-unreadable]: a.yaml:1:10: "), "{}", stdout(&output));
    let unversioned = CONTRACT.replacen("version: 0.1.0", "version: one", 1);
    let (code, told) = contract(&[("openapi.yaml", &unversioned)], &["release"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("error[version-malformed]: openapi.yaml:9:3: "), "{told}");
}

/// Whoever reads JSON or annotations gets them also where there is nothing to check.
#[test]
fn files_that_cannot_be_read_are_told_in_the_format_that_was_asked_for() {
    let ask = |arguments: &[&str]| contract(&[("old", CONTRACT)], arguments);
    let (code, told) = ask(&["--format", "json", "diff", "none", ".", "--approvals", "old"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let files: Vec<_> = told.as_array().unwrap().iter().filter_map(|finding| finding["file"].as_str()).collect();
    assert_eq!((code, files), (Some(2), vec!["none", "."]));
    let (code, told) = ask(&["--format", "github", "lint", "a,b"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.starts_with("::error file=a%2Cb,line=1,col=1,title=file-unusable::cannot be read: "), "{told}");
}

/// Either side may be anybody's document of OpenAPI 3.1; what leads the comparison astray is told where it is, and what the new
/// one says against itself beside its changes.
#[test]
fn any_sound_document_is_compared() {
    let document = |kind: &str, more: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: T, version: '9.0'}}\npaths:\n  /a:\n    put:\n      responses: {{}}\n      \
             requestBody: {{content: {{application/json: {{schema: {{type: {kind}{more}}}}}}}}}\n"
        )
    };
    let ask = |old: &str, new: &str| contract(&[("old", old), ("new", new)], &["diff", "old", "new"]);
    let fine =
        document("[string, 'null']", "").replace("{}\n", "{default: {description: D}}\n").replace("9.0", "9.0.0");
    let (code, told) = ask(&fine, &fine.replace("[string, 'null']", "string"));
    assert!(code == Some(1) && told.contains("error[request-null-refused]: new:7:"), "{told}");
    for (from, to, expected) in [
        ("[string, 'null']", "[string, nil]", ":7:59: `type` must be one of string"),
        ("[string, 'null']", "string, maximum: lots", ":7:73: `maximum` must be a number"),
        (
            "{type: [string, 'null']}",
            "{$ref: '#/components/schemas/A'}",
            ":7:59: `#/components/schemas/A` does not exist",
        ),
    ] {
        let broken = fine.replace(from, to);
        for (files, name) in [([&*broken, &*fine], "old"), ([&*fine, &*broken], "new")] {
            let (code, told) = ask(files[0], files[1]);
            assert!(
                code == Some(1) && told.starts_with(&format!("error[contract-invalid]: {name}{expected}")),
                "{told}"
            );
        }
    }
    let wrong = CONTRACT.replacen("maximum: 100\n", "maximum: 10\n", 1);
    let (_, told) = contract(&[("old", CONTRACT), ("new", &wrong)], &["diff", "old", "new"]);
    assert!(told.contains("error[contract-inconsistent]") && told.contains("error[request-bound-tightened]"), "{told}");
}

/// A break fails, an approved one with the right version does not, and once it is released there is nothing to approve.
#[test]
fn breaking_changes_need_a_version_and_an_approval() {
    let broken = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, told) = contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error[version-step]") && told.contains("error[request-bound-tightened]"), "{told}");
    let (_, annotated) =
        contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new", "--format", "github"]);
    assert!(annotated.lines().all(|line| line.starts_with("::")), "{annotated}");
    let (_, json) = contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let change = json.as_array().unwrap().iter().find(|one| one["change"] == "breaking").unwrap();
    assert_eq!((&change["before"], &change["after"], &change["approved"]), (&100.into(), &90.into(), &false.into()));
    assert_eq!((&change["old"]["file"], &change["new"]["file"]), (&"old".into(), &"new".into()));
    assert!(told.contains(change["fingerprint"].as_str().unwrap()), "{change}");

    let fingerprint = told.lines().find_map(|line| line.trim().strip_prefix("fingerprint: ")).unwrap();
    let named = broken.replacen("version: 0.1.0", "version: 0.2.0", 1);
    let approval = format!("# names are shorter\n{fingerprint}  # maxLength\n");
    let files = [("openapi.released.yaml", CONTRACT), ("openapi.yaml", &*named), ("openapi.approvals", &*approval)];
    let (code, told) = contract(&files, &["release"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(contract(&files[..2], &["release"]).0, Some(1), "without the approval");

    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    assert!(run(tool(folder.path()).args(["release"])).status.success());
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("openapi.released.yaml"), named);
    assert_eq!(read("openapi.approvals"), "# names are shorter\n");

    // What approves nothing is told, too.
    let (code, told) = contract(&files, &["diff", "openapi.yaml", "openapi.yaml", "--approvals", "openapi.approvals"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("error[approval-wrong]: openapi.approvals:2:1"), "{told}");
}
