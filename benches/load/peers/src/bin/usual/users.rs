//! Users: handlers and SQL.

use std::{str::FromStr, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;
use validator::Validate;

const CONNECTIONS: u32 = 16; // as the server's DATABASE_MAX_CONNECTIONS
const SELECT: &str = "SELECT id, name, email, created_at, updated_at FROM users WHERE id = $1";
const SELECT_PAGE: &str = "SELECT id, name, email, created_at, updated_at FROM users ORDER BY id DESC LIMIT $1";
const INSERT: &str = "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, 1, $5, $5)";

/// The database of `DATABASE_URL`. SQLite has one connection for writes.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(PgPool),
    Sqlite { read: SqlitePool, write: SqlitePool },
}

impl Database {
    pub(crate) async fn connect(url: &str) -> sqlx::Result<Self> {
        if url.starts_with("postgres") {
            return Ok(Self::Postgres(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        Ok(Self::Sqlite {
            read: SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options.clone()).await?,
            write: SqlitePoolOptions::new().max_connections(1).connect_with(options).await?,
        })
    }
}

#[derive(Serialize)]
pub(crate) struct User {
    id: Uuid,
    name: String,
    email: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize, Validate)]
pub(crate) struct NewUser {
    #[validate(length(min = 1, max = 100))]
    name: String,
    #[validate(email)]
    email: String,
}

#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct UserList {
    users: Vec<User>,
    next_cursor: Option<Uuid>,
}

/// A row. PostgreSQL has time stamps, SQLite microseconds.
#[derive(sqlx::FromRow)]
struct Row<T> {
    id: Uuid,
    name: String,
    email: String,
    created_at: T,
    updated_at: T,
}

impl From<Row<DateTime<Utc>>> for User {
    fn from(row: Row<DateTime<Utc>>) -> Self {
        let Row { id, name, email, created_at, updated_at } = row;
        Self { id, name, email, created_at, updated_at }
    }
}

impl From<Row<i64>> for User {
    fn from(row: Row<i64>) -> Self {
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let Row { id, name, email, created_at, updated_at } = row;
        Self { id, name, email, created_at: time(created_at), updated_at: time(updated_at) }
    }
}

pub(crate) async fn read(State(database): State<Database>, Path(id): Path<Uuid>) -> Result<Json<User>, Error> {
    let user = match database {
        Database::Postgres(pool) => {
            sqlx::query_as::<_, Row<DateTime<Utc>>>(SELECT).bind(id).fetch_optional(&pool).await?.map(User::from)
        }
        Database::Sqlite { read, .. } => {
            sqlx::query_as::<_, Row<i64>>(SELECT).bind(id).fetch_optional(&read).await?.map(User::from)
        }
    };
    user.map(Json).ok_or(Error::NotFound)
}

pub(crate) async fn list(State(database): State<Database>, Query(page): Query<Page>) -> Result<Json<UserList>, Error> {
    let limit = page.limit.unwrap_or(50).clamp(1, 100);
    let users: Vec<User> = match database {
        Database::Postgres(pool) => {
            let rows = sqlx::query_as::<_, Row<DateTime<Utc>>>(SELECT_PAGE).bind(limit).fetch_all(&pool).await?;
            rows.into_iter().map(User::from).collect()
        }
        Database::Sqlite { read, .. } => {
            let rows = sqlx::query_as::<_, Row<i64>>(SELECT_PAGE).bind(limit).fetch_all(&read).await?;
            rows.into_iter().map(User::from).collect()
        }
    };
    let next_cursor = users.last().map(|user| user.id);
    Ok(Json(UserList { users, next_cursor }))
}

pub(crate) async fn create(
    State(database): State<Database>,
    Json(new): Json<NewUser>,
) -> Result<impl IntoResponse, Error> {
    new.validate()?;
    let (id, now, email_key) = (Uuid::now_v7(), Utc::now(), new.email.to_ascii_lowercase());
    match database {
        Database::Postgres(pool) => {
            let insert = sqlx::query(INSERT).bind(id).bind(&new.name).bind(&new.email).bind(email_key).bind(now);
            insert.execute(&pool).await.map(drop)?;
        }
        Database::Sqlite { write, .. } => {
            let insert = sqlx::query(INSERT).bind(id).bind(&new.name).bind(&new.email).bind(email_key);
            insert.bind(now.timestamp_micros()).execute(&write).await.map(drop)?;
        }
    }
    let user = User { id, name: new.name, email: new.email, created_at: now, updated_at: now };
    Ok((StatusCode::CREATED, [(LOCATION, format!("/users/{id}"))], Json(user)))
}

pub(crate) enum Error {
    NotFound,
    Invalid(validator::ValidationErrors),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<validator::ValidationErrors> for Error {
    fn from(errors: validator::ValidationErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors.to_string()).into_response(),
            Self::Database(error) => {
                tracing::error!(%error, "statement failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
