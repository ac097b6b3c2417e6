//! What is wrong with a contract's text.

use crate::Position;
use crate::check::nearest;

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

impl LoadError {
    /// Whether a message about the node at `pointer` may only follow from this fault: the node is the faulty one, is
    /// inside it, or has the name that was misspelt there. A fault of the whole document covers no node.
    pub fn covers(&self, pointer: &str) -> bool {
        covers(&self.pointer, pointer)
    }

    /// Whether the node at `pointer` is inside the object that holds the fault: a message about it may follow from it.
    pub fn is_beside(&self, pointer: &str) -> bool {
        let owner = self.pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
        covers(&self.pointer, pointer) || covers(owner, pointer)
    }
}

fn covers(faulty: &str, pointer: &str) -> bool {
    if faulty.is_empty() {
        return false;
    }
    if pointer.strip_prefix(faulty).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return true;
    }
    match (pointer.rsplit_once('/'), faulty.rsplit_once('/')) {
        (Some((owner, name)), Some((of, misspelt))) => owner == of && nearest(misspelt, [name].into_iter()).is_some(),
        _ => false,
    }
}
