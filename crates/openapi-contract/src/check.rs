//! Whether a document that could be read is a contract.
//!
//! `structure` holds every object against the grammar and takes note of what stands where; `references` follows
//! each `$ref`; `rules` says what no grammar can. All of them run, whatever the others found. A document that keeps to
//! OpenAPI 3.1, though not to what a contract may say here, can still be read and compared: [`Profile`] tells the two
//! apart.

mod extensions;
mod references;
mod rules;
mod structure;

use serde_json::Value;

pub use extensions::{EXTENSIONS, Extension};
pub use structure::{did_you_mean, nearest};

use crate::source_map::SourceMap;
use crate::{LoadError, Position};

/// A fault, before it is given the name of its file.
#[derive(Debug)]
pub struct Fault {
    /// Where in the file.
    pub position: Position,
    /// JSON pointer (RFC 6901) of the node.
    pub pointer: String,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl Fault {
    /// The same, of this file.
    pub fn of(self, file: &str) -> LoadError {
        let Fault { position, pointer, message } = self;
        LoadError { file: file.to_owned(), position, pointer, message }
    }
}

/// What a document may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What a contract may say here: the part of OpenAPI 3.1 that has a 3.0 form, and nothing that is not known.
    Supported,
    /// OpenAPI 3.1, whatever else is in it.
    Standard,
}

/// Every fault of a document.
pub fn check(document: &Value, source: &SourceMap, profile: Profile, faults: Vec<Fault>) -> Vec<Fault> {
    let mut faults = Faults { source, found: faults };
    // What is written for another version has as many faults as lines; one is enough to say so.
    if rules::version(document, &mut faults) {
        let structure = structure::check(document, profile, &mut faults);
        references::check(document, &structure, profile, &mut faults);
        rules::names(document, &structure, &mut faults);
        if profile == Profile::Supported {
            rules::supported_subset(document, &structure, &mut faults);
        }
    }
    faults.found
}

/// The faults found so far.
struct Faults<'a> {
    source: &'a SourceMap,
    found: Vec<Fault>,
}

impl Faults<'_> {
    /// Notes a fault of the node at `pointer`, or of its nearest ancestor where there is no such node.
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.found.push(Fault {
            position: self.source.nearest(pointer),
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }
}
