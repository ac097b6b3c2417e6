//! The errors found so far.

use crate::error::{Code, LoadError};
use crate::source_map::SourceMap;

pub(super) struct Errors<'a> {
    pub(super) file: &'a str,
    pub(super) source: &'a SourceMap,
    pub(super) found: Vec<LoadError>,
}

impl Errors<'_> {
    /// Adds an error of a document that is not valid OpenAPI.
    pub(super) fn invalid(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Code::Invalid, pointer, message);
    }

    /// Adds an error of a document that is valid OpenAPI, but outside the supported subset.
    pub(super) fn unsupported(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Code::Unsupported, pointer, message);
    }

    /// The position is that of the node at `pointer`, or of its nearest ancestor where there is no such node.
    pub(super) fn add(&mut self, code: Code, pointer: &str, message: impl Into<String>) {
        self.found.push(LoadError::new(code, self.file, self.source.nearest(pointer), pointer, message));
    }
}
