//! The errors of a storage port, and the problem for each.

use http::{HeaderValue, header};

use crate::{
    preconditions::entity_tag,
    problem::{Problem, ProblemType, Violation},
};

/// Why a port failed. The storage logs the cause; the response never contains it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The resource does not exist.
    #[error("not found")]
    NotFound,
    /// Another resource has the same value of this member, which must be unique.
    #[error("{0} is not unique")]
    Conflict(String),
    /// Other resources have the values at these JSON pointers of the request, which must be unique.
    #[error("{} values are not unique", .0.len())]
    Conflicts(Vec<String>),
    /// The resource has this version, at which the precondition does not allow the write.
    #[error("version {0} does not meet the precondition")]
    PreconditionFailed(i64),
    /// A request with the same idempotency key is in flight.
    #[error("the idempotency key is in use")]
    KeyInUse,
    /// Another request had the same idempotency key.
    #[error("the idempotency key is that of another request")]
    KeyReused,
    /// Changes after this one are no longer kept.
    #[error("changes after this one are no longer kept")]
    Expired,
    /// The database is unavailable, overloaded or too slow. Nothing was changed. The same request may succeed later.
    #[error("the database is unavailable")]
    Unavailable,
    /// The database did not confirm a write, which may have been done.
    #[error("the database did not confirm the write")]
    OutcomeUnknown,
    /// Too many requests wait for the database. This one was not processed, and may succeed later.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// A bug: an unexpected error of the database.
    #[error("internal database error")]
    Internal,
}

impl StoreError {
    /// Returns the problem for this error. `resource` is the name of the resource in prose, such as "user".
    pub fn into_problem(self, resource: &str) -> Problem {
        match self {
            Self::NotFound => Problem::new(ProblemType::NotFound, format!("No {resource} with this id.")),
            Self::Conflict(member) => {
                Problem::new(ProblemType::Conflict, format!("Another {resource} has this {member}."))
                    .with_errors(vec![Violation::not_unique(format!("/{member}"))])
            }
            Self::Conflicts(pointers) => {
                let detail = format!("Each value in `errors` is that of another {resource}. Nothing was created.");
                let errors = pointers.into_iter().map(Violation::not_unique).collect();
                Problem::new(ProblemType::Conflict, detail).with_errors(errors)
            }
            Self::PreconditionFailed(version) => {
                let tag = entity_tag(version);
                let detail = format!(
                    "The current version of the {resource}, {tag}, does not meet the precondition. Nothing was changed."
                );
                let problem = Problem::new(ProblemType::PreconditionFailed, detail);
                match HeaderValue::try_from(tag) {
                    Ok(tag) => problem.with_header(header::ETAG, tag),
                    // Digits in quotes are valid.
                    Err(_) => problem,
                }
            }
            Self::KeyInUse => {
                let detail = "A request with this Idempotency-Key is being processed.";
                Problem::new(ProblemType::IdempotencyKeyInUse, detail).with_retry_after(1)
            }
            Self::KeyReused => {
                let detail = "Another request had this Idempotency-Key. Nothing was changed.";
                Problem::new(ProblemType::IdempotencyKeyReused, detail)
            }
            Self::Expired => {
                let detail =
                    "Changes after this id are no longer kept. Read every resource again, then the changes since.";
                Problem::new(ProblemType::NotFound, detail)
            }
            Self::Unavailable => Problem::unavailable("The database is unavailable. Nothing was changed."),
            Self::OutcomeUnknown => Problem::outcome_unknown("The database did not confirm the write."),
            Self::Overloaded => Problem::unavailable("Too many requests wait for the database. Nothing was changed."),
            Self::Internal => Problem::internal(),
        }
    }
}
