//! Wires the parts together: contract, storage, router. Every error that a start can have occurs here, before a socket
//! opens.

use std::sync::Arc;

use api::{AppState, Surface, monitoring::Readiness, public_url::PublicUrl};
use axum::Router;
use openapi_contract::{Artifacts, Contract, LoadError, OperationTable};

use crate::{
    auth::authenticator::Authenticator,
    clock::Clock,
    config::Config,
    contract::operations::Operations,
    http::{docs::Documents, router},
    ids::IdGenerator,
    readiness::{Drain, StoreReadiness},
    storage::{self, ConnectError, MigrationError, SchemaError, Store},
    telemetry::exposition::Prometheus,
};

/// The contract inside the binary, as written, but without planned operations.
const CONTRACT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.yaml"));

/// A server, ready to be served.
pub struct App {
    /// The router for clients.
    pub router: Router,
    /// The router for operators, if they have a listener of their own.
    pub admin: Option<Router>,
    /// The database.
    pub store: Store,
    /// Starts the drain: from then on the server reports that it is not ready.
    pub drain: Drain,
    /// Reports whether the server can process requests.
    pub readiness: Arc<dyn Readiness>,
    /// Checks credentials, if there are any.
    authenticator: Option<Arc<Authenticator>>,
}

/// Why the server cannot start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The contract inside the binary is invalid. The build checks it, so this is a bug.
    #[error("the embedded contract is invalid: {0}")]
    Contract(String),
    /// The router and the contract differ: the binary was built with `CONTRACT_DRIFT=warn`.
    #[error("the router and the contract differ: {0}")]
    Routes(String),
    /// The credentials cannot be read.
    #[error("{0}")]
    Credentials(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database cannot be migrated.
    #[error(transparent)]
    Migrate(#[from] MigrationError),
    /// The statements of the server do not work.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Loads the contract inside the binary.
///
/// # Errors
/// The contract is invalid: a bug, since the build loads it too.
pub fn contract() -> Result<Contract, StartError> {
    load(CONTRACT)
}

/// Returns the documents and the operation table that the build wrote. Only the table is parsed at start.
///
/// # Errors
/// The table is invalid: a bug, since the build wrote it.
pub fn artifacts() -> Result<Artifacts, StartError> {
    Artifacts::from_files([
        CONTRACT,
        include_str!(concat!(env!("OUT_DIR"), "/openapi.json")),
        include_str!(concat!(env!("OUT_DIR"), "/openapi-3.0.json")),
        include_str!(concat!(env!("OUT_DIR"), "/operations.json")),
    ])
    .map_err(|error| StartError::Contract(error.to_string()))
}

fn load(yaml: &str) -> Result<Contract, StartError> {
    Contract::load("openapi.yaml", yaml).map_err(invalid)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn invalid(errors: Vec<LoadError>) -> StartError {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    StartError::Contract(errors.join("; "))
}

/// Returns the contract of the clients' listener, where operators have a listener of their own: without the operators'
/// operations.
fn without_operators(artifacts: &Artifacts) -> Result<Artifacts, StartError> {
    let operators = api::operator_paths();
    let contract = load(&artifacts.yaml)?.without(|operation| operators.contains(&operation.path)).map_err(invalid)?;
    Artifacts::of(&contract).map_err(invalid)
}

/// Returns the contract of a server that checks no credentials.
fn without_credentials(artifacts: &Artifacts) -> Result<Artifacts, StartError> {
    Artifacts::of(&load(&artifacts.yaml)?.without_credentials().map_err(invalid)?).map_err(invalid)
}

/// Returns the contract of the server at this URL.
fn with_server(artifacts: &Artifacts, url: &PublicUrl) -> Result<Artifacts, StartError> {
    Artifacts::of(&load(&artifacts.yaml)?.with_server(&url.reference("")).map_err(invalid)?).map_err(invalid)
}

impl App {
    /// Opens the database and builds the server.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Result<Self, StartError> {
        let store = Self::open(config, clock.clone(), ids.clone()).await?;
        Self::assemble(&artifacts()?, config, clock, ids, store, api::router).await
    }

    /// Starts the tasks that keep the database and the credentials current.
    pub fn spawn_upkeep(&self) {
        self.store.spawn_upkeep();
        if let Some(authenticator) = &self.authenticator {
            authenticator.spawn_upkeep();
        }
    }

    /// Opens the database, runs pending migrations unless they are disabled, and checks the schema.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Result<Store, StartError> {
        let store = storage::connect(config, clock, ids).await?;
        if !config.database.no_migrate {
            store.migrate().await?;
        }
        store.check_schema().await?;
        store.follow_other_writers();
        Ok(store)
    }

    /// Builds the server for a contract on an open store. `routes` returns the operations of a surface: [`api::router`], or
    /// a wrapper around it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn assemble(
        contract: &Artifacts,
        config: &Config,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        store: Store,
        routes: impl Fn(Surface, AppState) -> Router,
    ) -> Result<Self, StartError> {
        let scopes = contract.table.scopes().into_iter().map(str::to_owned).collect();
        let authenticator = Authenticator::new(&config.auth, clock, scopes).await;
        let authenticator = authenticator.map_err(StartError::Credentials)?.map(Arc::new);
        let public_url = config.http.public_url.clone().unwrap_or_default();
        let drain = Drain::default();
        let readiness: Arc<dyn Readiness> = Arc::new(StoreReadiness::new(store.clone(), drain.clone()));
        let mut state = store.state(readiness.clone(), Arc::new(Prometheus::new(store.clone())));
        state.public_url = public_url.clone();
        let build = |surface, table: &OperationTable, documents| {
            let operations = Operations::compile(table).map_err(StartError::Contract)?;
            operations.check_routes(&api::routes(surface)).map_err(StartError::Routes)?;
            let mut http = config.http.clone();
            if surface == Surface::Operators {
                // Scrapers use the address of an instance as its host, and no proxy.
                http.allowed_hosts.clear();
                http.public_url = None;
            }
            let parts = router::Parts {
                operations: Arc::new(operations),
                ids: ids.clone(),
                drain: drain.clone(),
                authenticator: authenticator.clone(),
            };
            Ok::<_, StartError>(router::build(routes(surface, state.clone()), documents, parts, &http))
        };
        // A server without credentials runs by the same table: what needs credentials elsewhere is protected in another way.
        let documents = |contract| {
            let open = if authenticator.is_none() { Some(without_credentials(contract)?) } else { None };
            let shown = open.as_ref().unwrap_or(contract);
            let at_public_url = if public_url.is_unknown() { None } else { Some(with_server(shown, &public_url)?) };
            let shown = at_public_url.as_ref().unwrap_or(shown);
            Ok::<_, StartError>(Documents::new(shown, config.auth.swagger_ui_remember_authorization))
        };
        let (router, admin) = if config.server.admin_addr.is_some() {
            let public = without_operators(contract)?;
            let mut operators = contract.table.clone();
            operators.operations.retain(|operation| !public.table.operations.contains(operation));
            let admin = build(Surface::Operators, &operators, None)?;
            (build(Surface::Public, &public.table, Some(documents(&public)?))?, Some(admin))
        } else {
            (build(Surface::All, &contract.table, Some(documents(contract)?))?, None)
        };
        Ok(Self { router, admin, store, drain, readiness, authenticator })
    }
}
