//! What an error of the database is about: the connection, the machine, the schema, another transaction, or the request.

use sqlx::error::DatabaseError;

/// The message of an error. Without this, an error of PostgreSQL has the line of its source at which it was made.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => format!("error returned from database: {}", error.message()),
        error => error.to_string(),
    }
}

/// What is the same for every occurrence of a fault: the code of the database, or the kind of the error.
pub(super) fn code(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.map_or_else(|| kind(error).to_owned(), Into::into)
}

/// The kind of an error, for the metric.
pub(super) fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => "no_connection",
        error if is_contention(error) => "contention",
        error if is_lost_connection(error) || matches!(error, sqlx::Error::WorkerCrashed) => "lost_connection",
        sqlx::Error::ColumnDecode { .. } => "schema",
        sqlx::Error::Database(error) if is_misfit(error.as_ref()) || is_refused_row(error.as_ref()) => "schema",
        sqlx::Error::Database(error) if error.is_unique_violation() => "conflict",
        error if is_grave(error) => "storage",
        sqlx::Error::Database(_) => "unavailable",
        _ => "other",
    }
}

/// Whether a failure shows something about the database or about this program, and not only about the request.
pub(super) fn shows_fault(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound => false,
        sqlx::Error::Database(error) => {
            unique_member(error.as_ref()).is_none() && !is_outdated_statement(error.as_ref())
        }
        _ => true,
    }
}

/// Returns what a statement waited for, if that is another statement.
pub(super) fn contention(error: &sqlx::Error) -> Option<&'static str> {
    let sqlx::Error::Database(error) = error else { return None };
    let code = error.code().unwrap_or_default();
    match (&*code, sqlite_result(&code)) {
        ("55P03", _) => Some("a lock was not released in time"),
        ("57014", _) => Some("a statement took too long"),
        ("40001" | "40P01", _) => Some("a statement conflicted with another transaction"),
        (_, Some(5 | 6)) if !is_of_postgres(error.as_ref()) => Some("a lock was not released in time"),
        _ => None,
    }
}

/// Whether a statement waited too long for another one.
pub(super) fn is_contention(error: &sqlx::Error) -> bool {
    contention(error).is_some()
}

/// Whether an operator has to act: the database only reads, its disk is full or broken, its schema was changed, or this program
/// has a bug. Connections that are lost or refused, and locks, are no such cause.
pub(super) fn is_grave(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) if is_of_postgres(cause.as_ref()) => {
            // SQLSTATE classes: 28 authorization, 3D no such database (during a restore), 53300 too many connections, 57 operator
            // intervention.
            let code = cause.code().unwrap_or_default();
            let is_of_connection = matches!(code.get(..2), Some("28" | "3D" | "57")) || code == "53300";
            !is_of_connection && !is_lost_connection(error) && !is_contention(error)
        }
        sqlx::Error::Database(_) => !is_contention(error),
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => false,
        _ => true,
    }
}

/// Whether the database undid a statement for a cause that may have been one of its items: a constraint, a lock, a deadlock, the
/// statement timeout. Not if each item by itself would meet the cause too.
pub(super) fn may_be_of_an_item(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    if is_outdated_statement(error.as_ref()) {
        return true;
    }
    if is_of_postgres(error.as_ref()) {
        // SQLSTATE classes: 08 connection, 25 transaction state (read-only), 28 authorization, 3D database, 42 schema, 53 resources,
        // 55 prerequisite state, 57 operator intervention, 58 system, XX corruption.
        let is_of_all =
            matches!(code.get(..2), Some("08" | "25" | "28" | "3D" | "42" | "53" | "55" | "57" | "58" | "XX"));
        return !is_of_all || matches!(&*code, "55P03" | "57014");
    }
    // BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
    !is_misfit(error.as_ref()) && !matches!(sqlite_result(&code), Some(5 | 6 | 8 | 10 | 11 | 13 | 14 | 26))
}

/// Whether SQLite may have written a whole commit to the `-wal` file, but could not sync it. The process does not see it; the next
/// one that opens the database does, unless the place was overwritten.
pub(super) fn may_be_in_wal(error: &sqlx::Error) -> bool {
    /// `SQLITE_IOERR_READ`, `SQLITE_IOERR_SHORT_READ`, `SQLITE_IOERR_WRITE`: before the commit is complete.
    const BEFORE: [&str; 3] = ["266", "522", "778"];
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    !is_of_postgres(error.as_ref()) && sqlite_result(&code) == Some(10) && !BEFORE.contains(&&*code)
}

/// Whether the schema is not the one for which a statement was written. SQLSTATE class 42 includes missing privileges.
pub(super) fn is_misfit(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if is_of_postgres(error) {
        // 42P05: a pooler in front of PostgreSQL shares the connection with another client.
        return code.starts_with("42") && code != "42P05";
    }
    let message = error.message();
    sqlite_result(&code) == Some(1) && (message.starts_with("no such ") || message.contains("has no column"))
}

/// Whether a constraint or a trigger refused a row: the contract admits only rows that those of the migrations admit, so it is
/// another one. SQLSTATE classes 22 (a value that does not fit its column) and 23, and P0001; SQLITE_CONSTRAINT.
fn is_refused_row(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    let is_refused = match is_of_postgres(error) {
        true => matches!(code.get(..2), Some("22" | "23")) || code == "P0001",
        false => sqlite_result(&code) == Some(19),
    };
    is_refused && unique_member(error).is_none()
}

/// Whether the role of PostgreSQL lacks a privilege.
pub(super) fn lacks_privilege(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if is_of_postgres(error.as_ref()) && error.code().as_deref() == Some("42501"))
}

fn is_of_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
}

/// Whether the connection broke, or its prepared statements did. Connections of the same age are probably broken too.
pub(super) fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) if is_outdated_statement(error.as_ref()) => true,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        // PostgreSQL ends its connections when it stops (57P01 to 57P03). SQLSTATE class 08 is about connections.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03"))
        }
        _ => false,
    }
}

/// Whether the server only reads: 25006, or 55000 for a function of a primary. Connections of the same age are to the same server,
/// which was perhaps the primary before a failover.
pub(super) fn only_reads(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if is_of_postgres(error.as_ref())
        && error.code().is_some_and(|code| matches!(&*code, "25006" | "55000")))
}

/// Whether a table was altered after the statement was prepared, so that its result would have other types. The message is in the
/// language of the server, so this is the place in its source.
pub(super) fn is_outdated_statement(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    error.is_some_and(|error| error.code() == "0A000" && error.routine() == Some("RevalidateCachedQuery"))
}

/// Whether the server may accept the same connection later: it is starting, stopping, overloaded, or not reachable yet. A
/// wrong password, an unknown database or a TLS fault is not such a cause.
pub(super) fn is_not_available_yet(error: &sqlx::Error) -> bool {
    is_lost_connection(error) && !matches!(error, sqlx::Error::Tls(_))
        || matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("53")))
}

/// Returns the member that must be unique, if another resource has its value. Its column has the same name, or the name and `_key`
/// if the column has a normalized form of the value. PostgreSQL reports the table and the constraint, SQLite the column.
pub(super) fn unique_member(error: &dyn DatabaseError) -> Option<String> {
    if !error.is_unique_violation() {
        return None;
    }
    let column = match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(error) => column_of_constraint(error.table()?, error.constraint()?),
        None => column_of_message(error.message()),
    }?;
    // The server generates ids, so a duplicate id is a bug.
    (column != "id").then(|| column.strip_suffix("_key").unwrap_or(column).to_owned())
}

/// Returns `email_key` for `users_email_key_unique`, a constraint on the table `users`. The default name of PostgreSQL ends
/// in `_key`.
fn column_of_constraint<'a>(table: &str, constraint: &'a str) -> Option<&'a str> {
    let column = constraint.strip_prefix(table)?.strip_prefix('_')?;
    column.strip_suffix("_unique").or_else(|| column.strip_suffix("_key"))
}

/// Returns `email_key` for `UNIQUE constraint failed: users.email_key`. A constraint on several columns has no member.
fn column_of_message(message: &str) -> Option<&str> {
    let (_, columns) = message.split_once("UNIQUE constraint failed: ")?;
    columns.split_once('.').map(|(_, column)| column).filter(|column| !column.contains(','))
}

/// Returns SQLite's primary result code, in the low byte of the extended one.
fn sqlite_result(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_is_read_from_a_constraint() {
        for (constraint, column) in [
            ("users_email_key_unique", Some("email_key")),
            ("users_nick_unique", Some("nick")),
            ("users_email_key_key", Some("email_key")),
            ("users_pkey", None),
            ("idempotency_keys_name_unique", None),
        ] {
            assert_eq!(column_of_constraint("users", constraint), column, "{constraint}");
        }
    }

    #[test]
    fn the_column_is_read_from_a_message() {
        for (columns, column) in [("users.email_key", Some("email_key")), ("users.team, users.nick", None)] {
            assert_eq!(column_of_message(&format!("UNIQUE constraint failed: {columns}")), column);
        }
        assert_eq!(column_of_message("NOT NULL constraint failed: users.name"), None);
    }
}
