//! Compares two releases of an OpenAPI document and reports which changes break clients.
//!
//! A client was written for the old release. So a change that *tightens a request* breaks it, because what it sends is
//! rejected, and a change that *widens a response* breaks it, because it receives what it does not expect; the reverse is
//! safe. A schema that is used in both directions has to be safe in both. Every difference is reported as one [`Change`]:
//! breaking, possibly breaking (the documents alone do not decide it), safe, or prose. [`RULES`] lists every rule.
//!
//! Stages: `effective_schema` reads a schema for what it accepts, independent of how it is written. `schema`, with
//! `constraint`, `bounds`, `properties`, `alternatives` and `keywords`, compares two of them. `document`, `path_items`,
//! `operation`, `messages` and `security` compare everything around schemas, as `sides`: a node of both releases. `walk`
//! keeps the place and the findings, on the engine [`openapi_contract::pair_walk`]. `version` computes the step of
//! `info.version` that the changes require, `approvals` reads which of them are intended.
//!
//! What must stay true:
//!
//! - **No difference passes unreported.** A keyword without a rule is reported as changed; a test changes every node of two
//!   documents in turn.
//! - **A change that is called safe breaks no client.** A test compares random schemas with a JSON Schema validator.
//! - **Rule ids and fingerprints are stable.** They are in users' files of approvals.
//!
//! Any OpenAPI document is accepted ([`Profile::Standard`](openapi_contract::Profile)), not only the supported subset: a
//! release may have another author, or be older than the subset.

mod alternatives;
mod approvals;
mod bounds;
mod change;
mod constraint;
mod day;
mod document;
mod effective_schema;
mod fingerprint;
mod keywords;
mod messages;
mod operation;
mod path_items;
mod properties;
mod rule;
mod rules;
mod schema;
mod security;
mod sides;
mod subschema;
mod types;
mod version;
mod walk;

pub use approvals::{Approvals, BadLine, Reviewed};
pub use change::{Change, Place};
pub use day::Day;
pub use rule::{Direction, Rule, Severity, Step};
pub use rules::RULES;
pub use version::{StepFault, is_semantic, required_step};

use openapi_contract::{Contract, document::separated};

/// Every change from an old release to a new one: the most severe first, then in the order of the new one.
///
/// `today` decides whether a sunset has passed.
pub fn changes_between(old: &Contract, new: &Contract, today: Day) -> Vec<Change> {
    let separated = separated([old, new]);
    let [old, new] = separated.as_ref().map_or([old, new], |[old, new]| [old, new]);
    let mut walk = walk::Walk::new([old, new], today);
    walk.document();
    walk.collect()
}
