//! Fails the build where the handlers in `crates/api` and the contract in `openapi.yaml` differ.
//!
//! It never edits the contract. `CONTRACT_DRIFT=warn` turns drifts into warnings, so that an editor is not left blind in
//! the middle of a change; release builds and CI do not listen to it.
//!
//! What it has to tell goes to its standard error, and it fails: cargo then prints the whole, moved right by two. A
//! `cargo::error=` can hold no more than a line, and is printed with the package before each.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

use std::{env, fs, path::Path, process::ExitCode};

use contract::{
    Contract, Drift,
    fixit::{self, Code, SourceFile},
    report::Finding,
};

const CONTRACT: &str = "openapi.yaml";

/// The handlers and their types, and who makes values of those.
const SOURCES: [&str; 2] = ["crates/api/src", "src"];

fn main() -> ExitCode {
    match check() {
        Ok(warnings) => {
            println!("cargo::rerun-if-changed={CONTRACT}");
            println!("cargo::rerun-if-changed=migrations");
            println!("cargo::rerun-if-env-changed=CONTRACT_DRIFT");
            println!("cargo::rerun-if-env-changed=CI");
            warnings.iter().for_each(|warning| println!("cargo::warning={warning}"));
            ExitCode::SUCCESS
        }
        // Nothing on the standard output: cargo would print that, too. A script that failed is always run again.
        Err(told) => {
            eprint!("{told}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the contract and the code say the same: what to warn of, or why not to build.
fn check() -> Result<Vec<String>, String> {
    let yaml = fs::read(CONTRACT).map_err(|error| format!("error: {CONTRACT}: {error}\n"))?;
    let contract = Contract::load_bytes(CONTRACT, &yaml).map_err(|errors| told(errors.iter().map(Finding::from)))?;
    // What the contract says and the server would not do is as much a lie as a drift.
    let unenforceable = contract.unenforceable();
    if !unenforceable.is_empty() {
        return Err(told(unenforceable.iter().map(Finding::from)));
    }
    let generated = serde_json::to_value(api::openapi())
        .map_err(|error| format!("error: the generated spec cannot be written: {error}\n"))?;
    let drifts = contract::diff(&contract, &generated);
    if drifts.is_empty() {
        return Ok(Vec::new());
    }

    let lenient = env::var("CONTRACT_DRIFT").is_ok_and(|value| value == "warn");
    let strict = env::var("PROFILE").is_ok_and(|profile| profile == "release") || env::var_os("CI").is_some();
    if lenient && !strict {
        let hint = "build without CONTRACT_DRIFT=warn to see how to make each drift go away".to_owned();
        return Ok(drifts.iter().map(Drift::to_string).chain([hint]).collect());
    }
    let mut files = Vec::new();
    SOURCES.iter().for_each(|folder| read(Path::new(folder), &mut files));
    let code = Code { files: &files, by_rule: &api::with_shared_answers, rules: "crates/api/src/shared_answers.rs" };
    let drifts = fixit::explain(&contract, &generated, code, drifts);
    Err(fixit::page(&drifts))
}

fn told(findings: impl Iterator<Item = Finding>) -> String {
    contract::report::render(&findings.collect::<Vec<_>>(), contract::report::Format::Text)
}

/// Reads what Rust there is in a folder. What cannot be read is only not pointed at.
fn read(folder: &Path, files: &mut Vec<SourceFile>) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
}
