//! Users in SQL.
//!
//! Concurrent requests share statements (see the coalescer): each operation has a statement for several items and one for
//! a single item, which decides what the shared statement leaves out. The text of a statement is the same on both
//! databases, except where several items are bound: PostgreSQL has arrays, SQLite has JSON.

mod changes;
mod creates;
mod exports;
mod imports;
mod lists;
mod probes;
mod reads;
mod row;
mod writes;

use std::sync::Arc;

use api::{
    freshness::Freshness,
    idempotency::{Origin, Written},
    preconditions::Versions,
    representation::Representation,
    store_error::StoreError,
    users::{User, UserChangeList, UserChangeQuery, UserInput, UserList, UserLookup, UserPatch, UserQuery, Users},
};
use async_trait::async_trait;
use uuid::Uuid;

use self::{
    changes::{CHANGES, COMPLETE_BEFORE, IS_KEPT, LATEST_CHANGE, ListChanges, REMOVE_CHANGES},
    creates::{CREATE_ALL, CREATE_MANY, CREATED, Create, CreateList, CreateUserLists, CreateUsers, TAKEN, conflicts},
    exports::EXPORT,
    imports::{ADD_LATEST_CHANGE, EXISTING, IMPORT_SQLITE, REMOVE_LATEST_CHANGE},
    lists::ListUsers,
    probes::{FIRST, LAST},
    reads::{GET, GET_MANY, GetUsers, LOOK_UP, LookUpUsers},
    writes::{DELETE, DELETE_MANY, Delete, DeleteUsers, REFUSAL, UPDATE, UPDATE_MANY, Update, UpdateUsers, VERSION},
};
use super::{coalescer::Coalescer, error::Failure, schema::Statements, store::Store, writer::Writer};

pub(super) use changes::remove_changes;
pub use imports::{ImportedUser, UserImporter};
pub use lists::LIST;
pub(super) use probes::{try_read, try_writes};

/// Every statement, for [`Store::check_schema`].
pub(super) const STATEMENTS: Statements = Statements {
    tables: &["users", "user_changes"],
    both: &[
        FIRST,
        LAST,
        GET,
        VERSION,
        REFUSAL,
        EXPORT,
        IS_KEPT,
        REMOVE_CHANGES,
        LIST[0].0,
        LIST[1].0,
        LIST[2].0,
        LIST[3].0,
        LIST[4].0,
        LIST[5].0,
    ],
    postgres: &[
        CHANGES.0,
        COMPLETE_BEFORE,
        CREATE_MANY.0,
        CREATE_ALL.0,
        TAKEN.0,
        EXISTING.0,
        GET_MANY.0,
        LOOK_UP.0,
        UPDATE.0,
        UPDATE_MANY.0,
        DELETE.0,
        DELETE_MANY.0,
    ],
    sqlite: &[
        CHANGES.1,
        LATEST_CHANGE,
        CREATE_MANY.1,
        CREATE_ALL.1,
        TAKEN.1,
        CREATED,
        IMPORT_SQLITE,
        ADD_LATEST_CHANGE,
        REMOVE_LATEST_CHANGE,
        EXISTING.1,
        GET_MANY.1,
        LOOK_UP.1,
        UPDATE.1,
        UPDATE_MANY.1,
        DELETE.1,
        DELETE_MANY.1,
    ],
};

/// Returns the port on this database.
pub(super) fn port(store: Store) -> impl Users {
    SqlUsers {
        creates: Writer::new(&store, CreateUsers),
        list_creates: Writer::new(&store, CreateUserLists),
        gets: Coalescer::new(GetUsers(store.clone()), store.read_limits()),
        lookups: Coalescer::new(LookUpUsers(store.clone()), LookUpUsers::limits(&store)),
        changes: Coalescer::new(ListChanges(store.clone()), store.distinct_read_limits()),
        lists: Coalescer::new(ListUsers(store.clone()), store.distinct_read_limits()),
        updates: Writer::new(&store, UpdateUsers),
        deletes: Writer::new(&store, DeleteUsers),
        store,
    }
}

struct SqlUsers {
    store: Store,
    creates: Writer<CreateUsers>,
    list_creates: Writer<CreateUserLists>,
    gets: Coalescer<GetUsers>,
    lookups: Coalescer<LookUpUsers>,
    changes: Coalescer<ListChanges>,
    lists: Coalescer<ListUsers>,
    updates: Writer<UpdateUsers>,
    deletes: Writer<DeleteUsers>,
}

#[async_trait]
impl Users for SqlUsers {
    async fn create(&self, new: UserInput, origin: Origin) -> Result<Written<Arc<Representation<User>>>, StoreError> {
        let user = self.creates.call(Create::new(&self.store, new, origin.caller), origin.key).await?;
        Ok(user.map(|user| user.0))
    }

    async fn create_many(
        &self,
        users: Vec<UserInput>,
        atomic: bool,
        origin: Origin,
    ) -> Result<Written<Vec<Option<User>>>, StoreError> {
        let creates = users.iter().map(|new| Create::new(&self.store, new.clone(), origin.caller.clone())).collect();
        let result = self.list_creates.call(CreateList { users: creates, atomic }, origin.key).await;
        if !matches!(&result, Err(StoreError::Conflict(member)) if member == "email") {
            return result;
        }
        let pointers = conflicts(&self.store, &users).await.map_err(|error| error.log("users.create_many"))?;
        // The other user was deleted in the meantime: the same request may succeed.
        Err(if pointers.is_empty() {
            Failure::overtaken().log("users.create_many")
        } else {
            StoreError::Conflicts(pointers)
        })
    }

    async fn get(&self, id: Uuid, freshness: Freshness) -> Result<Arc<Representation<User>>, StoreError> {
        let cache = self.store.user_cache.as_ref().filter(|_| freshness == Freshness::MayBeCached);
        if let Some(user) = cache.and_then(|cache| cache.get(id)) {
            return Ok(user);
        }
        let user = self.gets.call(id).await.map_err(|error| error.log("users.get"))?;
        user.ok_or(StoreError::NotFound)
    }

    async fn look_up(&self, lookup: UserLookup) -> Result<Vec<User>, StoreError> {
        self.lookups.call(lookup).await.map_err(|error| error.log("users.look_up"))
    }

    async fn list(&self, query: UserQuery) -> Result<Arc<Representation<UserList>>, StoreError> {
        self.lists.call(query).await.map_err(|error| error.log("users.list"))
    }

    async fn changes(&self, query: UserChangeQuery) -> Result<Arc<Representation<UserChangeList>>, StoreError> {
        let changes = self.changes.call(query).await.map_err(|error| error.log("users.changes"))?;
        changes.ok_or(StoreError::Expired)
    }

    async fn update(
        &self,
        id: Uuid,
        versions: Versions,
        patch: UserPatch,
        origin: Origin,
    ) -> Result<Written<Arc<Representation<User>>>, StoreError> {
        let update = Update { id, versions, patch, now: self.store.clock.now(), caller: origin.caller };
        Ok(self.updates.call(update, origin.key).await?.map(|user| user.0))
    }

    async fn delete(&self, id: Uuid, versions: Versions, origin: Origin) -> Result<Written<()>, StoreError> {
        self.deletes.call(Delete { id, versions, caller: origin.caller }, origin.key).await
    }
}
