//! The comparison: one [`Drift`] per place where the generated spec differs from the contract, always all of them.
//!
//! The contract is written by hand, the other side is the spec that utoipa generates from the handlers. Structure is
//! compared exactly, by meaning: references are followed, so that a `$ref` equals the same schema written inline; defaults
//! are filled in; `same` defines which values are equal. Every keyword counts, in the grammar or not, unless
//! [`NOT_COMPARED`] lists it.
//!
//! `document` pairs the operations of both sides, `walk` compares everything below them, `drift` is the result. Schemas
//! that no operation uses are compared by name.

mod attribution;
mod collect;
mod counterpart;
mod document;
mod drift;
mod exclusions;
mod same;
mod walk;

use serde_json::Value;

pub(crate) use drift::brief;
pub use drift::{Drift, DriftKind};
pub(crate) use exclusions::not_compared;
pub use exclusions::{NOT_COMPARED, NotCompared};
pub(crate) use same::{is_default, only_part};

use openapi_contract::{Contract, Kind};

/// Whether a node of the contract and one of the code mean the same; either may be a reference.
pub(crate) fn means_the_same(contract: &Value, code: &Value, kind: Kind, ours: &Value, theirs: &Value) -> bool {
    walk::Walk::new(contract, code).finds_nothing(kind, ours, theirs)
}

/// Every drift between a contract and the spec generated from the code, in the order of the contract.
///
/// Operations that are planned in the contract are left out, unless the code has them already. A node that one side
/// lacks is one drift, however much is inside it. A difference in a component is one drift with every place that has it.
/// What only follows from one of [`Contract::errors`] is left out.
pub fn compare(contract: &Contract, generated: &Value) -> Vec<Drift> {
    let mut drifts = walk::Walk::new(contract.document(), generated).drifts(contract);
    drifts.retain(|drift| !contract.errors().iter().any(|error| error.covers(&drift.pointer)));
    drifts
}
