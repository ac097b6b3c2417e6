//! What a database error means to a port.

use api::store_error::StoreError;

/// Logs the cause, which no client is told, and says what the port may say.
pub(super) fn log(operation: &str, error: sqlx::Error) -> StoreError {
    let meaning = classify(&error);
    match meaning {
        StoreError::Unavailable => tracing::warn!(operation, %error, "the database is not available"),
        StoreError::Internal => tracing::error!(operation, %error, "the database failed"),
        StoreError::NotFound | StoreError::Conflict(_) => {}
    }
    meaning
}

fn classify(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::RowNotFound => StoreError::NotFound,
        sqlx::Error::Database(error) if error.is_unique_violation() => match unique_member(error.as_ref()) {
            Some(member) => StoreError::Conflict(member),
            None => StoreError::Internal,
        },
        sqlx::Error::Database(error) if is_passing(error.as_ref()) => StoreError::Unavailable,
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => StoreError::Unavailable,
        _ => StoreError::Internal,
    }
}

/// Whether the connection itself broke, so that others of its age are likely to be broken too.
pub(super) fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        // PostgreSQL ends its connections when it stops (57P01 to 57P03), SQLSTATE class 08 is about connections.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03"))
        }
        _ => false,
    }
}

/// The member that must be unique. PostgreSQL names the constraint, SQLite the column.
fn unique_member(error: &dyn sqlx::error::DatabaseError) -> Option<&'static str> {
    let names_email =
        error.constraint() == Some("users_email_key_unique") || error.message().contains("users.email_key");
    names_email.then_some("email")
}

/// Whether the same statement may succeed later: the server is away, starting, stopping or overloaded, or another
/// statement stood in the way.
fn is_passing(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // SQLSTATE classes: 08 connection, 28 a password that is being changed, 40 rollback (deadlock, serialization),
        // 53 resources, 55 not now (a database that takes no connections, a lock time-out), 57 operator intervention
        // (shutdown, statement time-out), 58 system; and 25006 read-only after a failover, 3D000 a database that is being
        // restored.
        return matches!(code.get(..2), Some("08" | "28" | "40" | "53" | "55" | "57" | "58"))
            || matches!(&*code, "25006" | "3D000");
    }
    // SQLite's primary result codes, in the low byte of the extended one: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
    let primary = code.parse::<u32>().map(|code| code & 0xff);
    matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14))
}
