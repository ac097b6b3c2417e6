//! Faults on demand: one wrapper around the real store, which every operation of every resource passes, and one around the
//! real handlers, for those that touch no store. Every app of the tests has both; until a test asks for a fault they let
//! everything through.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use api::{AppState, Surface};
use async_trait::async_trait;
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use tokio::sync::Notify;
use web_server::storage::FaultInjector;

/// What happens to an operation of the store instead of what it should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A bug in Rust.
    Panic,
    /// A bug in SQL: the database answers what it never should.
    Internal,
    /// No connection comes free.
    Unavailable,
    /// The database does not answer.
    Hang,
    /// The database answers once it is told to: see [`Faults::held`] and [`Faults::release`].
    Hold,
}

/// The faults of one app.
#[derive(Default)]
pub struct Faults {
    store: Mutex<Option<Fault>>,
    handlers_panic: AtomicBool,
    held: Notify,
    released: Notify,
}

impl Faults {
    /// From now on every operation of the store has this fault, or none.
    pub fn store(&self, fault: impl Into<Option<Fault>>) {
        *self.store.lock().expect("no test panics in here") = fault.into();
    }

    /// From now on every handler panics.
    pub fn handlers_panic(&self) {
        self.handlers_panic.store(true, Ordering::SeqCst);
    }

    /// Waits until an operation is held. One that is held already counts, once.
    pub async fn held(&self) {
        self.held.notified().await;
    }

    /// Lets every operation go on that is held now.
    pub fn release(&self) {
        self.released.notify_waiters();
    }

    /// The routes of [`api::router`], with the wrapper around their handlers.
    #[expect(
        clippy::disallowed_methods,
        reason = "a fault in place of a handler lies within all of the server's layers"
    )]
    pub fn around(self: &Arc<Self>, surface: Surface, state: AppState) -> Router {
        let faults = self.clone();
        api::router(surface, state).layer(from_fn(move |request: Request, next: Next| {
            assert!(!faults.handlers_panic.load(Ordering::SeqCst), "a test asked for this panic");
            next.run(request)
        }))
    }
}

#[async_trait]
impl FaultInjector for Faults {
    async fn before(&self, _: &'static str) -> Result<(), sqlx::Error> {
        let fault = *self.store.lock().expect("no test panics in here");
        match fault {
            None => Ok(()),
            Some(Fault::Panic) => panic!("a test asked for this panic"),
            Some(Fault::Internal) => Err(sqlx::Error::ColumnNotFound("which a test left out".into())),
            Some(Fault::Unavailable) => Err(sqlx::Error::PoolTimedOut),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Hold) => {
                // It counts from here on as one who waits.
                let released = self.released.notified();
                self.held.notify_one();
                released.await;
                Ok(())
            }
        }
    }
}
