//! Configuration: flags and environment variables in, validated settings out.
//!
//! [`Settings`] is the text that clap reads. [`Config`] is what the program uses. [`Config::validate`] is the only way
//! from one to the other, and reports every invalid setting by the name of its variable. Only this module reads the
//! environment.

mod auth;
mod database;
mod deadlines;
pub(crate) mod dotenv;
mod http;
mod otel_environment;
pub(crate) mod parse;
mod server;
mod telemetry;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::{
    auth::{AuthArgs, AuthConfig},
    database::{DEFAULT_SQLITE_FOLDER, DatabaseArgs, DatabaseConfig, DatabaseTarget, ReplicaTarget},
    deadlines::Deadlines,
    http::{Cors, HttpArgs, HttpConfig, Rate},
    server::{ServerArgs, ServerConfig},
    telemetry::{
        Compression, LogFormat, OtlpProtocol, RootSampler, TelemetryArgs, TelemetryConfig, TracesExporter,
        TracesSampler,
    },
};

/// The text of every setting. It has no `Debug`, since it may contain a password.
#[derive(clap::Args)]
pub struct Settings {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

/// The validated settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sockets and connections.
    pub server: ServerConfig,
    /// Requests and responses.
    pub http: HttpConfig,
    /// Who may call.
    pub auth: AuthConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// How the time to process a request is divided.
    pub deadlines: Deadlines,
}

/// The invalid settings, one line each.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Validates every setting.
    ///
    /// # Errors
    /// Every invalid setting, with its value and what is expected.
    pub fn validate(settings: &Settings) -> Result<Self, ConfigError> {
        let mut errors = Vec::new();
        let server = settings.server.validate(&mut errors);
        let http = settings.http.validate(&mut errors);
        let auth = settings.auth.validate(&mut errors);
        let database = settings.database.with_url_from_file(&mut errors).validate(&mut errors);
        let telemetry = settings.telemetry.validate(&mut errors);
        if telemetry.as_ref().is_some_and(|telemetry| telemetry.traces_url().is_some()) {
            #[expect(clippy::disallowed_methods, reason = "the SDK reads these variables itself")]
            otel_environment::check(|name| std::env::var(name).ok(), &mut errors);
        }
        let mut needs = |name: &str, is_set: bool, other: &str, is_other_set: bool| {
            if is_set && !is_other_set {
                errors.push(format!("{}: it needs {} too", parse::names(name), parse::names(other)));
            }
        };
        if let Some(server) = &server {
            let (certificate, key) = (server.tls_certificate_file.is_some(), server.tls_key_file.is_some());
            needs("tls_certificate_file", certificate, "tls_key_file", key);
            needs("tls_key_file", key, "tls_certificate_file", certificate);
            let (client_ca, has_tls) = (server.tls_client_ca_file.is_some(), certificate || key);
            needs("tls_client_ca_file", client_ca, "tls_certificate_file", has_tls);
        }
        if let Some(server) = &server {
            needs("proxy_protocol", server.proxy_protocol, "trusted_proxies", !server.trusted_proxies.is_empty());
        }
        if let Some(auth) = &auth {
            let (issuer, audience) = (auth.oidc_issuer.is_some(), auth.oidc_audience.is_some());
            needs("oidc_issuer", issuer, "oidc_audience", audience);
            needs("oidc_audience", audience, "oidc_issuer", issuer);
        }
        if let Some(address) = server.as_ref().and_then(ServerConfig::shared_address) {
            errors.push(format!("{}: {address} is an address of LISTEN_ADDR too", parse::names("admin_addr")));
        }
        errors.extend(database.as_ref().and_then(DatabaseConfig::replica_problem));
        let deadlines = http.as_ref().zip(database.as_ref());
        let deadlines = deadlines.map(|(http, database)| Deadlines::new(http, database, &mut errors));
        match (server, http, auth, database, telemetry, deadlines) {
            (Some(server), Some(http), Some(auth), Some(database), Some(telemetry), Some(deadlines))
                if errors.is_empty() =>
            {
                Ok(Self { server, http, auth, database, telemetry, deadlines })
            }
            _ => Err(ConfigError(errors)),
        }
    }

    /// Refuses to serve other machines without credentials.
    ///
    /// # Errors
    /// The setting with the address, and what to do.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let addresses = [("listen_addr", Some(self.server.listen_addr)), ("admin_addr", self.server.admin_addr)];
        let exposed = addresses.into_iter().filter_map(|(name, address)| Some((name, address?)));
        let exposed =
            exposed.filter(|(_, address)| !(self.auth.is_configured() || address.ip().to_canonical().is_loopback()));
        let mut errors: Vec<_> = exposed.map(|(name, address)| {
            format!(
                "{}: {address} can be reached from other machines, and no credentials are configured: set API_KEYS_FILE \
                 (`web_server keys new` makes keys) or OIDC_ISSUER, or listen on 127.0.0.1",
                parse::names(name)
            )
        }).collect();
        if !(self.auth.is_configured() || self.server.trusted_proxies.is_empty()) {
            errors.push(format!(
                "{}: other machines can reach the server through a proxy, and no credentials are configured: set \
                 API_KEYS_FILE (`web_server keys new` makes keys) or OIDC_ISSUER, or trust no proxy",
                parse::names("trusted_proxies")
            ));
        }
        if errors.is_empty() { Ok(()) } else { Err(ConfigError(errors)) }
    }
}
