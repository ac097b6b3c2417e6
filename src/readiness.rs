//! Readiness: the database answers, and the server is not about to stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use api::health::{NotReady, Readiness};
use async_trait::async_trait;

use crate::store::Store;

/// Whether the server is draining. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// From now on the server is not ready.
    pub fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn started(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct StoreReadiness {
    store: Store,
    drain: Drain,
}

impl StoreReadiness {
    pub(crate) fn new(store: Store, drain: Drain) -> Self {
        Self { store, drain }
    }
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), NotReady> {
        if self.drain.started() {
            return Err(NotReady::Draining);
        }
        self.store.ping().await.map_err(|_| NotReady::DatabaseAway)
    }
}
