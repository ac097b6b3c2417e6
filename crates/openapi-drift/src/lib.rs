//! Compares a contract with the spec generated from the code, and proposes fixes for either side.
//!
//! [`check()`] does everything that the build does: it lints the contract, compares it with the generated spec and
//! explains each [`Drift`] with its [`fixes`]. [`diff()`] is the comparison alone.
//!
//! Every keyword is compared that [`NOT_COMPARED`] does not name, so a new one cannot be missed.

mod check;
mod diff;
pub mod fixes;

pub use check::{CheckReport, check};
pub use diff::{Drift, DriftKind, Followed, NOT_COMPARED, NotCompared, diff};
