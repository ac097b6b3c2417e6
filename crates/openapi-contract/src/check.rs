//! Validates a parsed document.
//!
//! `structure` compares every object with the grammar, `references` follows each `$ref`, `rules` has what no grammar
//! expresses. All of them run, so that one load reports every error.

mod references;
mod rules;
mod structure;

use serde_json::Value;

pub(crate) use rules::version;

use crate::error::{Errors, LoadError};
use crate::nodes::nodes;
use crate::profile::Profile;
use crate::source_map::SourceMap;

/// Every error of a document, in the order of the file.
pub fn check(file: &str, document: &Value, source: &SourceMap, profile: Profile) -> Vec<LoadError> {
    let mut errors = Errors::new(file, source);
    // A document of another version would have an error on almost every line.
    if version(document, profile, &mut errors) {
        let nodes = nodes(document, profile);
        structure::check(&nodes, profile, &mut errors);
        references::check(document, &nodes, profile, &mut errors);
        rules::valid(document, &nodes, &mut errors);
        if profile == Profile::Supported {
            rules::supported(document, &nodes, &mut errors);
        }
    }
    errors.in_order()
}
