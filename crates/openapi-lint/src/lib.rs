//! Finds what is wrong with a contract by itself, beyond what the loader refuses.
//!
//! - [`consistency`]: bounds that no value meets, required names that no request may contain, examples, defaults and
//!   listed values that do not match their own schema, links to operations that do not exist.
//! - [`enforceability`]: what the contract promises and the server does not enforce.
//! - What has no OpenAPI 3.0 form ([`Contract::to_json_3_0`]).
//!
//! A contract with such findings can be read and compared, so they hide no drift, but the build refuses it.

mod consistency;
mod enforceability;

use openapi_contract::{Contract, LoadError};

pub use consistency::contradictions;
pub use enforceability::unenforceable;

/// Everything that is wrong with a contract, in the order of the file: the loader's faults and this crate's findings. A
/// finding that may only follow from a fault of the loader is left out.
pub fn lint(contract: &Contract) -> Vec<LoadError> {
    let mut errors = contradictions(contract);
    errors.extend(unenforceable(contract));
    if contract.faults().is_empty() {
        // Of the whole contract: planned operations need a 3.0 form too, and the lines are those of the author's file.
        errors.extend(contract.to_json_3_0().err().into_iter().flatten());
    } else {
        errors.retain(|error| !contract.faults().iter().any(|fault| fault.is_beside(&error.pointer)));
        errors.extend(contract.faults().iter().cloned());
    }
    errors.sort_by_key(|error| error.position);
    errors
}
