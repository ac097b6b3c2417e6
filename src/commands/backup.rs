//! `web_server backup`: copies an SQLite database, also while a server writes to it.

use std::{
    error::Error,
    fs::{self, File},
    io,
    path::Path,
};

use super::files;
use crate::{config::DatabaseTarget, storage::sqlite_backup};

/// Writes a copy of the database to a new file, which has the name `PATH.partial` until it is complete and durable.
///
/// # Errors
/// The database is not one of SQLite or does not exist, or the file exists or cannot be written.
pub(super) async fn back_up(target: &DatabaseTarget, path: &Path) -> Result<(), Box<dyn Error>> {
    let DatabaseTarget::Sqlite(database) = target else {
        let advice = "use pg_dump for one database, or pg_basebackup for all of the PostgreSQL server";
        return Err(format!("`web_server backup` copies SQLite only: {advice}").into());
    };
    if !database.is_file() {
        return Err(format!("{}: the database does not exist", database.display()).into());
    }
    if path == Path::new("-") {
        return Err("-: a backup is written to a file, which SQLite needs: expected a path".into());
    }
    if path.symlink_metadata().is_ok() {
        return Err(format!("{} exists: move it, or name another file", path.display()).into());
    }
    files::check_new(path, "another argument")?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let file = files::create(partial).map_err(|error| {
        let is_left = error.kind() == io::ErrorKind::AlreadyExists;
        let advice = if is_left { "; remove it, unless another backup is writing it" } else { "" };
        format!("{}{advice}", failed(partial, error))
    })?;
    let unfinished = Unfinished(partial);
    let bytes = write(database, &file, partial, path).await?;
    std::mem::forget(unfinished);
    eprintln!("copied the database to {}: {bytes} bytes", path.display());
    Ok(())
}

/// What is removed with an error or by a signal: it has no use, and personal data.
struct Unfinished<'a>(&'a Path);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let mut journal = self.0.as_os_str().to_owned();
        journal.push("-journal");
        for path in [self.0, Path::new(&journal)] {
            // The cause is reported.
            let _ = fs::remove_file(path);
        }
    }
}

async fn write(database: &Path, file: &File, partial: &Path, path: &Path) -> Result<u64, String> {
    let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    sqlite_backup::copy(database, partial).await?;
    file.sync_all().map_err(|error| failed(partial, error))?;
    let bytes = file.metadata().map_err(|error| failed(partial, error))?.len();
    files::check_new(path, "another argument")?;
    fs::rename(partial, path).map_err(|error| failed(path, error))?;
    // The new name is durable when its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))?;
    Ok(bytes)
}
