//! What a probe tries, with the statements of requests.

use api::{
    preconditions::Versions,
    users::{EmailAddress, UserInput, UserName, UserPatch},
};

use super::{
    creates::{Create, CreateUsers},
    row::{UserRow, columns},
    writes::{Delete, DeleteUsers, Update, UpdateUsers},
};
use crate::storage::{
    error_kind::unique_member,
    pools::on,
    store::Store,
    write::{Connection, Write, on_connection},
};

/// The first user, of which the columns are decoded.
pub(super) const FIRST: &str = concat!("SELECT ", columns!(), " FROM users ORDER BY id LIMIT 1");

/// The last user. What constraints of the operator admit, the next one has too.
pub(super) const LAST: &str = "SELECT name, email FROM users ORDER BY id DESC LIMIT 1";

/// Reads a user, if there is one.
pub(in crate::storage) async fn try_read(store: &Store) -> Result<(), sqlx::Error> {
    on!(store.pools.read(), db => sqlx::query_as::<_, UserRow>(FIRST).fetch_optional(db).await).map(drop)
}

/// Creates, updates and deletes a user like the last one, in a transaction that the caller undoes.
pub(in crate::storage) async fn try_writes(store: &Store, mut db: Connection<'_>) -> Result<(), sqlx::Error> {
    let last: Option<(String, String)> =
        on_connection!(db.reborrow(), db => sqlx::query_as(LAST).fetch_optional(db).await)?;
    let (name, email) = last.unwrap_or_else(|| ("web_server".to_owned(), "@example.com".to_owned()));
    let domain = email.rsplit_once('@').map_or("example.com", |(_, domain)| domain);
    let email = EmailAddress(format!("{}@{domain}", store.ids.generate_random()));
    let create = Create::new(store, UserInput { name: UserName(name.clone()), email }, None);
    let created = match CreateUsers(store.clone()).write_alone(db.reborrow(), &create).await {
        // Another index than those of the migrations, which the database has tried to write.
        Err(sqlx::Error::Database(error)) if unique_member(error.as_ref()).is_some() => return Ok(()),
        created => created?,
    };
    let Some(user) = created else {
        return Err(sqlx::Error::Configuration("a trigger prevents that users are created".into()));
    };
    let (id, versions) = (user.0.id, Versions::ANY);
    let patch = UserPatch { name: Some(UserName(name)), email: None };
    let update = Update { id, versions: versions.clone(), patch, now: store.clock.now(), caller: None };
    UpdateUsers(store.clone()).write_alone(db.reborrow(), &update).await?;
    DeleteUsers(store.clone()).write_alone(db, &Delete { id, versions, caller: None }).await.map(drop)
}
