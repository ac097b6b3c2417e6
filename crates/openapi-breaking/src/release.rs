//! One side of a comparison: a document with its positions; and the day of the comparison.

use serde_json::Value;

use openapi_contract::date::unix_seconds;
use openapi_contract::document::{self, Document};
use openapi_contract::source_map::SourceMap;
use openapi_contract::{LoadError, Position};

/// An OpenAPI document as it was published. It may use any keyword, not only the supported subset of OpenAPI: it may have
/// another author, or be older than the subset.
#[derive(Debug, Clone)]
pub struct Release {
    file: String,
    document: Document,
}

impl Release {
    /// Reads a document written in YAML or JSON.
    ///
    /// # Errors
    /// Text that is not YAML, versions of OpenAPI that are not supported, and what would make the comparison wrong: values
    /// that a keyword cannot have, references that lead nowhere in the document, names that are given twice.
    pub fn read(file: &str, yaml: &str) -> Result<Release, Vec<LoadError>> {
        Release::read_bytes(file, yaml.as_bytes())
    }

    /// [`Release::read`] of a file's bytes.
    ///
    /// # Errors
    /// Those of [`Release::read`], and bytes that are not UTF-8.
    pub fn read_bytes(file: &str, yaml: &[u8]) -> Result<Release, Vec<LoadError>> {
        Ok(Release { file: file.to_owned(), document: document::read(file, yaml)? })
    }

    /// A generated spec: every position is the beginning of `file`.
    pub fn from_value(file: &str, document: Value) -> Release {
        let document = Document::without_rounding(document, SourceMap::at(Position::START));
        Release { file: file.to_owned(), document }
    }

    /// The name of the file.
    pub fn file_name(&self) -> &str {
        &self.file
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document.value
    }

    /// `info.version`; empty if there is none.
    pub fn version(&self) -> &str {
        self.document.value.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }

    /// The position of the node at this JSON pointer, or of its nearest ancestor that exists.
    pub fn nearest_position(&self, pointer: &str) -> Position {
        self.document.source.nearest(pointer)
    }
}

/// The two releases with different numbers for different integers beyond 64 bits, if both have such integers.
pub(crate) fn separated(old: &Release, new: &Release) -> Option<[Release; 2]> {
    let is_needed = old.document.is_rounded() && new.document.is_rounded();
    is_needed.then(|| {
        let (mut old, mut new) = (old.clone(), new.clone());
        document::separate([&mut old.document, &mut new.document]);
        [old, new]
    })
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of an RFC 3339 date or date-time, such as `2027-01-31`; `None` for anything else. The offset of a date-time
    /// is ignored: sunsets are days.
    pub fn parse(text: &str) -> Option<Day> {
        unix_seconds(text)?;
        unix_seconds(text.get(..10)?).map(Day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = |text| Day::parse(text).unwrap();
        assert!(day("2026-12-31") < day("2027-01-01"));
        assert_eq!(day("2027-01-31"), day("2027-01-31T23:59:59Z"));
        for bad in ["", "2027", "2027-1-31", "2027-13-01", "2027-01-00", "2027-02-29", "2027-01-31x", "é027-01-3"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_that_is_no_openapi_document_is_refused_with_its_position() {
        let errors = Release::read("old.yaml", "info: {}\nopenapi: 2.0.0\n").unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].position.line, 2);
        assert!(Release::read("old.yaml", "openapi: [").is_err());
    }
}
