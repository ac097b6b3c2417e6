//! Compares a contract with the spec generated from the code, and proposes fixes for either side.
//!
//! [`check()`] does everything that the build does: it lints the contract, compares it with the generated spec and
//! explains each [`Drift`]: [`findings`] makes a [`Finding`] of it, with the source lines of both sides and its [`Fix`]es.
//! [`compare()`] is the comparison alone.
//!
//! What must stay true:
//!
//! - **Every keyword is compared** that [`NOT_COMPARED`] does not list, so a new one cannot be missed.
//! - **No fix invents a value or edits a struct literal.** rustc reports those places.
//! - **A machine-applicable fix is tried first**: it is offered only if the edited document does not have its drift.
//! - **Nothing here writes a file.** `contract check --fix` does.

mod check;
mod compare;
mod context;
mod finding;
mod findings;
mod fix;
mod fixes;
mod moves;
mod rename;
mod repair;
mod sources;

pub use check::{CheckReport, check};
pub use compare::{Drift, DriftKind, NOT_COMPARED, NotCompared, compare};
pub use context::CodeSide;
pub use finding::Finding;
pub use findings::findings;
pub use fix::{Applicability, Edit, Fix, Side, SourceFile, apply};
pub use repair::{Repair, repair};
