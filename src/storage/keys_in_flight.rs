//! The idempotency keys whose requests this process is processing.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

/// The keys whose requests this process is processing.
#[derive(Clone, Default)]
pub(super) struct KeysInFlight(Arc<Mutex<HashSet<Uuid>>>);

/// A request in flight. It ends when this is dropped.
pub(super) struct InFlight {
    keys: KeysInFlight,
    key: Uuid,
}

impl KeysInFlight {
    /// Adds a key. `None`: a request with this key is in flight.
    pub(super) fn add(&self, key: Uuid) -> Option<InFlight> {
        self.keys(|keys| keys.insert(key)).then(|| InFlight { keys: self.clone(), key })
    }

    fn keys<T>(&self, work: impl FnOnce(&mut HashSet<Uuid>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.keys.keys(|keys| keys.remove(&self.key));
    }
}
