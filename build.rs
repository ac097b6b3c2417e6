//! Fails the build where the handlers in `crates/api` and the contract in `openapi.yaml` differ, and hands the contract over
//! to the server: its documents and the table of its operations, ready, in `OUT_DIR`.
//!
//! It never edits the contract. `CONTRACT_DRIFT=warn` turns drifts into warnings, so that an editor is not left blind in
//! the middle of a change; release builds and CI do not listen to it.
//!
//! What it has to tell goes to its standard error, and it fails: cargo then prints the whole, moved right by two. A
//! `cargo::error=` can hold no more than a line, and is printed with the package before each.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

use std::{env, fs, path::PathBuf, process::ExitCode};

use openapi_contract::Artifacts;
use openapi_drift::{
    CheckReport,
    fixes::{Code, SourceFile},
};

const CONTRACT: &str = "openapi.yaml";

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
    let generated = serde_json::to_value(api::openapi())
        .map_err(|error| format!("error: the generated spec cannot be written: {error}\n"))?;
    let files = SourceFile::all_in(&api::SOURCES);
    let code = Code { files: &files, by_rule: &api::with_common_responses, rules: api::COMMON_RESPONSES };
    let found = openapi_drift::check(CONTRACT, &yaml, &generated, code);
    // What the contract says and the server would not do is as much a lie as a drift.
    let CheckReport { contract: Some(contract), artifacts: Some(artifacts), drifts, .. } = &found else {
        return Err(found.page());
    };
    write_artifacts(artifacts)?;

    let planned = contract.operations().iter().filter(|operation| operation.planned);
    let planned =
        planned.map(|planned| format!("{} is planned: {} {} is not served", planned.id, planned.method, planned.path));
    if drifts.is_empty() {
        return Ok(planned.collect());
    }
    let lenient = env::var("CONTRACT_DRIFT").is_ok_and(|value| value == "warn");
    let strict = env::var("PROFILE").is_ok_and(|profile| profile == "release") || env::var_os("CI").is_some();
    if lenient && !strict {
        let hint = "build without CONTRACT_DRIFT=warn to see how to make each drift go away".to_owned();
        let told =
            drifts.iter().flat_map(|drift| [drift.to_string()].into_iter().chain(drift.likewise.iter().cloned()));
        return Ok(planned.chain(told).chain([hint]).collect());
    }
    Err(found.page())
}

/// Writes what `web_server::app::compiled` reads.
fn write_artifacts(artifacts: &Artifacts) -> Result<(), String> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (name, text) in artifacts.files() {
        let file = folder.join(name);
        fs::write(&file, text.as_bytes()).map_err(|error| format!("error: {}: {error}\n", file.display()))?;
    }
    Ok(())
}
