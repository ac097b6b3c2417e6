//! Classifies database errors for the ports.

use std::{io, sync::Arc};

use api::store_error::StoreError;
use sqlx::error::DatabaseError;

use super::coalescer_errors::{CallError, StatementError};
use crate::telemetry::warning_interval::{WarningInterval, WarningIntervals};

static OVERLOAD_WARNINGS: WarningInterval = WarningInterval::new();
static CONTENTION_WARNINGS: WarningIntervals = WarningIntervals::new();

/// The message of an error. Without this, an error of PostgreSQL has the line of its source at which it was made.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => format!("error returned from database: {}", error.message()),
        error => error.to_string(),
    }
}

/// A statement was sent, and its result is unknown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unconfirmed(String);

/// A write had no effect because of another one, which has been done since.
#[derive(Debug, thiserror::Error)]
#[error("the rows were changed by others at the same time")]
struct Overtaken;

/// Marks the error of a connection that was lost during a statement, which may have been done.
pub(super) fn unconfirmed(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Database(error) if is_outdated_statement(error.as_ref()) => sqlx::Error::Database(error),
        sqlx::Error::Io(error) => sqlx::Error::Io(io::Error::new(error.kind(), Unconfirmed(error.to_string()))),
        error => sqlx::Error::Io(io::Error::other(Unconfirmed(message(&error)))),
    }
}

/// The error of a statement that several requests may share.
#[derive(Debug, Clone)]
pub(super) struct Failure(Arc<sqlx::Error>);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl StatementError for Failure {
    /// The database reported the error, so it rolled the statement back. Other items may succeed if the cause was one of the
    /// items: a constraint, a lock, a deadlock or the statement timeout (SQLSTATE 55P03, class 40 and 57014), but not a
    /// database that is unavailable.
    fn is_undone(&self) -> bool {
        match &*self.0 {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                code.starts_with("40")
                    || matches!(&*code, "55P03" | "57014")
                    || is_outdated_statement(error.as_ref())
                    || is_refused_row(error.as_ref())
                    || classify(&self.0) != StoreError::Unavailable
            }
            _ => false,
        }
    }

    /// The statement was prepared before its table was altered, and the connections that prepared it are not used again; or another
    /// write came first.
    fn may_be_repeated(&self) -> bool {
        match &*self.0 {
            sqlx::Error::Database(error) => is_outdated_statement(error.as_ref()),
            error => is_overtaken(error),
        }
    }
}

fn is_overtaken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.get_ref().is_some_and(|error| error.is::<Overtaken>()))
}

impl Failure {
    /// The error of a write that had no effect because of another one, which has been done since.
    pub(super) fn overtaken() -> Self {
        sqlx::Error::Io(io::Error::other(Overtaken)).into()
    }

    /// Whether a write may have been done although this error was returned.
    pub(super) fn outcome_is_unknown(&self) -> bool {
        match &*self.0 {
            sqlx::Error::Io(error) => error.get_ref().is_some_and(|error| error.is::<Unconfirmed>()),
            error => matches!(error, sqlx::Error::WorkerCrashed),
        }
    }

    /// The same error, for a write that was not done.
    pub(super) fn not_done(self) -> Self {
        if self.outcome_is_unknown() { sqlx::Error::Io(io::Error::other(self.0.to_string())).into() } else { self }
    }

    /// Logs the cause, which no client receives, and returns the error of the port.
    pub(super) fn log(self, operation: &str) -> StoreError {
        log(operation, &self.0)
    }
}

impl CallError<Failure> {
    /// As [`Failure::log`]. Each request logs, in its own span.
    pub(super) fn log(self, operation: &str) -> StoreError {
        match self {
            Self::Failed(failure) => failure.log(operation),
            Self::Overloaded => {
                if OVERLOAD_WARNINGS.has_passed() {
                    tracing::warn!(operation, "the database is too slow for the requests: refusing some");
                }
                StoreError::Overloaded
            }
            // The panic hook logged it.
            Self::Panicked => StoreError::Internal,
        }
    }

    /// As [`Self::log`], for a write.
    pub(super) fn log_write(self, operation: &str) -> StoreError {
        let outcome_is_unknown = matches!(&self, Self::Failed(failure) if failure.outcome_is_unknown());
        let error = self.log(operation);
        if outcome_is_unknown { StoreError::OutcomeUnknown } else { error }
    }
}

/// Logs the cause, which no client receives, and returns the error of the port.
pub(super) fn log(operation: &str, error: &sqlx::Error) -> StoreError {
    if let Some(cause) = contention(error) {
        if CONTENTION_WARNINGS.has_passed(cause) {
            tracing::warn!(operation, error = message(error), "{cause}");
        }
    } else if shows_fault(error) {
        // `abilities.rs` counts it, and logs it with a limit.
        tracing::debug!(operation, error = message(error), "a statement failed");
    }
    classify(error)
}

/// Whether a failure says something about the database or about this program, and not only about the request or about others at
/// the same time.
pub(super) fn shows_fault(error: &sqlx::Error) -> bool {
    let is_of_request = match error {
        sqlx::Error::RowNotFound => true,
        sqlx::Error::Database(error) => error.is_unique_violation() || is_outdated_statement(error.as_ref()),
        _ => false,
    };
    !is_of_request && !is_contention(error)
}

/// What is the same for every occurrence of a fault: the code of the database, or the kind of the error.
pub(super) fn code(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.map_or_else(|| kind(error).to_owned(), Into::into)
}

/// Returns what a statement waited for, if that is another statement.
fn contention(error: &sqlx::Error) -> Option<&'static str> {
    let sqlx::Error::Database(error) = error else {
        return is_overtaken(error).then_some("a write was tried several times, and others were always faster");
    };
    let code = error.code().unwrap_or_default();
    match (&*code, sqlite_result(&code)) {
        ("55P03", _) => Some("a lock was not released in time"),
        ("57014", _) => Some("a statement took too long"),
        ("40001" | "40P01", _) => Some("a statement conflicted with another transaction"),
        (_, Some(5 | 6)) if !is_of_postgres(error.as_ref()) => Some("a lock was not released in time"),
        _ => None,
    }
}

/// The kind of an error, for the metric.
pub(super) fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => "no_connection",
        error if is_contention(error) => "contention",
        error if is_lost_connection(error) || matches!(error, sqlx::Error::WorkerCrashed) => "lost_connection",
        sqlx::Error::Database(error) if is_misfit(error.as_ref()) => "schema",
        sqlx::Error::Database(error) if error.is_unique_violation() => "conflict",
        error if is_grave(error) => "storage",
        error if is_unavailable(error) => "unavailable",
        _ => "other",
    }
}

/// Whether a statement waited too long for another one, so that its failure says nothing about the database.
pub(super) fn is_contention(error: &sqlx::Error) -> bool {
    contention(error).is_some()
}

/// Whether an operator has to act: the database only reads, its disk is full or broken, or its schema was changed.
pub(super) fn is_grave(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) if is_of_postgres(error.as_ref()) => {
            let code = error.code().unwrap_or_default();
            is_misfit(error.as_ref()) || matches!(&*code, "25006" | "53100" | "58030")
        }
        // READONLY, IOERR, CORRUPT, FULL, NOTADB.
        sqlx::Error::Database(error) => {
            is_misfit(error.as_ref())
                || matches!(sqlite_result(&error.code().unwrap_or_default()), Some(8 | 10 | 11 | 13 | 26))
        }
        error => classify(error) == StoreError::Internal || matches!(error, sqlx::Error::ColumnDecode { .. }),
    }
}

/// Whether the schema is not the one for which a statement was written. SQLSTATE class 42 includes missing privileges.
pub(super) fn is_misfit(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if is_refused_row(error) {
        return true;
    }
    if is_of_postgres(error) {
        // 42P05: a pooler in front of PostgreSQL shares the connection with another client.
        return code.starts_with("42") && code != "42P05";
    }
    let message = error.message();
    sqlite_result(&code) == Some(1) && (message.starts_with("no such ") || message.contains("has no column"))
}

/// Whether a constraint or a trigger refused a row: the contract admits only rows that those of the migrations admit, so it is
/// another one. SQLSTATE class 23, P0001 and 22001 to 22003 (a value that does not fit its column); SQLITE_CONSTRAINT.
fn is_refused_row(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.is_unique_violation() {
        return false;
    }
    if is_of_postgres(error) {
        return code.starts_with("23") || matches!(&*code, "P0001" | "22001" | "22003");
    }
    sqlite_result(&code) == Some(19)
}

/// Whether the role of PostgreSQL lacks a privilege.
pub(super) fn lacks_privilege(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if is_of_postgres(error.as_ref()) && error.code().as_deref() == Some("42501"))
}

fn is_of_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
}

fn classify(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::RowNotFound => StoreError::NotFound,
        sqlx::Error::Database(error) if error.is_unique_violation() => match unique_member(error.as_ref()) {
            Some(member) => StoreError::Conflict(member),
            None => StoreError::Internal,
        },
        sqlx::Error::Database(error) if is_transient(error.as_ref()) => StoreError::Unavailable,
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        // A column has another type since.
        | sqlx::Error::ColumnDecode { .. } => StoreError::Unavailable,
        _ => StoreError::Internal,
    }
}

/// Whether the same statement may succeed later.
pub(super) fn is_unavailable(error: &sqlx::Error) -> bool {
    classify(error) == StoreError::Unavailable
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

/// Whether a table was altered after the statement was prepared, so that its result would have other types. The message is in the
/// language of the server, so this is the place in its source.
fn is_outdated_statement(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    error.is_some_and(|error| error.code() == "0A000" && error.routine() == Some("RevalidateCachedQuery"))
}

/// Whether the server may accept the same connection later: it is starting, stopping, overloaded, or not reachable yet. A
/// wrong password, an unknown database or a TLS fault is not such a cause.
pub(super) fn is_not_available_yet(error: &sqlx::Error) -> bool {
    is_lost_connection(error) && !matches!(error, sqlx::Error::Tls(_))
        || matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("53")))
}

/// Returns the member that must be unique. Its column has the same name, or the name and `_key` if the column has a
/// normalized form of the value. PostgreSQL reports the table and the constraint, SQLite the column.
fn unique_member(error: &dyn DatabaseError) -> Option<String> {
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

/// Whether the same statement may succeed later: the server is unavailable, starting, stopping or overloaded, or another
/// statement has a lock.
fn is_transient(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if is_misfit(error) {
        return true;
    }
    if is_of_postgres(error) {
        // SQLSTATE classes: 08 connection, 28 authorization (during a change of the password), 40 rollback (deadlock,
        // serialization), 53 resources, 55 not in prerequisite state (no connections allowed, lock timeout), 57 operator
        // intervention (shutdown, statement timeout), 58 system; and 25006 read-only after a failover, 3D000 a database
        // during a restore.
        return is_outdated_statement(error)
            || matches!(code.get(..2), Some("08" | "28" | "40" | "53" | "55" | "57" | "58"))
            || matches!(&*code, "25006" | "3D000");
    }
    // BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
    matches!(sqlite_result(&code), Some(5 | 6 | 8 | 10 | 11 | 13 | 14 | 26))
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
            ("teams_name_unique", None),
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
