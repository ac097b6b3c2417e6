//! Opens an SQLite database again after its files were changed under the server.
//!
//! 1. The changes in the `-wal` file go to the database file that is open, which may have another name by now.
//! 2. While no file is at the path, the connections stay open: a removed file can be copied from `/proc/PID/fd`.
//! 3. The connections close, without a change to the files at the paths.
//! 4. The file at the path is checked, and opened as at start.

use std::{fs, io, os::unix::fs::MetadataExt, sync::Arc, time::Duration};

use sqlx::{ConnectOptions, Connection, SqlitePool, sqlite::SqliteConnectOptions};
use tokio::time::{sleep, timeout};

use super::{
    schema,
    sqlite_database::{SqliteConnections, SqliteDatabase},
    sqlite_files::{Change, set_foreign_wal_aside},
};

/// How often the files are checked while there are no statements, and a missing file is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The pause after which a file that was not sound is checked again, unless it changes before.
const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// Watches the files, and opens the database again after every change, until the database is closed.
pub(super) async fn watch(database: Arc<SqliteDatabase>) {
    let closed = database.closed.clone();
    let recover = async {
        loop {
            let connections = database.connections();
            while connections.change().is_none() {
                // The result is recorded.
                let _ = database.check(&connections).await;
                let _ = timeout(POLL_INTERVAL, database.changed.notified()).await;
            }
            if let Some(change) = connections.change() {
                recover(&database, &connections, change).await;
            }
        }
    };
    closed.run_until_cancelled(recover).await;
}

async fn recover(database: &SqliteDatabase, connections: &SqliteConnections, change: Change) {
    let file = database.path.display();
    let all_changes_saved = !change.spoils_wal() && connections.checkpoint().await.unwrap_or(false);
    tracing::error!(
        %file,
        %change,
        action = change.action(),
        all_changes_saved,
        "the SQLite files were changed under the server: requests are refused until the database is open again"
    );
    if change == Change::WalTruncated {
        report(database, connections.files.set_wal_aside());
    }
    let mut found = stable_file(database).await;
    report(
        database,
        match change {
            // Until there is a file at the path, a start must find that the file is missing.
            Change::Emptied => connections.files.set_wal_aside(),
            _ => connections.files.set_other_wal_aside(),
        },
    );
    connections.close().await;

    let mut last_cause = None;
    loop {
        match open(database).await {
            Ok(opened) => {
                database.replace(opened);
                tracing::info!(%file, "opened the SQLite database again");
                return;
            }
            Err(cause) if last_cause.as_ref() != Some(&cause) => {
                tracing::error!(%file, cause, action = "restore a backup", "the SQLite file is not sound");
                last_cause = Some(cause);
            }
            Err(_) => {}
        }
        let changed = async {
            loop {
                let now = stable_file(database).await;
                if now != found {
                    return now;
                }
            }
        };
        found = timeout(RETRY_PAUSE, changed).await.unwrap_or(found);
    }
}

fn report(database: &SqliteDatabase, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(file = %database.path.display(), %error, "cannot set aside the -wal file");
    }
}

/// Waits until a file that is not empty is at the path and does not change: a copy may be in progress.
async fn stable_file(database: &SqliteDatabase) -> (u64, u64, i64, i64) {
    let state = || {
        let file = fs::metadata(&database.path).ok().filter(|file| file.len() > 0)?;
        Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
    };
    let mut before = state();
    loop {
        sleep(POLL_INTERVAL).await;
        let now = state();
        if let Some(now) = now.filter(|_| now == before) {
            return now;
        }
        before = now;
    }
}

/// Opens the file at the path, if it is sound.
async fn open(database: &SqliteDatabase) -> Result<SqliteConnections, String> {
    set_foreign_wal_aside(&database.path).map_err(|error| error.to_string())?;
    check_integrity(database).await.map_err(|error| error.to_string())?;
    let connections = SqliteConnections::open(&database.config, &database.path).await?;
    match prepare(database, &connections.writer).await {
        Ok(()) => Ok(connections),
        Err(cause) => {
            connections.close().await;
            Err(cause)
        }
    }
}

/// Only reads, since the file may be anything.
async fn check_integrity(database: &SqliteDatabase) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnectOptions::new().filename(&database.path).read_only(true).connect().await?;
    let result: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
    connection.close().await?;
    if result == "ok" { Ok(()) } else { Err(sqlx::Error::Protocol(result)) }
}

async fn prepare(database: &SqliteDatabase, writer: &SqlitePool) -> Result<(), String> {
    if !database.config.database.no_migrate {
        schema::migrate_sqlite(writer).await.map_err(|error| error.to_string())?;
    }
    schema::check_sqlite(writer).await.map_err(|error| error.to_string())
}
