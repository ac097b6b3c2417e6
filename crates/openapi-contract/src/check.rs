//! Validates a parsed document.
//!
//! `structure` compares every object with the grammar, `references` follows each `$ref`, `rules` has what no grammar
//! expresses. All of them run, so that one load reports every error.

mod errors;
mod references;
mod rules;
mod structure;

use serde_json::Value;

use crate::error::LoadError;
use crate::profile::Profile;
use crate::source_map::SourceMap;

use errors::Errors;

/// Every error of a document, in any order.
pub fn check(file: &str, document: &Value, source: &SourceMap, profile: Profile) -> Vec<LoadError> {
    let mut errors = Errors { file, source, found: Vec::new() };
    // A document of another version would have an error on almost every line.
    if rules::version(document, &mut errors) {
        let structure = structure::check(document, profile, &mut errors);
        references::check(document, &structure, profile, &mut errors);
        rules::valid(document, &structure, &mut errors);
        if profile == Profile::Supported {
            rules::supported(document, &structure, &mut errors);
        }
    }
    errors.found
}
