//! The error type of every check of a contract.

use crate::pointer::join;
use crate::source_map::{Position, SourceMap};
use crate::suggestions::nearest;
use crate::words::words;

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

words! {
    /// The class of an error. Displayed as the code of a diagnostic.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Code {
        /// The file cannot be parsed as one YAML document.
        Unreadable = "contract-unreadable",
        /// The document is not valid OpenAPI.
        Invalid = "contract-invalid",
        /// The document is valid, but outside the supported subset.
        Unsupported = "contract-unsupported",
        /// The document contradicts itself: bounds that no value satisfies, an example that its schema rejects.
        Inconsistent = "contract-inconsistent",
        /// The server does not implement what the document promises.
        Unenforceable = "contract-unenforceable",
        /// The document has what some clients, or the generators of clients, cannot use.
        Unusable = "contract-unusable",
    }
}

impl LoadError {
    /// An error of the node at `pointer`.
    pub(crate) fn new(
        code: Code,
        file: &str,
        position: Position,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> LoadError {
        LoadError { code, file: file.to_owned(), position, pointer: pointer.into(), message: message.into() }
    }

    /// Whether a message about the node at `pointer` may be a consequence of this error: the node is the wrong one, is
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

fn covers(wrong: &str, pointer: &str) -> bool {
    let is_inside = pointer.strip_prefix(wrong).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let names = pointer.rsplit_once('/').zip(wrong.rsplit_once('/'));
    let is_misspelt = |((owner, name), (of, misspelt))| owner == of && nearest(misspelt, [name]).is_some();
    !wrong.is_empty() && (is_inside || names.is_some_and(is_misspelt))
}

/// The message about an integer that became a float.
pub(crate) fn beyond_64_bits(digits: &str) -> String {
    format!("`{digits}` does not fit 64 bits: many JSON readers would round it")
}

/// Sorts errors of one file by position and removes duplicates.
pub(crate) fn in_order(mut errors: Vec<LoadError>) -> Vec<LoadError> {
    errors.sort_by_cached_key(|error| (error.position, error.pointer.clone(), error.message.clone()));
    errors.dedup();
    errors
}

/// The errors of one document that were found so far.
#[derive(Debug)]
pub struct Errors<'a> {
    file: &'a str,
    source: &'a SourceMap,
    found: Vec<LoadError>,
}

impl<'a> Errors<'a> {
    pub(crate) fn new(file: &'a str, source: &'a SourceMap) -> Errors<'a> {
        Errors { file, source, found: Vec::new() }
    }

    /// Adds an error of the node at `pointer`, or of its nearest ancestor where there is no such node.
    pub fn add(&mut self, code: Code, pointer: &str, message: impl Into<String>) {
        self.found.push(LoadError::new(code, self.file, self.position(pointer), pointer, message));
    }

    /// Adds an error of a document that is not valid OpenAPI.
    pub(crate) fn invalid(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Code::Invalid, pointer, message);
    }

    /// Adds an error of a document that is valid OpenAPI, but outside the supported subset.
    pub(crate) fn unsupported(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Code::Unsupported, pointer, message);
    }

    /// The position of the node at `pointer`, or of its nearest ancestor.
    pub fn position(&self, pointer: &str) -> Position {
        self.source.nearest(pointer)
    }

    /// The pointer of the member of an object that comes later in the file.
    pub fn later(&self, object: &str, keys: [&str; 2]) -> String {
        let [first, second] = keys.map(|key| join(object, key));
        if self.position(&first) > self.position(&second) { first } else { second }
    }

    /// Every error, in the order of the file.
    pub fn in_order(self) -> Vec<LoadError> {
        in_order(self.found)
    }
}
