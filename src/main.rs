//! The command line: reads it, and runs what it asks for.

use std::{io::IsTerminal, path::Path, process::ExitCode, sync::Arc, time::Duration};

use api::health::Readiness;
use clap::Parser;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use web_server::{
    app::{self, App},
    config::{Cli, Command, Config, Form},
    health_check, import, metrics, server,
    source::SystemSource,
    store::{self, Store},
    telemetry,
};

/// Requests are made of many small pieces that are gone a moment later.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the database may take to end its connections, once no request needs them.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<ExitCode, Error> {
    let dotenv = read_dotenv();
    // Before a fault in .env is told: `--help` and `--version` work whatever is in it.
    let cli = Cli::parse();
    dotenv?;
    let command = cli.command.unwrap_or(Command::Serve);
    // What needs no settings works even where they are wrong.
    if let Command::Openapi { form } = command {
        let contract = app::compiled()?;
        match form {
            Form::Yaml => print!("{}", contract.yaml),
            Form::Json => print!("{}", contract.json),
            Form::Json30 => print!("{}", contract.json_3_0),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::validate(&cli.settings, std::io::stdout().is_terminal())?;
    if command == Command::Health {
        health_check::check(&config.server)?;
        return Ok(ExitCode::SUCCESS);
    }
    let telemetry = telemetry::init(&config.log)?;
    let result = match command {
        Command::Serve => serve(&config).await,
        Command::Migrate => migrate(&config).await,
        Command::Import { file } => import_users(&config, &file).await,
        Command::Openapi { .. } | Command::Health => Ok(()),
    };
    telemetry.flush();
    result.map(|()| ExitCode::SUCCESS)
}

/// Reads `.env` in the working directory, and in no other: a server must not find settings that nobody put there for it.
/// The message never quotes a line, which may hold a password.
fn read_dotenv() -> Result<(), String> {
    match dotenvy::from_path(".env") {
        // What it could not parse may be a part of the line only.
        Err(dotenvy::Error::LineParse(line, _)) => {
            let text = std::fs::read_to_string(".env").unwrap_or_default();
            let number = text.lines().position(|other| other.contains(line.trim())).map_or(0, |index| index + 1);
            Err(format!(
                ".env, line {number}, cannot be read: give NAME=VALUE, with a value in quotes if it has spaces"
            ))
        }
        Err(error) if !error.not_found() => Err(format!(".env cannot be read: {error}")),
        _ => Ok(()),
    }
}

async fn serve(config: &Config) -> Result<(), Error> {
    // Before anybody is told that the server is there: whoever reads that may send one at once.
    let mut signals = Signals::new()?;
    raise_file_limit(config.server.max_connections);
    metrics::spawn_upkeep(metrics::install());
    let app = App::build(config, Arc::new(SystemSource::new())).await?;
    keep_asking(app.readiness.clone());
    let listener = listen("LISTEN_ADDR (--listen-addr)", config.server.listen_addr).await?;
    let address = listener.local_addr()?;
    tracing::info!("listening on http://{address}");
    tracing::info!("Swagger UI at http://{address}/swagger-ui/");
    tracing::info!("data in {}", app.store.target());
    let admin = match (config.server.admin_addr, app.admin) {
        (Some(address), Some(router)) => {
            let listener = listen("ADMIN_ADDR (--admin-addr)", address).await?;
            tracing::info!("metrics and readiness at http://{}", listener.local_addr()?);
            Some((listener, router))
        }
        _ => None,
    };

    let (stop_clients, stop_operators) = (CancellationToken::new(), CancellationToken::new());
    let clients = server::serve(listener, app.router, &config.server, stop_clients.clone().cancelled_owned());
    // Operators are answered until the last client is.
    let operators = async {
        if let Some((listener, router)) = admin {
            server::serve(listener, router, &config.server, stop_operators.clone().cancelled_owned()).await;
        }
    };
    let stop = async {
        signals.next().await;
        tracing::info!("stopping: requests in flight are answered first; a second signal stops at once");
        app.drain.start();
        tokio::spawn(async move {
            signals.next().await;
            tracing::warn!("stopped at once, by a second signal");
            telemetry::flush_log();
            std::process::exit(1);
        });
        tokio::time::sleep(config.server.shutdown_delay).await;
        stop_clients.cancel();
    };
    let clients = async {
        let drained = clients.await;
        stop_operators.cancel();
        drained
    };
    let (drained, (), ()) = tokio::join!(clients, operators, stop);
    // A database that hangs must not keep the process from ending.
    let closed = tokio::time::timeout(CLOSE_TIMEOUT, app.store.close()).await.is_ok();
    if !closed {
        return Err("stopped, but the database did not let go of its connections".into());
    }
    if !drained {
        return Err("stopped, but requests in flight did not end within SHUTDOWN_TIMEOUT".into());
    }
    tracing::info!("stopped");
    Ok(())
}

/// Asks for readiness every second, so that the metric is right where nobody else asks.
fn keep_asking(readiness: Arc<dyn Readiness>) {
    tokio::spawn(async move {
        loop {
            // What the answer is, the metric tells.
            let _ = readiness.check().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
}

/// Every connection is an open file; many systems allow 1,024 unless a process asks for more.
fn raise_file_limit(connections: usize) {
    // Files, the database's connections and the runtime's own need some too.
    let wanted = connections as u64 + 256;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed < wanted => {
            tracing::warn!("{allowed} files may be open (ulimit -n): fewer than MAX_CONNECTIONS asks for");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files is not known"),
    }
}

async fn listen(setting: &str, address: std::net::SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("{setting} is {address}, which cannot be listened on: {error}").into())
}

async fn migrate(config: &Config) -> Result<(), Error> {
    let store = open(config).await?;
    store.migrate().await?;
    store.check_schema().await?;
    tracing::info!("the schema is up to date in {}", store.target());
    store.close().await;
    Ok(())
}

async fn import_users(config: &Config, file: &Path) -> Result<(), Error> {
    let store = open(config).await?;
    if config.database.migrate {
        store.migrate().await?;
    }
    let imported = import::import(&app::compiled()?.table, file, &*store.users()).await?;
    println!("{} users created, {} were there already, in {}", imported.created, imported.present, store.target());
    store.close().await;
    Ok(())
}

async fn open(config: &Config) -> Result<Store, Error> {
    Ok(store::connect(&config.database, Arc::new(SystemSource::new())).await?)
}

/// SIGTERM (an orchestrator) and SIGINT (Ctrl-C).
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        match (terminate, interrupt) {
            (Ok(terminate), Ok(interrupt)) => Ok(Self { terminate, interrupt }),
            (Err(error), _) | (_, Err(error)) => Err(format!("signals cannot be received: {error}").into()),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
