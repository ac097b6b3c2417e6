//! Configuration: flags and environment variables in, validated settings out.
//!
//! [`Settings`] is the text that clap reads. [`Config`] is what the program uses. [`Config::validate`] is the only way
//! from one to the other, and reports every invalid setting by the name of its variable. Only this module reads the
//! environment.

mod database;
pub(crate) mod dotenv;
mod http;
mod parse;
mod server;
mod telemetry;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::{
    database::{DatabaseArgs, DatabaseConfig, DatabaseTarget},
    http::{Cors, HttpArgs, HttpConfig, Rate},
    server::{ServerArgs, ServerConfig},
    telemetry::{LogFormat, TelemetryArgs, TelemetryConfig},
};

/// The text of every setting. It has no `Debug`, since it may contain a password.
#[derive(clap::Args)]
pub struct Settings {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    http: HttpArgs,
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
    /// The database.
    pub database: DatabaseConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
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
        let database = settings.database.with_url_from_file(&mut errors).validate(&mut errors);
        let telemetry = settings.telemetry.validate(&mut errors);
        match (server, http, database, telemetry) {
            (Some(server), Some(http), Some(database), Some(telemetry)) if errors.is_empty() => {
                Ok(Self { server, http, database, telemetry })
            }
            _ => Err(ConfigError(errors)),
        }
    }
}
