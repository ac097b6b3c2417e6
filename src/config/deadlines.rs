//! How the time to process a request is divided.

use std::time::Duration;

use super::{database::DatabaseConfig, http::HttpConfig, parse::names};

/// The parts of [`HttpConfig::request_timeout`]. Together the waits and a statement are not longer, so that a request gets the
/// result of its statement, or is refused before the statement starts. Only a request whose neighbour made the statement fail
/// needs a second one.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// The maximum time to process a request.
    pub request: Duration,
    /// The maximum time that a request waits for its statement to start.
    pub queue: Duration,
    /// The maximum time that a statement waits for a connection.
    pub acquire: Duration,
    /// The maximum time of a statement.
    pub statement: Duration,
    /// The maximum time that a statement waits for a lock.
    pub lock: Duration,
}

impl Deadlines {
    /// Divides the time of a request. Parts that are not set are a share of it.
    ///
    /// # Errors
    /// The parts are longer than the whole.
    pub(super) fn new(http: &HttpConfig, database: &DatabaseConfig, errors: &mut Vec<String>) -> Self {
        let request = http.request_timeout;
        let share = |setting: Option<Duration>, tenths| setting.unwrap_or(request * tenths / 10);
        let acquire = share(database.database_acquire_timeout, 2);
        let statement = share(database.database_statement_timeout, 4);
        let lock = share(database.database_lock_timeout, 3);
        let display = humantime::format_duration;
        if acquire + statement >= request {
            errors.push(format!(
                "{}: {} and DATABASE_ACQUIRE_TIMEOUT ({}) must together be shorter than REQUEST_TIMEOUT ({})",
                names("database_statement_timeout"),
                display(statement),
                display(acquire),
                display(request)
            ));
        } else if lock > statement {
            errors.push(format!(
                "{}: {} must not be longer than DATABASE_STATEMENT_TIMEOUT ({})",
                names("database_lock_timeout"),
                display(lock),
                display(statement)
            ));
        }
        Self { request, queue: request.saturating_sub(acquire + statement), acquire, statement, lock }
    }
}
