//! The resources of the contract, and the operations for orchestrators and monitoring systems.

pub(crate) mod health;
pub(crate) mod metrics;
pub mod users;
