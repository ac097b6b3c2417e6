//! Fails the build where the handlers in `crates/api` and the contract in `openapi.yaml` differ, and writes the contract for
//! the server to `OUT_DIR`: its documents and the table of its operations.
//!
//! It never edits a file; `contract check --fix` does. `CONTRACT_DRIFT=warn` turns drifts into warnings, so that editors work
//! in the middle of a change; release builds and CI ignore it.
//!
//! Drifts go to the standard error of the failing script, which cargo prints moved right by two. A `cargo::error=` holds only
//! one line, with the package before it.

#![expect(clippy::disallowed_methods, reason = "cargo passes its settings to a build script in the environment")]

use std::{env, fs, path::PathBuf, process::ExitCode};

use openapi_contract::{Artifacts, Profile};
use openapi_drift::{CheckReport, CodeSide, SourceFile};

const CONTRACT: &str = "openapi.yaml";
/// How far to the right cargo prints the output of a build script.
const SHIFT: usize = 2;

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
        // Nothing on the standard output: cargo would print that too. A script that failed is always run again.
        Err(errors) => {
            eprint!("{errors}");
            ExitCode::FAILURE
        }
    }
}

/// Compares the contract and the code: warnings, or why the build fails.
fn check() -> Result<Vec<String>, String> {
    let yaml = fs::read(CONTRACT).map_err(|error| format!("error: {CONTRACT}: {error}\n"))?;
    let generated = serde_json::to_value(api::openapi())
        .map_err(|error| format!("error: the generated spec cannot be written: {error}\n"))?;
    let files = SourceFile::all_in(&api::SOURCES);
    let code = CodeSide { files: &files, by_rule: &api::with_common_responses, rules: api::COMMON_RESPONSES };
    let found = openapi_drift::check(CONTRACT, &yaml, Profile::Supported, &generated, code);
    // What the server cannot enforce fails the build like a drift.
    let CheckReport { contract: Some(contract), artifacts: Some(artifacts), drifts, .. } = &found else {
        return Err(found.page(SHIFT));
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
        let hint = "build without CONTRACT_DRIFT=warn to see the fixes".to_owned();
        return Ok(planned.chain(drifts.iter().map(|one| one.drift.to_string())).chain([hint]).collect());
    }
    Err(found.page(SHIFT))
}

/// Writes what `web_server::app::artifacts` reads.
fn write_artifacts(artifacts: &Artifacts) -> Result<(), String> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (name, text) in artifacts.files() {
        let file = folder.join(name);
        fs::write(&file, text.as_bytes()).map_err(|error| format!("error: {}: {error}\n", file.display()))?;
    }
    Ok(())
}
