//! The error type of every check of a contract.

use std::fmt;

use crate::source_map::Position;
use crate::suggestions::nearest;

/// One error in a contract. Displayed as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{position}: {message}")]
pub struct LoadError {
    /// The class of the error.
    pub code: Code,
    /// The file name that [`Contract::load`](crate::Contract::load) was given.
    pub file: String,
    /// Where in the file.
    pub position: Position,
    /// The JSON pointer (RFC 6901) of the node; empty where the text cannot be parsed.
    pub pointer: String,
    /// What is wrong and how to fix it.
    pub message: String,
}

/// The class of an error. Displayed as the code of a diagnostic, such as `contract-invalid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file cannot be parsed as one YAML document.
    Unreadable,
    /// The document is not valid OpenAPI.
    Invalid,
    /// The document is valid, but outside the supported subset.
    Unsupported,
    /// The document contradicts itself: bounds that no value satisfies, an example that its schema rejects.
    Inconsistent,
    /// The server does not implement what the document promises.
    Unenforceable,
}

impl Code {
    /// As in diagnostics: `contract-invalid`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Unreadable => "contract-unreadable",
            Code::Invalid => "contract-invalid",
            Code::Unsupported => "contract-unsupported",
            Code::Inconsistent => "contract-inconsistent",
            Code::Unenforceable => "contract-unenforceable",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl LoadError {
    /// An error of the node at `pointer`.
    pub fn new(
        code: Code,
        file: &str,
        position: Position,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> LoadError {
        LoadError { code, file: file.to_owned(), position, pointer: pointer.into(), message: message.into() }
    }

    /// Whether a message about the node at `pointer` may be a consequence of this error: the node is the faulty one, is
    /// inside it, or has the name that was misspelt there. An error of the whole document covers no node.
    pub fn covers(&self, pointer: &str) -> bool {
        covers(&self.pointer, pointer)
    }

    /// Whether a message about the node at `pointer` may be a consequence of this error because the node is inside the
    /// object that contains the error.
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
        (Some((owner, name)), Some((of, misspelt))) => owner == of && nearest(misspelt, [name]).is_some(),
        _ => false,
    }
}

/// Sorts errors of one file by position and removes duplicates.
pub fn in_order(mut errors: Vec<LoadError>) -> Vec<LoadError> {
    errors.sort_by_cached_key(|error| (error.position, error.pointer.clone(), error.message.clone()));
    errors.dedup();
    errors
}
