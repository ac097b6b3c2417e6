//! Configuration: flags and environment in, validated settings out.
//!
//! [`Cli`] is the raw form: what clap reads, every value still text, every default shown by `--help`. [`Config`] is the
//! form that the program uses; [`Config::validate`] is the only way from one to the other, and reports every wrong
//! value by the name of its variable. This is the one place that reads the environment.

mod check;

use std::{fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use http::HeaderValue;
use sqlx::postgres::PgConnectOptions;

/// A users API whose OpenAPI contract cannot lie.
///
/// Every setting is a flag and an environment variable; the flag wins. A file `.env` in the working directory is read
/// first. Durations are written like `500ms`, `10s`, `1h`.
#[derive(Parser)]
#[command(name = "web_server", version, max_term_width = 120)]
pub struct Cli {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the API until SIGTERM or SIGINT (the default).
    Serve,
    /// Bring the database's schema up to date, then stop.
    Migrate,
    /// Print the contract as the server serves it, then stop.
    Openapi {
        /// In which form.
        #[arg(long, value_enum, default_value_t = Form::Json)]
        form: Form,
    },
    /// Ask the server of these settings whether it is ready; exit code 0 if it is. For containers without curl.
    Health,
    /// Create the users of a JSON file, `{"users": [{"name": …, "email": …}]}`; those whose address is there are left.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// A form of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// OpenAPI 3.1, in YAML, as it was written.
    Yaml,
    /// OpenAPI 3.1, in JSON.
    Json,
    /// OpenAPI 3.0.3, in JSON, for readers that know nothing newer.
    #[value(name = "3.0")]
    Json30,
}

/// Every setting, as text. It cannot be printed, since it may hold a password.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env, global = true, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen_addr: String,

    /// Second address, for operators only: `/metrics` and `/health/ready` move there. Empty: there is none.
    #[arg(long, env, global = true, value_name = "IP:PORT", default_value = "")]
    admin_addr: String,

    /// SQLite file (`sqlite://PATH`) or PostgreSQL server (`postgres://USER:PASSWORD@HOST/NAME`).
    #[arg(
        long,
        env,
        global = true,
        value_name = "URL",
        default_value = "sqlite://data/web_server.db",
        hide_env_values = true
    )]
    database_url: String,

    /// File that holds the database's URL, for secrets that come as files. It wins over DATABASE_URL.
    #[arg(long, env, global = true, value_name = "PATH", default_value = "")]
    database_url_file: String,

    /// Do not bring the database's schema up to date at start.
    #[arg(long, env, global = true, value_name = "BOOL", default_value = "false", num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    no_migrate: String,

    /// Connections to the database at most.
    #[arg(long, env, global = true, value_name = "N", default_value = "16")]
    database_max_connections: String,

    /// How long a request waits for a free connection to the database.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "1s")]
    database_acquire_timeout: String,

    /// How long PostgreSQL may work on one statement. Shorter than REQUEST_TIMEOUT, so that what is answered with 503 was
    /// not done.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "800ms")]
    database_statement_timeout: String,

    /// How long a statement waits for another's lock.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "500ms")]
    database_lock_timeout: String,

    /// How long PostgreSQL lets a transaction idle before it ends it.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "5s")]
    database_idle_in_transaction_timeout: String,

    /// Requests per client address, such as `500/s` or `1000/m`; then 429. `off`: no limit. Health, metrics and documents
    /// are never limited.
    #[arg(long, env, global = true, value_name = "RATE", default_value = "500/s")]
    rate_limit: String,

    /// Requests that a client may send at once before the rate counts. Empty: twice the rate.
    #[arg(long, env, global = true, value_name = "N", default_value = "")]
    rate_limit_burst: String,

    /// How long the server may work on a request once it is read; then 503.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "1s")]
    request_timeout: String,

    /// How long a client may take to send a body; then 408.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "10s")]
    body_timeout: String,

    /// Largest body taken, in bytes; then 413.
    #[arg(long, env, global = true, value_name = "BYTES", default_value = "1048576")]
    max_body_bytes: String,

    /// How long a new connection may take until its first request is there.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "10s")]
    header_timeout: String,

    /// How long a connection may wait for its next request.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "75s")]
    idle_timeout: String,

    /// Connections at most; more wait to be accepted.
    #[arg(long, env, global = true, value_name = "N", default_value = "10000")]
    max_connections: String,

    /// How long the server goes on as usual after SIGTERM, while it says that it is not ready: time for a load balancer to
    /// notice.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "0s")]
    shutdown_delay: String,

    /// How long requests in flight may take to end after that.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "20s")]
    shutdown_timeout: String,

    /// Hosts that the server answers for, separated by commas; others get 421. Empty: any host.
    #[arg(long, env, global = true, value_name = "HOSTS", default_value = "")]
    allowed_hosts: String,

    /// Origins whose pages may call the API (CORS), separated by commas, or `*`. Empty: none.
    #[arg(long, env, global = true, value_name = "ORIGINS", default_value = "")]
    cors_allowed_origins: String,

    /// Where to send traces: the base URL of an OTLP receiver over HTTP, such as http://localhost:4318. Empty: nowhere.
    #[arg(long, env, global = true, value_name = "URL", default_value = "")]
    otel_exporter_otlp_endpoint: String,

    /// Name of this service in traces.
    #[arg(long, env, global = true, value_name = "NAME", default_value = "web_server")]
    otel_service_name: String,

    /// `pretty` for people, `json` for machines. Default: pretty on a terminal, json elsewhere.
    #[arg(long, env, global = true, value_name = "FORMAT", default_value = "")]
    log_format: String,

    /// What to log, as `tracing` filters: `debug`, `info,sqlx=debug`.
    #[arg(
        long,
        env = "RUST_LOG",
        global = true,
        value_name = "FILTER",
        default_value = "info,sqlx::postgres::notice=warn"
    )]
    log: String,
}

/// The settings, each checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sockets and connections.
    pub server: ServerConfig,
    /// Requests and answers.
    pub http: HttpConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The log.
    pub log: LogConfig,
}

/// Sockets and connections.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen_addr: SocketAddr,
    /// Where operators are answered, if not there.
    pub admin_addr: Option<SocketAddr>,
    /// From the acceptance of a connection to its first request.
    pub header_timeout: Duration,
    /// From an answer to the next request on the same connection.
    pub idle_timeout: Duration,
    /// Connections at most.
    pub max_connections: usize,
    /// From the signal to stop until no connection is accepted any more.
    pub shutdown_delay: Duration,
    /// From then to the end of the last request.
    pub shutdown_timeout: Duration,
}

/// Requests and answers.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// For work on one request, once it is read.
    pub request_timeout: Duration,
    /// For the arrival of one body.
    pub body_timeout: Duration,
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// Host names, in lower case and without a port. Empty: any.
    pub allowed_hosts: Vec<String>,
    /// Who may call from a browser.
    pub cors: Cors,
    /// How often one client may call; `None`: as often as it likes.
    pub rate_limit: Option<RateLimit>,
}

/// How often one client may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Time in which one more request is allowed.
    pub period: Duration,
    /// Requests that are allowed at once.
    pub burst: NonZeroU32,
}

/// Who may call from a page of another origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// Nobody: no CORS header is sent.
    Off,
    /// Anybody.
    AnyOrigin,
    /// Pages of these origins.
    Origins(Vec<HeaderValue>),
}

/// The database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Where it is.
    pub target: DatabaseTarget,
    /// Whether the schema is brought up to date at start.
    pub migrate: bool,
    /// Connections at most.
    pub max_connections: u32,
    /// For a free connection.
    pub acquire_timeout: Duration,
    /// For one statement (PostgreSQL).
    pub statement_timeout: Duration,
    /// For another's lock.
    pub lock_timeout: Duration,
    /// For a transaction that does nothing (PostgreSQL).
    pub idle_in_transaction_timeout: Duration,
}

/// Where the database is.
#[derive(Clone)]
pub enum DatabaseTarget {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

/// Says where the data is, and never the password.
impl fmt::Display for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                write!(f, "SQLite, {}", absolute.display())
            }
            Self::Postgres(options) => write!(
                f,
                "PostgreSQL, {} on {}:{}",
                options.get_database().unwrap_or(options.get_username()),
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl fmt::Debug for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// Which lines there are, as `tracing` filters: checked, and kept as text since a filter cannot be cloned.
    pub filter: String,
    /// Where traces are sent, as the base URL of an OTLP receiver.
    pub otlp_endpoint: Option<String>,
    /// What this service is called in traces.
    pub service_name: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The wrong settings, a line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks every setting. `terminal` says whether the log goes to one.
    ///
    /// # Errors
    /// Names every wrong setting, its value, and what would be right.
    pub fn validate(settings: &Settings, terminal: bool) -> Result<Self, ConfigError> {
        check::config(settings, terminal).map_err(ConfigError)
    }
}

#[cfg(test)]
mod tests;
