//! The schema of the database: migrations, and the check that the server can work with it.

use std::time::{Duration, Instant};

use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqlitePool,
    migrate::{Migrate, MigrateError, Migrator},
};

use tokio::time::{sleep, timeout};

use super::{
    error_kind::{is_contention, is_misfit, lacks_privilege, message},
    pool_options::MAX_OPEN_TIME,
    pooler,
    pools::Pools,
    postgres_pool,
    resources::STATEMENTS,
    store::Store,
};

/// The tables of a resource and its statements: those for both databases, and those for one.
pub(super) struct Statements {
    pub(super) tables: &'static [&'static str],
    pub(super) both: &'static [&'static str],
    pub(super) postgres: &'static [&'static str],
    pub(super) sqlite: &'static [&'static str],
}

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Returns the version of the last migration, which is the same on both databases.
pub(crate) fn schema_version() -> i64 {
    SQLITE_MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// A privilege on one of these tables that the role lacks.
const MISSING_PRIVILEGE: &str = "SELECT privilege, name FROM UNNEST($1::text[]) AS name, \
    UNNEST(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege WHERE NOT has_table_privilege(name, privilege) LIMIT 1";

/// The pause between two attempts to take a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// The SQLSTATE of a statement that waited for a lock for too long.
const LOCK_TIMEOUT: &str = "55P03";

/// Why the schema is not up to date, in one line.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Another version of the server ran a migration that this one does not have.
    #[error(
        "the database was migrated by a newer version of the server (migration {0} is unknown to this one): start that \
         version, restore a backup from before the migration, or set NO_MIGRATE=true if this version works with its schema"
    )]
    Newer(i64),
    /// A migration failed.
    #[error("database migration failed: {0}")]
    Failed(String),
}

/// Why the statements of the server do not work, in one line.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The schema is not the one of this version.
    #[error(
        "the database schema does not match this version ({0}): run `web_server migrate`, or start the version that migrated it"
    )]
    Misfit(String),
    /// The database is locked or can only be read, a privilege is missing, or a pooler is not supported.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
}

impl<E: Into<MigrateError>> From<E> for MigrationError {
    fn from(error: E) -> Self {
        match error.into() {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) if lacks_privilege(&error) => {
                let advice =
                    "migrate with a role that may change the schema, and start with --no-migrate (NO_MIGRATE=true)";
                Self::Failed(format!("{}: {advice}", message(&error)))
            }
            MigrateError::Execute(error) => Self::Failed(message(&error)),
            MigrateError::ExecuteMigration(error, version) => Self::Failed(format!("{version}: {}", message(&error))),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl Store {
    /// Runs pending migrations. Several instances can do this at the same time: on PostgreSQL they wait for a lock; on
    /// SQLite the second instance tries again and finds nothing pending.
    ///
    /// # Errors
    /// The database is unavailable, or its schema is newer than this version or was changed by hand.
    pub async fn migrate(&self) -> Result<(), MigrationError> {
        match &self.pools {
            Pools::Sqlite(database) => migrate_sqlite(&database.connections().writer).await,
            Pools::Postgres { .. } if self.shares_sessions => {
                Err(MigrationError::Failed(pooler::NO_MIGRATIONS.to_owned()))
            }
            Pools::Postgres { .. } => {
                // On a connection without the timeouts for requests: creating an index on a large table takes longer.
                let mut connection = postgres_pool::without_timeouts(&self.target).await?;
                lock_migrations(&mut connection).await?;
                drop_interrupted_indexes(&mut connection).await?;
                sqlx::migrate!("migrations/postgres").set_locking(false).run(&mut connection).await?;
                // This releases the lock. If it fails, the server closes the connection.
                let _ = connection.close().await;
                Ok(())
            }
        }
    }

    /// Prepares every statement and checks the permissions, so that an incompatible schema is found at start.
    ///
    /// # Errors
    /// The error of the database for the first statement that it cannot prepare, or the missing privilege.
    pub async fn check_schema(&self) -> Result<(), SchemaError> {
        let start = Instant::now();
        let tried = loop {
            match self.try_statements().await {
                Err(error) if may_pass(&error) && start.elapsed() < MAX_OPEN_TIME => sleep(LOCK_PAUSE).await,
                tried => break tried,
            }
        };
        tried.map_err(|error| match &error {
            sqlx::Error::Database(cause) if is_misfit(cause.as_ref()) => SchemaError::Misfit(message(&error)),
            _ => SchemaError::Unusable(message(&error)),
        })
    }

    /// [`Self::check_schema`], with the error of the database.
    pub(super) async fn try_statements(&self) -> Result<(), sqlx::Error> {
        match &self.pools {
            Pools::Sqlite(database) => check_sqlite(&database.connections().writer).await,
            Pools::Postgres { all, .. } => {
                let mut lease = all.acquire().await?;
                let result = check_postgres(lease.connection(), all.deadline()).await;
                lease.finish(result)
            }
        }
    }
}

/// Checks on a connection of its own that a role can do what the server does.
///
/// # Errors
/// It cannot connect within this time, or as [`Store::check_schema`].
pub(super) async fn check_role(
    options: &sqlx::postgres::PgConnectOptions,
    deadline: Duration,
) -> Result<(), sqlx::Error> {
    let connected = timeout(deadline, PgConnection::connect_with(options)).await;
    let mut connection = connected.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let result = check_postgres(&mut connection, deadline).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let _ = timeout(deadline, connection.close()).await;
    result
}

/// Whether a check fails because of a busy machine, or of another client that has a lock.
fn may_pass(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut) || is_contention(error)
}

/// [`Store::check_schema`] on PostgreSQL. Each statement has a deadline of its own. `None`: one passed.
async fn check_postgres(connection: &mut PgConnection, deadline: Duration) -> Option<Result<(), sqlx::Error>> {
    // A statement that is prepared already would not be sent.
    if let Err(error) = timeout(deadline, connection.clear_cached_statements()).await.ok()? {
        return Some(Err(error));
    }
    for statements in STATEMENTS {
        for statement in statements.both.iter().chain(statements.postgres) {
            let prepared = connection.prepare(SqlSafeStr::into_sql_str(*statement));
            if let Err(error) = timeout(deadline, prepared).await.ok()? {
                return Some(Err(error));
            }
        }
        let missing = sqlx::query_as(MISSING_PRIVILEGE).bind(statements.tables).fetch_optional(&mut *connection);
        let missing: Option<(String, String)> = match timeout(deadline, missing).await.ok()? {
            Ok(missing) => missing,
            Err(error) => return Some(Err(error)),
        };
        if let Some((privilege, table)) = missing {
            let message = format!("the role lacks the privilege {privilege} on the table {table}");
            return Some(Err(sqlx::Error::Configuration(message.into())));
        }
    }
    Some(Ok(()))
}

/// Drops what an interrupted `CREATE INDEX CONCURRENTLY` of a migration has left: an index whose name is taken, and which may be
/// invalid. Another instance cannot be creating it, since the migrations are locked.
async fn drop_interrupted_indexes(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for migration in sqlx::migrate!("migrations/postgres").iter() {
        let Some((_, statement)) = migration.sql.as_str().split_once("INDEX CONCURRENTLY ") else { continue };
        let name = statement.split_whitespace().next().unwrap_or_default();
        let exists = "SELECT to_regclass($1) IS NOT NULL";
        let is_pending = "SELECT NOT EXISTS (SELECT FROM _sqlx_migrations WHERE version = $1 AND success)";
        if sqlx::query_scalar(exists).bind(name).fetch_one(&mut *connection).await?
            && sqlx::query_scalar(is_pending).bind(migration.version).fetch_one(&mut *connection).await?
        {
            tracing::warn!(index = name, "removing an index whose creation was interrupted");
            connection.execute(AssertSqlSafe(format!("DROP INDEX {name}"))).await?;
        }
    }
    Ok(())
}

/// [`Store::migrate`] on SQLite.
pub(super) async fn migrate_sqlite(writer: &SqlitePool) -> Result<(), MigrationError> {
    for _ in 0..4 {
        match SQLITE_MIGRATIONS.run(writer).await {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) => {
                sleep(Duration::from_millis(250)).await;
            }
            result => return Ok(result?),
        }
    }
    Ok(SQLITE_MIGRATIONS.run(writer).await?)
}

/// [`Store::check_schema`] on SQLite.
pub(super) async fn check_sqlite(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut connection = writer.acquire().await?;
    connection.clear_cached_statements().await?;
    // Write access, without writing. `BEGIN IMMEDIATE` is not enough: without write access SQLite treats it as a plain BEGIN. And
    // a statement that runs reads the schema again if another process has changed it, which `prepare` does not.
    sqlx::query("UPDATE users SET version = version WHERE 1 = 0").execute(&mut *connection).await?;
    for statements in STATEMENTS {
        for statement in statements.both.iter().chain(statements.sqlite) {
            connection.prepare(SqlSafeStr::into_sql_str(*statement)).await?;
        }
    }
    Ok(())
}

/// Takes the lock that sqlx-cli takes too, and logs if another instance has it. Each attempt is short: `CREATE INDEX
/// CONCURRENTLY` waits for the statements of every other connection, and would wait for one that waits for its lock.
async fn lock_migrations(connection: &mut PgConnection) -> Result<(), MigrateError> {
    connection.execute("SET lock_timeout = '100ms'").await?;
    let mut is_reported = false;
    loop {
        match connection.lock().await {
            Err(MigrateError::Execute(sqlx::Error::Database(error)))
                if error.code().as_deref() == Some(LOCK_TIMEOUT) => {}
            Err(error) => return Err(error),
            Ok(()) => break,
        }
        if !is_reported {
            tracing::info!("another instance is running migrations: waiting for it");
            is_reported = true;
        }
        sleep(LOCK_PAUSE).await;
    }
    connection.execute("RESET lock_timeout").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_exists_for_both_databases() {
        let of = |migrator: &Migrator| migrator.iter().map(|migration| migration.version).collect::<Vec<_>>();
        assert_eq!(of(&sqlx::migrate!("migrations/postgres")), of(&SQLITE_MIGRATIONS));
    }
}
