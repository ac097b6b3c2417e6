//! The resources of the contract: their models, storage ports and annotated handlers.
//!
//! [`openapi`] returns the document that mirrors `openapi.yaml`. It needs no database, configuration or runtime: the
//! build script calls it and compares the two. This crate has no SQL and no sockets; it calls the server through the
//! ports in [`AppState`].
//!
//! To add a resource, add a module to `resources` and a line to [`resources!`].

/// The resources, listed once, as `module: Port`. The macro passes the list to the macro that it is given: to one that
/// declares the fields of [`AppState`], to one that merges the routes, and to one in the server's storage, where the
/// module with the SQL and the table have the same name.
#[macro_export]
macro_rules! resources {
    ($macro:ident) => {
        $macro! {
            users: Users,
        }
    };
}

pub mod accept;
pub mod caller;
pub mod extract;
pub mod freshness;
pub mod idempotency;
pub mod monitoring;
pub mod page;
pub mod preconditions;
pub mod problem;
pub mod public_url;
pub mod representation;
pub mod store_error;
pub mod timestamp;

mod common_responses;
mod problem_type;
mod resources;
mod respond;
mod router;
mod state;
mod violation_code;

pub use resources::users;
pub use router::{Surface, openapi, operator_paths, router, routes};
pub use state::AppState;

/// The folders of a checkout whose Rust sources name handlers and types of this crate. The drift check locates and edits
/// the code in them. The clients in `tests/sdk` have types of their own.
pub const SOURCES: [&str; 6] =
    ["crates/api/src", "src", "benches", "tests/api_tests", "tests/harness", "tests/integration"];

/// The file with the rules behind [`with_common_responses`].
pub const COMMON_RESPONSES: &str = "crates/api/src/common_responses.rs";

/// Returns an operation, in JSON, with the responses that every operation of its kind has.
pub fn with_common_responses(operation: serde_json::Value) -> serde_json::Value {
    common_responses::add_to(operation)
}
