//! `contract lint`: the contract by itself.

use openapi_breaking::is_semantic;
use openapi_contract::diagnostics::{Diagnostic, Severity};
use openapi_contract::{Contract, Position};

use crate::report::{Input, Report};

pub(crate) fn lint(file: &Input) -> Report {
    let success = "no errors in the contract".to_owned();
    let contract = match Contract::read(&file.name, &file.bytes) {
        Ok(contract) => contract,
        Err(errors) => return Report { findings: file.findings(&errors), success },
    };
    let mut findings = file.findings(&openapi_lint::lint(&contract));
    let version = contract.document().pointer("/info/version").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !is_semantic(version) {
        findings.push(version_ignored(file, contract.nearest_position("/info/version"), version));
    }
    for operation in contract.operations() {
        let mut note = |code: &str, message: String| {
            let message = format!("{} {}: {message}", operation.method, operation.path);
            let position = contract.nearest_position(&operation.pointer);
            let note = file.finding(Severity::Notice, position, code, message);
            findings.push(Diagnostic { pointer: operation.pointer.clone(), ..note });
        };
        if operation.planned {
            note("operation-planned", "planned: not compared with the code, not routed, not served".to_owned());
        }
        if let Some(sunset) = &operation.sunset {
            note("operation-sunset", format!("will be removed on or after {sunset}"));
        }
    }
    Report { findings, success }
}

/// The notice that the version rule does not apply.
pub(crate) fn version_ignored(file: &Input, position: Position, version: &str) -> Diagnostic {
    let message = format!(
        "`{version}` is not a semantic version such as 1.2.3: `diff` does not compare the version with the changes"
    );
    let notice = file.finding(Severity::Notice, position, "version-not-semver", message);
    Diagnostic { pointer: "/info/version".to_owned(), ..notice }
}
