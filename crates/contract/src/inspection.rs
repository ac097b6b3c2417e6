//! All that is to be said of a contract and of the code behind it, at once: a fault of the contract hides no drift while the
//! document can still be made out.

use serde_json::Value;

use crate::check::nearest;
use crate::fixit::{self, Code};
use crate::report::{self, Finding, Format};
use crate::{Compiled, Contract, Drift, LoadError, diff};

/// What [`inspect`] found.
#[derive(Debug)]
pub struct Inspection {
    /// The contract; `None` where its text cannot be made out well enough to be compared.
    pub contract: Option<Contract>,
    /// The contract made ready to be served; `None` where it has faults.
    pub compiled: Option<Compiled>,
    /// What is wrong with the contract by itself: what the loader refuses, or [`Compiled::of`] does.
    pub faults: Vec<LoadError>,
    /// Where the contract and the code differ, explained. What only follows from a fault is left out.
    pub drifts: Vec<Drift>,
}

/// Reads a contract and holds it against itself, against what the server can do, and against the spec generated from the code.
///
/// `file` appears in messages only; nothing is read from disk.
pub fn inspect(file: &str, yaml: &[u8], generated: &Value, code: Code<'_>) -> Inspection {
    let contract = match Contract::read_bytes(file, yaml) {
        Ok(contract) => contract,
        Err(faults) => return Inspection { contract: None, compiled: None, faults, drifts: Vec::new() },
    };
    let (compiled, faults) = match Compiled::of(&contract, contract.text()) {
        Ok(compiled) => (Some(compiled), Vec::new()),
        Err(faults) => (None, faults),
    };
    let drifts = fixit::explain(&contract, generated, code, diff(&contract, generated));
    Inspection { contract: Some(contract), compiled, faults, drifts }
}

impl Inspection {
    /// Everything for a terminal, faults first; nothing where all is well.
    pub fn page(&self) -> String {
        if self.faults.is_empty() {
            return if self.drifts.is_empty() { String::new() } else { fixit::page(&self.drifts) };
        }
        let faults: Vec<Finding> = self.faults.iter().map(Finding::from).collect();
        let mut page = report::render(&faults, Format::Text);
        if !self.drifts.is_empty() {
            page.push('\n');
            page.push_str(&fixit::told(&self.drifts));
            let counted = fixit::counted(&self.drifts);
            page.push_str(&format!("error: what is above, and {counted} between the contract and the code\n"));
        }
        page
    }
}

/// Whether the node at `pointer` is the one at `faulty`, is inside it, or is the one whose name was misspelt there.
pub(crate) fn follows(pointer: &str, faulty: &str) -> bool {
    if faulty.is_empty() {
        // It is of the whole, and everything is inside that.
        return false;
    }
    if pointer.strip_prefix(faulty).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return true;
    }
    match (pointer.rsplit_once('/'), faulty.rsplit_once('/')) {
        (Some((owner, name)), Some((of, misspelt))) => owner == of && nearest(misspelt, [name].into_iter()).is_some(),
        _ => false,
    }
}

/// Whether what is said of `pointer` is about the object that has the fault, or about what is inside that: it may well follow.
pub(crate) fn beside(pointer: &str, fault: &LoadError) -> bool {
    let owner = fault.pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
    follows(pointer, &fault.pointer) || follows(pointer, owner)
}
