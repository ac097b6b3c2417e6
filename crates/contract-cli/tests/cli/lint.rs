//! `contract lint`.

use std::fs;

use super::{NOTES, contract, edited, run_in, summary, text};

#[test]
fn a_contract_without_errors_passes() {
    let (code, output) = contract(&[("a.yaml", NOTES)], &["lint", "a.yaml"]);
    assert_eq!((code, summary(&output)), (Some(0), "no errors in the contract"), "{output}");
}

#[test]
fn an_error_fails_and_is_reported_with_its_file() {
    let misspelt = edited("maxLength: 100", "maxLenght: 100");
    let (code, output) = contract(&[("a.yaml", &misspelt)], &["--format", "json", "lint", "a.yaml"]);
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, &output[0]["file"], &output[0]["severity"]), (Some(1), &"a.yaml".into(), &"error".into()));
}

#[test]
fn an_error_is_shown_at_its_line() {
    let (_, output) = contract(&[("a.yaml", &*edited("maxLength: 100", "maxLenght: 100"))], &["lint", "a.yaml"]);
    assert!(output.contains(" --> a.yaml:27:") && output.contains("^^^^^^^^^^^^^^"), "{output}");
}

#[test]
fn a_file_that_is_not_text_is_reported_at_the_first_wrong_byte() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), b"openapi: \xff").unwrap();
    let output = run_in(folder.path(), &["lint", "a.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("a.yaml:1:10: "), "{}", text(&output));
}

/// OpenAPI allows any string as version.
#[test]
fn a_version_that_is_not_semver_is_a_notice() {
    let dated = edited("version: 0.1.0", "version: '2026-07-01'");
    let (code, output) = contract(&[("a.yaml", &dated)], &["lint", "a.yaml"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("notice[version-not-semver]: a.yaml:4:"), "{output}");
}
