//! Readiness: the database responds, and the server is not draining.
//!
//! The result of a database ping is reused for a quarter of a second, so the number of readiness requests does not
//! matter. The ping has a connection of its own: a full pool does not look like an unavailable database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::monitoring::{NotReady, Readiness};
use async_trait::async_trait;
use tokio::{sync::Mutex, time::Instant};

use crate::{storage::Store, telemetry::metrics};

/// How long the result of a ping is reused. With the timeout of the ping, a change is visible within a second.
const MAX_AGE: Duration = Duration::from_millis(250);

/// Whether the server is draining. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// Starts the drain.
    pub fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the drain started.
    pub fn started(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct StoreReadiness {
    store: Store,
    drain: Drain,
    last: Mutex<Option<(Instant, bool)>>,
}

impl StoreReadiness {
    pub(crate) fn new(store: Store, drain: Drain) -> Self {
        Self { store, drain, last: Mutex::new(None) }
    }

    /// Returns the result of the last ping, or of a new one if the last one is too old. Concurrent callers wait for the
    /// lock and then reuse the result.
    async fn database_is_available(&self) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((at, is_available)) if at.elapsed() < MAX_AGE => is_available,
            _ => {
                let is_available = self.store.ping().await.is_ok();
                *last = Some((Instant::now(), is_available));
                is_available
            }
        }
    }
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), NotReady> {
        let result = if self.drain.started() {
            Err(NotReady::Draining)
        } else if self.database_is_available().await {
            Ok(())
        } else {
            Err(NotReady::DatabaseUnavailable)
        };
        metrics::record_readiness(result.is_ok());
        result
    }
}
