//! Loads an OpenAPI contract: a document written by hand in YAML, with the position of every node.
//!
//! [`Contract::load`] reads the text, validates it against the supported subset of OpenAPI 3.1, follows every reference
//! and lists the operations. The other contract crates build on it: `openapi-lint` finds what is inconsistent inside a
//! contract, `openapi-drift` compares it with the spec generated from the code, `openapi-breaking` compares it with an
//! earlier release. The server gets [`Artifacts`]: the documents to serve and the [`OperationTable`] to enforce.
//!
//! The supported subset is the part of OpenAPI 3.1 that also has a 3.0 form ([`openapi_3_0`]), because some generators
//! read 3.0 only.
//!
//! What must stay true:
//!
//! - **No keyword is ignored.** A keyword that the tables in [`grammar`] do not list is an error, so a misspelt limit
//!   cannot be lost.
//! - **The text means what it shows.** YAML anchors, aliases, tags and merge keys are refused in a contract.
//! - **Any input gets an answer.** Nothing here panics or recurses without bound, whatever the text.
//!
//! Stages: [`yaml`] turns text into a JSON value and a [`source_map`] of positions → [`check`] validates it against
//! [`grammar`] and the rules that no grammar expresses → [`operation`] follows every reference and lists the operations.
//! [`projection`] leaves operations out, [`openapi_3_0`] writes the 3.0 form, [`artifacts`] puts these together for the
//! server. [`equivalence`] defines which values are equal in meaning, for all crates.

pub mod artifacts;
pub mod check;
pub mod contract;
pub mod date;
pub mod diagnostics;
pub mod equivalence;
mod error;
pub mod grammar;
pub mod openapi_3_0;
pub mod operation;
pub mod paths;
pub mod pointer;
pub mod projection;
pub mod reachability;
pub mod source_map;
pub mod yaml;

pub use artifacts::{Artifacts, OperationTable};
pub use check::{EXTENSIONS, Extension};
pub use contract::Contract;
pub use error::LoadError;
pub use grammar::Kind;
pub use operation::{Header, Location, Method, Operation, Parameter, RequestBody, Response, SecurityRequirement};
pub use source_map::Position;
pub use yaml::MAX_BYTES;
