//! Fails the build where the handlers in `crates/api` and the contract in `openapi.yaml` differ.
//!
//! It never edits the contract. `CONTRACT_DRIFT=warn` turns drifts into warnings, so that an editor is not left blind in
//! the middle of a change; release builds and CI do not listen to it.

#![expect(clippy::disallowed_methods, reason = "cargo talks to a build script through the environment")]

use std::{env, fs};

use contract::Contract;

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
        Err(errors) => return errors.iter().for_each(|error| println!("cargo::error={error}")),
    };
    // What the contract says and the server would not do is as much a lie as a drift.
    contract.unenforceable().iter().for_each(|error| println!("cargo::error={error}"));
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
