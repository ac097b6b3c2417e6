//! Which changes between two releases break clients.

mod changes;
#[path = "../../../openapi-contract/tests/support.rs"]
mod support;
