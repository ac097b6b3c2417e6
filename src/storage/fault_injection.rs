//! Fault injection, for tests. A server has no injector.

use async_trait::async_trait;

/// Runs before every operation of a store.
#[async_trait]
pub trait FaultInjector: Send + Sync {
    /// Returns, to let the operation run, or after a delay; or fails it.
    ///
    /// # Errors
    /// The injected error of the database.
    async fn before(&self, operation: &'static str) -> Result<(), sqlx::Error>;
}
