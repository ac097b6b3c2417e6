//! Tests of the loader, the operations and the artifacts, on fixtures.

mod artifacts;
mod document;
mod load;
mod openapi_3_0;
mod operations;
mod page;
mod projection;
#[path = "../support.rs"]
mod support;
