//! The ports of the resources on a store, and their statements.

use std::sync::Arc;

use api::{
    AppState,
    monitoring::{Exposition, Readiness},
};

use super::{idempotency, schema::Statements, store::Store, upkeep, users};

impl Store {
    /// Removes what is kept for a limited time and probes the replicas, until the database is closed.
    pub fn spawn_upkeep(&self) {
        tokio::spawn(upkeep::run(self.clone()));
        if let Some(replicas) = &self.replicas {
            replicas.spawn_probes();
        }
    }
}

macro_rules! ports {
    ($($resource:ident: $Port:ident,)*) => {
        impl Store {
            $(
                #[doc = concat!("Returns the store of ", stringify!($resource), ".")]
                pub fn $resource(&self) -> Arc<dyn api::$resource::$Port> {
                    Arc::new($resource::port(self.clone()))
                }
            )*

            /// Returns the state of the handlers: the ports of the resources, these two, and no `public_url`.
            pub fn state(&self, readiness: Arc<dyn Readiness>, metrics: Arc<dyn Exposition>) -> AppState {
                AppState { $($resource: self.$resource(),)* readiness, metrics, public_url: Default::default() }
            }
        }

        /// The statements of each resource, and those for idempotency keys.
        pub(super) const STATEMENTS: &[Statements] = &[$($resource::STATEMENTS,)* idempotency::STATEMENTS];
    };
}
api::resources!(ports);
