//! The file of an SQLite database. SQLite does not notice if the file is removed, so the server checks.

use std::{
    fmt, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The identity of the file when the database was opened.
#[derive(Debug)]
pub(super) struct SqliteFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SqliteFile {
    /// Creates the file and its folder if they do not exist, readable only by this user: they contain personal data.
    pub(super) fn create(path: &Path) -> Result<(), String> {
        let message = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            created.map_err(|error| message(folder, error))?;
        }
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(message(path, error)),
            _ => Ok(()),
        }
    }

    /// Records the identity of the file.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
    }

    /// Whether the path still refers to that file.
    pub(super) fn is_unchanged(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode))
    }
}

impl fmt::Display for SqliteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}
