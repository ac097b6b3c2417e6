//! `contract check`: the contract and the spec generated from the code.

use openapi_contract::diagnostics::Diagnostic;
use openapi_drift::fixes::{Code, SourceFile};

use crate::report::{Input, Report, findings};

pub(crate) fn check(file: &Input) -> Report {
    // A tree of strings and numbers is always JSON.
    let generated = serde_json::to_value(api::openapi()).unwrap_or_default();
    let files = SourceFile::all_in(&api::SOURCES);
    let code = Code { files: &files, by_rule: &api::with_shared_answers, rules: api::SHARED_ANSWERS };
    let found = openapi_drift::check(&file.name, &file.bytes, &generated, code);
    let findings = findings(&found.faults).into_iter().chain(found.drifts.iter().map(Diagnostic::from)).collect();
    Report { findings, success: "the contract and the code agree".to_owned() }
}
