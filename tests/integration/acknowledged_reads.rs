//! Readers of one user beside its writer: a read that begins after a write was acknowledged returns that write.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::task::JoinHandle;

use crate::harness::App;

/// Eight readers of a user that is at its first version.
pub struct Readers {
    acknowledged: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    readers: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Each reads from one of the apps.
    pub fn start(apps: &[&App], path: &str) -> Self {
        let (acknowledged, done) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicBool::new(false)));
        let reader = |app: &App| {
            let (app, path, acknowledged, done) = (app.clone(), path.to_owned(), acknowledged.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let read = version(&app, &path).await;
                    assert!(read >= least, "version {read} after version {least} was acknowledged");
                }
            })
        };
        let readers = apps.iter().cycle().take(8).map(|app| reader(app)).collect();
        Self { acknowledged, done, readers }
    }

    /// The next version is acknowledged.
    pub fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Fails if a read was stale.
    pub async fn stop(self) {
        self.done.store(true, Ordering::SeqCst);
        for reader in self.readers {
            reader.await.expect("no read was stale");
        }
    }
}

/// The version of a user.
pub async fn version(app: &App, path: &str) -> u64 {
    let response = app.get(path).await;
    response.header("etag").and_then(|etag| etag.trim_matches('"').parse().ok()).expect("a version")
}
