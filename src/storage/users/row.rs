//! A row of the table `users`.

use std::sync::Arc;

use api::{
    representation::Representation,
    users::{EmailAddress, User, UserName},
};
use uuid::Uuid;

use crate::storage::{cache::Row, types::Micros};

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

pub(super) fn user(row: UserRow) -> Arc<Representation<User>> {
    Arc::new(Representation::new(decode(row)))
}

impl Row for Representation<User> {
    fn bytes(&self) -> usize {
        // The name and the address are in the JSON too, beside about 180 bytes.
        size_of::<Self>() + 2 * (self.name.0.len() + self.email.0.len()) + 180
    }
}
