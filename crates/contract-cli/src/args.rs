//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use openapi_contract::diagnostics::Format;
use openapi_drift::Side;

const CONTRACT: &str = "openapi.yaml";

/// Check, lint, compare and release an OpenAPI contract
#[derive(Debug, Parser)]
#[command(
    name = "contract",
    version,
    after_help = "Exit codes: 0, no errors; 1, errors are reported; 2, the command cannot run: wrong arguments, a file that \
                  cannot be read or written, handlers that do not compile.\nA file named `-` is the standard input."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Output format of the findings: `text`, `json` (an array with one object per finding), or `github` (annotations of
    /// GitHub Actions)
    #[arg(long, global = true, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// List changes of prose in text too, instead of their number only
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compare the contract with the spec generated from the code
    ///
    /// Reports every drift with fixes for either side. `--fix` edits the code to match the contract, `--fix=contract` edits
    /// the contract to match the generated spec.
    ///
    /// Without `--generated`, the spec is that of the handlers in `crates/api`, which are built first. While they do not
    /// compile, this command prints the errors of rustc; `lint`, `diff` and `--generated` do not need them.
    Check(CheckArgs),
    /// Report inconsistencies of the contract and what the server cannot enforce
    Lint {
        /// The contract
        #[arg(default_value = CONTRACT)]
        contract: PathBuf,
    },
    /// Compare two releases of a contract and report the changes that break clients
    ///
    /// Every difference is reported as breaking, possibly breaking, safe or prose. Breaking changes are errors unless they
    /// are approved. `info.version` must increase by the step that the changes require (semver), approved or not; versions that
    /// are not semantic versions are not checked. Either file may be any OpenAPI document, not only a supported contract.
    Diff(DiffArgs),
    /// Record the contract as released, if `lint` and `diff` report no errors
    ///
    /// Copies the contract to the file of the released contract and removes the approvals of its changes.
    Release {
        /// The contract
        #[arg(long, default_value = CONTRACT, value_name = "FILE")]
        contract: PathBuf,
        /// The contract of the last release; created if it does not exist
        #[arg(long, default_value = "openapi.released.yaml", value_name = "FILE")]
        released: PathBuf,
        /// Fingerprints of approved breaking changes, one per line
        #[arg(long, default_value = "openapi.approvals", value_name = "FILE")]
        approvals: PathBuf,
        #[command(flatten)]
        version: VersionArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The contract
    #[arg(default_value = CONTRACT)]
    pub(crate) contract: PathBuf,
    /// Generated spec to compare with; then both may be any OpenAPI 3.0 or 3.1 documents [default: that of the handlers in `crates/api`]
    #[arg(long, value_name = "FILE")]
    pub(crate) generated: Option<PathBuf>,
    /// Folder with the Rust sources behind the spec, may be repeated [default: those of the handlers, without `--generated`]
    #[arg(long, value_name = "DIR")]
    pub(crate) sources: Vec<String>,
    /// Apply the machine-applicable fixes to one side until none is left: `code` (the default) edits the Rust sources, which
    /// `--sources` names where `--generated` is given; `contract` edits the contract
    #[arg(long, value_name = "SIDE", num_args = 0..=1, require_equals = true, default_missing_value = "code")]
    pub(crate) fix: Option<Side>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The old release, which clients were written for
    pub(crate) old: PathBuf,
    /// The new release
    pub(crate) new: PathBuf,
    /// Fingerprints of approved breaking changes, one per line
    #[arg(long, value_name = "FILE")]
    pub(crate) approvals: Option<PathBuf>,
    /// Fail on possibly breaking changes too
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) version: VersionArgs,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct VersionArgs {
    /// Do not compare `info.version` with the changes
    #[arg(long = "no-version")]
    pub(crate) ignored: bool,
}
