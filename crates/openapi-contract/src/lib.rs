//! Loads an OpenAPI contract: a document written by hand in YAML, with the position of every node.
//!
//! [`Contract::load`] parses the text, validates it against the supported subset of OpenAPI 3.1, follows every
//! reference and lists the operations. The other contract crates build on it: `openapi-lint` finds inconsistencies
//! inside a contract, `openapi-drift` compares it with the spec generated from the code, `openapi-breaking` compares
//! releases. The server gets [`Artifacts`]: the documents to serve and the [`OperationTable`] to enforce.
//!
//! The supported subset is the part of OpenAPI 3.1 that also has a 3.0 form ([`openapi_3_0`]), because some generators
//! accept 3.0 only. Documents to compare need not be in the subset: [`Contract::read`] accepts any OpenAPI 3.0 or 3.1
//! document in one file. The two are separate [`Profile`]s, and errors of the subset have a [`Code`] of their own.
//!
//! Invariants:
//!
//! - **No keyword is ignored.** A keyword that is not in the tables of [`grammar`] is an error in a contract, so a
//!   misspelt limit cannot pass.
//! - **A contract is plain YAML.** Anchors, aliases, tags, merge keys and numbers that JSON readers round are refused.
//! - **No input causes a panic or unbounded work.** Nesting, size and the expansion of aliases are bounded.
//!
//! Stages: [`yaml`] parses text into a JSON value and a [`source_map`] of positions → [`check`] validates it against
//! [`grammar`] and the rules that no grammar expresses → [`operation`] follows references and lists the operations.
//! [`projection`] removes operations, [`openapi_3_0`] writes the 3.0 form, [`artifacts`] combines them for the server.
//! [`page`] writes the form for Swagger UI.
//! [`nodes`] is the traversal and [`equivalence`] the equality that all crates share.

pub mod artifacts;
pub mod check;
pub mod contract;
pub mod date;
pub mod diagnostics;
pub mod document;
pub mod equivalence;
pub mod error;
pub mod excerpt;
pub mod extensions;
pub mod fields;
pub mod grammar;
pub mod method;
pub mod nodes;
pub mod openapi_3_0;
pub mod operation;
pub mod page;
pub mod pair_walk;
pub mod paths;
pub mod pointer;
pub mod profile;
pub mod projection;
pub mod source_map;
pub mod suggestions;
mod upgrade;
mod words;
pub mod yaml;

pub use artifacts::{Artifacts, OperationTable};
pub use contract::Contract;
pub use error::{Code, LoadError};
pub use extensions::{EXTENSIONS, Extension};
pub use grammar::Kind;
pub use method::Method;
pub use operation::{Header, Location, Operation, Parameter, RequestBody, Response, SecurityRequirement};
pub use profile::Profile;
pub use source_map::Position;
pub use yaml::MAX_BYTES;
