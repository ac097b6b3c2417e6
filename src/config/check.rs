//! From text to settings: every value is checked, and every wrong one is told, by the name of its variable.

use std::{borrow::Cow, net::SocketAddr, num::NonZeroU32, str::FromStr, time::Duration};

use clap::CommandFactory;
use http::HeaderValue;
use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use tracing_subscriber::EnvFilter;

use super::{
    Cli, Config, Cors, DatabaseConfig, DatabaseTarget, HttpConfig, LogConfig, LogFormat, RateLimit, ServerConfig,
    Settings,
};

/// The settings, or a line for each wrong one.
pub(super) fn config(settings: &Settings, terminal: bool) -> Result<Config, Vec<String>> {
    let mut check = Check(Vec::new());
    match check.config(settings, terminal) {
        Some(config) if check.0.is_empty() => Ok(config),
        _ => Err(check.0),
    }
}

/// Collects what is wrong, so that one start tells all of it.
struct Check(Vec<String>);

impl Check {
    fn config(&mut self, raw: &Settings, terminal: bool) -> Option<Config> {
        // Every field is checked before any `?` gives up, or a second wrong value would hide behind the first.
        let listen_addr = self.address("LISTEN_ADDR", &raw.listen_addr);
        let admin_addr = self.optional(&raw.admin_addr, |check, value| check.address("ADMIN_ADDR", value));
        let header_timeout = self.duration("HEADER_TIMEOUT", &raw.header_timeout);
        let idle_timeout = self.duration("IDLE_TIMEOUT", &raw.idle_timeout);
        let max_connections = self.number("MAX_CONNECTIONS", &raw.max_connections, 1, 1_000_000);
        let shutdown_delay = self.duration_or_zero("SHUTDOWN_DELAY", &raw.shutdown_delay);
        let shutdown_timeout = self.duration("SHUTDOWN_TIMEOUT", &raw.shutdown_timeout);
        let request_timeout = self.duration("REQUEST_TIMEOUT", &raw.request_timeout);
        let body_timeout = self.duration("BODY_TIMEOUT", &raw.body_timeout);
        let max_body_bytes = self.number("MAX_BODY_BYTES", &raw.max_body_bytes, 1, 1 << 30);
        let allowed_hosts = self.hosts(&raw.allowed_hosts);
        let cors = self.cors(&raw.cors_allowed_origins);
        let rate_limit = self.rate_limit(&raw.rate_limit, &raw.rate_limit_burst);
        let target = self.database_url(raw).and_then(|url| self.database(&url));
        let no_migrate = self.boolean("NO_MIGRATE", &raw.no_migrate);
        let database_connections = self.number("DATABASE_MAX_CONNECTIONS", &raw.database_max_connections, 1, 10_000);
        let acquire_timeout = self.duration("DATABASE_ACQUIRE_TIMEOUT", &raw.database_acquire_timeout);
        let statement_timeout = self.duration("DATABASE_STATEMENT_TIMEOUT", &raw.database_statement_timeout);
        let lock_timeout = self.duration("DATABASE_LOCK_TIMEOUT", &raw.database_lock_timeout);
        let idle_in_transaction_timeout =
            self.duration("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT", &raw.database_idle_in_transaction_timeout);
        let otlp_endpoint = self.optional(&raw.otel_exporter_otlp_endpoint, Self::otlp_endpoint);
        let format = self.log_format(&raw.log_format, terminal);
        let filter = self.log_filter(&raw.log);

        Some(Config {
            server: ServerConfig {
                listen_addr: listen_addr?,
                admin_addr: admin_addr?,
                header_timeout: header_timeout?,
                idle_timeout: idle_timeout?,
                max_connections: max_connections?,
                shutdown_delay: shutdown_delay?,
                shutdown_timeout: shutdown_timeout?,
            },
            http: HttpConfig {
                request_timeout: request_timeout?,
                body_timeout: body_timeout?,
                max_body_bytes: max_body_bytes?,
                allowed_hosts: allowed_hosts?,
                cors: cors?,
                rate_limit: rate_limit?,
            },
            database: DatabaseConfig {
                target: target?,
                migrate: !no_migrate?,
                max_connections: u32::try_from(database_connections?).ok()?,
                acquire_timeout: acquire_timeout?,
                statement_timeout: statement_timeout?,
                lock_timeout: lock_timeout?,
                idle_in_transaction_timeout: idle_in_transaction_timeout?,
            },
            log: LogConfig {
                format: format?,
                filter: filter?,
                otlp_endpoint: otlp_endpoint?,
                service_name: or_default("OTEL_SERVICE_NAME", &raw.otel_service_name).into_owned(),
            },
        })
    }

    /// Notes one wrong setting in one line. The value is quoted, so that a stray space or line break shows.
    fn wrong<T>(&mut self, variable: &str, value: &str, right: &str) -> Option<T> {
        let flag = if variable == "RUST_LOG" { "log".to_owned() } else { variable.to_lowercase().replace('_', "-") };
        self.0.push(format!("{variable} (--{flag}) is {value:?}: {right}"));
        None
    }

    /// A setting that may be left out: `Some(None)` if it is.
    fn optional<T>(&mut self, value: &str, check: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<Option<T>> {
        if value.is_empty() { Some(None) } else { check(self, value).map(Some) }
    }

    fn address(&mut self, variable: &str, value: &str) -> Option<SocketAddr> {
        let value = or_default(variable, value);
        let right = "give an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
        value.parse().ok().or_else(|| self.wrong(variable, &value, right))
    }

    fn duration(&mut self, variable: &str, value: &str) -> Option<Duration> {
        const MAX: Duration = Duration::from_secs(24 * 60 * 60);
        let value = or_default(variable, value);
        match humantime::parse_duration(&value) {
            Ok(duration) if (Duration::from_millis(1)..=MAX).contains(&duration) => Some(duration),
            _ => self.wrong(variable, &value, "give a duration from 1ms to 24h, such as 500ms or 10s"),
        }
    }

    fn duration_or_zero(&mut self, variable: &str, value: &str) -> Option<Duration> {
        match &*or_default(variable, value) {
            "0" | "0s" => Some(Duration::ZERO),
            value => self.duration(variable, value),
        }
    }

    fn number(&mut self, variable: &str, value: &str, min: usize, max: usize) -> Option<usize> {
        let value = or_default(variable, value);
        match value.parse() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => self.wrong(variable, &value, &format!("give a whole number from {min} to {max}")),
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
        // An IPv6 address is compared as a URI writes it, in brackets.
        let bracketed = |host: &str| match host.parse::<std::net::Ipv6Addr>() {
            Ok(_) => format!("[{host}]"),
            Err(_) => host.to_ascii_lowercase(),
        };
        let hosts: Vec<_> = list(value).map(bracketed).collect();
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

    fn rate_limit(&mut self, rate: &str, burst: &str) -> Option<Option<RateLimit>> {
        let rate = or_default("RATE_LIMIT", rate);
        if rate == "off" {
            return Some(None);
        }
        let parsed = rate.split_once('/').and_then(|(count, unit)| {
            let unit = match unit {
                "s" => Duration::from_secs(1),
                "m" => Duration::from_secs(60),
                "h" => Duration::from_secs(60 * 60),
                _ => return None,
            };
            let count = count.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count))?;
            Some((count, unit / count))
        });
        let Some((count, period)) = parsed else {
            return self.wrong("RATE_LIMIT", &rate, "give a rate from 1 to 1000000, such as 500/s or 1000/m, or off");
        };
        let burst = match burst {
            "" => Some(2 * count as usize),
            burst => self.number("RATE_LIMIT_BURST", burst, 1, 1_000_000),
        };
        let burst = burst.and_then(|burst| NonZeroU32::new(u32::try_from(burst).ok()?))?;
        Some(Some(RateLimit { period, burst }))
    }

    fn otlp_endpoint(&mut self, value: &str) -> Option<String> {
        let is_http = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        match value.parse::<http::Uri>() {
            Ok(uri) if is_http(&uri) => Some(value.trim_end_matches('/').to_owned()),
            _ => self.wrong("OTEL_EXPORTER_OTLP_ENDPOINT", value, "give a URL, such as http://localhost:4318"),
        }
    }

    /// The URL itself, or what the file for it holds.
    fn database_url(&mut self, raw: &Settings) -> Option<String> {
        if raw.database_url_file.is_empty() {
            return Some(or_default("DATABASE_URL", &raw.database_url).into_owned());
        }
        match std::fs::read_to_string(&raw.database_url_file) {
            Ok(url) => Some(url.trim().to_owned()),
            Err(error) => {
                let right = format!("give a file that can be read ({error})");
                self.wrong("DATABASE_URL_FILE", &raw.database_url_file, &right)
            }
        }
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
            // What is done here anyhow: sqlx-cli, which reads the same variable, needs to be told.
            Some("sqlite") if url.split_once('?').is_some_and(|(_, options)| options != "mode=rwc") => {
                wrong("has options, of which SQLite takes none here but `mode=rwc`")
            }
            Some("sqlite") => match SqliteConnectOptions::from_str(url) {
                Ok(options) if options.get_filename().as_os_str().is_empty() => wrong("names no file"),
                Ok(options) => Some(DatabaseTarget::Sqlite(options.get_filename().to_owned())),
                Err(error) => wrong(&format!("cannot be read ({error})")),
            },
            Some("postgres" | "postgresql") if unknown_option(url).is_some() => {
                wrong(&format!("has an option that is not known, {:?}", unknown_option(url).unwrap_or_default()))
            }
            Some("postgres" | "postgresql") => match PgConnectOptions::from_str(url) {
                Ok(options) => Some(DatabaseTarget::Postgres(Box::new(options))),
                Err(error) => {
                    wrong(&format!("cannot be read ({error}; in a password, write @ as %40, / as %2F and : as %3A)"))
                }
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
        let value = &*or_default("RUST_LOG", value);
        // A lone word that is no level is a target to EnvFilter, and turns off the log of all others.
        let is_level = |word: &str| word.parse::<tracing::level_filters::LevelFilter>().is_ok();
        let lone = list(value).any(|directive| !directive.contains(['=', '[']) && !is_level(directive));
        match EnvFilter::try_new(value) {
            Ok(_) if !lone => Some(value.to_owned()),
            _ => self.wrong(
                "RUST_LOG",
                value,
                "give a level (error, warn, info, debug, trace) or filters such as \
                                                     info,sqlx=debug",
            ),
        }
    }
}

/// Compose files pass `NAME=` for what is not set: an empty value is the default, which clap knows.
fn or_default<'a>(variable: &str, value: &'a str) -> Cow<'a, str> {
    if !value.is_empty() {
        return Cow::Borrowed(value);
    }
    let command = Cli::command();
    let argument = command.get_arguments().find(|argument| argument.get_env().is_some_and(|env| env == variable));
    let default = argument.and_then(|argument| argument.get_default_values().first());
    Cow::Owned(default.map(|default| default.to_string_lossy().into_owned()).unwrap_or_default())
}

/// The first option of a PostgreSQL URL that sqlx would pass over with a warning: a misspelt `sslmode` must not turn TLS
/// off.
fn unknown_option(url: &str) -> Option<&str> {
    const KNOWN: [&str; 19] = [
        "sslmode",
        "ssl-mode",
        "sslrootcert",
        "ssl-root-cert",
        "ssl-ca",
        "sslcert",
        "ssl-cert",
        "sslkey",
        "ssl-key",
        "statement-cache-capacity",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "application_name",
        "options",
    ];
    let (_, query) = url.split_once('?')?;
    let names = query.split('&').map(|option| option.split_once('=').map_or(option, |(name, _)| name));
    names.into_iter().find(|name| !name.is_empty() && !KNOWN.contains(name) && !name.starts_with("options["))
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// An origin as browsers send it: scheme and host in lower case, a port only if it is not the scheme's own.
fn parse_origin(origin: &str) -> Option<HeaderValue> {
    let origin = origin.to_ascii_lowercase();
    let uri: http::Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let own = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    if origin != format!("{scheme}://{authority}") || authority.as_str().contains('@') {
        return None;
    }
    HeaderValue::from_str(origin.strip_suffix(own).unwrap_or(&origin)).ok()
}
