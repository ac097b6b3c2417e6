//! `web_server export`: writes every user as NDJSON.

use std::{
    error::Error,
    fmt::Display,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
};

use api::users::User;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use uuid::Uuid;

use super::files;
use crate::storage::Store;

/// A line: the JSON of `GET /users/{id}`, and the version, which a response has in its `ETag`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    user: &'a User,
    version: i64,
}

/// Writes the users in the order of their ids to a file or to standard output, which is also `-`. A file has the name
/// `PATH.partial` until it is complete.
///
/// # Errors
/// The file exists, or the database or the output fails, also if a reader closes the pipe: the program may have failed.
pub(super) async fn export(store: &Store, output: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let Some(path) = output.filter(|path| *path != Path::new("-")) else { return write(store, None).await };
    let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    files::check_new(path, "--output")?;
    if path.exists() {
        // A device or a named pipe.
        return write(store, Some(files::create(path).map_err(|error| failed(path, error))?)).await;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    write(store, Some(files::create(partial).map_err(|error| failed(partial, error))?)).await?;
    files::check_new(path, "--output")?;
    Ok(fs::rename(partial, path).map_err(|error| failed(path, error))?)
}

async fn write(store: &Store, mut file: Option<File>) -> Result<(), Box<dyn Error>> {
    let style = ProgressStyle::with_template("{elapsed} exported {pos} users");
    let progress = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let (mut last, mut count) = (Uuid::nil(), 0_u64);
    loop {
        let users = store.users_after(last).await.map_err(|error| incomplete("the database failed", &error, count))?;
        let Some(user) = users.last() else { break };
        last = user.id;
        let mut lines = Vec::new();
        for user in &users {
            serde_json::to_writer(&mut lines, &Line { user, version: user.version })?;
            lines.push(b'\n');
        }
        let written = match &mut file {
            Some(file) => file.write_all(&lines),
            None => io::stdout().lock().write_all(&lines),
        };
        written.map_err(|error| incomplete("cannot write", &error, count))?;
        count += users.len() as u64;
        progress.set_position(count);
    }
    if let Some(file) = file {
        synced(file.sync_all()).map_err(|error| incomplete("cannot write", &error, count))?;
    }
    progress.finish_and_clear();
    eprintln!("exported {count} users");
    Ok(())
}

/// A device or a named pipe cannot be synced.
fn synced(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

fn incomplete(what: &str, error: &dyn Display, count: u64) -> String {
    format!("{what}: {error}; the export is incomplete: it has {count} users")
}
