//! Finds errors in a contract that the loader does not: each alone is valid OpenAPI in the supported subset.
//!
//! - [`contradictions`]: bounds that no value satisfies, required names that no object may have, examples, defaults and
//!   enum values that their own schema rejects, links with unknown parameters. Values are validated by `jsonschema`, as
//!   requests are at run time, so an example in the contract is a request that the server accepts.
//! - [`unenforceable`]: what the server does not implement.
//! - [`unusable`]: what some clients, or the generators of clients, cannot use.
//! - What has no OpenAPI 3.0 form ([`Contract::to_json_3_0`]).
//!
//! A contract with such findings can be compared, so they hide no drift, but the build refuses it.

mod composition;
mod consistency;
mod enforceability;
mod findings;
mod pattern;
mod usability;

use openapi_contract::{Contract, LoadError, Profile};

pub use consistency::contradictions;
pub use enforceability::unenforceable;
pub use usability::unusable;

/// The errors of the loader and the findings of this crate, in the order of the file. A finding that may be a consequence
/// of a loader error is left out. A document that is not for this server can only contradict itself.
pub fn lint(contract: &Contract) -> Vec<LoadError> {
    let mut errors = contradictions(contract);
    if contract.profile() == Profile::Standard {
        errors.extend(contract.errors().iter().cloned());
        return errors;
    }
    errors.extend(unenforceable(contract));
    errors.extend(unusable(contract));
    if contract.errors().is_empty() {
        // Of the whole contract: planned operations need a 3.0 form too.
        errors.extend(contract.to_json_3_0().err().into_iter().flatten());
    } else {
        errors.retain(|found| !contract.errors().iter().any(|error| error.is_beside(&found.pointer)));
        errors.extend(contract.errors().iter().cloned());
    }
    errors.sort_by_key(|error| error.position);
    errors
}
