//! A row of the table `users`.

use std::sync::Arc;

use api::{
    representation::Representation,
    users::{EmailAddress, User, UserName},
};
use uuid::Uuid;

use crate::storage::{cache::Row, types::Micros, write::Stored};

/// The columns of a row, in the order of [`UserRow`].
macro_rules! columns {
    () => {
        "id, name, email, version, created_at, updated_at"
    };
}
pub(super) use columns;

/// A row with the columns of `columns!`, in their order.
pub(super) type UserRow = (Uuid, String, String, i64, Micros, Micros);

pub(super) fn decode((id, name, email, version, created_at, updated_at): UserRow) -> User {
    let (name, email) = (UserName(name), EmailAddress(email));
    User { id, name, email, created_at: created_at.0, updated_at: updated_at.0, version }
}

/// A user that several requests may receive.
#[derive(Debug, Clone)]
pub(super) struct SharedUser(pub(super) Arc<Representation<User>>);

impl From<User> for SharedUser {
    fn from(user: User) -> Self {
        Self(Arc::new(Representation::new(user)))
    }
}

pub(super) fn user(row: UserRow) -> Arc<Representation<User>> {
    SharedUser::from(decode(row)).0
}

/// The version is not part of the JSON of a user.
fn versioned(user: &User) -> (i64, &User) {
    (user.version, user)
}

fn unversioned((version, user): (i64, User)) -> User {
    User { version, ..user }
}

impl Stored for SharedUser {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&versioned(&self.0))
    }

    fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json).map(|user| unversioned(user).into())
    }
}

impl Stored for Vec<Option<User>> {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.iter().map(|user| user.as_ref().map(versioned)).collect::<Vec<_>>())
    }

    fn from_json(json: &str) -> serde_json::Result<Self> {
        let users: Vec<Option<_>> = serde_json::from_str(json)?;
        Ok(users.into_iter().map(|user| user.map(unversioned)).collect())
    }
}

impl Row for Representation<User> {
    fn bytes(&self) -> usize {
        // The name and the address are in the JSON too, beside about 180 bytes.
        size_of::<Self>() + 2 * (self.name.0.len() + self.email.0.len()) + 180
    }
}
