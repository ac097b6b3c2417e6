//! Statements that list users.

use std::sync::Arc;

use api::{
    representation::Representation,
    timestamp::Timestamp,
    users::{EmailAddress, User, UserList, UserQuery, UserSort},
};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::{
    changes::complete_before,
    row::{UserRow, columns, decode},
};
use crate::{
    ids::uuid_v7,
    storage::{coalescer::Batch, error::Failure, pools::on, store::Store, types::Micros},
};

/// A page of the users in a range of ids and a range of times that match a filter.
macro_rules! list {
    ([$($filter:expr),*], $id:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM users WHERE ",
            $($filter,)*
            $id,
            " > $1 AND ",
            $id,
            " < $2 AND created_at > $3 AND created_at < $4 ORDER BY ",
            $id,
            $order,
            " LIMIT $5"
        )
    };
}

/// A statement for each order.
struct List {
    ascending: &'static str,
    descending: &'static str,
}

/// The primary key is the index: its order is the order of creation.
const ALL: List = List { ascending: list!([], "id", ""), descending: list!([], "id", " DESC") };

/// The names in a range, of bytes and regardless of the case of ASCII letters. SQLite has this collation, PostgreSQL has it by a
/// migration.
macro_rules! names {
    () => {
        "lower(name COLLATE \"BINARY\") >= $6 AND lower(name COLLATE \"BINARY\") < $7 AND "
    };
}

/// There is at most one row.
const BY_EMAIL: List = List {
    ascending: list!([names!(), "email_key = $8 AND "], "id", ""),
    descending: list!([names!(), "email_key = $8 AND "], "id", " DESC"),
};

/// The index is that of the names. `COALESCE` hides the primary key: a scan of it in the order of the page would read the
/// whole table for a name that is rare.
const BY_NAME: List = List {
    ascending: list!([names!()], "COALESCE(id, id)", ""),
    descending: list!([names!()], "COALESCE(id, id)", " DESC"),
};

/// Every statement that lists users, and the column whose index it uses, for the test of the plans.
pub const LIST: [(&str, &str); 6] = [
    (ALL.ascending, "id"),
    (ALL.descending, "id"),
    (BY_EMAIL.ascending, "email_key"),
    (BY_EMAIL.descending, "email_key"),
    (BY_NAME.ascending, "name"),
    (BY_NAME.descending, "name"),
];

/// The greatest code point: the names that begin with a text are less than the text and this.
const LAST: char = char::MAX;

/// How far the time in an id may be from `created_at`. Versions before 0.3 read the clock twice.
const SLACK: TimeDelta = TimeDelta::seconds(1);

pub(super) struct ListUsers(pub(super) Store);

/// Requests for the same page share a statement.
impl Batch for ListUsers {
    type Item = UserQuery;
    type Output = Arc<Representation<UserList>>;
    type Error = Failure;

    const OPERATION: &'static str = "users.list";

    fn joins(queries: &[UserQuery], next: &UserQuery) -> bool {
        queries.first() == Some(next)
    }

    async fn run_together(&self, queries: &[UserQuery]) -> Result<Vec<Option<Arc<Representation<UserList>>>>, Failure> {
        let Some(query) = queries.first() else { return Ok(Vec::new()) };
        let list = self.run_alone(query).await?;
        Ok(vec![Some(list); queries.len()])
    }

    async fn run_alone(&self, query: &UserQuery) -> Result<Arc<Representation<UserList>>, Failure> {
        let mut bounds = Bounds::new(query);
        if query.sort == UserSort::CreatedAt {
            // A walk that continues later misses no user: none with a lesser id will be committed any more.
            bounds.ids.1 = bounds.ids.1.min(complete_before(&self.0, Self::OPERATION).await?);
        }
        let bounds = &bounds;
        let statement = |pool| async move {
            on!(pool, db => {
                let mut statement = sqlx::query_as::<_, UserRow>(bounds.statement)
                    .bind(bounds.ids.0).bind(bounds.ids.1)
                    .bind(Micros(bounds.times.0)).bind(Micros(bounds.times.1))
                    .bind(bounds.rows);
                if let Some((first, end)) = &bounds.names {
                    statement = statement.bind(first).bind(end);
                }
                if let Some(email) = &bounds.email {
                    statement = statement.bind(email);
                }
                statement.fetch_all(db).await
            })
        };
        let rows = match query.sort {
            // Another program may have committed a user of this page without waiting for the disk (`synchronous_commit`). A
            // replica may not have it yet.
            UserSort::CreatedAt => self.0.read(Self::OPERATION, statement(self.0.pools.read())).await?,
            UserSort::CreatedAtDesc => self.0.read_anywhere(Self::OPERATION, statement).await?,
        };
        let mut users: Vec<User> = rows.into_iter().map(decode).collect();
        let next_cursor = query.page().cut(&mut users, |user| user.id);
        Ok(Arc::new(Representation::new(UserList { users, next_cursor })))
    }
}

/// A statement and its parameters. Ranges of ids and times are exclusive.
struct Bounds {
    statement: &'static str,
    ids: (Uuid, Uuid),
    times: (Timestamp, Timestamp),
    rows: i64,
    /// The first name, and the end of the names. `None` if the statement has no such parameters.
    names: Option<(String, String)>,
    email: Option<String>,
}

impl Bounds {
    fn new(query: &UserQuery) -> Self {
        // The bounds of what the two databases and RFC 3339 can express. Every user is between them.
        let (min, max) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default());
        let after = query.created_after.map_or(min, |time| time.clamp(min, max));
        // Rounded up to microseconds, so that a user before this time is less.
        let before = query.created_before.map_or(max, |time| time.clamp(min, max) + TimeDelta::nanoseconds(999));
        let (newer_than, older_than) = match query.sort {
            UserSort::CreatedAt => (query.cursor, None),
            UserSort::CreatedAtDesc => (None, query.cursor),
        };
        let first = query.created_after.map(|_| first_id((after - SLACK).timestamp_micros())).max(newer_than);
        let end = [query.created_before.map(|_| first_id((before + SLACK).timestamp_micros())), older_than]
            .into_iter()
            .flatten()
            .min();
        let ids = (first.unwrap_or(Uuid::nil()), end.unwrap_or(Uuid::max()));
        let names = query.name_prefix.as_ref().map(|prefix| {
            let first = prefix.to_ascii_lowercase();
            let end = format!("{first}{LAST}");
            (first, end)
        });
        let email = query.email.as_ref().map(EmailAddress::key);
        let list = match (&email, &names) {
            (Some(_), _) => BY_EMAIL,
            (None, Some(_)) => BY_NAME,
            (None, None) => ALL,
        };
        let statement = match query.sort {
            UserSort::CreatedAt => list.ascending,
            UserSort::CreatedAtDesc => list.descending,
        };
        let names = names.or_else(|| email.is_some().then(|| (String::new(), LAST.to_string())));
        let times = (Timestamp::new(after), Timestamp::new(before));
        Self { statement, ids, times, rows: query.page().rows(), names, email }
    }
}

/// The least id of a time.
fn first_id(micros: i64) -> Uuid {
    uuid_v7(micros, Uuid::nil())
}
