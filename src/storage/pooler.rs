//! Poolers between the server and PostgreSQL, such as `PgBouncer`. In session mode a connection has a session of PostgreSQL of its
//! own. In transaction mode each transaction has any session: what a session keeps is lost, or is that of another client. The
//! statements of requests keep nothing but prepared statements, which a pooler may support; what needs more is refused.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::error_kind::code;

/// How long the checks may take. On a pooler without a free session they would wait.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the sessions of two connections are compared. While other clients use the pooler, one comparison could miss that a
/// session is shared.
const ROUNDS: usize = 5;

const SESSION: &str = "SELECT pg_backend_pid()";

/// The settings of a connection that are not those that it was opened with.
const OTHER_SETTINGS: &str = "SELECT string_agg(name || ' = ' || quote_literal(expected), ', ') \
    FROM UNNEST($1::text[], $2::text[]) AS item (name, expected) JOIN pg_settings USING (name) WHERE setting <> expected";

/// Why a start through a pooler in transaction mode is refused.
pub(super) const NO_STATEMENTS: &str = "a pooler in transaction mode forgets prepared statements: use PgBouncer 1.21 or later \
    with max_prepared_statements, or its session mode";
pub(super) const NO_NOTIFICATIONS: &str = "USER_CACHE_BYTES needs notifications, which a pooler in transaction mode does not pass \
    on: set it to 0, or use session mode";
pub(super) const NO_MIGRATIONS: &str = "migrations are not possible through a pooler in transaction mode: run `web_server \
    migrate` with the URL of PostgreSQL itself, and start the server with --no-migrate (NO_MIGRATE=true)";
pub(super) const NO_IMPORT: &str =
    "an import is not possible through a pooler in transaction mode: use the URL of PostgreSQL itself";

/// Whether connections with these options share sessions. What cannot be found out is no error: requests will show it.
///
/// # Errors
/// [`NO_STATEMENTS`].
pub(super) async fn shares_sessions(one: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, &'static str> {
    let check = async {
        let mut other = options.connect().await?;
        let mut is_shared = false;
        let own = session(one).await?;
        for _ in 0..ROUNDS {
            is_shared |= session(&mut other).await? == own || session(one).await? != own;
        }
        // If this fails, the server closes the connection.
        let _ = other.close().await;
        Ok::<_, sqlx::Error>(is_shared)
    };
    match timeout(CHECK_TIMEOUT, check).await {
        Ok(Ok(is_shared)) => Ok(is_shared),
        // The name of a statement is that of another client's, or the statement is in another session.
        Ok(Err(error)) if matches!(&*code(&error), "42P05" | "26000") => Err(NO_STATEMENTS),
        _ => Ok(false),
    }
}

async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(SESSION).fetch_one(connection).await
}

/// Logs the settings that a connection was opened with but does not have, because a pooler ignores them.
pub(super) async fn warn_of_ignored(settings: &[(&'static str, String)], connection: &mut PgConnection) {
    let (names, values): (Vec<_>, Vec<_>) = settings.iter().map(|(name, value)| (*name, value.as_str())).unzip();
    let query = sqlx::query_scalar::<_, Option<String>>(OTHER_SETTINGS).bind(names).bind(values);
    if let Ok(Ok(Some(settings))) = timeout(CHECK_TIMEOUT, query.fetch_one(connection)).await {
        tracing::warn!(
            settings,
            action = "set them on the role of the server (ALTER ROLE … SET …)",
            "settings of connections have no effect: a pooler ignores them"
        );
    }
}
