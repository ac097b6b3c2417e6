//! The command line tool `contract`, as people and CI use it.

mod check;
mod diff;
mod lint;
mod release;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A contract without errors.
const NOTES: &str = include_str!("../fixtures/notes.yaml");

/// Runs `contract …` in a folder that has these files. Returns the exit code and the output.
fn contract(files: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    let output = run_in(folder.path(), arguments);
    (output.status.code(), text(&output))
}

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    tool(folder).args(arguments).output().expect("the tool runs")
}

fn tool(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contract"));
    command.current_dir(folder);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

/// `NOTES` with one replacement.
fn edited(from: &str, to: &str) -> String {
    assert!(NOTES.contains(from), "{from}");
    NOTES.replacen(from, to, 1)
}

/// The last line of the output.
fn summary(output: &str) -> &str {
    output.lines().last().unwrap_or_default()
}

/// Programs that read JSON or annotations get them also where a file cannot be read.
#[test]
fn unreadable_files_are_reported_in_the_requested_format() {
    let (code, output) = contract(&[("old", NOTES)], &["--format", "json", "diff", "none", ".", "--approvals", "old"]);
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    let files: Vec<_> = output.as_array().unwrap().iter().filter_map(|finding| finding["file"].as_str()).collect();
    assert_eq!((code, files), (Some(2), vec!["none", "."]));
    let (code, output) = contract(&[], &["--format", "github", "lint", "a,b"]);
    assert_eq!(code, Some(2), "{output}");
    assert!(output.starts_with("::error file=a%2Cb,line=1,col=1,title=file-unusable::cannot be read: "), "{output}");
}

#[test]
fn every_command_has_help() {
    for command in ["check", "lint", "diff", "release"] {
        let (code, help) = contract(&[], &[command, "--help"]);
        assert!(code == Some(0) && help.contains("Usage: contract "), "{help}");
    }
}
