//! What a command reads and what it reports.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use openapi_contract::diagnostics::{Diagnostic, Severity, of_errors};
use openapi_contract::{LoadError, MAX_BYTES, Position, excerpt};
use serde_json::Map;

/// The name of the standard input in messages.
const STDIN: &str = "<stdin>";

/// The findings of a command, and the line that sums them up if none is an error.
pub(crate) struct Report {
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) success: String,
}

/// Files that cannot be read or written.
pub(crate) type Unusable = Vec<Diagnostic>;

/// A file that was read, and its name in messages.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The bytes as text, to show lines of it.
    pub(crate) text: String,
}

impl Input {
    /// A finding about a position rather than a node.
    pub(crate) fn finding(
        &self,
        severity: Severity,
        position: Position,
        code: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let detail = excerpt::draw(excerpt::at(&self.name, &excerpt::lines(&self.text), position, ""));
        Diagnostic { position, detail, ..finding(severity, &self.name, code, message) }
    }

    /// Errors of the document in this file.
    pub(crate) fn findings(&self, errors: &[LoadError]) -> Vec<Diagnostic> {
        of_errors(errors, &self.text)
    }
}

impl Report {
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The last line, for a terminal.
    pub(crate) fn summary(&self) -> String {
        let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Notice, "notice")];
        let counts = kinds.map(|(severity, name)| {
            (self.findings.iter().filter(|finding| finding.severity == severity).count(), name)
        });
        let counts: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| counted(count, name)).collect();
        match (self.has_errors(), counts.is_empty()) {
            (true, _) => counts.join(", "),
            (false, true) => self.success.clone(),
            (false, false) => format!("{} ({})", self.success, counts.join(", ")),
        }
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, name: &str) -> String {
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// Reads a file, or the standard input, up to one byte more than the loader accepts.
pub(crate) fn read(path: &Path) -> Result<Input, Unusable> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let (name, read) = if path == Path::new("-") {
        (STDIN.to_owned(), io::stdin().lock().take(limit).read_to_end(&mut bytes))
    } else {
        let file = fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        (path.display().to_string(), file)
    };
    read.map_err(|error| unusable(&name, "read", error))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Input { name, bytes, text })
}

/// Writes a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
    if ["-", STDIN].map(Path::new).contains(&path) {
        return Err(unusable(STDIN, "written", "give the file by its name"));
    }
    fs::write(path, bytes).map_err(|error| unusable(&path.display().to_string(), "written", error))
}

/// A file that cannot be used, and why.
pub(crate) fn unusable(name: &str, how: &str, error: impl std::fmt::Display) -> Unusable {
    vec![finding(Severity::Error, name, "file-unusable", format!("cannot be {how}: {error}"))]
}

/// A finding about a file as a whole.
pub(crate) fn finding(severity: Severity, file: &str, code: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        severity,
        code: code.to_owned(),
        file: file.to_owned(),
        position: Position::START,
        pointer: String::new(),
        message: message.into(),
        detail: String::new(),
        facts: Map::new(),
    }
}
