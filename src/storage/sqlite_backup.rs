//! A copy of an SQLite database, also while a server writes to it.

use std::{path::Path, time::Duration};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    error_kind::{is_grave, message},
    sqlite_files,
};

/// How long to wait for another process that recovers or closes the database. Writes of others do not block.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes the database as it is at one moment to an empty file, without free pages.
///
/// # Errors
/// The database cannot be read, or the copy cannot be written, in one line.
pub async fn copy(database: &Path, to: &Path) -> Result<(), String> {
    if sqlite_files::has_foreign_wal(database) {
        let wal = database.display();
        return Err(format!("{wal}-wal belongs to another database file: start the server, which sets it aside"));
    }
    let Some(name) = to.to_str() else { return Err(format!("{}: the path is not UTF-8", to.display())) };
    // SQLite reads the `-wal` file of a database that no process has open only with access to write.
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
    let failed = |error: sqlx::Error| format!("{}: {}", database.display(), message(&error));
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let bytes = sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    let bytes: i64 = bytes.fetch_one(&mut connection).await.map_err(failed)?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await;
    let closed = connection.close().await;
    copied.map_err(|error| {
        if is_grave(&error) {
            let to = to.display();
            return format!(
                "cannot copy the database to {to}: {}; the copy needs up to {bytes} bytes",
                message(&error)
            );
        }
        failed(error)
    })?;
    closed.map_err(failed)
}
