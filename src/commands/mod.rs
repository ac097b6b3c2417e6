//! The commands of the binary.

mod health;
mod import;
mod migrate;
mod openapi;
mod serve;
mod signals;

use std::{path::Path, sync::Arc};

use crate::{
    app,
    cli::{Cli, Command},
    clock::SystemClock,
    config::{Config, dotenv},
    ids::UuidV7Generator,
    storage::{self, Store},
    telemetry::init as telemetry,
};

/// The error that ends the process. It is printed in one line, or one line per setting or violation.
type Error = Box<dyn std::error::Error>;

/// Parses the command line and runs the command.
///
/// # Errors
/// The configuration is invalid, or the command failed.
pub async fn run() -> Result<(), Error> {
    let dotenv = dotenv::read();
    // `--help` and `--version` work even if `.env` is invalid.
    let cli = Cli::from_process();
    dotenv?;
    let command = cli.command.unwrap_or(Command::Serve);
    // This command works even if the settings are invalid.
    if let Command::Openapi { form } = command {
        return Ok(openapi::print(form)?);
    }
    let config = Config::validate(&cli.settings)?;
    if command == Command::Health {
        return Ok(health::check(&config.server)?);
    }
    let telemetry = telemetry::init(&config.telemetry)?;
    let result = match command {
        Command::Serve => serve::serve(&config).await,
        Command::Migrate => async { migrate::migrate(open(&config).await?).await }.await,
        Command::Import { file } => import_users(&config, &file).await,
        Command::Openapi { .. } | Command::Health => Ok(()),
    };
    telemetry.flush();
    result
}

async fn import_users(config: &Config, file: &Path) -> Result<(), Error> {
    let store = open(config).await?;
    if !config.database.no_migrate {
        store.migrate().await?;
    }
    let imported = import::import(&app::artifacts()?.table, file, &*store.users()).await?;
    println!(
        "{} users created, {} skipped (address exists), in {}",
        imported.created,
        imported.skipped,
        store.target()
    );
    store.close().await;
    Ok(())
}

async fn open(config: &Config) -> Result<Store, Error> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    Ok(storage::connect(&config.database, clock, ids).await?)
}
