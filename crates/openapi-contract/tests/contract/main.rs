//! The loader, its operations and its artifacts: one module per question.

mod artifacts;
mod load;
mod openapi_3_0;
mod operations;
mod projection;
#[path = "../support.rs"]
mod support;
