//! The items that were not imported, with their reasons, one JSON object per line.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use api::problem::Violation;
use serde::Serialize;

use super::items::Position;
use crate::commands::files;

/// A file that is created with the first reject, or standard error.
pub(super) struct Rejects {
    target: Target,
    pub(super) count: u64,
}

enum Target {
    StandardError,
    File { path: PathBuf, open: Option<BufWriter<File>> },
}

#[derive(Serialize)]
struct Reject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<u64>,
    errors: &'a [Violation],
    /// Absent if the item is too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
}

impl Rejects {
    /// `-` is standard error, which is also the default for standard input.
    ///
    /// # Errors
    /// The file exists, or its folder does not.
    pub(super) fn new(input: &Path, rejects: Option<PathBuf>) -> Result<Self, String> {
        let path = rejects.unwrap_or_else(|| {
            let mut path = input.as_os_str().to_owned();
            if input != Path::new("-") {
                path.push(".rejects.ndjson");
            }
            path.into()
        });
        if path == Path::new("-") {
            return Ok(Self { target: Target::StandardError, count: 0 });
        }
        files::check_new(&path, "--rejects")?;
        Ok(Self { target: Target::File { path, open: None }, count: 0 })
    }

    /// Writes a reject. Bytes that are not UTF-8 are replaced.
    pub(super) fn write(&mut self, position: Position, errors: &[Violation], text: Option<&[u8]>) -> io::Result<()> {
        self.count += 1;
        let (line, element) = match position {
            Position::Line(number) => (Some(number), None),
            Position::Element(number) => (None, Some(number)),
        };
        // One line, so that it can be imported again. In a JSON string, line ends are escaped.
        let text = text.map(|text| String::from_utf8_lossy(text).replace(['\n', '\r'], " "));
        let reject = Reject { line, element, errors, input: text.as_deref() };
        let mut json = serde_json::to_vec(&reject)?;
        json.push(b'\n');
        match &mut self.target {
            Target::StandardError => io::stderr().write_all(&json),
            Target::File { open: Some(file), .. } => file.write_all(&json),
            Target::File { path, open } => open.insert(BufWriter::new(files::create(path)?)).write_all(&json),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::File { open: Some(file), .. } => file.flush(),
            _ => Ok(()),
        }
    }
}

/// `rejected 3 (reasons in users.ndjson.rejects.ndjson)`
impl fmt::Display for Rejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rejected {}", self.count)?;
        match &self.target {
            Target::File { path, open: Some(_) } => write!(f, " (reasons in {})", path.display()),
            _ => Ok(()),
        }
    }
}
