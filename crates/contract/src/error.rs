//! What is wrong with a contract's text.

use crate::Position;

/// One fault found while loading a contract. Displayed as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{position}: {message}")]
pub struct LoadError {
    /// The file name that [`Contract::load`](crate::Contract::load) was given.
    pub file: String,
    /// Where in the file.
    pub position: Position,
    /// The JSON pointer (RFC 6901) of the node at fault; empty where the text cannot be read at all.
    pub pointer: String,
    /// What is wrong, and where it helps, what to write instead.
    pub message: String,
}
