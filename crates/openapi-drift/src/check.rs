//! The whole check of a contract: drifts are reported beside the errors of the contract, if the document can be parsed.

use serde_json::Value;

use crate::context::CodeSide;
use crate::finding::Finding;
use crate::findings::findings;
use openapi_contract::diagnostics::{Diagnostic, Format, of_errors, render};
use openapi_contract::{Artifacts, Contract, Profile};
use openapi_lint::lint;

/// What [`check`] found.
#[derive(Debug)]
pub struct CheckReport {
    /// The contract; `None` where its text cannot be read well enough to be compared.
    pub contract: Option<Contract>,
    /// The documents and tables for the server; `None` where the contract has faults, or is for another server.
    pub artifacts: Option<Artifacts>,
    /// What is wrong with the contract itself: what the loader, the lint or [`Artifacts::of`] refuses.
    pub faults: Vec<Diagnostic>,
    /// Where the contract and the code differ. What only follows from a fault is left out.
    pub drifts: Vec<Finding>,
}

/// Reads a contract, lints it, and compares it with the spec generated from the code.
///
/// `file` appears in messages only; nothing is read from disk. [`Profile::Standard`] is for documents of other servers.
pub fn check(file: &str, yaml: &[u8], profile: Profile, generated: &Value, code: CodeSide<'_>) -> CheckReport {
    let text = String::from_utf8_lossy(yaml);
    let contract = match Contract::read(file, yaml, profile) {
        Ok(contract) => contract,
        Err(errors) => {
            let faults = of_errors(&errors, &text);
            return CheckReport { contract: None, artifacts: None, faults, drifts: Vec::new() };
        }
    };
    let mut faults = lint(&contract);
    let artifacts = match profile {
        Profile::Supported if faults.is_empty() => Artifacts::of(&contract).map_err(|more| faults = more).ok(),
        _ => None,
    };
    let drifts = findings(&contract, generated, code);
    CheckReport { contract: Some(contract), artifacts, faults: of_errors(&faults, &text), drifts }
}

impl CheckReport {
    /// Everything for a terminal, faults first. What is to be pasted is in its column once everything is moved right by
    /// `shift`, as cargo does with the output of a build script.
    pub fn page(&self, shift: usize) -> String {
        let drifts = self.drifts.iter().map(|one| one.diagnostic(shift));
        let all: Vec<Diagnostic> = self.faults.iter().cloned().chain(drifts).collect();
        let counts = format!("errors in the contract: {}, drifts: {}\n", self.faults.len(), self.drifts.len());
        render(&all, Format::Text) + &counts
    }
}
