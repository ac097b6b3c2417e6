//! `contract lint`: the contract by itself.

use openapi_breaking::is_semantic;
use openapi_contract::diagnostics::{Diagnostic, Severity};
use openapi_contract::{Contract, Profile};

use crate::report::{Input, Report};

pub(crate) fn lint(file: &Input) -> Report {
    let success = "no errors in the contract".to_owned();
    let contract = match Contract::read(&file.name, &file.bytes, Profile::Supported) {
        Ok(contract) => contract,
        Err(errors) => return Report { findings: file.findings(&errors), success },
    };
    let mut findings = file.findings(&openapi_lint::lint(&contract));
    findings.extend(version_ignored(file, &contract));
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

/// The notice that the version rule does not apply, if it does not.
pub(crate) fn version_ignored(file: &Input, contract: &Contract) -> Option<Diagnostic> {
    let (version, position) = (contract.version(), contract.nearest_position("/info/version"));
    let message = format!(
        "`{version}` is not a semantic version such as 1.2.3: `diff` does not compare the version with the changes"
    );
    let notice = file.finding(Severity::Notice, position, "version-not-semver", message);
    (!is_semantic(version)).then(|| Diagnostic { pointer: "/info/version".to_owned(), ..notice })
}
