//! A file as numbered lines, and edits of whole lines.

use std::{fs, path::Path};

use super::{Action, Edit};

/// A file: its name and what is in it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name by which messages call it.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl SourceFile {
    /// Every Rust file in these folders and below, in the order of their names. What cannot be read is left out: it is only
    /// not pointed at.
    pub fn all_in(folders: &[&str]) -> Vec<SourceFile> {
        let mut files = Vec::new();
        folders.iter().for_each(|folder| read_folder(Path::new(folder), &mut files));
        files
    }

    /// The line, from 1, on which this byte stands.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    /// A line, from 1; empty where there is none.
    pub(super) fn line(&self, number: usize) -> &str {
        number.checked_sub(1).and_then(|index| self.text.lines().nth(index)).unwrap_or_default()
    }

    /// A stretch of the text; empty where it is none.
    pub(super) fn slice(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The edit that puts `new` in the place of these bytes: the lines on which they stand, rewritten.
    pub(super) fn replace(&self, from: usize, to: usize, new: &str) -> Edit {
        let start = self.slice(0, from).rfind('\n').map_or(0, |at| at + 1);
        let end = self.slice(to, self.text.len()).find('\n').map_or(self.text.len(), |at| to + at);
        let text = format!("{}{new}{}", self.slice(start, from), self.slice(to, end));
        let (first, last) = (self.line_of(from), self.line_of(to));
        let kept: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if kept.is_empty() {
            return self.edit(Action::Remove { first, last }, String::new());
        }
        self.edit(Action::Replace { first, last }, text)
    }

    /// The edit that puts these lines after the one given; 0 puts them first.
    pub(super) fn insert_after(&self, line: usize, text: impl Into<String>) -> Edit {
        self.edit(Action::InsertAfter(line), text.into())
    }

    pub(super) fn edit(&self, action: Action, text: String) -> Edit {
        Edit { file: self.path.clone(), action, text }
    }
}

/// How far a line is indented; `None` for a blank one.
pub(super) fn indent_of(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches(' ');
    (!rest.trim().is_empty()).then_some(line.len() - rest.len())
}

/// Every line moved to the right.
pub(super) fn indented(text: &str, by: usize) -> String {
    let lines = text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{:by$}{line}", "") });
    lines.collect::<Vec<_>>().join("\n")
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
