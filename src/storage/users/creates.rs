//! Statements that create users.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use api::{
    store_error::StoreError,
    users::{User, UserInput},
};
use serde_json::json;
use uuid::Uuid;

use super::{changes::LATEST_CHANGE, row::SharedUser};
use crate::{
    ids::uuid_v7,
    storage::{
        error::Failure,
        pools::on,
        store::Store,
        types::{Micros, hex, json_ids, json_text},
        write::{Connection, Results, Write, on_connection},
    },
};

/// PostgreSQL generates the ids, from one clock for all instances: the order of ids is then the order in which users were
/// acknowledged. The second half of an id is that of a random one, by which the row is found in the result. The order of the
/// keys is the same in every transaction, so that two of them cannot wait for each other. On SQLite this process generates the
/// ids, and a statement creates nothing if a change has a later time than the first user.
macro_rules! create {
    (postgres, $on_conflict:literal) => {
        concat!(
            "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at, changed_by) \
             SELECT uuid_v7(at, tail), name, email, email_key, 1, at, at, txid_current() || ' ' || caller \
             FROM (SELECT (SELECT next_user_change()) + number * interval '1 microsecond' AS at, item.* \
                   FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY \
                   AS item (tail, name, email, email_key, caller, number)) AS item \
             ORDER BY email_key, number",
            $on_conflict,
            " RETURNING id, created_at"
        )
    };
    (sqlite, $on_conflict:literal) => {
        concat!(
            "INSERT INTO users (id, name, email, email_key, version, created_at, updated_at, changed_by) \
             SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, 1, value ->> 4, value ->> 4, '1 ' || (value ->> 5) \
             FROM json_each($1) WHERE $2 > coalesce((SELECT max(at) FROM user_changes), 0)",
            $on_conflict
        )
    };
}

/// Leaves out an address that exists, or that an earlier item has.
pub(super) const CREATE_MANY: (&str, &str) =
    (create!(postgres, " ON CONFLICT (email_key) DO NOTHING"), create!(sqlite, " ON CONFLICT (email_key) DO NOTHING"));

/// Fails if an address exists, and creates no user.
pub(super) const CREATE_ALL: (&str, &str) = (create!(postgres, ""), create!(sqlite, ""));

/// On SQLite, which of the users were created, if not all. Each returned row costs a change of threads.
pub(super) const CREATED: &str =
    "SELECT id, created_at FROM users WHERE id IN (SELECT unhex(value) FROM json_each($1))";

/// Which addresses exist.
pub(super) const TAKEN: (&str, &str) = (
    "SELECT email_key FROM users WHERE email_key = ANY($1)",
    "SELECT email_key FROM users WHERE email_key IN (SELECT value FROM json_each($1))",
);

/// A user to create.
pub(super) struct Create {
    /// A random id. The id of the user has its second half.
    tail: Uuid,
    new: UserInput,
    caller: Option<Arc<str>>,
}

impl Create {
    pub(super) fn new(store: &Store, new: UserInput, caller: Option<Arc<str>>) -> Self {
        Self { tail: store.ids.generate_random(), new, caller }
    }
}

/// Runs one statement. Returns the users, `None` for those that were not created.
async fn insert(
    store: &Store,
    db: Connection<'_>,
    statement: (&'static str, &'static str),
    users: &[&Create],
) -> Result<Vec<Option<User>>, sqlx::Error> {
    let rows: Vec<(Uuid, Micros)> = on_connection!(db,
        postgres db => {
            let tails: Vec<_> = users.iter().map(|user| user.tail).collect();
            let names: Vec<_> = users.iter().map(|user| user.new.name.0.as_str()).collect();
            let emails: Vec<_> = users.iter().map(|user| user.new.email.0.as_str()).collect();
            let keys: Vec<_> = users.iter().map(|user| user.new.email.key()).collect();
            let callers: Vec<_> = users.iter().map(|user| user.caller.as_deref()).collect();
            let query = sqlx::query_as(statement.0).bind(tails).bind(names).bind(emails).bind(keys).bind(callers);
            query.fetch_all(db).await?
        },
        sqlite db => {
            // This process has the only connection that writes: no other id is generated before it is released.
            let mut now = store.clock.now().datetime().timestamp_micros();
            loop {
                let rows: Vec<_> =
                    (now..).zip(users).map(|(micros, user)| (uuid_v7(micros, user.tail), Micros::from(micros))).collect();
                let items = users.iter().zip(&rows).map(|(user, (id, time))| {
                    let UserInput { name, email } = &user.new;
                    json!([hex(*id), name.0, email.0, email.key(), time.0.datetime().timestamp_micros(), user.caller])
                });
                let insert = sqlx::query(statement.1).bind(json_text(items)).bind(now);
                let count = insert.execute(&mut *db).await?.rows_affected();
                if count == rows.len() as u64 {
                    break rows;
                }
                let latest: Option<i64> = sqlx::query_scalar(LATEST_CHANGE).fetch_one(&mut *db).await?;
                if let Some(latest) = latest.filter(|latest| count == 0 && *latest >= now) {
                    now = latest + 1;
                    continue;
                }
                let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
                break sqlx::query_as(CREATED).bind(json_ids(&ids)).fetch_all(db).await?;
            }
        }
    );
    let created: HashMap<u64, _> = rows.into_iter().map(|(id, time)| (tail(id), (id, time.0))).collect();
    let user = |user: &&Create| {
        let &(id, time) = created.get(&tail(user.tail))?;
        let UserInput { name, email } = user.new.clone();
        Some(User { id, name, email, created_at: time, updated_at: time, version: 1 })
    };
    Ok(users.iter().map(user).collect())
}

/// The random half of an id.
fn tail(id: Uuid) -> u64 {
    id.as_u64_pair().1
}

// ---- One user -------------------------------------------------------------------------------------------------------

pub(super) struct CreateUsers(pub(super) Store);

impl Write for CreateUsers {
    type Item = Create;
    type Value = SharedUser;

    const OPERATION: &'static str = "users.create";

    fn store(&self) -> &Store {
        &self.0
    }

    async fn write_together(&self, db: Connection<'_>, users: &[&Create]) -> Result<Results<SharedUser>, sqlx::Error> {
        let users = insert(&self.0, db, CREATE_MANY, users).await?;
        Ok(users.into_iter().map(|user| Some(user.map(SharedUser::from).ok_or_else(not_unique))).collect())
    }

    async fn write_alone(&self, db: Connection<'_>, user: &Create) -> Result<Option<SharedUser>, sqlx::Error> {
        let users = insert(&self.0, db, CREATE_MANY, &[user]).await?;
        Ok(users.into_iter().flatten().next().map(SharedUser::from))
    }

    async fn refusal(&self, _: &Create) -> Result<StoreError, Failure> {
        Ok(not_unique())
    }
}

fn not_unique() -> StoreError {
    StoreError::Conflict("email".to_owned())
}

// ---- Several users --------------------------------------------------------------------------------------------------

/// Users of one request.
pub(super) struct CreateList {
    pub(super) users: Vec<Create>,
    pub(super) atomic: bool,
}

pub(super) struct CreateUserLists(pub(super) Store);

impl Write for CreateUserLists {
    type Item = CreateList;
    type Value = Vec<Option<User>>;

    const OPERATION: &'static str = "users.create_many";

    /// Each may have a megabyte, and take a tenth of a second.
    const MAX_DEPTH: usize = 32;

    fn store(&self) -> &Store {
        &self.0
    }

    /// A list is long enough for a statement, and fails or succeeds by itself.
    fn can_share(_: &CreateList, _: &CreateList) -> bool {
        false
    }

    async fn write_together(
        &self,
        _: Connection<'_>,
        lists: &[&CreateList],
    ) -> Result<Results<Self::Value>, sqlx::Error> {
        Ok(lists.iter().map(|_| None).collect())
    }

    async fn write_alone(&self, db: Connection<'_>, list: &CreateList) -> Result<Option<Self::Value>, sqlx::Error> {
        let statement = if list.atomic { CREATE_ALL } else { CREATE_MANY };
        insert(&self.0, db, statement, &list.users.iter().collect::<Vec<_>>()).await.map(Some)
    }

    async fn refusal(&self, _: &CreateList) -> Result<StoreError, Failure> {
        Ok(StoreError::Internal)
    }
}

/// Returns the pointers to the addresses that another user has, in the list or in the store.
pub(super) async fn conflicts(store: &Store, users: &[UserInput]) -> Result<Vec<String>, Failure> {
    let keys: Vec<_> = users.iter().map(|user| user.email.key()).collect();
    let query = async {
        on!(store.pools.read(),
            postgres db => sqlx::query_scalar(TAKEN.0).bind(&keys).fetch_all(db).await,
            sqlite db => {
                let keys = json_text(keys.iter().map(|key| json!(key)));
                sqlx::query_scalar(TAKEN.1).bind(keys).fetch_all(db).await
            }
        )
    };
    let mut taken: HashSet<String> = store.read(CreateUserLists::OPERATION, query).await?.into_iter().collect();
    let is_taken = |(place, key)| (!taken.insert(key)).then(|| format!("/users/{place}/email"));
    Ok(keys.into_iter().enumerate().filter_map(is_taken).collect())
}
