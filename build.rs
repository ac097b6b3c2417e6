//! Fails the build where the handlers in `crates/api` and the contract in `openapi.yaml` differ, and hands the contract over
//! to the server: its documents and the table of its operations, ready, in `OUT_DIR`.
//!
//! It never edits the contract. `CONTRACT_DRIFT=warn` turns drifts into warnings, so that an editor is not left blind in
//! the middle of a change; release builds and CI do not listen to it.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

use std::{env, fs, path::PathBuf};

use contract::{Compiled, Contract, LoadError};

const CONTRACT: &str = "openapi.yaml";

fn main() {
    println!("cargo::rerun-if-changed={CONTRACT}");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed=CONTRACT_DRIFT");
    println!("cargo::rerun-if-env-changed=CI");

    let yaml = match fs::read(CONTRACT) {
        Ok(yaml) => yaml,
        Err(error) => return println!("cargo::error={CONTRACT}: {error}"),
    };
    let contract = match Contract::load_bytes(CONTRACT, &yaml) {
        Ok(contract) => contract,
        Err(errors) => return tell(&errors),
    };
    match Compiled::of(&contract, &String::from_utf8_lossy(&yaml)) {
        Ok(compiled) => hand_over(&compiled),
        // What the contract says and the server would not do is as much a lie as a drift.
        Err(errors) => tell(&errors),
    }
    let planned = contract.operations().iter().filter(|operation| operation.planned);
    for operation in planned {
        println!("cargo::warning={} is planned: {} {} is not served", operation.id, operation.method, operation.path);
    }
    let generated = match serde_json::to_value(api::openapi()) {
        Ok(generated) => generated,
        Err(error) => return println!("cargo::error=the generated spec cannot be written: {error}"),
    };

    let lenient = env::var("CONTRACT_DRIFT").is_ok_and(|value| value == "warn");
    let strict = env::var("PROFILE").is_ok_and(|profile| profile == "release") || env::var_os("CI").is_some();
    let severity = if lenient && !strict { "warning" } else { "error" };
    for drift in contract::diff(&contract, &generated) {
        println!("cargo::{severity}={drift}");
    }
}

fn tell(errors: &[LoadError]) {
    errors.iter().for_each(|error| println!("cargo::error={error}"));
}

/// Writes what `web_server::app::compiled` reads.
fn hand_over(compiled: &Compiled) {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (name, text) in compiled.files() {
        if let Err(error) = fs::write(folder.join(name), text.as_bytes()) {
            println!("cargo::error={}: {error}", folder.join(name).display());
        }
    }
}
