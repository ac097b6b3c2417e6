//! Files of settings that are read again while the server runs: API keys, and certificates.
//!
//! A file system may not respond, and a path may become one that never ends, so files are read by threads of their own, within
//! a time limit, one read at a time, and only regular files of a limited size. The content is compared, which works for every
//! kind of mount, also where a folder is replaced.

use std::{
    fs::{self, File},
    future::pending,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};

/// The maximum size of a file in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The maximum time to read the files.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The time between two reads of files that have changed. If they differ, the files are still being written.
const SETTLING: Duration = Duration::from_millis(50);

/// What the files contain, in their order.
pub(crate) type Contents = Vec<Vec<u8>>;

/// Files that are used together, each with the names of its setting.
#[derive(Clone)]
pub(crate) struct WatchedFiles(Arc<[(&'static str, PathBuf)]>);

/// A read that runs, or that does not end.
type Reading = JoinHandle<Result<Contents, String>>;

impl WatchedFiles {
    pub(crate) fn new(files: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// Reads the files.
    ///
    /// # Errors
    /// The setting of the file that cannot be read within five seconds, is not a regular file, or is larger than 1 MiB. No
    /// message quotes a file.
    pub(crate) async fn read(&self) -> Result<Contents, String> {
        self.finish(&mut None).await
    }

    /// Reads the files at each interval and at SIGHUP, and calls `replace` with what they contain when it is different, and at
    /// every SIGHUP. An error is logged once; what was read before stays.
    pub(crate) fn watch<F>(self, interval: Duration, current: Contents, mut replace: F)
    where
        F: FnMut(Contents) -> Result<(), String> + Send + 'static,
    {
        tokio::spawn(async move {
            let mut hangup = signal(SignalKind::hangup()).ok();
            let (mut last, mut reading) = (Ok(current), None);
            loop {
                let is_signal = tokio::select! {
                    () = sleep(interval) => false,
                    () = async { match &mut hangup {
                        Some(hangup) => hangup.recv().await.unwrap_or_default(),
                        None => pending().await,
                    } } => true,
                };
                let read = self.finish(&mut reading).await;
                if read == last && !is_signal {
                    continue;
                }
                sleep(SETTLING).await;
                if self.finish(&mut reading).await != read {
                    // The next interval reads the rest. It is short, and a signal is not lost: the content is different.
                    continue;
                }
                last.clone_from(&read);
                if let Err(error) = read.and_then(&mut replace) {
                    tracing::error!(error, "cannot read a file again; what was read before stays");
                }
            }
        });
    }

    /// Waits for the read that runs, or for a new one. A read that does not end occupies one thread, not one per attempt.
    async fn finish(&self, reading: &mut Option<Reading>) -> Result<Contents, String> {
        let start = || {
            let files = self.0.clone();
            spawn_blocking(move || files.iter().map(|(setting, path)| read(setting, path)).collect())
        };
        let read = timeout(TIMEOUT, reading.get_or_insert_with(start)).await;
        let settings = || self.0.iter().map(|(setting, _)| *setting).collect::<Vec<_>>().join(", ");
        match read {
            Ok(result) => {
                *reading = None;
                result.unwrap_or_else(|error| Err(format!("{}: {error}", settings())))
            }
            Err(_) => Err(format!("{}: cannot be read within {} s", settings(), TIMEOUT.as_secs())),
        }
    }
}

/// Reads a file that a setting names.
fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    // Without the path, in the place of which there may be the secret.
    let failed = |error: &io::Error| format!("{setting}: the file cannot be read: {error}");
    // Before it is opened, which blocks for a pipe without a writer. Symbolic links are followed: mounted secrets have them.
    let is_regular = fs::metadata(path).map_err(|error| failed(&error))?.is_file();
    if !is_regular {
        return Err(format!(
            "{setting}: {path:?} is not a regular file: expected one, since the server reads it again when it changes"
        ));
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(|error| failed(&error))?;
    if content.len() as u64 > MAX_BYTES {
        return Err(format!("{setting}: the file {path:?} is too large: expected at most {MAX_BYTES} bytes"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(path: &Path) -> WatchedFiles {
        WatchedFiles::new([("API_KEYS_FILE", path.to_owned())])
    }

    #[tokio::test]
    async fn only_regular_files_of_a_limited_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("keys"), folder.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::write(&path, "x").unwrap();
        assert_eq!(files(&link).read().await, Ok(vec![b"x".to_vec()]));
        fs::write(&path, vec![b' '; 1 << 20]).unwrap();
        assert!(files(&path).read().await.is_ok());
        fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
        let error = files(&path).read().await.unwrap_err();
        assert!(error.ends_with("is too large: expected at most 1048576 bytes"), "{error}");
        for other in [folder.path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
            let error = files(other).read().await.unwrap_err();
            assert!(error.starts_with("API_KEYS_FILE: ") && error.contains("is not a regular file"), "{error}");
        }
        let error = files(&folder.path().join("none")).read().await.unwrap_err();
        assert!(error.contains("cannot be read"), "{error}");
    }

    /// To open a pipe without a writer blocks.
    #[tokio::test]
    async fn a_pipe_delays_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = timeout(Duration::from_secs(2), files(&path).read()).await.expect("it does not block");
        assert!(error.unwrap_err().contains("is not a regular file"));
    }

    #[tokio::test]
    async fn what_is_being_written_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "old").unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let current = files(&path).read().await.unwrap();
        files(&path).watch(Duration::from_millis(5), current, move |contents| {
            let _ = sender.send(contents.concat());
            Ok(())
        });
        for length in 0..20 {
            fs::write(&path, vec![b'n'; length]).unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(receiver.recv().await.unwrap(), [b'n'; 19]);
    }
}
