//! All that is to be said of a contract and of the code behind it, at once: a fault of the contract hides no drift while the
//! document can still be made out.

use serde_json::Value;

use crate::fixes::{self, Code};
use crate::{Drift, diff};
use openapi_contract::diagnostics::{self, Diagnostic, Format};
use openapi_contract::{Artifacts, Contract, LoadError};
use openapi_lint::lint;

/// What [`check`] found.
#[derive(Debug)]
pub struct CheckReport {
    /// The contract; `None` where its text cannot be made out well enough to be compared.
    pub contract: Option<Contract>,
    /// The contract made ready to be served; `None` where it has faults.
    pub artifacts: Option<Artifacts>,
    /// What is wrong with the contract by itself: what the loader refuses, or [`Artifacts::of`] does.
    pub faults: Vec<LoadError>,
    /// Where the contract and the code differ, explained. What only follows from a fault is left out.
    pub drifts: Vec<Drift>,
}

/// Reads a contract and holds it against itself, against what the server can do, and against the spec generated from the code.
///
/// `file` appears in messages only; nothing is read from disk.
pub fn check(file: &str, yaml: &[u8], generated: &Value, code: Code<'_>) -> CheckReport {
    let contract = match Contract::read_bytes(file, yaml) {
        Ok(contract) => contract,
        Err(faults) => return CheckReport { contract: None, artifacts: None, faults, drifts: Vec::new() },
    };
    let faults = lint(&contract);
    let (artifacts, faults) = match Artifacts::of(&contract) {
        Ok(artifacts) if faults.is_empty() => (Some(artifacts), faults),
        Err(more) if faults.is_empty() => (None, more),
        _ => (None, faults),
    };
    let drifts = fixes::explain(&contract, generated, code, diff(&contract, generated));
    CheckReport { contract: Some(contract), artifacts, faults, drifts }
}

impl CheckReport {
    /// Everything for a terminal, faults first; nothing where all is well.
    pub fn page(&self) -> String {
        if self.faults.is_empty() {
            return if self.drifts.is_empty() { String::new() } else { fixes::page(&self.drifts) };
        }
        let faults: Vec<Diagnostic> = self.faults.iter().map(Diagnostic::from).collect();
        let mut page = diagnostics::render(&faults, Format::Text);
        if !self.drifts.is_empty() {
            page.push('\n');
            page.push_str(&fixes::told(&self.drifts));
            let counted = fixes::counted(&self.drifts);
            page.push_str(&format!("error: what is above, and {counted} between the contract and the code\n"));
        }
        page
    }
}
