//! What a storage port can answer instead of a result, and the problem that each becomes.

use crate::problem::{Kind, Problem, Violation};

/// Why a port did not do what it was asked. The store logs the cause where it happens; no cause travels to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such resource.
    #[error("not found")]
    NotFound,
    /// Another resource holds the value of this member, which must be unique.
    #[error("{0} is taken")]
    Conflict(String),
    /// The store is away, busy or too slow: the same request may succeed later.
    #[error("the store is not available")]
    Unavailable,
    /// A bug: the store answered what it never should.
    #[error("the store failed")]
    Internal,
}

impl StoreError {
    /// The problem to answer with, where `resource` is what was asked for ("user").
    pub fn into_problem(self, resource: &str) -> Problem {
        match self {
            Self::NotFound => Problem::new(Kind::NotFound, format!("There is no {resource} of this id.")),
            Self::Conflict(member) => {
                Problem::new(Kind::Conflict, format!("Another {resource} has this {member}.")).with_errors(vec![
                    Violation::at_pointer(format!("/{member}"), format!("belongs to another {resource}")),
                ])
            }
            Self::Unavailable => Problem::unavailable("The database is not available."),
            Self::Internal => Problem::internal(),
        }
    }
}
