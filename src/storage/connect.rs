//! Opens the database.

use std::{sync::Arc, time::Duration};

use api::{representation::Representation, users::User};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    abilities::Abilities,
    cache::Cache,
    coherence, credentials,
    error_kind::{is_not_available_yet, message},
    keys_in_flight::KeysInFlight,
    pool_options::{self, PING_TIMEOUT},
    pooler,
    pools::Pools,
    postgres_pool::{PostgresPool, RESPONSE_MARGIN},
    replicas::Replicas,
    sqlite_database::SqliteDatabase,
    sqlite_recovery,
    store::Store,
};
use crate::{
    clock::Clock,
    config::{Config, DatabaseConfig, DatabaseTarget},
    ids::IdGenerator,
};

/// The default size of the cache of users on SQLite: about 150,000 users.
const DEFAULT_CACHE_BYTES: u64 = 64 << 20;

/// The longest pause between two attempts to connect at start.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Why the database cannot be opened, in one line without a password.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database ({target}): {cause}")]
pub struct ConnectError {
    target: String,
    cause: String,
}

/// Opens the database. On SQLite, creates the file if it does not exist.
///
/// # Errors
/// The file cannot be created or opened, or the server is not available within the startup timeout, or
/// rejects the connection for a cause that waiting does not change, such as a wrong password.
pub async fn connect(config: &Config, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Result<Store, ConnectError> {
    let target = config.database.database_url.clone();
    let user_cache = user_cache(&config.database);
    let opened = match &target {
        DatabaseTarget::Sqlite(path) => {
            let database = SqliteDatabase::open(config, path, user_cache.clone()).await;
            database
                .inspect(|database| drop(tokio::spawn(sqlite_recovery::watch(database.clone()))))
                .map(|database| (Pools::Sqlite(database), false))
        }
        DatabaseTarget::Postgres(options) => open_postgres(config, options).await,
    };
    let (pools, shares_sessions) = opened.map_err(|cause| ConnectError { target: target.to_string(), cause })?;
    if shares_sessions && user_cache.is_some() {
        return Err(ConnectError { target: target.to_string(), cause: pooler::NO_NOTIFICATIONS.to_owned() });
    }
    let connections = usize::try_from(config.database.database_max_connections).unwrap_or(usize::MAX);
    let permits_beside_lanes = Arc::new(Semaphore::new((connections / 2).max(1)));
    let mut store = Store {
        pools,
        shares_sessions,
        clock,
        ids,
        target,
        user_cache,
        user_changes_retention: config.database.user_changes_retention,
        idempotency_keys_retention: config.database.idempotency_keys_retention,
        deadlines: config.deadlines,
        keys_in_flight: KeysInFlight::default(),
        abilities: Arc::new(Abilities::new()),
        permits_beside_lanes,
        replicas: None,
        faults: None,
    };
    if let (Pools::Postgres { all, .. }, DatabaseTarget::Postgres(options)) = (&store.pools, &store.target) {
        store.replicas = Replicas::open(config, options, all, store.read_limits()).map(Arc::new);
    }
    credentials::follow(&store, config.clone()).await;
    Ok(store)
}

impl Store {
    /// Observes the writes of other processes, if there is a cache, which is off until then. The schema must exist.
    pub(crate) fn follow_other_writers(&self) {
        let Some(cache) = self.user_cache.clone() else { return };
        match &self.pools {
            Pools::Sqlite(database) => drop(tokio::spawn(coherence::follow_other_writers(database.clone(), cache))),
            Pools::Postgres { all, .. } => {
                let pool = all.inner().clone();
                tokio::spawn(coherence::follow_notifications(pool, coherence::USERS, cache));
            }
        }
    }
}

/// Returns the cache of users, if it is enabled. It is off until the writes of other processes are observed.
fn user_cache(config: &DatabaseConfig) -> Option<Arc<Cache<Representation<User>>>> {
    let default = match config.database_url {
        // One process has the file.
        DatabaseTarget::Sqlite(_) => DEFAULT_CACHE_BYTES,
        // Several instances may share the database, and each change costs a notification to all of them.
        DatabaseTarget::Postgres(_) => 0,
    };
    let max_bytes = config.user_cache_bytes.unwrap_or(default);
    (max_bytes > 0).then(|| Arc::new(Cache::new("users", max_bytes)))
}

/// Returns also whether connections share sessions.
async fn open_postgres(config: &Config, options: &PgConnectOptions) -> Result<(Pools, bool), String> {
    let options = pool_options::postgres(config, options);
    let shares_sessions = wait_for_postgres(config, &options).await?;
    let probe = PostgresPool::new("probe", pool_options::probe(), options.clone(), PING_TIMEOUT);
    let deadline = config.deadlines.statement + RESPONSE_MARGIN;
    let all = PostgresPool::new("all", pool_options::requests(config), options, deadline);
    Ok((Pools::Postgres { all, probe }, shares_sessions))
}

/// Connects once, and tries again while the server is not available yet. A pool would report only a timeout; a single
/// connection reports the cause. Returns whether connections share sessions.
async fn wait_for_postgres(config: &Config, options: &PgConnectOptions) -> Result<bool, String> {
    let end = Instant::now() + config.database.database_startup_timeout;
    let mut pause = Duration::from_millis(100);
    loop {
        let attempt = config.deadlines.acquire.max(Duration::from_secs(5));
        let attempt = attempt.min(end.saturating_duration_since(Instant::now()));
        let cause = match tokio::time::timeout(attempt, PgConnection::connect_with(options)).await {
            Ok(Ok(mut connection)) => {
                let _ = tokio::time::timeout(attempt, warn_unless_durable(&mut connection)).await;
                pooler::warn_of_ignored(&pool_options::postgres_settings(config), &mut connection).await;
                let shares_sessions = pooler::shares_sessions(&mut connection, options).await?;
                // If this fails, the server closes the connection.
                let _ = connection.close().await;
                return Ok(shares_sessions);
            }
            Ok(Err(error)) if !is_not_available_yet(&error) => return Err(message(&error)),
            Ok(Err(error)) => message(&error),
            Err(_) => format!("no response within {}", humantime::format_duration(attempt)),
        };
        if Instant::now() + pause >= end {
            return Err(cause);
        }
        tracing::warn!(cause, retry_in = ?pause, "the database is not available yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_RETRY_PAUSE);
    }
}

/// Logs the settings of PostgreSQL with which a crash can lose acknowledged writes or damage the database.
async fn warn_unless_durable(connection: &mut PgConnection) {
    let query = "SELECT string_agg(name, ', ' ORDER BY name) FROM pg_settings \
                 WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'";
    match sqlx::query_scalar::<_, Option<String>>(query).fetch_one(connection).await {
        Ok(None) => {}
        Ok(Some(settings)) => tracing::warn!(
            settings,
            action = "turn these settings of PostgreSQL on",
            "PostgreSQL is not durable: a crash can lose acknowledged writes"
        ),
        Err(error) => tracing::warn!(error = message(&error), "cannot read the settings of PostgreSQL for durability"),
    }
}
