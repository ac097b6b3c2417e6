//! Users: the representations that clients send and receive, and the storage port.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    freshness::Freshness, page::Page, representation::Representation, store_error::StoreError, timestamp::Timestamp,
};

// ---- Models ---------------------------------------------------------------------------------------------------------

/// The display name of a user. The contract's schema `UserName` validates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 100,
    pattern = r"^[^\s\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]([^\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])?$"
)]
pub struct UserName(pub String);

/// An e-mail address, as sent. The contract's schema `EmailAddress` validates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    format = "email",
    min_length = 6,
    max_length = 254,
    pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$"
)]
pub struct EmailAddress(pub String);

impl EmailAddress {
    /// Returns the form that must be unique: ASCII letters in lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A stored user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// Assigned by the server. A UUID of version 7, so that the order of ids is the order of creation.
    pub id: Uuid,
    /// The display name.
    pub name: UserName,
    /// Unique by [`EmailAddress::key`].
    pub email: EmailAddress,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The number of writes, from 1. Sent as the `ETag`.
    #[serde(skip)]
    pub version: i64,
}

/// The members of a user that a client sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// See [`User::name`].
    pub name: UserName,
    /// See [`User::email`].
    pub email: EmailAddress,
}

/// The members of a user to change (RFC 7396). No member can be removed, so none is nullable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// See [`User::name`].
    #[schema(nullable = false)]
    pub name: Option<UserName>,
    /// See [`User::email`].
    #[schema(nullable = false)]
    pub email: Option<EmailAddress>,
}

/// A page of users, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserList {
    /// The users of this page.
    #[schema(max_items = 100)]
    pub users: Vec<User>,
    /// The cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<Uuid>,
}

// ---- Storage port ---------------------------------------------------------------------------------------------------

/// The store of users. Each method is one use case. It is atomic and durable.
///
/// Every method can return [`StoreError::Unavailable`], [`StoreError::Overloaded`] or [`StoreError::Internal`]; further
/// errors are listed per method. Results are shared: concurrent requests may receive the same one.
#[async_trait]
pub trait Users: Send + Sync {
    /// Creates a user with a new id. `Conflict("email")` if another user has the address.
    async fn create(&self, new: NewUser) -> Result<Arc<Representation<User>>, StoreError>;

    /// Returns a user. `NotFound`.
    async fn get(&self, id: Uuid, freshness: Freshness) -> Result<Arc<Representation<User>>, StoreError>;

    /// Returns a page, newest first.
    async fn list(&self, page: Page) -> Result<Arc<Representation<UserList>>, StoreError>;

    /// Sets the members that the patch has, and increments the version. `NotFound`; `Conflict("email")`.
    async fn update(&self, id: Uuid, patch: UserPatch) -> Result<Arc<Representation<User>>, StoreError>;

    /// Deletes a user. `NotFound`.
    async fn delete(&self, id: Uuid) -> Result<(), StoreError>;
}
