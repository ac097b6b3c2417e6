//! Knows OpenAPI and nothing else: what a contract is, what it says, and where code strayed from it.
//!
//! A contract is written by hand in YAML and is the only home of structure *and* prose. Three readers
//! use it through this crate:
//!
//! - the build asks [`inspect`] for all of this at once, and refuses to compile while there is any: [`diff()`] finds every
//!   place where the spec generated from the code says something else, [`Contract::contradictions`] what the contract says
//!   against itself, and [`Contract::unenforceable`] every promise that the server would not keep;
//! - the server is given a [`Compiled`] contract: the [`Table`] of operations that it enforces, and the documents that
//!   it serves, made ready by the build;
//! - a release asks [`breaking::changes`] what it breaks of the one before it, and which version that makes it;
//! - a person, who made a mistake, gets `file:line:column` with each message, all of them at once.
//!
//! What must stay true:
//!
//! - **Nothing passes unread.** A keyword that the tables in `grammar` do not list is an error when the
//!   contract is loaded, so a misspelt limit cannot vanish; and [`diff()`] compares every keyword that is not
//!   named in [`NOT_COMPARED`], so a new one cannot slip through.
//! - **No surprise in the text.** YAML's anchors, aliases, tags and merge keys are refused: what a reader sees
//!   at a line is what is there.
//! - **Any input is answered.** Nothing here panics or recurses without bound, whatever the text or the spec.
//!
//! The way of a contract: `yaml` turns text into a JSON value and a `source` map of positions → `check` holds it
//! against `grammar` and the rules that no grammar can say → `operation` follows every reference and lists the
//! operations. `contradictions` says what of it cannot be true together and `enforce` what the server would not obey, `projection` leaves operations out, `openapi_3_0` writes
//! it for readers of OpenAPI 3.0, and `compiled` puts what these make into the hands of the server. `diff` walks a loaded
//! contract and a generated spec side by side, guided by the same grammar; `meaning` says, for all of them, what is the
//! same.

pub mod breaking;
mod check;
mod compiled;
mod contract;
mod contradictions;
mod date;
mod diff;
mod enforce;
mod error;
pub mod fixit;
mod grammar;
mod inspection;
mod meaning;
mod openapi_3_0;
mod operation;
mod paths;
mod pointer;
mod projection;
pub mod report;
mod source;
mod yaml;

pub use check::{EXTENSIONS, Extension};
pub use compiled::{Compiled, Table};
pub use contract::Contract;
pub use diff::{Drift, DriftKind, Followed, NOT_COMPARED, NotCompared, diff};
pub use error::LoadError;
pub use grammar::Kind;
pub use inspection::{Inspection, inspect};
pub use operation::{Header, Location, Method, Operation, Parameter, RequestBody, Response, SecurityRequirement};
pub use source::Position;
pub use yaml::MAX_BYTES;
