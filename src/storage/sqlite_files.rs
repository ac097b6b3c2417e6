//! The files of an SQLite database: `PATH`, `PATH-wal` with the latest changes, and the index of those, `PATH-shm`.
//!
//! SQLite opens them once and does not notice that a path refers to another file later, or to none. Then writes go to a
//! file without a name, and the next start would apply the `-wal` file to a database that it does not belong to. So the
//! server compares the files at the paths with those that it has open.
//!
//! A `-wal` file has no reference to its database. `PATH-id` records which two files belong together, for the next start.
//!
//! Nothing here opens the database or the `-wal` file: to close one drops the locks that SQLite has on it.

use std::{
    ffi::OsString,
    fmt, fs, io,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use crate::config::DEFAULT_SQLITE_FOLDER;

/// The size of the header of a `-shm` file in the file format of SQLite.
const SHM_HEADER_BYTES: usize = 136;

/// How the files at the paths differ from those that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Change {
    #[error("the SQLite file was removed")]
    Removed,
    #[error("the SQLite file was replaced")]
    Replaced,
    #[error("the SQLite file was emptied")]
    Emptied,
    #[error("the -wal file was removed or replaced")]
    WalRemoved,
    #[error("the -wal file was truncated")]
    WalTruncated,
    #[error("the -shm file was removed or replaced")]
    ShmRemoved,
    #[error("the -shm file was truncated")]
    ShmTruncated,
}

impl Change {
    /// Whether the `-wal` file must not be applied to the database any more: one of the two lacks a part.
    pub(super) fn spoils_wal(self) -> bool {
        matches!(self, Self::Emptied | Self::WalTruncated)
    }

    /// What an operator has to do.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Removed => {
                "move the file or a backup to its path, or copy the removed file from /proc/PID/fd; no restart is needed"
            }
            Self::Emptied => "move a backup to the path of the file; no restart is needed",
            Self::Replaced => "nothing, if this was intended: the server opens the new file as soon as it is sound",
            Self::WalTruncated => {
                "compare the data with a backup: changes in the removed part of the -wal file are lost"
            }
            Self::WalRemoved | Self::ShmRemoved | Self::ShmTruncated => {
                "do not change the -wal and -shm files while the server runs"
            }
        }
    }
}

impl From<Change> for sqlx::Error {
    fn from(change: Change) -> Self {
        Self::Io(io::Error::other(change))
    }
}

/// Creates the file if it does not exist, readable only by this user: it contains personal data. Of folders, only that of the
/// default path is created, since a path that is misspelt would yield an empty database. Returns whether the file is new.
///
/// # Errors
/// It cannot be created, or is not a file. Or it is missing or empty, but there is a `-wal` file: SQLite would remove that.
pub(super) fn create(path: &Path) -> Result<bool, String> {
    let message = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) && fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        let wal = wal.display();
        return Err(format!(
            "the file is missing or empty, but {wal} has changes of it: restore the file, or move {wal} away to start with \
             an empty database"
        ));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        if folder == Path::new(DEFAULT_SQLITE_FOLDER) {
            match fs::DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if !folder.is_dir() => return Err(message(folder, error)),
                _ => {}
            }
        } else if !folder.exists() {
            return Err(format!("the folder {} does not exist: create it, or correct the path", folder.display()));
        }
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::metadata(path) {
            Ok(file) if file.is_dir() => Err(format!("{} is a folder: name a file", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let target = fs::read_link(path).map_err(|error| message(path, error))?;
                let (path, target) = (path.display(), target.display());
                Err(format!(
                    "{path} is a symbolic link to {target}, which does not exist: create that file, or remove the link"
                ))
            }
            _ => Ok(false),
        },
        created => created.map(|_| true).map_err(|error| message(path, error)),
    }
}

/// Whether the `-wal` file at the path belongs to another database file than the one at the path: the record has this `-wal`
/// file with another database file. If both differ from the record, they were copied together.
pub(super) fn has_foreign_wal(path: &Path) -> bool {
    let path = resolved(path);
    let [database, wal] = [path.clone(), beside(&path, "-wal")].map(|path| SqliteFiles::identify(&path));
    let (Ok(database), Ok(wal), Ok(record)) = (database, wal, fs::read_to_string(beside(&path, "-id"))) else {
        return false;
    };
    let [recorded_database, recorded_wal] = [0, 1].map(|line| record.lines().nth(line));
    recorded_wal == Some(&*wal.to_string()) && recorded_database != Some(&*database.to_string())
}

/// Renames the `-wal` and `-shm` files at the path if they belong to another database file than the one at the path.
pub(super) fn set_foreign_wal_aside(path: &Path) -> io::Result<()> {
    if has_foreign_wal(path) {
        let path = resolved(path);
        for suffix in ["-wal", "-shm"] {
            set_aside(&beside(&path, suffix))?;
        }
    }
    Ok(())
}

/// The open files. The sizes are the largest that were seen.
#[derive(Debug)]
pub(super) struct SqliteFiles {
    database: PathBuf,
    identity: Identity,
    wal: OpenFile,
    shm: OpenFile,
    /// See [`SqliteFiles::restore_shm`].
    restored_shm: OnceLock<fs::File>,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    identity: Identity,
    len: AtomicU64,
}

impl SqliteFiles {
    /// Returns the identity of the database file, to be compared after SQLite has opened it.
    pub(super) fn identify(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|file| Identity::of(&file))
    }

    /// Records the files that SQLite has opened.
    pub(super) fn opened(path: &Path, identity: Identity) -> io::Result<Self> {
        // SQLite, too, resolves symbolic links when it opens a file.
        let resolved = resolved(path);
        let [wal, shm] = ["-wal", "-shm"].map(|suffix| OpenFile::at(beside(&resolved, suffix)));
        let files = Self { database: path.to_owned(), identity, wal: wal?, shm: shm?, restored_shm: OnceLock::new() };
        if files.check() == Err(Change::Replaced) {
            return Err(io::Error::other("the file was replaced while it was opened"));
        }
        let record = format!("{identity}\n{}\n", files.wal.identity);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(beside(&resolved, "-id"))?;
        io::Write::write_all(&mut file, record.as_bytes())?;
        file.sync_all()?;
        Ok(files)
    }

    /// Compares the files at the paths with those that are open.
    ///
    /// `WalTruncated` is a suspicion: another process may have moved every change to the database file.
    pub(super) fn check(&self) -> Result<(), Change> {
        let database = fs::metadata(&self.database).map_err(|_| Change::Removed)?;
        if !self.identity.is_of(&database) {
            return Err(Change::Replaced);
        }
        if database.len() == 0 {
            return Err(Change::Emptied);
        }
        self.shm.check(Change::ShmRemoved, Change::ShmTruncated)?;
        self.wal.check(Change::WalRemoved, Change::WalTruncated)
    }

    /// The size of the `-wal` file, if it is at its path.
    pub(super) fn wal_len(&self) -> Option<u64> {
        self.wal.at_path().map(|file| file.len())
    }

    /// Accepts a smaller `-wal` file.
    pub(super) fn accept_wal_len(&self, len: u64) {
        self.wal.len.store(len, Ordering::Relaxed);
    }

    /// Renames the `-wal` file at the path.
    pub(super) fn set_wal_aside(&self) -> io::Result<()> {
        set_aside(&self.wal.path)
    }

    /// Renames a file that is at the path of the `-wal` file but is not the one that is open: SQLite would remove it.
    pub(super) fn set_other_wal_aside(&self) -> io::Result<()> {
        match fs::metadata(&self.wal.path) {
            Ok(file) if file.len() > 0 && !self.wal.identity.is_of(&file) => set_aside(&self.wal.path),
            _ => Ok(()),
        }
    }

    /// Gives a truncated `-shm` file its size again. SQLite has mapped it into memory, and an access beyond its end kills the
    /// process; from zeros, SQLite builds the index again. The file stays open as long as `self`: to close it drops the locks
    /// of SQLite.
    pub(super) fn restore_shm(&self) -> io::Result<()> {
        let len = self.shm.len.load(Ordering::Relaxed);
        if self.shm.at_path().is_some_and(|file| file.len() < len) {
            let file = match self.restored_shm.get() {
                Some(file) => file,
                None => {
                    let file = fs::OpenOptions::new().write(true).open(&self.shm.path)?;
                    self.restored_shm.get_or_init(|| file)
                }
            };
            // A header that is left would be valid, but the rest of the index is lost.
            file.write_all_at(&[0; SHM_HEADER_BYTES], 0)?;
            file.set_len(len)?;
        }
        Ok(())
    }

    /// Removes the record, if SQLite has removed the `-wal` file after all its changes were in the database.
    pub(super) fn closed(&self) {
        if !self.wal.path.exists() {
            // A record without a `-wal` file has no effect.
            let _ = fs::remove_file(beside(&resolved(&self.database), "-id"));
        }
    }
}

impl OpenFile {
    fn at(path: PathBuf) -> io::Result<Self> {
        let file = fs::metadata(&path)?;
        Ok(Self { path, identity: Identity::of(&file), len: file.len().into() })
    }

    /// The file, unless its path refers to another one or to none.
    fn at_path(&self) -> Option<fs::Metadata> {
        fs::metadata(&self.path).ok().filter(|file| self.identity.is_of(file))
    }

    fn check(&self, removed: Change, truncated: Change) -> Result<(), Change> {
        let len = self.at_path().ok_or(removed)?.len();
        if self.len.fetch_max(len, Ordering::Relaxed) > len { Err(truncated) } else { Ok(()) }
    }
}

/// Distinguishes a file from all others. The time of creation is part of it, because a file system reuses the inode number of
/// a removed file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    created: Option<SystemTime>,
}

impl Identity {
    fn of(file: &fs::Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino(), created: file.created().ok() }
    }

    /// Whether this is the identity of an open file. No other file can have its inode number.
    fn is_of(&self, file: &fs::Metadata) -> bool {
        (file.dev(), file.ino()) == (self.device, self.inode)
    }
}

/// For the record, without the device: its number may change when the machine starts.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let created = self.created.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        write!(f, "{} {}", self.inode, created.map_or(0, |time| time.as_nanos()))
    }
}

fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Renames a file, if it exists, to a name that no file has.
fn set_aside(path: &Path) -> io::Result<()> {
    let mut names = (1..).map(|number: u32| beside(path, &format!(".aside-{number}")));
    let Some(to) = names.find(|name| !name.exists()) else { return Ok(()) };
    match fs::rename(path, &to) {
        Ok(()) => {
            tracing::warn!(file = %path.display(), to = %to.display(), "set aside a file that does not belong to the database");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
