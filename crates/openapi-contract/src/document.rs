//! Documents to compare: any OpenAPI 3.0 or 3.1 document in one file.

use std::collections::HashMap;

use serde_json::Value;

use crate::check::check;
use crate::error::{LoadError, in_order};
use crate::profile::Profile;
use crate::source_map::SourceMap;
use crate::upgrade::upgrade;
use crate::yaml::{self, Read};

/// A document of [`Profile::Standard`] and the positions of its nodes.
#[derive(Debug, Clone)]
pub struct Document {
    /// The whole document. A 3.0 document is upgraded to 3.1.
    pub value: Value,
    /// The positions of the file.
    pub source: SourceMap,
    /// The integers beyond 64 bits, which became floats: the JSON pointer of each, and its decimal digits.
    rounded: Vec<(String, String)>,
}

/// Reads a document to compare.
///
/// # Errors
/// Text that is not one YAML or JSON document, documents that are not valid OpenAPI 3.0 or 3.1, and references to other
/// documents: the document must be bundled first.
pub fn read(file: &str, bytes: &[u8]) -> Result<Document, Vec<LoadError>> {
    let Read { root, mut errors, rounded } = yaml::read(file, bytes, Profile::Standard);
    let Some((mut value, source)) = root else { return Err(in_order(errors)) };
    upgrade(&mut value);
    errors.extend(check(file, &value, &source, Profile::Standard));
    if errors.is_empty() { Ok(Document { value, source, rounded }) } else { Err(in_order(errors)) }
}

impl Document {
    /// A document whose numbers are all exact.
    pub fn without_rounding(value: Value, source: SourceMap) -> Document {
        Document { value, source, rounded: Vec::new() }
    }

    /// Whether it has integers beyond 64 bits.
    pub fn is_rounded(&self) -> bool {
        !self.rounded.is_empty()
    }
}

/// Makes different integers beyond 64 bits different floats in two documents: those that round to the same float get
/// the floats after it, in order. So a comparison of the documents finds every change of such an integer.
pub fn separate(documents: [&mut Document; 2]) {
    let mut integers: Vec<&(String, String)> = documents.iter().flat_map(|document| &document.rounded).collect();
    let float = |digits: &str| digits.parse::<f64>().unwrap_or_default();
    integers.sort_by(|(_, a), (_, b)| {
        let by_digits = (a.len(), a).cmp(&(b.len(), b));
        let by_digits = if a.starts_with('-') { by_digits.reverse() } else { by_digits };
        float(a).total_cmp(&float(b)).then(by_digits)
    });
    let (mut floats, mut last) = (HashMap::new(), f64::NEG_INFINITY);
    for (_, digits) in integers {
        floats.entry(digits.clone()).or_insert_with(|| {
            last = float(digits).max(last.next_up());
            last
        });
    }
    for document in documents {
        for (at, digits) in &document.rounded {
            if let (Some(node), Some(float)) = (document.value.pointer_mut(at), floats.get(digits)) {
                *node = Value::from(*float);
            }
        }
    }
}
