//! `contract check`: compares the contract with a generated spec, and applies fixes where asked.

use std::path::Path;
use std::process::{Command, exit};

use openapi_contract::diagnostics::{Diagnostic, Severity};
use openapi_contract::{Profile, document};
use openapi_drift::{CodeSide, Repair, Side, SourceFile, repair};
use serde_json::Value;

use crate::args::CheckArgs;
use crate::report::{Report, Unusable, counted, finding, read, unusable, write};

/// The handlers that a program links, for `contract check` without `--generated`.
#[derive(Clone, Copy)]
pub struct Handlers<'a> {
    /// The spec generated from them.
    pub spec: &'a Value,
    /// Their sources and rules.
    pub code: CodeSide<'a>,
}

/// Compares the contract with the spec in `--generated`, or with that of the handlers.
pub(crate) fn check(args: &CheckArgs, handlers: Option<Handlers<'_>>) -> Result<Report, Unusable> {
    let success = "no differences between the contract and the code".to_owned();
    let saved = args.generated.as_deref().map(read).transpose()?;
    let saved = saved.map(|file| document::read_spec(&file.name, &file.bytes).map_err(|errors| file.findings(&errors)));
    let (spec, profile, code) = match (&saved, handlers) {
        (Some(Ok(spec)), _) => (spec, Profile::Standard, CodeSide::UNKNOWN),
        (Some(Err(findings)), _) => return Ok(Report { findings: findings.clone(), success }),
        (None, Some(handlers)) => (handlers.spec, Profile::Supported, handlers.code),
        (None, None) => return Err(run_with_handlers()),
    };
    let contract = read(&args.contract)?;
    let folders: Vec<&str> = args.sources.iter().map(String::as_str).collect();
    for folder in &folders {
        std::fs::read_dir(folder).map_err(|error| unusable(folder, "read", error))?;
    }
    let files = SourceFile::all_in(&folders);
    let code = if folders.is_empty() { code } else { CodeSide { files: &files, ..code } };
    let checked = openapi_drift::check(&contract.name, &contract.bytes, profile, spec, code);
    let mut report = Report { findings: checked.faults, success };
    match (args.fix, &checked.contract) {
        (Some(side), Some(contract)) => {
            let repair = repair(side, contract, spec, code);
            for file in &repair.files {
                write(Path::new(&file.path), file.text.as_bytes())?;
            }
            report.findings.extend(repair.left.iter().map(|one| one.diagnostic(0)));
            report.findings.extend(notices(side, &repair, contract.file_name()));
            if !repair.files.is_empty() && side == Side::Code {
                report.success = "every drift has a fix that was applied: build, then check again".to_owned();
            }
        }
        _ => report.findings.extend(checked.drifts.iter().map(|one| one.diagnostic(0))),
    }
    Ok(report)
}

/// Runs this command in the program that links the handlers, and exits with its exit code. Returns only if there is none.
fn run_with_handlers() -> Unusable {
    const RUN: [&str; 6] = ["run", "--quiet", "--package", "api", "--example", "contract"];
    let status = Command::new("cargo").args(RUN).arg("--").args(std::env::args_os().skip(1)).status();
    // cargo has an exit code of its own if it cannot build the program.
    if let Ok(Some(code @ 0..=2)) = status.as_ref().map(std::process::ExitStatus::code) {
        exit(code);
    }
    let message = "the handlers cannot be built, so there is no generated spec to compare with: fix the errors that cargo \
                   reports above, or name a saved spec with `--generated FILE`";
    vec![finding(Severity::Error, "crates/api", "spec-unavailable", message)]
}

/// What was fixed, and why it stopped.
fn notices(side: Side, repair: &Repair, contract: &str) -> Vec<Diagnostic> {
    let next = match side {
        Side::Code => ": build again, rustc reports what new fields still need",
        Side::Contract => "",
    };
    let applied = format!("fixes applied in {}{next}", counted(repair.rounds, "round"));
    let files = repair.files.iter().map(|file| finding(Severity::Notice, &file.path, "fixes-applied", applied.clone()));
    let stopped = repair.stopped.iter().map(|why| finding(Severity::Error, contract, "fix-stopped", why.clone()));
    files.chain(stopped).collect()
}
