//! Starts the real app on a free port with a database of its own, and checks *every* response against the contract.
//!
//! A test gets an [`App`], sends requests to it, and asserts status and body. The harness checks what the contract
//! documents for the response: status, media type, headers, schema, formats. A handler with an undocumented response fails
//! every test that receives it. The harness also records which documented responses the tests received; the suite fails
//! at its end if some are missing.

pub mod conformance;
pub mod coverage;
pub mod credentials;
pub mod database;
pub mod document;
pub mod examples;
mod exchanges;
pub mod faults;
#[allow(dead_code, reason = "one of the two test binaries does not need it")]
pub mod issuer;
mod never_ending;
pub mod operations;
pub mod postgres;
#[allow(dead_code, reason = "one of the two test binaries does not need it")]
pub mod proxy;
pub mod response;
pub mod round_trip;
#[allow(dead_code, reason = "one of the two test binaries does not need it")]
pub mod until;
#[allow(dead_code, reason = "one of the two test binaries does not need everything")]
pub mod values;

use std::{future::Future, sync::Arc, time::Instant};

use clap::Parser;
pub use database::Database;
use faults::Faults;
use never_ending::NeverEnding;
use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
pub use response::Response;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use web_server::{
    app,
    cli::Cli,
    clock::{Clock, SystemClock},
    config::Config,
    example_data,
    http::server,
    ids::UuidV7Generator,
    storage::Store,
};

/// Declares tests that run on both databases: `NAME::sqlite` and `NAME::postgres`.
///
/// `using [...]` adds command-line flags.
#[allow(unused_macros, reason = "one of the two test binaries has no test of this kind")]
macro_rules! matrix {
    ($( $(#[$meta:meta])* async fn $name:ident($app:ident: App) $(using [$($flag:expr),* $(,)?])? $body:block )*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs what its file imports")]
            use super::*;

            async fn body($app: $crate::harness::App) $body

            const FLAGS: &[&str] = &[$($($flag),*)?];

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::harness::run(module_path!(), $crate::harness::Database::Sqlite, FLAGS, body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::harness::run(module_path!(), $crate::harness::Database::Postgres, FLAGS, body).await;
            }
        }
    )*};
}
#[allow(unused_imports, reason = "as above")]
pub(crate) use matrix;

/// Starts an app, runs a test on it, and stops the app. `module` is the module path of the test, with the crate.
pub async fn run<F: Future<Output = ()>>(
    module: &str,
    database: Database,
    flags: &[&str],
    body: impl FnOnce(App) -> F,
) {
    let (_, name) = module.split_once("::").expect("a test is in a module");
    let _running = coverage::RunningTest::new(format!("{name}{}", database.suffix()));
    let Some(storage) = Storage::new(database).await else {
        eprintln!("skipped: PostgreSQL is not installed (scripts/test installs it)");
        return;
    };
    let (app, server) = App::start(&storage, flags).await;
    body(app).await;
    server.stop().await;
    storage.drop_database().await;
}

/// A flag of the harness: a server without credentials. By default it has [`credentials::ALL`], which every request sends.
pub const OPEN: &str = "--open";

/// A flag of the harness: a database with the users of the contract's examples.
pub const EXAMPLES: &str = "--examples";

/// A database for one test.
pub enum Storage {
    Sqlite(tempfile::TempDir),
    Postgres(postgres::TestDatabase),
}

impl Storage {
    /// `None` if PostgreSQL is not installed and the tests may run without it.
    pub async fn new(database: Database) -> Option<Self> {
        match database {
            Database::Sqlite => Some(Self::Sqlite(tempfile::tempdir().expect("a folder for the database"))),
            Database::Postgres => postgres::TestDatabase::create().await.map(Self::Postgres),
        }
    }

    /// The kind of this database.
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) => Database::Sqlite,
            Self::Postgres(_) => Database::Postgres,
        }
    }

    /// The value of `DATABASE_URL`.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("test.db").display()),
            Self::Postgres(database) => database.url.clone(),
        }
    }

    pub async fn drop_database(self) {
        if let Self::Postgres(database) = self {
            database.drop().await;
        }
    }
}

/// A client of a running app.
#[derive(Clone)]
pub struct App {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// The faults to inject.
    pub faults: Arc<Faults>,
    client: reqwest::Client,
    database: Option<Database>,
    /// The token that requests have.
    pub token: Option<String>,
}

/// The server behind an [`App`].
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<bool>,
    store: Store,
}

impl Server {
    /// Stops the server as SIGTERM does, and asserts that it drains.
    pub async fn stop(self) {
        self.stop.send(()).expect("the server runs");
        assert!(self.task.await.expect("the server does not panic"), "connections did not drain");
        self.store.close().await;
    }
}

impl App {
    /// Starts the app on this database, with long timeouts: a busy machine must not fail a test.
    pub async fn start(storage: &Storage, flags: &[&str]) -> (Self, Server) {
        let contract = app::artifacts().expect("the build writes the artifacts");
        Self::start_by(&contract, storage, flags).await
    }

    /// Starts the app with another contract. Responses are still checked against the contract inside the binary.
    pub async fn start_by(contract: &openapi_contract::Artifacts, storage: &Storage, flags: &[&str]) -> (Self, Server) {
        Self::start_with(contract, storage, flags, Arc::new(SystemClock)).await
    }

    /// Starts the app with another clock.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub async fn start_with_clock(storage: &Storage, flags: &[&str], clock: Arc<dyn Clock>) -> (Self, Server) {
        let contract = app::artifacts().expect("the build writes the artifacts");
        Self::start_with(&contract, storage, flags, clock).await
    }

    async fn start_with(
        contract: &openapi_contract::Artifacts,
        storage: &Storage,
        flags: &[&str],
        clock: Arc<dyn Clock>,
    ) -> (Self, Server) {
        let url = storage.url();
        let defaults = ["web_server", "--listen-addr", "127.0.0.1:0", "--database-url", &url, "--log", "off"];
        let mut arguments = defaults.to_vec();
        if !flags.contains(&"--request-timeout") {
            arguments.extend(["--request-timeout", "30s"]);
        }
        if !flags.contains(&"--rate-limit") {
            arguments.extend(["--rate-limit", "off"]);
        }
        if !flags.contains(&"--caller-rate-limit") {
            arguments.extend(["--caller-rate-limit", "off"]);
        }
        if url.starts_with("postgres") && postgres::shares_sessions() {
            arguments.push("--no-migrate");
        } else if !flags.contains(&"--user-cache-bytes") {
            // Also on PostgreSQL, where it is off by default: with the cache the answers must be the same.
            arguments.extend(["--user-cache-bytes", "1000000"]);
        }
        let has_own_credentials =
            flags.iter().any(|flag| ["--api-keys", "--api-keys-file", "--oidc-issuer", OPEN].contains(flag));
        if !has_own_credentials {
            arguments.extend(["--api-keys", &credentials::ENTRIES]);
        }
        arguments.extend(flags.iter().filter(|flag| ![OPEN, EXAMPLES].contains(*flag)));
        let cli = Cli::try_parse_from(arguments).expect("the flags are known");
        let config = Config::validate(&cli.settings).expect("the flags are right");

        let ids = Arc::new(UuidV7Generator::new(clock.clone()));
        let store = app::App::open(&config, clock.clone(), ids.clone()).await.expect("the database opens");
        if flags.contains(&EXAMPLES) {
            example_data::create(&store, contract).await.expect("the database is empty");
        }
        let faults = Arc::<Faults>::default();
        let routes = |surface, state| faults.around(surface, state);
        let app = app::App::assemble(contract, &config, clock, ids, store.with_faults(faults.clone()), routes);
        let app = app.await.expect("the app starts");
        app.spawn_upkeep();
        let listener = TcpListener::bind(config.server.listen_addr).await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let (server, max_request_time) =
            (config.server.clone(), config.http.body_timeout + config.http.request_timeout);
        let task = tokio::spawn(async move {
            // A test that panics drops the sender, which stops the server too.
            server::serve(listener, app.router, &server, max_request_time, None, async {
                stopped.await.unwrap_or_default()
            })
            .await
        });
        let database = Some(storage.database());
        let token = (!has_own_credentials).then(|| credentials::ALL.secret.clone());
        (Self { base, faults, client: client(), database, token }, Server { stop, task, store: app.store })
    }

    /// A client of an app that the caller started.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub fn at(base: String, client: reqwest::Client) -> Self {
        Self { base, faults: Arc::default(), client, database: None, token: None }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.request(Method::PUT, path).json(&body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.request(Method::PATCH, path)
            .header("content-type", "application/merge-patch+json")
            .json(&body)
            .send()
            .await
    }

    /// Creates a user with this name and an e-mail address derived from it.
    pub async fn create_user(&self, name: &str) -> Value {
        let response = self.post("/users", json!({ "name": name, "email": format!("{name}@example.com") })).await;
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()
    }

    /// Prepares a request.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let token = token.map(|token| (AUTHORIZATION, HeaderValue::try_from(token).expect("a header value")));
        let headers = token.into_iter().collect();
        Request { app: self, method, path: path.to_owned(), headers, body: Vec::new(), ends: true }
    }

    /// The header with the token, for a request that a test writes itself.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub fn authorization(&self) -> String {
        self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default()
    }

    /// A client with another token, or none.
    #[allow(dead_code, reason = "one of the two test binaries does not need it")]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }
}

/// An HTTP client that follows no redirect and uses no proxy. It loads no root certificates, which would take longer than a
/// small test.
pub fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.tls_certs_only([]).build().expect("a client")
}

/// A request that is not sent yet.
pub struct Request<'a> {
    app: &'a App,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    ends: bool,
}

impl Request<'_> {
    /// Sets the media type.
    pub fn content_type(mut self, media: &str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_str(media).expect("a header value"));
        self
    }

    /// Adds to the query.
    pub fn query(mut self, query: &str) -> Self {
        self.path = format!("{}{}{query}", self.path, if self.path.contains('?') { '&' } else { '?' });
        self
    }

    /// Sends the body without its end, and keeps the request open.
    pub fn never_ending(mut self) -> Self {
        self.ends = false;
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header name");
        self.headers.append(name, HeaderValue::from_str(value).expect("a header value"));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body, as `application/json` unless a media type is set.
    pub fn json(mut self, body: &Value) -> Self {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self.body(body.to_string())
    }

    /// Sends the request and checks the response against the contract.
    pub async fn send(self) -> Response {
        let url = format!("{}{}", self.app.base, self.path);
        let sent = self.body.clone();
        let body = if self.ends { sent.into() } else { reqwest::Body::wrap(NeverEnding(Some(sent.into()))) };
        let request = self.app.client.request(self.method.clone(), url).headers(self.headers.clone()).body(body);
        let start = Instant::now();
        let received = request.send().await.expect("a response");
        let response = Response {
            status: received.status().as_u16(),
            headers: received.headers().clone(),
            body: received.bytes().await.expect("a whole body").to_vec(),
        };
        // For a test that fails, and with --nocapture for the table of faults in docs/operation.md.
        let (test, status, time) = (std::thread::current(), response.status, start.elapsed().as_millis());
        eprintln!("{}: {} {} {status} in {time} ms", test.name().unwrap_or_default(), self.method, self.path);
        let operation = conformance::check(&self.method, &self.path, &response);
        if let (Some(database), Some(operation)) = (self.app.database, operation) {
            coverage::record(database, operation, response.status);
            examples::record(database, operation, &response);
            exchanges::record(&self.method, &self.path, &self.headers, &self.body, &response);
        }
        response
    }
}
