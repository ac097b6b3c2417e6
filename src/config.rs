//! Configuration: flags and environment in, validated settings out.
//!
//! [`Cli`] is the raw form: what clap reads, every value still text, every default shown by `--help`. [`Config`] is the
//! form that the program uses; [`Config::validate`] is the only way from one to the other, and reports every wrong
//! value by the name of its variable. This is the one place that reads the environment.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, Subcommand};
use http::HeaderValue;
use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use tracing_subscriber::EnvFilter;

/// A users API whose OpenAPI contract cannot lie.
///
/// Every setting is a flag and an environment variable; the flag wins. A file `.env` in the working directory is read
/// first. Durations are written like `500ms`, `10s`, `1h`.
#[derive(Debug, Parser)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the API until SIGTERM or SIGINT (the default).
    Serve,
    /// Bring the database's schema up to date, then stop.
    Migrate,
    /// Print the contract as JSON, then stop.
    Openapi,
}

/// Every setting, as text.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env, global = true, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen_addr: String,

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

    /// Do not bring the database's schema up to date at start.
    #[arg(long, env, global = true, value_name = "BOOL", default_value = "false", num_args = 0..=1,
        default_missing_value = "true")]
    no_migrate: String,

    /// Connections to the database at most.
    #[arg(long, env, global = true, value_name = "N", default_value = "16")]
    database_max_connections: String,

    /// How long a request waits for a free connection to the database.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "1s")]
    database_acquire_timeout: String,

    /// How long PostgreSQL may work on one statement.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "5s")]
    database_statement_timeout: String,

    /// How long a statement waits for another's lock.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "1s")]
    database_lock_timeout: String,

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

    /// How long requests in flight may take to end after SIGTERM.
    #[arg(long, env, global = true, value_name = "DURATION", default_value = "20s")]
    shutdown_timeout: String,

    /// Hosts that the server answers for, separated by commas; others get 421. Empty: any host.
    #[arg(long, env, global = true, value_name = "HOSTS", default_value = "")]
    allowed_hosts: String,

    /// Origins whose pages may call the API (CORS), separated by commas, or `*`. Empty: none.
    #[arg(long, env, global = true, value_name = "ORIGINS", default_value = "")]
    cors_allowed_origins: String,

    /// `pretty` for people, `json` for machines. Default: pretty on a terminal, json elsewhere.
    #[arg(long, env, global = true, value_name = "FORMAT", default_value = "")]
    log_format: String,

    /// What to log, as `tracing` filters: `debug`, `info,sqlx=debug`.
    #[arg(long, env = "RUST_LOG", global = true, value_name = "FILTER", default_value = "info")]
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
    /// From the acceptance of a connection to its first request.
    pub header_timeout: Duration,
    /// From an answer to the next request on the same connection.
    pub idle_timeout: Duration,
    /// Connections at most.
    pub max_connections: usize,
    /// From the signal to stop to the end of the last request.
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
        let mut check = Check(Vec::new());
        let config = check.config(settings, terminal);
        match config {
            Some(config) if check.0.is_empty() => Ok(config),
            _ => Err(ConfigError(check.0)),
        }
    }
}

/// Collects what is wrong, so that one start tells all of it.
struct Check(Vec<String>);

impl Check {
    fn config(&mut self, raw: &Settings, terminal: bool) -> Option<Config> {
        // Every field is checked before any `?` gives up, or a second wrong value would hide behind the first.
        let listen_addr = self.listen_addr(&raw.listen_addr);
        let header_timeout = self.duration("HEADER_TIMEOUT", &raw.header_timeout);
        let idle_timeout = self.duration("IDLE_TIMEOUT", &raw.idle_timeout);
        let max_connections = self.number("MAX_CONNECTIONS", &raw.max_connections, 1, 1_000_000);
        let shutdown_timeout = self.duration("SHUTDOWN_TIMEOUT", &raw.shutdown_timeout);
        let request_timeout = self.duration("REQUEST_TIMEOUT", &raw.request_timeout);
        let body_timeout = self.duration("BODY_TIMEOUT", &raw.body_timeout);
        let max_body_bytes = self.number("MAX_BODY_BYTES", &raw.max_body_bytes, 1, 1 << 30);
        let allowed_hosts = self.hosts(&raw.allowed_hosts);
        let cors = self.cors(&raw.cors_allowed_origins);
        let target = self.database(&raw.database_url);
        let no_migrate = self.boolean("NO_MIGRATE", &raw.no_migrate);
        let database_connections = self.number("DATABASE_MAX_CONNECTIONS", &raw.database_max_connections, 1, 10_000);
        let acquire_timeout = self.duration("DATABASE_ACQUIRE_TIMEOUT", &raw.database_acquire_timeout);
        let statement_timeout = self.duration("DATABASE_STATEMENT_TIMEOUT", &raw.database_statement_timeout);
        let lock_timeout = self.duration("DATABASE_LOCK_TIMEOUT", &raw.database_lock_timeout);
        let format = self.log_format(&raw.log_format, terminal);
        let filter = self.log_filter(&raw.log);

        Some(Config {
            server: ServerConfig {
                listen_addr: listen_addr?,
                header_timeout: header_timeout?,
                idle_timeout: idle_timeout?,
                max_connections: max_connections?,
                shutdown_timeout: shutdown_timeout?,
            },
            http: HttpConfig {
                request_timeout: request_timeout?,
                body_timeout: body_timeout?,
                max_body_bytes: max_body_bytes?,
                allowed_hosts: allowed_hosts?,
                cors: cors?,
            },
            database: DatabaseConfig {
                target: target?,
                migrate: !no_migrate?,
                max_connections: u32::try_from(database_connections?).ok()?,
                acquire_timeout: acquire_timeout?,
                statement_timeout: statement_timeout?,
                lock_timeout: lock_timeout?,
            },
            log: LogConfig { format: format?, filter: filter? },
        })
    }

    /// Notes one wrong setting in one line. The value is quoted, so that a stray space or line break shows.
    fn wrong<T>(&mut self, variable: &str, value: &str, right: &str) -> Option<T> {
        let flag = if variable == "RUST_LOG" { "log".to_owned() } else { variable.to_lowercase().replace('_', "-") };
        self.0.push(format!("{variable} (--{flag}) is {value:?}: {right}"));
        None
    }

    fn listen_addr(&mut self, value: &str) -> Option<SocketAddr> {
        value.parse().ok().or_else(|| {
            self.wrong("LISTEN_ADDR", value, "give an IP address and a port, such as 127.0.0.1:8080 or [::]:8080")
        })
    }

    fn duration(&mut self, variable: &str, value: &str) -> Option<Duration> {
        const MAX: Duration = Duration::from_secs(24 * 60 * 60);
        match humantime::parse_duration(value) {
            Ok(duration) if (Duration::from_millis(1)..=MAX).contains(&duration) => Some(duration),
            _ => self.wrong(variable, value, "give a duration from 1ms to 24h, such as 500ms or 10s"),
        }
    }

    fn number(&mut self, variable: &str, value: &str, min: usize, max: usize) -> Option<usize> {
        match value.parse() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => self.wrong(variable, value, &format!("give a whole number from {min} to {max}")),
        }
    }

    fn boolean(&mut self, variable: &str, value: &str) -> Option<bool> {
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" | "" => Some(false),
            _ => self.wrong(variable, value, "give true or false"),
        }
    }

    fn hosts(&mut self, value: &str) -> Option<Vec<String>> {
        let hosts: Vec<_> = list(value).map(str::to_ascii_lowercase).collect();
        let is_host = |host: &String| {
            let name = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
            name.parse::<std::net::IpAddr>().is_ok()
                || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if hosts.iter().all(is_host) {
            Some(hosts)
        } else {
            self.wrong("ALLOWED_HOSTS", value, "give host names without a port, such as api.example.com,localhost")
        }
    }

    fn cors(&mut self, value: &str) -> Option<Cors> {
        let mut origins = Vec::new();
        for origin in list(value) {
            if origin == "*" {
                return Some(Cors::AnyOrigin);
            }
            match parse_origin(origin) {
                Some(origin) => origins.push(origin),
                None => {
                    let right = "give origins such as https://app.example.com,http://localhost:3000 (no path, no \
                                 slash at the end), or *";
                    return self.wrong("CORS_ALLOWED_ORIGINS", value, right);
                }
            }
        }
        Some(if origins.is_empty() { Cors::Off } else { Cors::Origins(origins) })
    }

    /// Never quotes the value: it may hold a password.
    fn database(&mut self, url: &str) -> Option<DatabaseTarget> {
        let mut wrong = |what: &str| {
            self.0.push(format!(
                "DATABASE_URL (--database-url) {what}: give sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME"
            ));
            None
        };
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if url.contains(":memory:") || url.contains("mode=memory") => {
                wrong("names a database in memory, which would be lost at every stop")
            }
            Some("sqlite") => match SqliteConnectOptions::from_str(url) {
                Ok(options) if options.get_filename().as_os_str().is_empty() => wrong("names no file"),
                Ok(options) => Some(DatabaseTarget::Sqlite(options.get_filename().to_owned())),
                Err(error) => wrong(&format!("cannot be read ({error})")),
            },
            Some("postgres" | "postgresql") => match PgConnectOptions::from_str(url) {
                Ok(options) => Some(DatabaseTarget::Postgres(Box::new(options))),
                Err(error) => wrong(&format!("cannot be read ({error})")),
            },
            Some(scheme) => wrong(&format!("names a database of a kind that is not known, {scheme:?}")),
            None => wrong("is not a URL"),
        }
    }

    fn log_format(&mut self, value: &str, terminal: bool) -> Option<LogFormat> {
        match value {
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            "" if terminal => Some(LogFormat::Pretty),
            "" => Some(LogFormat::Json),
            _ => self.wrong("LOG_FORMAT", value, "give pretty or json"),
        }
    }

    fn log_filter(&mut self, value: &str) -> Option<String> {
        match EnvFilter::try_new(value) {
            Ok(_) => Some(value.to_owned()),
            Err(_) => self.wrong(
                "RUST_LOG",
                value,
                "give a level (error, warn, info, debug, trace) or filters such as \
                                                     info,sqlx=debug",
            ),
        }
    }
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// An origin as browsers send it: scheme, host and port, nothing after.
fn parse_origin(origin: &str) -> Option<HeaderValue> {
    let uri: http::Uri = origin.parse().ok()?;
    let exact = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    (exact.eq_ignore_ascii_case(origin) && matches!(uri.scheme_str(), Some("http" | "https")))
        .then(|| HeaderValue::from_str(origin).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(arguments: &[&str]) -> Result<Config, String> {
        let cli = Cli::try_parse_from([&["web_server"], arguments].concat()).map_err(|error| error.to_string())?;
        Config::validate(&cli.settings, false).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_valid() {
        let config = validate(&[]).unwrap();
        assert_eq!(config.server.listen_addr.port(), 8080);
        assert_eq!(config.http.cors, Cors::Off);
        assert!(config.database.target.to_string().ends_with("data/web_server.db"));
    }

    #[test]
    fn a_wrong_value_is_one_line_that_says_what_would_be_right() {
        for (flag, value, variable, right) in [
            ("--listen-addr", "localhost", "LISTEN_ADDR", "127.0.0.1:8080"),
            ("--request-timeout", "0s", "REQUEST_TIMEOUT", "from 1ms"),
            ("--request-timeout", "soon", "REQUEST_TIMEOUT", "10s"),
            ("--max-connections", "0", "MAX_CONNECTIONS", "from 1 to"),
            ("--cors-allowed-origins", "https://a.example/", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
            ("--allowed-hosts", "a.example:80", "ALLOWED_HOSTS", "without a port"),
            ("--log-format", "xml", "LOG_FORMAT", "pretty or json"),
            ("--log", "web=loud", "RUST_LOG", "debug"),
            ("--database-url", "mysql://localhost/x", "DATABASE_URL", "postgres://"),
            ("--database-url", "sqlite::memory:", "DATABASE_URL", "sqlite://PATH"),
        ] {
            let error = validate(&[flag, value]).unwrap_err();
            assert_eq!(error.lines().count(), 1, "{error}");
            assert!(error.starts_with(variable) && error.contains(right), "{error}");
        }
    }

    #[test]
    fn every_wrong_value_is_told_at_once() {
        let error = validate(&["--listen-addr", "x", "--log-format", "y"]).unwrap_err();
        assert_eq!(error.lines().count(), 2, "{error}");
    }

    #[test]
    fn a_password_is_never_shown() {
        let config = validate(&["--database-url", "postgres://u:secret@db.example:5433/app"]).unwrap();
        assert_eq!(config.database.target.to_string(), "PostgreSQL, app on db.example:5433");
        assert!(!format!("{config:?}").contains("secret"));
        let error = validate(&["--database-url", "postgres://u:secret@db.example:port/app"]).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
