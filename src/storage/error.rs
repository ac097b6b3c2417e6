//! The errors of statements, for the ports.

use std::{io, sync::Arc};

use api::store_error::StoreError;

use super::{
    coalescer_errors::{CallError, StatementError},
    error_kind::{is_outdated_statement, may_be_in_wal, may_be_of_an_item, message, unique_member},
};
use crate::telemetry::warning_interval::WarningInterval;

static OVERLOAD_WARNINGS: WarningInterval = WarningInterval::new();
static OVERTAKEN_WARNINGS: WarningInterval = WarningInterval::new();

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
    fn is_undone(&self) -> bool {
        may_be_of_an_item(&self.0)
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
            sqlx::Error::WorkerCrashed => true,
            error => may_be_in_wal(error),
        }
    }

    /// The same error, for a write that was not done.
    pub(super) fn not_done(self) -> Self {
        if self.outcome_is_unknown() { sqlx::Error::Io(io::Error::other(self.0.to_string())).into() } else { self }
    }

    /// Logs the cause, which no client receives, and returns the error of the port.
    pub(super) fn log(self, operation: &str) -> StoreError {
        let error = &*self.0;
        let class = classify(error);
        match class {
            StoreError::Internal => {
                tracing::error!(db.operation.name = operation, error = message(error), "unexpected database error")
            }
            StoreError::Unavailable if is_overtaken(error) && OVERTAKEN_WARNINGS.has_passed() => {
                tracing::warn!(
                    db.operation.name = operation,
                    "a write was tried several times, and others were always faster"
                );
            }
            // `abilities.rs` counts it, and logs it with a limit.
            StoreError::Unavailable => {
                tracing::debug!(db.operation.name = operation, error = message(error), "a statement failed")
            }
            _ => {}
        }
        class
    }
}

impl CallError<Failure> {
    /// As [`Failure::log`].
    pub(super) fn log(self, operation: &str) -> StoreError {
        match self {
            Self::Failed(failure) => failure.log(operation),
            Self::Overloaded => {
                if OVERLOAD_WARNINGS.has_passed() {
                    tracing::warn!(
                        db.operation.name = operation,
                        "the database is too slow for the requests: refusing some"
                    );
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

/// An error that the database reports is a matter of its state, since every statement was prepared at start: the same statement may
/// succeed later, at the latest after an operator has acted.
fn classify(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::RowNotFound => StoreError::NotFound,
        sqlx::Error::Database(error) => unique_member(error.as_ref()).map_or(StoreError::Unavailable, StoreError::Conflict),
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
