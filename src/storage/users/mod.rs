//! Users in SQL.
//!
//! Concurrent requests share statements (see the coalescer): each operation has a statement for several items and one for
//! a single item, which decides what the shared statement leaves out. The text of a statement is the same on both
//! databases, except where several items are bound: PostgreSQL has arrays, SQLite has JSON.

mod changes;
mod creates;
mod lists;
mod reads;
mod row;
mod writes;

use std::sync::Arc;

use api::{
    freshness::Freshness,
    preconditions::Versions,
    representation::Representation,
    store_error::StoreError,
    users::{NewUser, User, UserChangeList, UserChangeQuery, UserList, UserPatch, UserQuery, Users},
};
use async_trait::async_trait;
use uuid::Uuid;

use self::{
    changes::{CHANGES, COMPLETE_BEFORE, IS_KEPT, LATEST_CHANGE, ListChanges, REMOVE_CHANGES},
    creates::{CREATE_MANY, CREATED, Create, CreateUsers},
    lists::ListUsers,
    reads::{GET, GET_MANY, GetUsers},
    writes::{DELETE, DELETE_MANY, Delete, DeleteUsers, UPDATE, UPDATE_MANY, Update, UpdateUsers, VERSION},
};
use super::{coalescer::Coalescer, schema::Statements, store::Store};

pub(super) use changes::remove_old_changes;
pub use lists::LIST;

/// Every statement, for [`Store::check_schema`].
pub(super) const STATEMENTS: Statements = Statements {
    tables: &["users", "user_changes"],
    both: &[GET, UPDATE, DELETE, VERSION, LIST[0].0, LIST[1].0, LIST[2].0, LIST[3].0, LIST[4].0, LIST[5].0],
    postgres: &[
        CHANGES.0,
        IS_KEPT.0,
        REMOVE_CHANGES.0,
        COMPLETE_BEFORE,
        CREATE_MANY.0,
        GET_MANY.0,
        UPDATE_MANY.0,
        DELETE_MANY.0,
    ],
    sqlite: &[
        CHANGES.1,
        IS_KEPT.1,
        REMOVE_CHANGES.1,
        LATEST_CHANGE,
        CREATE_MANY.1,
        CREATED,
        GET_MANY.1,
        UPDATE_MANY.1,
        DELETE_MANY.1,
    ],
};

/// Returns the port on this database.
pub(super) fn port(store: Store) -> impl Users {
    SqlUsers {
        creates: Coalescer::new(CreateUsers(store.clone()), store.write_limits()),
        gets: Coalescer::new(GetUsers(store.clone()), store.read_limits()),
        changes: Coalescer::new(ListChanges(store.clone()), store.distinct_read_limits()),
        lists: Coalescer::new(ListUsers(store.clone()), store.distinct_read_limits()),
        updates: Coalescer::new(UpdateUsers(store.clone()), store.write_limits()),
        deletes: Coalescer::new(DeleteUsers(store.clone()), store.write_limits()),
        store,
    }
}

struct SqlUsers {
    store: Store,
    creates: Coalescer<CreateUsers>,
    gets: Coalescer<GetUsers>,
    changes: Coalescer<ListChanges>,
    lists: Coalescer<ListUsers>,
    updates: Coalescer<UpdateUsers>,
    deletes: Coalescer<DeleteUsers>,
}

#[async_trait]
impl Users for SqlUsers {
    async fn create(&self, new: NewUser) -> Result<Arc<Representation<User>>, StoreError> {
        let create = Create { tail: self.store.ids.generate_random(), new };
        self.creates.call(create).await.map_err(|error| error.log("users.create"))?
    }

    async fn get(&self, id: Uuid, freshness: Freshness) -> Result<Arc<Representation<User>>, StoreError> {
        let cache = self.store.user_cache.as_ref().filter(|_| freshness == Freshness::MayBeCached);
        if let Some(user) = cache.and_then(|cache| cache.get(id)) {
            return Ok(user);
        }
        let user = self.gets.call(id).await.map_err(|error| error.log("users.get"))?;
        user.ok_or(StoreError::NotFound)
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
    ) -> Result<Arc<Representation<User>>, StoreError> {
        let update = Update { id, versions, patch, now: self.store.clock.now() };
        self.updates.call(update).await.map_err(|error| error.log("users.update"))?
    }

    async fn delete(&self, id: Uuid, versions: Versions) -> Result<(), StoreError> {
        self.deletes.call(Delete { id, versions }).await.map_err(|error| error.log("users.delete"))?
    }
}
