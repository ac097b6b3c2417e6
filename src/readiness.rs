//! Readiness: the database can be read and written, and the server is not draining.
//!
//! The result is reused for a quarter of a second, so the number of readiness requests does not matter.

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

/// How long a result is reused.
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
    last: Mutex<Option<(Instant, Option<&'static str>)>>,
}

impl StoreReadiness {
    pub(crate) fn new(store: Store, drain: Drain) -> Self {
        Self { store, drain, last: Mutex::new(None) }
    }

    /// Returns the ability that the database lost. Concurrent callers wait for the lock and then reuse the result.
    async fn lost_ability(&self) -> Option<&'static str> {
        let mut last = self.last.lock().await;
        match *last {
            Some((at, lost)) if at.elapsed() < MAX_AGE => lost,
            _ => {
                let lost = self.store.lost_ability().await;
                *last = Some((Instant::now(), lost));
                lost
            }
        }
    }
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), NotReady> {
        let result = if self.drain.started() {
            Err(NotReady::Draining)
        } else {
            self.lost_ability().await.map_or(Ok(()), |lost| Err(NotReady::Database { lost }))
        };
        metrics::record_readiness(result.is_ok());
        result
    }
}
