//! `web_server serve`: runs the server until it receives a signal.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use api::monitoring::Readiness;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use crate::{
    app::{self, App},
    clock::SystemClock,
    config::{Config, ServerConfig},
    example_data,
    http::{server, tls::Tls},
    ids::UuidV7Generator,
    telemetry::{init::flush_log, metrics},
};

/// How long the database may take to close its connections after the last request.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The interval of the readiness checks for the metric.
const READINESS_INTERVAL: Duration = Duration::from_secs(1);

/// Runs the server.
pub(super) async fn serve(config: &Config) -> Result<(), Box<dyn Error>> {
    // Before the log line that reports the address: a test or a supervisor may send a signal as soon as it reads it.
    let mut signals = Signals::new()?;
    config.check_exposure()?;
    raise_file_limit(config.server.max_connections);
    metrics::spawn_upkeep(metrics::install());
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(UuidV7Generator::new(clock.clone()));
    let start = async {
        let tls = match config.server.tls() {
            Some(files) => Some(Tls::new(files).await?),
            None => None,
        };
        Ok::<_, Box<dyn Error>>((tls, App::build(config, clock, ids).await?))
    };
    let (tls, app) = tokio::select! {
        started = start => started?,
        () = signals.next() => {
            tracing::info!("stopped during the start");
            return Ok(());
        }
    };
    if example_data::is_wanted(config, &app.store) {
        let users = example_data::create(&app.store, &app::artifacts()?).await?;
        tracing::info!(
            users,
            "created the users of the examples in Swagger UI, since the database is new (see EXAMPLE_DATA)"
        );
    }
    check_readiness_regularly(app.readiness.clone());
    app.spawn_upkeep();
    if let Some(tls) = &tls {
        tls.spawn_upkeep();
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listener = listen("LISTEN_ADDR (--listen-addr)", config.server.listen_addr)?;
    let address = listener.local_addr()?;
    tracing::info!(url = %format_args!("{scheme}://{address}"), "listening");
    tracing::info!(url = %format_args!("{scheme}://{address}/swagger-ui/"), "serving Swagger UI");
    if !config.auth.is_configured() {
        tracing::warn!("no credentials are configured, so only programs on this machine can call (see API_KEYS_FILE)");
    }
    tracing::info!(database = %app.store.target(), "opened the database");
    let admin = match (config.server.admin_addr, app.admin) {
        (Some(address), Some(router)) => {
            let listener = listen("ADMIN_ADDR (--admin-addr)", address)?;
            tracing::info!(url = %format_args!("http://{}", listener.local_addr()?), "serving metrics and readiness");
            Some((listener, router))
        }
        _ => None,
    };

    let (stop_clients, stop_operators) = (CancellationToken::new(), CancellationToken::new());
    let max_request_time = config.http.body_timeout + config.http.request_timeout;
    let stopped = stop_clients.clone().cancelled_owned();
    let clients = server::serve(listener, app.router, &config.server, max_request_time, tls, stopped);
    // The listener for operators stops last, so that they can observe the drain.
    let operators = async {
        // Scrapers and probes connect to it directly.
        let config = ServerConfig { proxy_protocol: false, ..config.server.clone() };
        if let Some((listener, router)) = admin {
            let stopped = stop_operators.clone().cancelled_owned();
            server::serve(listener, router, &config, max_request_time, None, stopped).await;
        }
    };
    let stop = async {
        signals.next().await;
        tracing::info!("stopping: completing the requests in flight; a second signal stops immediately");
        app.drain.start();
        tokio::spawn(async move {
            signals.next().await;
            tracing::warn!("stopped immediately on a second signal");
            flush_log();
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
    // A database that does not respond must not prevent the process from ending.
    let closed = tokio::time::timeout(CLOSE_TIMEOUT, app.store.close()).await.is_ok();
    if !closed {
        return Err("stopped, but the database connections did not close in time".into());
    }
    if !drained {
        return Err("stopped, but some requests in flight did not complete within SHUTDOWN_TIMEOUT".into());
    }
    tracing::info!("stopped");
    Ok(())
}

/// Checks readiness regularly, so that the metric is current even if no client requests readiness.
fn check_readiness_regularly(readiness: Arc<dyn Readiness>) {
    tokio::spawn(async move {
        loop {
            // The check updates the metric.
            let _ = readiness.check().await;
            tokio::time::sleep(READINESS_INTERVAL).await;
        }
    });
}

/// Raises the limit of open files: each connection is one, and the default is often 1,024.
fn raise_file_limit(connections: usize) {
    // Files, database connections and the runtime need some too.
    let required = connections as u64 + 256;
    match rlimit::increase_nofile_limit(required) {
        Ok(limit) if limit < required => {
            tracing::warn!(limit, required, "the limit of open files (ulimit -n) is too low for MAX_CONNECTIONS");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

fn listen(setting: &str, address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    server::listen(address).map_err(|error| format!("{setting}: cannot listen on {address}: {error}").into())
}
