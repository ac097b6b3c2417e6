//! The errors of a coalescer, and what it must know of those of its statements.

/// The error of a statement.
pub(super) trait StatementError: Clone + Send + 'static {
    /// Whether the statement had no effect, and its items can run alone.
    fn is_undone(&self) -> bool;

    /// Whether the statement had no effect, for a cause that has probably passed.
    fn may_be_repeated(&self) -> bool;
}

/// Why a request has no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallError<E> {
    /// The statement failed.
    Failed(E),
    /// Too many items wait for the statement to start in time. The item was not processed.
    Overloaded,
    /// The code that runs the statement panicked, which is logged.
    Panicked,
}
