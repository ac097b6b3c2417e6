//! A fix: edits of whole lines that remove a drift, how safe they are, and the text files that they edit.

use std::ops::Range;
use std::{fmt, fs, path::Path};

use openapi_contract::Position;
use openapi_contract::excerpt::Excerpt;
use openapi_contract::words;
use serde::Serialize;

words! {
    /// Which side of a drift a fix changes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "kebab-case")]
    Side {
        /// So that the contract describes what the code does.
        Contract = "contract",
        /// So that the code does what the contract describes.
        Code = "code",
    }
}

words! {
    /// Whether a fix may be applied without being read, as in rustc.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "kebab-case")]
    Applicability {
        /// The edits are complete: they remove the drift and invent nothing. rustc reports what else must change.
        MachineApplicable = "machine-applicable",
        /// The edits hold a placeholder, remove something that was written by hand, or annotate what a handler does not do
        /// yet; or there are only words.
        NeedsReview = "needs-review",
    }
}

/// One way to remove a drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it changes.
    pub side: Side,
    /// Whether `contract check --fix` applies it.
    pub applicability: Applicability,
    /// The edits, all of which are needed. Line numbers are those before any edit, and edits of one file go from its
    /// end to its beginning. Empty where only words can be given.
    pub edits: Vec<Edit>,
    /// What else must be done, in words; may be empty.
    pub note: String,
}

/// Whole lines of a file that are replaced; lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The file.
    pub file: String,
    /// The first line to replace.
    pub first: usize,
    /// The last line to replace; the line before `first` to insert.
    pub last: usize,
    /// The new lines, without a line break at the end; empty to remove.
    pub text: String,
}

/// A text file with its name in messages.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name in messages.
    pub path: String,
    /// The content.
    pub text: String,
}

impl Fix {
    /// A fix with its edits in the order in which they are applied.
    pub fn new(side: Side, applicability: Applicability, mut edits: Vec<Edit>, note: impl Into<String>) -> Fix {
        edits.sort_by(|a, b| (&a.file, b.range()).cmp(&(&b.file, a.range())));
        Fix { side, applicability, edits, note: note.into() }
    }

    /// A fix that can only be described.
    pub fn words(side: Side, note: impl Into<String>) -> Fix {
        Fix::new(side, Applicability::NeedsReview, Vec::new(), note)
    }

    /// Whether `contract check --fix` applies it.
    pub fn is_automatic(&self) -> bool {
        self.applicability == Applicability::MachineApplicable && !self.edits.is_empty()
    }

    /// Whether both change the same lines, or insert at the same place.
    pub fn overlaps(&self, other: &Fix) -> bool {
        self.edits.iter().any(|one| other.edits.iter().any(|another| one.overlaps(another)))
    }
}

impl Edit {
    /// The lines that change, counted from 0.
    fn range(&self) -> (usize, usize) {
        (self.first.saturating_sub(1), self.last)
    }

    fn overlaps(&self, other: &Edit) -> bool {
        let ((a, b), (c, d)) = (self.range(), other.range());
        self.file == other.file && if a == b || c == d { a <= d && c <= b } else { a < d && c < b }
    }
}

impl fmt::Display for Edit {
    /// The file and the lines: `a.rs: replace line 3 with`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edit { file, first, last, text } = self;
        let (verb, with) = if text.is_empty() { ("remove", "") } else { ("replace", " with") };
        match (first, last) {
            (1, 0) => write!(f, "{file}: insert at the top"),
            (first, last) if first > last => write!(f, "{file}: insert after line {last}"),
            (first, last) if first == last => write!(f, "{file}: {verb} line {first}{with}"),
            (first, last) => write!(f, "{file}: {verb} lines {first} to {last}{with}"),
        }
    }
}

/// The text after these edits of one file, applied in the order given. Its line breaks stay as they are.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<&str> = text.lines().collect();
    for edit in edits {
        let (from, to) = edit.range();
        let to = to.min(lines.len());
        lines.splice(from.min(to)..to, edit.text.lines());
    }
    lines.join(line_break) + line_break
}

impl SourceFile {
    /// Every Rust file in these folders and below, sorted by name. Files that cannot be read are left out.
    pub fn all_in(folders: &[&str]) -> Vec<SourceFile> {
        let mut files = Vec::new();
        folders.iter().for_each(|folder| read_folder(Path::new(folder), &mut files));
        files
    }

    /// The line, from 1, of this byte.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    /// The part of these bytes that is on their first line.
    pub(crate) fn excerpt<'a>(&'a self, range: Range<usize>, label: &'a str) -> Excerpt<'a> {
        let start = self.slice(0..range.start).rfind('\n').map_or(0, |at| at + 1);
        let line = self.slice(start..self.text.len()).lines().next().unwrap_or_default();
        let column = self.slice(start..range.start).chars().count() + 1;
        let position = Position { line: self.line_of(range.start), column };
        let length = self.slice(range).lines().next().unwrap_or_default().trim_end().len();
        Excerpt { file: &self.path, position, line, length, label }
    }

    /// A line, from 1; empty where there is none.
    pub(crate) fn line(&self, number: usize) -> &str {
        number.checked_sub(1).and_then(|index| self.text.lines().nth(index)).unwrap_or_default()
    }

    /// Part of the text; empty where there is none.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The edit that replaces these bytes. Lines that would be blank are removed.
    pub(crate) fn replace(&self, range: Range<usize>, new: &str) -> Edit {
        let start = self.slice(0..range.start).rfind('\n').map_or(0, |at| at + 1);
        let end = self.slice(range.end..self.text.len()).find('\n').map_or(self.text.len(), |at| range.end + at);
        let rest = self.slice(range.end..end).trim_end_matches('\r');
        let text = format!("{}{new}{rest}", self.slice(start..range.start));
        let text = if text.trim().is_empty() { String::new() } else { text };
        self.lines(self.line_of(range.start), self.line_of(range.end), text)
    }

    /// The edit that inserts these lines after the one given; 0 is the top of the file.
    pub(crate) fn insert_after(&self, line: usize, text: impl Into<String>) -> Edit {
        self.lines(line + 1, line, text.into())
    }

    /// The edit that replaces lines.
    pub(crate) fn lines(&self, first: usize, last: usize, text: String) -> Edit {
        Edit { file: self.path.clone(), first, last, text }
    }
}

fn read_folder(folder: &Path, files: &mut Vec<SourceFile>) {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_folder(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
}

/// The indentation of a line in characters; `None` for a blank one.
pub(crate) fn indent_of(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches(' ');
    (!rest.trim().is_empty()).then_some(line.len() - rest.len())
}

/// Every line moved to the right.
pub(crate) fn indented(text: &str, by: usize) -> String {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{:by$}{line}", "") });
    lines.collect::<Vec<_>>().join("\n")
}
