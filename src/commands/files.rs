//! Files that commands write.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes to standard output. `print!` would panic if its reader closes the pipe.
pub(super) fn print(text: &[u8]) -> Result<(), String> {
    let mut output = io::stdout().lock();
    output.write_all(text).and_then(|()| output.flush()).map_err(|error| format!("standard output: {error}"))
}

/// Returns an error if the path is an existing file, or its folder does not exist. A device or a named pipe can be written.
pub(super) fn check_new(path: &Path, option: &str) -> Result<(), String> {
    if path.is_file() {
        return Err(format!("{} exists: move it, or name another file with {option}", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(format!("{}: the folder does not exist", folder.display())),
        _ => Ok(()),
    }
}

/// Opens a device or a named pipe, or creates a file. It is for its owner only, because it has personal data.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let is_special = path.exists() && !path.is_file();
    OpenOptions::new().write(true).create_new(!is_special).mode(0o600).open(path)
}
