//! `web_server migrate`: runs pending database migrations.

use std::error::Error;

use crate::storage::Store;

/// Runs pending migrations, checks the schema, and closes the store.
pub(super) async fn migrate(store: Store) -> Result<(), Box<dyn Error>> {
    store.migrate().await?;
    store.check_schema().await?;
    tracing::info!(database = %store.target(), "database schema is up to date");
    store.close().await;
    Ok(())
}
