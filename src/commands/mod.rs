//! The commands of the binary.

mod backup;
mod completions;
mod export;
mod files;
mod health;
mod import;
mod keys;
mod migrate;
mod openapi;
mod serve;
mod signals;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use crate::{
    app::{self, App},
    cli::{Cli, Command},
    clock::{Clock, SystemClock},
    config::{Config, DatabaseTarget, dotenv},
    ids::{IdGenerator, UuidV7Generator},
    storage::{self, Store},
    telemetry::init as telemetry,
};

/// The error that ends the process. It is printed in one line, or one line per setting or violation.
type Error = Box<dyn std::error::Error>;

/// The exit code of an import that rejected users.
const REJECTED: u8 = 3;

/// Parses the command line, runs the command and returns its exit code.
///
/// # Errors
/// The configuration is invalid, or the command failed.
pub async fn run() -> Result<ExitCode, Error> {
    let dotenv = dotenv::read();
    // `--help` and `--version` work even if `.env` is invalid.
    let cli = Cli::from_process();
    dotenv?;
    let command = cli.command.unwrap_or(Command::Serve);
    // These commands work even if the settings are invalid.
    let command = match command {
        Command::Openapi { form } => return openapi::print(form).map(done),
        Command::Keys { command } => return keys::run(command, &SystemClock).map(done),
        Command::Completions { shell } => return Ok(completions::print(shell).map(done)?),
        Command::Man { folder } => return Ok(completions::write_man_pages(&folder).map(done)?),
        command => command,
    };
    let config = Config::validate(&cli.settings)?;
    if command == Command::Health {
        health::check(&config.server).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // Standard output is for the users of an export, and for the result of an import.
    let is_log_on_stdout = !matches!(command, Command::Import { .. } | Command::Export { .. } | Command::Backup { .. });
    let telemetry = telemetry::init(&config.telemetry, is_log_on_stdout)?;
    let work = async {
        match command {
            Command::Serve => serve::serve(&config).await.map(done),
            Command::Migrate => until_signal(async { migrate::migrate(open(&config).await?).await.map(done) }).await,
            Command::Import { file, rejects } => {
                let is_complete = import_users(&config, &file, rejects).await?;
                Ok(ExitCode::from(if is_complete { 0 } else { REJECTED }))
            }
            Command::Export { output } => until_signal(export_users(&config, output.as_deref())).await.map(done),
            Command::Backup { file } => {
                until_signal(backup::back_up(&config.database.database_url, &file)).await.map(done)
            }
            Command::Openapi { .. }
            | Command::Keys { .. }
            | Command::Completions { .. }
            | Command::Man { .. }
            | Command::Health => Ok(ExitCode::SUCCESS),
        }
    };
    let result = work.await;
    telemetry.flush();
    result
}

/// Runs work that a signal ends. The database undoes what is not committed.
async fn until_signal<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut signals = signals::Signals::new()?;
    tokio::select! {
        result = work => result,
        () = signals.next() => Err("stopped by a signal".into()),
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

async fn import_users(config: &Config, file: &Path, rejects: Option<PathBuf>) -> Result<bool, Error> {
    let store = until_signal(open_checked(config, config.database.no_migrate)).await?;
    let result = import::import(&app::artifacts()?.table, &store, file, rejects).await;
    store.close().await;
    Ok(result?)
}

async fn export_users(config: &Config, output: Option<&Path>) -> Result<(), Error> {
    if let DatabaseTarget::Sqlite(path) = &config.database.database_url
        && !path.exists()
    {
        return Err(format!("{}: the database does not exist", path.display()).into());
    }
    let store = open_checked(config, true).await?;
    let result = export::export(&store, output).await;
    store.close().await;
    result
}

/// Opens the database without a cache, as a server does.
async fn open_checked(config: &Config, no_migrate: bool) -> Result<Store, Error> {
    let mut config = config.clone();
    config.database.user_cache_bytes = Some(0);
    config.database.no_migrate = no_migrate;
    let (clock, ids) = clock_and_ids();
    Ok(App::open(&config, clock, ids).await?)
}

async fn open(config: &Config) -> Result<Store, Error> {
    let (clock, ids) = clock_and_ids();
    Ok(storage::connect(config, clock, ids).await?)
}

fn clock_and_ids() -> (Arc<dyn Clock>, Arc<dyn IdGenerator>) {
    let clock = Arc::new(SystemClock);
    (clock.clone(), Arc::new(UuidV7Generator::new(clock)))
}
