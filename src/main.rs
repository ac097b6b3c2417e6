//! The command line: reads it, and runs what it asks for.

use std::{io::IsTerminal, process::ExitCode, sync::Arc};

use clap::Parser;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use web_server::{
    app::{self, App},
    config::{Cli, Command, Config},
    metrics, server,
    source::SystemSource,
    store, telemetry,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return Err(format!(".env cannot be read: {error}").into());
    }
    let cli = Cli::parse();
    if cli.command == Some(Command::Openapi) {
        print!("{}", app::contract()?.to_json());
        return Ok(());
    }
    let config = Config::validate(&cli.settings, std::io::stdout().is_terminal())?;
    telemetry::init(&config.log);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(&config).await,
        Command::Migrate => migrate(&config).await,
        Command::Openapi => Ok(()),
    }
}

async fn serve(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    metrics::spawn_upkeep(metrics::install());
    let app = App::build(config, Arc::new(SystemSource::new())).await?;
    let listen = config.server.listen_addr;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("LISTEN_ADDR (--listen-addr) is {listen}, which cannot be listened on: {error}"))?;
    let address = listener.local_addr()?;
    tracing::info!("listening on http://{address}");
    tracing::info!("Swagger UI at http://{address}/swagger-ui/");
    tracing::info!("data in {}", app.store.target());

    let drain = app.drain.clone();
    let shutdown = async move {
        stop_signal().await;
        tracing::info!("stopping: requests in flight are answered first");
        drain.start();
    };
    let drained = server::serve(listener, app.router, &config.server, shutdown).await;
    app.store.close().await;
    if !drained {
        return Err("stopped, but requests in flight did not end within SHUTDOWN_TIMEOUT".into());
    }
    tracing::info!("stopped");
    Ok(())
}

async fn migrate(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let store = store::connect(&config.database, Arc::new(SystemSource::new())).await?;
    store.migrate().await?;
    store.check_schema().await?;
    tracing::info!("the schema is up to date in {}", store.target());
    store.close().await;
    Ok(())
}

/// Ends at the first SIGTERM (an orchestrator) or SIGINT (Ctrl-C).
async fn stop_signal() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be received: only SIGKILL will stop this server");
            std::future::pending().await
        }
    }
}
