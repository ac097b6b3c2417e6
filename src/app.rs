//! Puts the parts together: contract, store, stack. Everything that can be wrong is found here, before a socket opens.

use std::sync::Arc;

use api::{AppState, Surface, health::Readiness};
use axum::Router;
use openapi_contract::{Artifacts, Contract, LoadError, OperationTable};

use crate::{
    CONTRACT,
    config::Config,
    docs::Documents,
    metrics,
    operations::Operations,
    readiness::{Drain, StoreReadiness},
    source::Source,
    stack::{self, Stack},
    store::{self, ConnectError, Store},
};

/// A server that is ready to be served.
pub struct App {
    /// Answers clients.
    pub router: Router,
    /// Answers operators, if they have a listener of their own.
    pub admin: Option<Router>,
    /// The database.
    pub store: Store,
    /// Tells readiness that the server is about to stop.
    pub drain: Drain,
    /// Whether the server can do its work.
    pub readiness: Arc<dyn Readiness>,
}

/// Why the server cannot start: one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The contract inside the binary cannot be used. The build checks it, so this is a bug.
    #[error("the contract cannot be used: {0}")]
    Contract(String),
    /// The router and the contract differ: the program was built with `CONTRACT_DRIFT=warn`.
    #[error("the router and the contract differ: {0}")]
    Routes(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The schema cannot be brought up to date.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The schema is not the one that this program works with.
    #[error("the database's schema does not fit ({0}): run `web_server migrate`")]
    Schema(sqlx::Error),
}

/// Reads the contract inside the binary.
///
/// # Errors
/// It does not load: a bug, since the build loads it too.
pub fn contract() -> Result<Contract, StartError> {
    load(CONTRACT)
}

/// What the build has made of the contract: nothing of it is parsed or derived at start but the operation table.
///
/// # Errors
/// The table does not read: a bug, since the build wrote it.
pub fn compiled() -> Result<Artifacts, StartError> {
    Artifacts::from_files([
        CONTRACT,
        include_str!(concat!(env!("OUT_DIR"), "/openapi.json")),
        include_str!(concat!(env!("OUT_DIR"), "/openapi-3.0.json")),
        include_str!(concat!(env!("OUT_DIR"), "/operations.json")),
    ])
    .map_err(|error| StartError::Contract(error.to_string()))
}

fn load(yaml: &str) -> Result<Contract, StartError> {
    Contract::load("openapi.yaml", yaml).map_err(unusable)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unusable(errors: Vec<LoadError>) -> StartError {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    StartError::Contract(errors.join("; "))
}

/// The contract of a server whose operators have a listener of their own: its documents do not speak of what they call.
fn without_operators(compiled: &Artifacts) -> Result<Artifacts, StartError> {
    let operators = api::operator_paths();
    let contract = load(&compiled.yaml)?.without(|operation| operators.contains(&operation.path)).map_err(unusable)?;
    Artifacts::of(&contract).map_err(unusable)
}

impl App {
    /// Opens the database and builds the whole of the server on it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: &Config, source: Arc<dyn Source>) -> Result<Self, StartError> {
        let store = Self::open(config, source.clone()).await?;
        Self::assemble(&compiled()?, config, source, store, api::router)
    }

    /// Opens the database, its schema up to date.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(config: &Config, source: Arc<dyn Source>) -> Result<Store, StartError> {
        let store = store::connect(&config.database, source).await?;
        if config.database.migrate {
            store.migrate().await?;
        }
        store.check_schema().await.map_err(StartError::Schema)?;
        Ok(store)
    }

    /// Builds the server of a contract on a store that is open. `routes` gives the operations of a surface; it is [`api::router`], or that
    /// with something around it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn assemble(
        contract: &Artifacts,
        config: &Config,
        source: Arc<dyn Source>,
        store: Store,
        routes: impl Fn(Surface, AppState) -> Router,
    ) -> Result<Self, StartError> {
        let drain = Drain::default();
        let readiness: Arc<dyn Readiness> = Arc::new(StoreReadiness::new(store.clone(), drain.clone()));
        let state = store.state(readiness.clone(), Arc::new(metrics::Prometheus::new(store.clone())));
        let router = |surface, table: &OperationTable, documents| {
            let operations = Operations::compile(table).map_err(StartError::Contract)?;
            operations.check_routes(&api::routes(surface)).map_err(StartError::Routes)?;
            let mut http = config.http.clone();
            if surface == Surface::Operators {
                // Scrapers know an instance by its address, and no browser of a client's reaches this listener.
                http.allowed_hosts.clear();
            }
            Ok::<_, StartError>(stack::build(Stack {
                routes: routes(surface, state.clone()),
                operations: Arc::new(operations),
                documents,
                source: source.clone(),
                drain: drain.clone(),
                config: http,
            }))
        };
        let (router, admin) = if config.server.admin_addr.is_some() {
            // The documents tell the truth about this listener: what operators call is not here.
            let public = without_operators(contract)?;
            let mut operators = contract.table.clone();
            operators.operations.retain(|operation| !public.table.operations.contains(operation));
            let router_of_operators = router(Surface::Operators, &operators, None)?;
            (router(Surface::Public, &public.table, Some(Documents::new(&public)))?, Some(router_of_operators))
        } else {
            (router(Surface::All, &contract.table, Some(Documents::new(contract)))?, None)
        };
        Ok(Self { router, admin, store, drain, readiness })
    }
}
