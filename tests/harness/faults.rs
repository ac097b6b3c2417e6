//! Fault injection: before every operation of the real store, and around the real handlers. Every app of the tests has both;
//! without a fault they do nothing.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use api::{AppState, Surface, extract::Input};
use async_trait::async_trait;
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use reqwest::Method;
use tokio::sync::Notify;
use web_server::storage::FaultInjector;

/// A fault of an operation of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A bug in Rust.
    Panic,
    /// A bug in SQL: the database returns an unexpected result.
    Internal,
    /// No connection becomes free.
    Unavailable,
    /// The database does not respond.
    Hang,
    /// The database responds after [`Faults::release`]; see [`Faults::held`].
    Hold,
}

/// The faults of one app.
#[derive(Default)]
pub struct Faults {
    store: Mutex<Option<Fault>>,
    handlers_panic: AtomicBool,
    dropped: Mutex<Vec<(Method, &'static str)>>,
    held: Notify,
    released: Notify,
}

impl Faults {
    /// Sets the fault of every operation of the store.
    pub fn store(&self, fault: impl Into<Option<Fault>>) {
        *self.store.lock().expect("no test panics in here") = fault.into();
    }

    /// Makes every handler panic.
    pub fn handlers_panic(&self) {
        self.handlers_panic.store(true, Ordering::SeqCst);
    }

    /// Removes a property from the validated bodies of a method, so that a handler drops what the server accepted.
    pub fn drop_property(&self, method: Method, property: &'static str) {
        self.dropped.lock().expect("no test panics in here").push((method, property));
    }

    /// Waits until an operation is held. An operation that is held already counts once.
    pub async fn held(&self) {
        self.held.notified().await;
    }

    /// Resumes every operation that is held now.
    pub fn release(&self) {
        self.released.notify_waiters();
    }

    /// The routes of [`api::router`], with these faults.
    #[expect(clippy::disallowed_methods, reason = "a fault of a handler is within the middleware of the server")]
    pub fn around(self: &Arc<Self>, surface: Surface, state: AppState) -> Router {
        let faults = self.clone();
        api::router(surface, state).layer(from_fn(move |mut request: Request, next: Next| {
            for (method, property) in &*faults.dropped.lock().expect("no test panics in here") {
                let is_sent = request.method() == method;
                let input = request.extensions_mut().get_mut::<Input>().filter(|_| is_sent);
                if let Some(body) = input.and_then(|input| input.body.as_mut()?.as_object_mut()) {
                    body.remove(*property);
                }
            }
            assert!(!faults.handlers_panic.load(Ordering::SeqCst), "injected by a test");
            next.run(request)
        }))
    }
}

#[async_trait]
impl FaultInjector for Faults {
    async fn before(&self, operation: &'static str) -> Result<(), sqlx::Error> {
        // The removal of old rows runs in the background: it must not be taken for the operation of a request.
        let is_of_request = !operation.ends_with(".remove");
        let fault = self.store.lock().expect("no test panics in here").filter(|_| is_of_request);
        match fault {
            None => Ok(()),
            Some(Fault::Panic) => panic!("injected by a test"),
            Some(Fault::Internal) => Err(sqlx::Error::ColumnNotFound("injected by a test".into())),
            Some(Fault::Unavailable) => Err(sqlx::Error::PoolTimedOut),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Hold) => {
                // Registers for `release` before `held` reports the operation.
                let released = self.released.notified();
                self.held.notify_one();
                released.await;
                Ok(())
            }
        }
    }
}
