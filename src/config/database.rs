//! Settings of the database.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use super::parse::{Invalid, Parsed, boolean, duration, integer, list, names, optional, retention, settings, text};

/// The folder of the default of `DATABASE_URL`, which the server creates.
pub const DEFAULT_SQLITE_FOLDER: &str = "data";

settings! {
    "Database"
    /// The database.
    DatabaseArgs => DatabaseConfig {
        /// SQLite file (`sqlite://PATH`, in a folder that exists) or PostgreSQL server
        /// (`postgres://USER:PASSWORD@HOST/NAME`).
        database_url: DatabaseTarget = target, "sqlite://data/web_server.db", "URL";

        /// File that contains the URL of the database, for mounted secrets. It takes precedence over DATABASE_URL. It is read
        /// again when it changes and at SIGHUP, so that the role and the password of PostgreSQL can be rotated.
        database_url_file: String = text, "", "PATH";

        /// Streaming replicas of the PostgreSQL server that serve reads, separated by commas: `postgres://HOST:PORT` with the role,
        /// the password, the database and the options of DATABASE_URL, or a whole URL. A comma in a URL is written as %2C. A read
        /// returns every write that was acknowledged before, whichever instance it was sent to.
        database_replica_urls: Vec<ReplicaTarget> = replicas, "", "URLS";

        /// Create the users of the examples in Swagger UI, if the server creates the file of the default DATABASE_URL and no
        /// credentials are configured.
        example_data: bool = boolean, "on", "BOOL";

        /// Do not run pending database migrations at start.
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        no_migrate: bool = boolean, "false", "BOOL";

        /// Maximum time that a start waits for a PostgreSQL server that is not available yet.
        database_startup_timeout: Duration = duration, "30s", "DURATION";

        /// Maximum number of database connections.
        database_max_connections: u32 = integer(1, 10_000), "16", "N";

        /// Maximum time that a statement waits for a database connection, which may have to be opened. Empty: 20 % of
        /// REQUEST_TIMEOUT.
        database_acquire_timeout: Option<Duration> = optional(duration), "", "DURATION";

        /// Maximum time of one statement on PostgreSQL. Empty: 40 % of REQUEST_TIMEOUT. A connection that has not
        /// responded 500 ms later is closed. A request whose statement does not start in the time that this
        /// timeout and DATABASE_ACQUIRE_TIMEOUT leave of REQUEST_TIMEOUT is refused.
        database_statement_timeout: Option<Duration> = optional(duration), "", "DURATION";

        /// Maximum time that a statement waits for a lock, at most DATABASE_STATEMENT_TIMEOUT. Empty: 30 % of
        /// REQUEST_TIMEOUT.
        database_lock_timeout: Option<Duration> = optional(duration), "", "DURATION";

        /// Maximum time that a transaction is idle on PostgreSQL before PostgreSQL ends it.
        database_idle_in_transaction_timeout: Duration = duration, "5s", "DURATION";

        /// How long the changes of users are kept, for `GET /users/changes`.
        user_changes_retention: Duration = retention, "7d", "DURATION";

        /// How long the result of a write with an `Idempotency-Key` is kept, for retries.
        idempotency_keys_retention: Duration = retention, "24h", "DURATION";

        /// Maximum size of the cache of users in bytes; 0 disables it. Empty: 64 MiB on SQLite, 0 on PostgreSQL.
        user_cache_bytes: Option<u64> = optional(integer(0, 1 << 40)), "", "BYTES";
    }
}

/// The location of the database.
#[derive(Clone)]
pub enum DatabaseTarget {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseTarget {
    /// Whether it is the default.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Sqlite(path) if path == Path::new("data/web_server.db"))
    }

    /// Parses the URL of a database.
    ///
    /// # Errors
    /// What is wrong. The message does not quote the URL, since it may contain a password.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        target(url.trim()).map_err(|invalid| match invalid {
            Invalid::Expected(problem) | Invalid::Secret(problem) => problem,
        })
    }
}

/// The location for people, without the password.
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

/// The location of a streaming replica.
#[derive(Clone)]
pub struct ReplicaTarget {
    options: PgConnectOptions,
    /// Whether everything else is that of the primary.
    is_server_only: bool,
}

impl ReplicaTarget {
    /// Returns how to connect to the replica of this primary.
    pub(crate) fn options(&self, primary: &PgConnectOptions) -> PgConnectOptions {
        match self.is_server_only {
            true => primary.clone().host(self.options.get_host()).port(self.options.get_port()),
            false => self.options.clone(),
        }
    }
}

/// The server.
impl fmt::Display for ReplicaTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.options.get_host(), self.options.get_port())
    }
}

impl fmt::Debug for ReplicaTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DatabaseConfig {
    /// Returns why the database can have no such replicas.
    pub(super) fn replica_problem(&self) -> Option<String> {
        let problem = match &self.database_url {
            _ if self.database_replica_urls.is_empty() => return None,
            DatabaseTarget::Sqlite(_) => {
                "only PostgreSQL has replicas, and DATABASE_URL is SQLite: remove it, or set DATABASE_URL to postgres://USER:PASSWORD@HOST/NAME"
            }
            DatabaseTarget::Postgres(primary)
                if primary.get_socket().is_some()
                    && self.database_replica_urls.iter().any(|url| url.is_server_only) =>
            {
                "DATABASE_URL is a socket: expected whole URLs, postgres://USER:PASSWORD@HOST:PORT/NAME"
            }
            DatabaseTarget::Postgres(_) => return None,
        };
        Some(format!("{}: {problem}", names("database_replica_urls")))
    }
}

impl DatabaseArgs {
    /// Returns the settings with the URL from the file, if one is set.
    pub(super) fn with_url_from_file(&self, errors: &mut Vec<String>) -> Self {
        let mut settings = self.clone();
        let file = &self.database_url_file;
        if !file.is_empty() {
            match std::fs::read_to_string(file) {
                Ok(url) if !url.trim().is_empty() => url.trim().clone_into(&mut settings.database_url),
                Ok(_) => errors.push(format!("{}: the file {file:?} is empty", names("database_url_file"))),
                Err(error) => {
                    // Without the path, in the place of which there may be the URL.
                    errors.push(format!("{}: the file cannot be read: {error}", names("database_url_file")));
                }
            }
        }
        settings
    }
}

/// Parses the URLs of replicas. No message quotes them, since they may contain passwords.
fn replicas(urls: &str) -> Parsed<Vec<ReplicaTarget>> {
    const EXPECTED: &str =
        "expected postgres://HOST:PORT or postgres://USER:PASSWORD@HOST:PORT/NAME, separated by commas";
    let replica = |url: &str| {
        let DatabaseTarget::Postgres(options) = target_as(url, EXPECTED)? else {
            return Err(Invalid::Secret(format!("SQLite has no replicas: {EXPECTED}")));
        };
        let is_server_only = !url.contains('@');
        let server = url.split_once("://").map_or(url, |(_, server)| server.trim_end_matches('/'));
        if is_server_only && server.contains(['/', '?']) {
            return Err(Invalid::Secret(format!("a URL without a user has a server and nothing else: {EXPECTED}")));
        }
        if is_server_only && server.is_empty() {
            return Err(Invalid::Secret(format!("the host is missing: {EXPECTED}")));
        }
        Ok(ReplicaTarget { options: *options, is_server_only })
    };
    let mut seen = HashSet::new();
    if !list(urls).all(|url| seen.insert(url)) {
        return Err(Invalid::Secret("a URL is listed twice: expected each once".to_owned()));
    }
    list(urls).map(replica).collect()
}

/// Parses the URL of a database. No message quotes it, since it may contain a password.
fn target(url: &str) -> Parsed<DatabaseTarget> {
    target_as(url, "expected sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")
}

fn target_as(url: &str, expected: &str) -> Parsed<DatabaseTarget> {
    let invalid = |what: &str| Err(Invalid::Secret(format!("{what}: {expected}")));
    let ignored = without_options_of_libpq(url);
    let url = ignored.as_str();
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") if url.contains(":memory:") || url.contains("mode=memory") => {
            invalid("an in-memory database would be lost at every stop")
        }
        // sqlx-cli, which reads the same variable, needs this option. The server creates the file anyway.
        Some("sqlite") if url.split_once('?').is_some_and(|(_, options)| options != "mode=rwc") => {
            invalid("the only option for SQLite is `mode=rwc`")
        }
        Some("sqlite") => match SqliteConnectOptions::from_str(url) {
            Ok(options) if options.get_filename().as_os_str().is_empty() => invalid("the file name is missing"),
            // SQLite takes the rest for a URI of its own.
            Ok(options) if options.get_filename().as_os_str().as_encoded_bytes().starts_with(b"file:") => {
                invalid("a path must not begin with `file:`")
            }
            Ok(options) => Ok(DatabaseTarget::Sqlite(options.get_filename().to_owned())),
            Err(error) => invalid(&format!("invalid URL ({error})")),
        },
        Some("postgres" | "postgresql") if !url.contains("://") => invalid("the `//` before the server is missing"),
        Some("postgres" | "postgresql") => match (unknown_option(url), PgConnectOptions::from_str(url)) {
            // What looks like an option may be a part of the password.
            (Some(_), _) if !url.contains('@') || url.find('?') < url.rfind('@') => invalid(ENCODE),
            // Also what follows `&` in a password.
            (Some(_), _) if url.contains("password=") => {
                invalid("unknown option, or a password with an `&`, which is written as %26")
            }
            (Some(option), _) => invalid(&format!("unknown option {option:?}")),
            (None, Ok(options)) => Ok(DatabaseTarget::Postgres(Box::new(options))),
            (None, Err(error)) if error.to_string().contains("ssl_mode") => {
                invalid("sslmode is disable, allow, prefer, require, verify-ca or verify-full")
            }
            (None, Err(_)) => invalid(ENCODE),
        },
        Some(_) => invalid("unknown kind of database"),
        None => invalid("not a URL"),
    }
}

/// Why a URL may be invalid although it looks right.
const ENCODE: &str =
    "invalid URL; in a user or password, write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25";

/// Removes options of a PostgreSQL URL that hosted services add for libpq, and that have no effect here: connections have the
/// timeouts of other settings, there is one server, and the driver authenticates with SCRAM over TLS without channel binding.
fn without_options_of_libpq(url: &str) -> String {
    const IGNORED: [&str; 3] = ["channel_binding=", "connect_timeout=", "target_session_attrs="];
    match url.split_once('?') {
        Some((base, query)) if url.starts_with("postgres") => {
            let is_kept = |option: &&str| !IGNORED.iter().any(|ignored| option.starts_with(ignored));
            let kept: Vec<_> = query.split('&').filter(is_kept).collect();
            if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) }
        }
        _ => url.to_owned(),
    }
}

/// Returns the first option of a PostgreSQL URL that sqlx would ignore with a warning: a misspelt `sslmode` must not
/// disable TLS.
fn unknown_option(url: &str) -> Option<&str> {
    const KNOWN: &str = "sslmode ssl-mode sslrootcert ssl-root-cert ssl-ca sslcert ssl-cert sslkey ssl-key \
                         statement-cache-capacity host hostaddr port dbname user password passfile application_name \
                         options";
    let (_, query) = url.split_once('?')?;
    let names = query.split('&').map(|option| option.split_once('=').map_or(option, |(name, _)| name));
    let is_known = |name: &str| KNOWN.split(' ').any(|known| known == name) || name.starts_with("options[");
    names.into_iter().find(|name| !name.is_empty() && !is_known(name))
}
