//! Statements that create users.

use std::{collections::HashMap, slice, sync::Arc};

use api::{
    representation::Representation,
    store_error::StoreError,
    timestamp::Timestamp,
    users::{NewUser, User},
};
use chrono::DateTime;
use serde_json::json;
use uuid::Uuid;

use super::changes::LATEST_CHANGE;
use crate::{
    ids::uuid_v7,
    storage::{
        coalescer::Batch,
        error::Failure,
        pools::on,
        store::Store,
        types::{Micros, hex, json_ids, json_text},
    },
};

/// An address that exists is left out. The order of the keys is the same in every transaction, so that two of them cannot
/// wait for each other.
///
/// PostgreSQL generates the ids, from one clock for all instances: the order of ids is then the order in which users were
/// acknowledged. The second half of an id is that of a random one, by which the row is found in the result.
pub(super) const CREATE_MANY: (&str, &str) = (
    "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
     SELECT uuid_v7(at, tail), name, email, email_key, 1, at, at \
     FROM (SELECT (SELECT next_user_change()) + number * interval '1 microsecond' AS at, tail, name, email, email_key \
           FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY \
           AS item (tail, name, email, email_key, number)) AS item \
     ORDER BY email_key ON CONFLICT (email_key) DO NOTHING RETURNING id, created_at",
    "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) \
     SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, 1, value ->> 4, value ->> 4 \
     FROM json_each($1) WHERE true ON CONFLICT (email_key) DO NOTHING",
);

/// On SQLite, which of the users were created, if not all. Each returned row costs a change of threads.
pub(super) const CREATED: &str =
    "SELECT id, created_at FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))";

/// A user to create.
pub(super) struct Create {
    /// A random id. The id of the user has its second half.
    pub(super) tail: Uuid,
    pub(super) new: NewUser,
}

pub(super) struct CreateUsers(pub(super) Store);

impl CreateUsers {
    /// Returns the ids and the times of the users that were created.
    async fn insert(&self, users: &[Create]) -> Result<Vec<(Uuid, Micros)>, sqlx::Error> {
        on!(self.0.pools.write(),
            postgres db => {
                let tails: Vec<_> = users.iter().map(|user| user.tail).collect();
                let names: Vec<_> = users.iter().map(|user| user.new.name.0.as_str()).collect();
                let emails: Vec<_> = users.iter().map(|user| user.new.email.0.as_str()).collect();
                let keys: Vec<_> = users.iter().map(|user| user.new.email.key()).collect();
                sqlx::query_as(CREATE_MANY.0).bind(tails).bind(names).bind(emails).bind(keys).fetch_all(db).await
            },
            sqlite db => {
                // This process has the only connection that writes: no other id is generated before it is released.
                let mut db = db.acquire().await?;
                let latest: Option<i64> = sqlx::query_scalar(LATEST_CHANGE).fetch_one(&mut *db).await?;
                let now = self.0.clock.now().datetime().timestamp_micros().max(latest.map_or(0, |latest| latest + 1));
                let times = (now..).map(|micros| Micros(Timestamp::new(DateTime::from_timestamp_micros(micros).unwrap_or_default())));
                let rows: Vec<_> = (now..).zip(users).zip(times).map(|((micros, user), time)| (uuid_v7(micros, user.tail), time)).collect();
                let items = users.iter().zip(&rows).map(|(user, (id, time))| {
                    let NewUser { name, email } = &user.new;
                    json!([hex(*id), name.0, email.0, email.key(), time.0.datetime().timestamp_micros()])
                });
                let count = sqlx::query(CREATE_MANY.1).bind(json_text(items)).execute(&mut *db).await?.rows_affected();
                if count == rows.len() as u64 {
                    return Ok(rows);
                }
                let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
                sqlx::query_as(CREATED).bind(json_ids(&ids)).fetch_all(&mut *db).await
            }
        )
    }
}

impl Batch for CreateUsers {
    type Item = Create;
    type Output = Result<Arc<Representation<User>>, StoreError>;
    type Error = Failure;

    const OPERATION: &'static str = "users.create";

    async fn run_together(&self, users: &[Create]) -> Result<Vec<Option<Self::Output>>, Failure> {
        let rows = self.0.statement(Self::OPERATION, self.insert(users)).await?;
        let created: HashMap<u64, _> = rows.into_iter().map(|(id, time)| (tail(id), (id, time.0))).collect();
        Ok(users
            .iter()
            .map(|user| match created.get(&tail(user.tail)) {
                Some(&(id, time)) => {
                    let NewUser { name, email } = user.new.clone();
                    let user = User { id, name, email, created_at: time, updated_at: time, version: 1 };
                    Some(Ok(Arc::new(Representation::new(user))))
                }
                None => Some(Err(StoreError::Conflict("email".to_owned()))),
            })
            .collect())
    }

    async fn run_alone(&self, user: &Create) -> Result<Self::Output, Failure> {
        let outputs = self.run_together(slice::from_ref(user)).await?;
        Ok(outputs.into_iter().flatten().next().unwrap_or(Err(StoreError::Internal)))
    }
}

/// The random half of an id.
fn tail(id: Uuid) -> u64 {
    id.as_u64_pair().1
}
