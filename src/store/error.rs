//! What a database error means to a port.

use api::store_error::StoreError;
use sqlx::error::DatabaseError;

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

/// The member that must be unique: its column has its name, with `_key` behind it where the column holds a form of the
/// value to compare by. PostgreSQL names the table and the constraint, SQLite the column.
fn unique_member(error: &dyn DatabaseError) -> Option<String> {
    let column = match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(error) => column_of_constraint(error.table()?, error.constraint()?),
        None => column_of_message(error.message()),
    }?;
    // Ids are the server's to give: two that are the same are its fault.
    (column != "id").then(|| column.strip_suffix("_key").unwrap_or(column).to_owned())
}

/// Of `users_email_key_unique`, a constraint on the table `users`, `email_key`. PostgreSQL's own name for one that was
/// given none ends in `_key`.
fn column_of_constraint<'a>(table: &str, constraint: &'a str) -> Option<&'a str> {
    let column = constraint.strip_prefix(table)?.strip_prefix('_')?;
    column.strip_suffix("_unique").or_else(|| column.strip_suffix("_key"))
}

/// Of `UNIQUE constraint failed: users.email_key`, `email_key`. A constraint on several columns is no member's.
fn column_of_message(message: &str) -> Option<&str> {
    let (_, columns) = message.split_once("UNIQUE constraint failed: ")?;
    columns.split_once('.').map(|(_, column)| column).filter(|column| !column.contains(','))
}

/// Whether the same statement may succeed later: the server is away, starting, stopping or overloaded, or another
/// statement stood in the way.
fn is_passing(error: &dyn DatabaseError) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_names_its_column() {
        for (constraint, column) in [
            ("users_email_key_unique", Some("email_key")),
            ("users_nick_unique", Some("nick")),
            ("users_email_key_key", Some("email_key")),
            ("users_pkey", None),
            ("teams_name_unique", None),
        ] {
            assert_eq!(column_of_constraint("users", constraint), column, "{constraint}");
        }
    }

    #[test]
    fn a_message_names_its_column() {
        for (columns, column) in [("users.email_key", Some("email_key")), ("users.team, users.nick", None)] {
            assert_eq!(column_of_message(&format!("UNIQUE constraint failed: {columns}")), column);
        }
        assert_eq!(column_of_message("NOT NULL constraint failed: users.name"), None);
    }
}
