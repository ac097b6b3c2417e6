//! Readiness: the database answers, and the server is not about to stop.
//!
//! However many ask, the database is asked at most four times a second, by one probe at a time, on a connection of its
//! own: a pool that is full does not look like a database that is away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use api::health::{NotReady, Readiness};
use async_trait::async_trait;
use tokio::{sync::Mutex, time::Instant};

use crate::{metrics, store::Store};

/// How long an answer of the database counts. With the time-out of the probe it keeps every change under a second.
const FRESH: Duration = Duration::from_millis(250);

/// Whether the server is draining. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// From now on the server is not ready.
    pub fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has begun.
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

    /// What the database said last, if that is fresh; else what it says now. Those who come meanwhile wait for the lock,
    /// and then find a fresh answer.
    async fn database_answers(&self) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((at, answers)) if at.elapsed() < FRESH => answers,
            _ => {
                let answers = self.store.ping().await.is_ok();
                *last = Some((Instant::now(), answers));
                answers
            }
        }
    }
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), NotReady> {
        let result = if self.drain.started() {
            Err(NotReady::Draining)
        } else if self.database_answers().await {
            Ok(())
        } else {
            Err(NotReady::DatabaseAway)
        };
        metrics::record_readiness(result.is_ok());
        result
    }
}
