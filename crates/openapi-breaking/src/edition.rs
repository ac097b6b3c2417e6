//! One side of a comparison: a document with its positions, and the day on which it is judged.

use serde_json::Value;

use openapi_contract::date::unix_seconds;
use openapi_contract::source_map::{Children, SourceMap};
use openapi_contract::{Contract, LoadError, Position};

/// An OpenAPI 3.1 document as it was published, which need not keep to this crate's grammar: it may be somebody else's,
/// or older than the grammar.
#[derive(Debug, Clone)]
pub struct Edition {
    file: String,
    document: Value,
    source: SourceMap,
}

impl Edition {
    /// Reads a document written in YAML or JSON.
    ///
    /// # Errors
    /// Text that is not YAML or that uses what [`Contract::load`] refuses of YAML; any version but OpenAPI 3.1, since in
    /// others the same keywords mean other things; and what leads a comparison astray: keywords with values that they
    /// cannot have, references that lead nowhere in the document, names that are given twice.
    pub fn read(file: &str, yaml: &str) -> Result<Edition, Vec<LoadError>> {
        Edition::read_bytes(file, yaml.as_bytes())
    }

    /// [`Edition::read`] of a file's bytes, which may turn out not to be text at all.
    ///
    /// # Errors
    /// Those of [`Edition::read`], or the place of the first byte that is not UTF-8.
    pub fn read_bytes(file: &str, yaml: &[u8]) -> Result<Edition, Vec<LoadError>> {
        let (document, source) = openapi_contract::document::read(file, yaml)?;
        Ok(Edition { file: file.to_owned(), document, source })
    }

    /// A document that was made by a program: everything in it stands at the beginning of `file`.
    pub fn made(file: &str, document: Value) -> Edition {
        let source = SourceMap { position: Position { line: 1, column: 1 }, children: Children::None };
        Edition { file: file.to_owned(), document, source }
    }

    /// The name of the file it was read from.
    pub fn file_name(&self) -> &str {
        &self.file
    }

    /// The whole document.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// `info.version`, if it says one.
    pub fn version(&self) -> &str {
        self.document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default()
    }

    /// Where the node at this JSON pointer is written, or else its nearest ancestor that exists.
    pub fn nearest_position(&self, pointer: &str) -> Position {
        self.source.nearest(pointer)
    }
}

impl From<&Contract> for Edition {
    fn from(contract: &Contract) -> Self {
        Edition {
            file: contract.file_name().to_owned(),
            document: contract.document().clone(),
            source: contract.source().clone(),
        }
    }
}

/// A day of the calendar, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// The day of an RFC 3339 date or date-time, such as `2027-01-31`; `None` for anything else.
    ///
    /// The offset of a date-time is not looked at: sunsets are days, and clients are told weeks before.
    pub fn parse(text: &str) -> Option<Day> {
        // Whatever the calendar has.
        unix_seconds(text)?;
        let date = text.get(..10)?;
        let mut parts = date.split('-');
        Some(Day {
            year: parts.next()?.parse().ok()?,
            month: parts.next()?.parse().ok()?,
            day: parts.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_ordered_as_the_calendar_has_them() {
        let day = |text| Day::parse(text).unwrap();
        assert!(day("2026-12-31") < day("2027-01-01"));
        assert_eq!(day("2027-01-31"), day("2027-01-31T23:59:59Z"));
        for bad in ["", "2027", "2027-1-31", "2027-13-01", "2027-01-00", "2027-02-29", "2027-01-31x", "é027-01-3"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_versions_are_refused_where_they_say_so() {
        let errors = Edition::read("old.yaml", "info: {}\nopenapi: 2.0.0\n").unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].position.line, 2);
        assert!(Edition::read("old.yaml", "openapi: [").is_err());
    }
}
