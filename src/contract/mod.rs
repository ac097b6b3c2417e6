//! The contract at run time: the operations with their compiled schemas, and the validation of requests against them.

pub(crate) mod body;
pub mod operations;
pub(crate) mod parameters;
pub(crate) mod schemas;
pub(crate) mod strict_json;
pub(crate) mod violations;
