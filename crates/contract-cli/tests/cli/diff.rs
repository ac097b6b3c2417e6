//! `contract diff`.

use super::{NOTES, contract, edited, summary};

fn diff(old: &str, new: &str, options: &[&str]) -> (Option<i32>, String) {
    contract(&[("old", old), ("new", new)], &[&["diff", "old", "new"], options].concat())
}

fn fingerprint(output: &str) -> &str {
    output.lines().find_map(|line| line.trim().strip_prefix("fingerprint: ")).expect("a change")
}

#[test]
fn equal_documents_pass() {
    for document in [NOTES, &edited("example: Buy milk", "example: 5"), &edited("maxLength: 100", "maxLength: 0")] {
        let (code, output) = diff(document, document, &[]);
        assert_eq!((code, output.trim()), (Some(0), "no breaking changes"));
    }
}

#[test]
fn a_breaking_change_fails_and_requires_a_version_step() {
    let broken = edited("maxLength: 100", "maxLength: 90");
    let (code, output) = diff(NOTES, &broken, &[]);
    assert_eq!((code, summary(&output)), (Some(1), "2 errors"), "{output}");
    assert!(output.contains("error[version-step]: new:4:"), "{output}");
    assert!(output.contains("error[request-bound-tightened]: new:27:"), "{output}");
    let (code, output) = diff(NOTES, &broken, &["--no-version"]);
    assert_eq!((code, summary(&output)), (Some(1), "1 error"), "{output}");
}

#[test]
fn changes_are_shown_at_their_lines_in_both_releases() {
    let (_, output) = diff(NOTES, &edited("maxLength: 100", "maxLength: 90"), &["--no-version"]);
    for line in [" --> new:27:", " ::: old:27:", "^^^ after", "--- before"] {
        assert!(output.contains(line), "{line}: {output}");
    }
    let (_, output) = diff(NOTES, &edited(", maxLength: 100", ""), &["--no-version"]);
    assert!(output.contains("^ not here") && output.contains("- removed"), "{output}");
    let (_, output) = diff(NOTES, &edited("'#/components/schemas/Note'", "'#/components/schemas/None'"), &[]);
    assert!(output.contains(" --> new:17:") && output.contains("/None' }\n"), "{output}");
}

#[test]
fn changes_are_reported_for_programs_and_for_github() {
    let broken = edited("maxLength: 100", "maxLength: 90");
    let (_, annotations) = diff(NOTES, &broken, &["--format", "github"]);
    assert!(annotations.lines().all(|line| line.starts_with("::")), "{annotations}");
    let (_, json) = diff(NOTES, &broken, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let change = json.as_array().unwrap().iter().find(|one| one["change"] == "breaking").unwrap();
    assert_eq!((&change["before"], &change["after"], &change["approved"]), (&100.into(), &90.into(), &false.into()));
    assert_eq!((&change["old"]["file"], &change["new"]["file"]), (&"old".into(), &"new".into()));
    let (_, text) = diff(NOTES, &broken, &[]);
    assert_eq!(change["fingerprint"], fingerprint(&text));
}

#[test]
fn an_approved_break_passes_and_the_summary_counts_it() {
    let broken = edited("maxLength: 100", "maxLength: 90").replace("version: 0.1.0", "version: 0.2.0");
    let (_, output) = diff(NOTES, &broken, &[]);
    let files = [("old", NOTES), ("new", &broken), ("approvals", fingerprint(&output))];
    let (code, output) = contract(&files, &["diff", "old", "new", "--approvals", "approvals"]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(summary(&output), "1 approved breaking change, no others (1 notice)");
}

#[test]
fn an_approval_without_a_change_fails() {
    let files = [("old", NOTES), ("approvals", "# comment\n0123456789ab\n")];
    let (code, output) = contract(&files, &["diff", "old", "old", "--approvals", "approvals"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.starts_with("error[approval-wrong]: approvals:2:1"), "{output}");
    let files = [("old", NOTES), ("approvals", "0123456789ab shorter names\n")];
    let (_, output) = contract(&files, &["diff", "old", "old", "--approvals", "approvals"]);
    assert!(output.contains("write `#` before the comment after `0123456789ab`"), "{output}");
}

#[test]
fn a_possibly_breaking_change_is_a_warning_and_with_strict_an_error() {
    let renamed = edited("createNote", "makeNote").replace("version: 0.1.0", "version: 0.1.1");
    let (code, output) = diff(NOTES, &renamed, &[]);
    assert_eq!(code, Some(0), "{output}");
    assert_eq!(summary(&output), "no breaking changes, 1 possibly breaking change to review (1 warning)");
    let (code, output) = diff(NOTES, &renamed, &["--strict"]);
    assert_eq!(code, Some(1), "{output}");
}

#[test]
fn a_version_that_is_not_semver_is_not_compared() {
    for version in ["'2026-07-01'", "'71'", "v1"] {
        let [old, new] = ["maxLength: 100", "maxLength: 200"]
            .map(|bound| edited("maxLength: 100", bound).replace("version: 0.1.0", &format!("version: {version}")));
        let (code, output) = diff(&old, &new, &[]);
        assert_eq!(code, Some(0), "{output}");
        assert!(output.contains("notice[version-not-semver]: old:4:"), "{output}");
        let (code, output) = diff(&old, &new, &["--no-version"]);
        assert!(code == Some(0) && !output.contains("version-not-semver"), "{output}");
    }
}

/// Either side may be any OpenAPI document; errors that make a comparison wrong are reported with their position.
#[test]
fn documents_outside_the_supported_subset_are_compared() {
    let odd = edited("type: object\n", "type: object\n      patternProperties: { '^x': { type: string } }\n");
    let tighter = odd.replace("'^x': { type: string }", "'^x': { type: string, maxLength: 5 }");
    let (code, output) = diff(&odd, &tighter, &["--no-version"]);
    assert!(code == Some(1) && output.contains("error[request-bound-tightened]: new:24:"), "{output}");
    for (from, to) in [
        ("type: object", "type: [object, nil]"),
        ("maxLength: 100", "maxLength: lots"),
        ("#/components/schemas/Note", "#/components/schemas/Missing"),
    ] {
        let wrong = edited(from, to);
        for (sides, name) in [([&*wrong, NOTES], "old"), ([NOTES, &*wrong], "new")] {
            let (code, output) = diff(sides[0], sides[1], &[]);
            let line = 1 + wrong.lines().position(|line| line.contains(to)).unwrap();
            assert!(code == Some(1) && output.contains(&format!(": {name}:{line}:")), "{output}");
        }
    }
}

#[test]
fn contradictions_of_the_new_document_are_reported_with_its_changes() {
    let wrong = edited("maxLength: 100", "maxLength: 5");
    let (_, output) = diff(NOTES, &wrong, &[]);
    assert!(output.contains("error[request-bound-tightened]"), "{output}");
    assert!(output.contains(": new:27:") && output.contains("Buy milk"), "{output}");
}

#[test]
fn a_webhook_is_compared() {
    let with = |limit: &str| {
        let body = format!("{{ schema: {{ type: string, maxLength: {limit} }} }}");
        let operation = format!("requestBody: {{ content: {{ application/json: {body} }} }}");
        NOTES.to_owned()
            + &format!(
                "webhooks:\n  noted: {{ post: {{ {operation}, responses: {{ '204': {{ description: Ok. }} }} }} }}\n"
            )
    };
    let (code, output) = diff(&with("5"), &with("9"), &["--no-version"]);
    assert!(code == Some(1) && output.contains("error[response-bound-loosened]"), "{output}");
    assert!(output.contains("webhooks → POST noted → body → application/json → maxLength"), "{output}");
}

/// A document in one file is compared whatever it uses: anchors, integers beyond 64 bits, extensions, OpenAPI 3.0.
#[test]
fn constructs_that_a_contract_must_not_use_are_compared() {
    let anchored = edited(
        "{ type: string, pattern: '^[a-z]+$', x-pattern-description: must have small letters only, example: home }",
        "&tag { type: string, maxLength: 9 }",
    ) + "    Other: { type: object, properties: { tag: *tag } }\n";
    let (code, output) = diff(&anchored, &anchored.replace("maxLength: 9", "maxLength: 5"), &["--no-version"]);
    assert!(code == Some(1) && output.contains("error[request-bound-tightened]"), "{output}");
    let huge = edited("maxLength: 100", "maxLength: 100, maximum: 123456789012345678901234567890, x-other-tool: 1");
    let (code, output) = diff(&huge, &huge, &[]);
    assert_eq!((code, summary(&output)), (Some(0), "no breaking changes"), "{output}");
    let nullable = |value: &str| {
        edited("openapi: 3.1.0", "openapi: 3.0.3").replace("maxLength: 100", &format!("nullable: {value}"))
    };
    let (code, output) = diff(&nullable("true"), &nullable("false"), &["--no-version"]);
    assert!(code == Some(1) && output.contains("error[request-null-refused]"), "{output}");
}

#[test]
fn references_to_other_files_are_refused() {
    let split = edited("'#/components/schemas/Note'", "'schemas.yaml#/Note'");
    let (code, output) = diff(NOTES, &split, &[]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("new:17:") && output.contains("bundle"), "{output}");
}
