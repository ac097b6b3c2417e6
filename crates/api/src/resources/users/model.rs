//! Users: the representations that clients send and receive, and the storage port.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    freshness::Freshness,
    idempotency::{Origin, Written},
    page::Page,
    preconditions::Versions,
    problem::{ItemProblem, ProblemType, Violation},
    public_url::PublicUrl,
    representation::Representation,
    store_error::StoreError,
    timestamp::Timestamp,
};

// ---- Models ---------------------------------------------------------------------------------------------------------

/// The display name of a user. The contract's schema `UserName` validates it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 100,
    pattern = "\
        ^([!-~\u{a1}-\u{ac}\u{ae}-\u{34e}\u{350}-\u{61b}\u{61d}-\u{115e}\u{1161}-\u{167f}\u{1681}-\u{17b3}\
        \u{17b6}-\u{180a}\u{1810}-\u{1fff}\u{2010}-\u{2027}\u{2030}-\u{205e}\u{2070}-\u{27ff}\u{2801}-\u{2fff}\
        \u{3001}-\u{3163}\u{3165}-\u{fdcf}\u{fdf0}-\u{fdff}\u{fe10}-\u{fefe}\u{ff00}-\u{ff9f}\u{ffa1}-\u{ffef}\
        \u{fffc}-\u{fffd}\u{10000}]\
        |[^\\x00-\u{ffff}\u{1bca0}\u{1bca1}\u{1bca2}\u{1bca3}\u{1d159}\u{1d173}\u{1d174}\u{1d175}\u{1d176}\
        \u{1d177}\u{1d178}\u{1d179}\u{1d17a}\u{e0001}\u{e0020}\u{e0021}\u{e0022}\u{e0023}\u{e0024}\u{e0025}\
        \u{e0026}\u{e0027}\u{e0028}\u{e0029}\u{e002a}\u{e002b}\u{e002c}\u{e002d}\u{e002e}\u{e002f}\u{e0030}\
        \u{e0031}\u{e0032}\u{e0033}\u{e0034}\u{e0035}\u{e0036}\u{e0037}\u{e0038}\u{e0039}\u{e003a}\u{e003b}\
        \u{e003c}\u{e003d}\u{e003e}\u{e003f}\u{e0040}\u{e0041}\u{e0042}\u{e0043}\u{e0044}\u{e0045}\u{e0046}\
        \u{e0047}\u{e0048}\u{e0049}\u{e004a}\u{e004b}\u{e004c}\u{e004d}\u{e004e}\u{e004f}\u{e0050}\u{e0051}\
        \u{e0052}\u{e0053}\u{e0054}\u{e0055}\u{e0056}\u{e0057}\u{e0058}\u{e0059}\u{e005a}\u{e005b}\u{e005c}\
        \u{e005d}\u{e005e}\u{e005f}\u{e0060}\u{e0061}\u{e0062}\u{e0063}\u{e0064}\u{e0065}\u{e0066}\u{e0067}\
        \u{e0068}\u{e0069}\u{e006a}\u{e006b}\u{e006c}\u{e006d}\u{e006e}\u{e006f}\u{e0070}\u{e0071}\u{e0072}\
        \u{e0073}\u{e0074}\u{e0075}\u{e0076}\u{e0077}\u{e0078}\u{e0079}\u{e007a}\u{e007b}\u{e007c}\u{e007d}\
        \u{e007e}\u{e007f}\u{e0100}\u{e0101}\u{e0102}\u{e0103}\u{e0104}\u{e0105}\u{e0106}\u{e0107}\u{e0108}\
        \u{e0109}\u{e010a}\u{e010b}\u{e010c}\u{e010d}\u{e010e}\u{e010f}\u{e0110}\u{e0111}\u{e0112}\u{e0113}\
        \u{e0114}\u{e0115}\u{e0116}\u{e0117}\u{e0118}\u{e0119}\u{e011a}\u{e011b}\u{e011c}\u{e011d}\u{e011e}\
        \u{e011f}\u{e0120}\u{e0121}\u{e0122}\u{e0123}\u{e0124}\u{e0125}\u{e0126}\u{e0127}\u{e0128}\u{e0129}\
        \u{e012a}\u{e012b}\u{e012c}\u{e012d}\u{e012e}\u{e012f}\u{e0130}\u{e0131}\u{e0132}\u{e0133}\u{e0134}\
        \u{e0135}\u{e0136}\u{e0137}\u{e0138}\u{e0139}\u{e013a}\u{e013b}\u{e013c}\u{e013d}\u{e013e}\u{e013f}\
        \u{e0140}\u{e0141}\u{e0142}\u{e0143}\u{e0144}\u{e0145}\u{e0146}\u{e0147}\u{e0148}\u{e0149}\u{e014a}\
        \u{e014b}\u{e014c}\u{e014d}\u{e014e}\u{e014f}\u{e0150}\u{e0151}\u{e0152}\u{e0153}\u{e0154}\u{e0155}\
        \u{e0156}\u{e0157}\u{e0158}\u{e0159}\u{e015a}\u{e015b}\u{e015c}\u{e015d}\u{e015e}\u{e015f}\u{e0160}\
        \u{e0161}\u{e0162}\u{e0163}\u{e0164}\u{e0165}\u{e0166}\u{e0167}\u{e0168}\u{e0169}\u{e016a}\u{e016b}\
        \u{e016c}\u{e016d}\u{e016e}\u{e016f}\u{e0170}\u{e0171}\u{e0172}\u{e0173}\u{e0174}\u{e0175}\u{e0176}\
        \u{e0177}\u{e0178}\u{e0179}\u{e017a}\u{e017b}\u{e017c}\u{e017d}\u{e017e}\u{e017f}\u{e0180}\u{e0181}\
        \u{e0182}\u{e0183}\u{e0184}\u{e0185}\u{e0186}\u{e0187}\u{e0188}\u{e0189}\u{e018a}\u{e018b}\u{e018c}\
        \u{e018d}\u{e018e}\u{e018f}\u{e0190}\u{e0191}\u{e0192}\u{e0193}\u{e0194}\u{e0195}\u{e0196}\u{e0197}\
        \u{e0198}\u{e0199}\u{e019a}\u{e019b}\u{e019c}\u{e019d}\u{e019e}\u{e019f}\u{e01a0}\u{e01a1}\u{e01a2}\
        \u{e01a3}\u{e01a4}\u{e01a5}\u{e01a6}\u{e01a7}\u{e01a8}\u{e01a9}\u{e01aa}\u{e01ab}\u{e01ac}\u{e01ad}\
        \u{e01ae}\u{e01af}\u{e01b0}\u{e01b1}\u{e01b2}\u{e01b3}\u{e01b4}\u{e01b5}\u{e01b6}\u{e01b7}\u{e01b8}\
        \u{e01b9}\u{e01ba}\u{e01bb}\u{e01bc}\u{e01bd}\u{e01be}\u{e01bf}\u{e01c0}\u{e01c1}\u{e01c2}\u{e01c3}\
        \u{e01c4}\u{e01c5}\u{e01c6}\u{e01c7}\u{e01c8}\u{e01c9}\u{e01ca}\u{e01cb}\u{e01cc}\u{e01cd}\u{e01ce}\
        \u{e01cf}\u{e01d0}\u{e01d1}\u{e01d2}\u{e01d3}\u{e01d4}\u{e01d5}\u{e01d6}\u{e01d7}\u{e01d8}\u{e01d9}\
        \u{e01da}\u{e01db}\u{e01dc}\u{e01dd}\u{e01de}\u{e01df}\u{e01e0}\u{e01e1}\u{e01e2}\u{e01e3}\u{e01e4}\
        \u{e01e5}\u{e01e6}\u{e01e7}\u{e01e8}\u{e01e9}\u{e01ea}\u{e01eb}\u{e01ec}\u{e01ed}\u{e01ee}\u{e01ef}\
        \u{1fffe}\u{1ffff}\u{2fffe}\u{2ffff}\u{3fffe}\u{3ffff}\u{4fffe}\u{4ffff}\u{5fffe}\u{5ffff}\u{6fffe}\
        \u{6ffff}\u{7fffe}\u{7ffff}\u{8fffe}\u{8ffff}\u{9fffe}\u{9ffff}\u{afffe}\u{affff}\u{bfffe}\u{bffff}\
        \u{cfffe}\u{cffff}\u{dfffe}\u{dffff}\u{efffe}\u{effff}\u{ffffe}\u{fffff}\u{10fffe}\u{10ffff}])\
        ([ \u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{2800}\u{3000}]*\
        ([!-~\u{a1}-\u{ac}\u{ae}-\u{34e}\u{350}-\u{61b}\u{61d}-\u{115e}\u{1161}-\u{167f}\u{1681}-\u{17b3}\
        \u{17b6}-\u{180a}\u{1810}-\u{1fff}\u{2010}-\u{2027}\u{2030}-\u{205e}\u{2070}-\u{27ff}\u{2801}-\u{2fff}\
        \u{3001}-\u{3163}\u{3165}-\u{fdcf}\u{fdf0}-\u{fdff}\u{fe10}-\u{fefe}\u{ff00}-\u{ff9f}\u{ffa1}-\u{ffef}\
        \u{fffc}-\u{fffd}]\
        |[^\\x00-\u{ffff}])\
        |[\u{34f}\u{17b4}-\u{17b5}\u{180b}-\u{180f}\u{200c}-\u{200d}\u{fe00}-\u{fe0f}])*$"
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Assigned by the server. A UUID of version 7, so that the order of ids is the order of creation.
    pub id: Uuid,
    /// The display name.
    pub name: UserName,
    /// Unique by [`EmailAddress::key`].
    pub email: EmailAddress,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change: never before that of the version before it, nor before `created_at`.
    pub updated_at: Timestamp,
    /// The number of changes, from 1. Sent as the `ETag`.
    #[serde(skip)]
    pub version: i64,
}

/// The members of a user that a client sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// See [`User::name`].
    pub name: UserName,
    /// See [`User::email`].
    pub email: EmailAddress,
}

/// Users to create.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBatch {
    /// The users.
    #[schema(min_items = 1, max_items = 1000)]
    pub users: Vec<UserInput>,
    /// Whether either all of them are created or none.
    #[serde(default)]
    #[schema(default = false)]
    pub atomic: bool,
}

/// The results of a [`UserBatch`].
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserCreations {
    /// One result per user, in the order of the request.
    #[schema(max_items = 1000)]
    pub results: Vec<UserCreation>,
}

/// The result for one user of a [`UserBatch`]: the user or a problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserCreation {
    /// The status that `POST /users` would have.
    #[schema(value_type = i32, minimum = 200, maximum = 599)]
    pub status: u16,
    /// The created user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user: Option<User>,
    /// Why no user was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problem: Option<ItemProblem>,
}

impl UserCreation {
    /// Returns the result for the user at this place. Without a user, another one has the address.
    pub(crate) fn new(public_url: &PublicUrl, place: usize, user: Option<User>) -> Self {
        let problem = user.is_none().then(|| {
            let violation = Violation::not_unique(format!("/users/{place}/email"));
            ItemProblem::new(public_url, ProblemType::Conflict, "Another user has this email.", vec![violation])
        });
        let status = problem.as_ref().map_or(201, |problem| problem.status);
        Self { status, user, problem }
    }
}

/// Which users to return: those with one of the ids or one of the addresses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserLookup {
    /// Ids of users.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub ids: Vec<Uuid>,
    /// Addresses of users, by [`EmailAddress::key`].
    #[serde(default)]
    #[schema(max_items = 500)]
    pub emails: Vec<EmailAddress>,
}

/// The users that a [`UserLookup`] found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UsersFound {
    /// Each user once, in the order of ids.
    #[schema(max_items = 1000)]
    pub users: Vec<User>,
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

/// A page of users.
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

/// The parameters of the list: a page of the users that match every filter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    /// The maximum number of users, 1 to 100.
    #[param(value_type = i32, required = false, minimum = 1, maximum = 100, default = 50)]
    pub limit: u32,
    /// Continue after the user with this id.
    #[param(nullable = false)]
    pub cursor: Option<Uuid>,
    /// The order of the users.
    #[param(required = false, inline)]
    pub sort: UserSort,
    /// Only the user with this address, by [`EmailAddress::key`].
    #[param(nullable = false)]
    pub email: Option<EmailAddress>,
    /// Only users whose name begins with this, regardless of the case of ASCII letters.
    #[param(nullable = false, min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]+$")]
    pub name_prefix: Option<String>,
    /// Only users that were created after this time.
    #[param(nullable = false)]
    pub created_after: Option<DateTime<Utc>>,
    /// Only users that were created before this time.
    #[param(nullable = false)]
    pub created_before: Option<DateTime<Utc>>,
}

impl UserQuery {
    /// Returns the position and the size of the page.
    pub fn page(&self) -> Page {
        Page { limit: self.limit, cursor: self.cursor }
    }
}

/// An order of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(default = "created_at_desc")]
pub enum UserSort {
    /// Oldest first.
    CreatedAt,
    /// Newest first.
    CreatedAtDesc,
}

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserChangeType {
    /// It was created.
    Created,
    /// It was replaced or updated.
    Updated,
    /// It was deleted.
    Deleted,
}

/// A change of a user. It has no value that a client sent, so nothing of a deleted user is left here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserChange {
    /// A UUID of version 7: the order of ids is the order of the changes.
    pub id: Uuid,
    /// What happened.
    pub r#type: UserChangeType,
    /// The id of the user.
    pub user_id: Uuid,
    /// The version of the user after the change; of a deleted user, its last one.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The time of the change.
    pub at: Timestamp,
    /// Who made it, if that is known: `key:NAME` of an API key, or `sub:SUBJECT` of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub changed_by: Option<String>,
}

/// A page of changes, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserChangeList {
    /// The changes of this page.
    #[schema(max_items = 1000)]
    pub changes: Vec<UserChange>,
    /// The `after` of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<Uuid>,
}

/// The parameters of the changes: a page, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserChangeQuery {
    /// The maximum number of changes, 1 to 1,000.
    #[param(value_type = i32, required = false, minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
    /// Only changes after the one with this id; the nil UUID is before all of them.
    #[param(nullable = false)]
    pub after: Option<Uuid>,
}

impl UserChangeQuery {
    /// Returns the position and the size of the page.
    pub fn page(&self) -> Page {
        Page { limit: self.limit, cursor: self.after }
    }
}

// ---- Storage port ---------------------------------------------------------------------------------------------------

/// The store of users. Each method is one use case. It is atomic and durable.
///
/// Every method can return [`StoreError::Unavailable`], [`StoreError::Overloaded`] or [`StoreError::Internal`]; further
/// errors are listed per method. A write with a key is done once: `KeyInUse`, `KeyReused`. Results are shared: concurrent
/// requests may receive the same one.
#[async_trait]
pub trait Users: Send + Sync {
    /// Creates a user with a new id. `Conflict("email")` if another user has the address.
    async fn create(&self, new: UserInput, origin: Origin) -> Result<Written<Arc<Representation<User>>>, StoreError>;

    /// Creates several users, in the order of the list. `None` for a user whose address another one has, in the list or in the
    /// store. If `atomic`, creates none unless it creates all: `Conflicts`.
    async fn create_many(
        &self,
        users: Vec<UserInput>,
        atomic: bool,
        origin: Origin,
    ) -> Result<Written<Vec<Option<User>>>, StoreError>;

    /// Returns a user. `NotFound`.
    async fn get(&self, id: Uuid, freshness: Freshness) -> Result<Arc<Representation<User>>, StoreError>;

    /// Returns each user with one of the ids or addresses once, in the order of ids.
    async fn look_up(&self, lookup: UserLookup) -> Result<Vec<User>, StoreError>;

    /// Returns a page.
    async fn list(&self, query: UserQuery) -> Result<Arc<Representation<UserList>>, StoreError>;

    /// Returns a page of the changes of all users: every change that was committed before the oldest transaction in flight
    /// began. `Expired` if changes after that id may have been removed.
    async fn changes(&self, query: UserChangeQuery) -> Result<Arc<Representation<UserChangeList>>, StoreError>;

    /// Sets the members that the patch has, if the user has one of these versions. Increments the version, unless every
    /// member has its value already. `NotFound`; `PreconditionFailed`; `Conflict("email")`.
    async fn update(
        &self,
        id: Uuid,
        versions: Versions,
        patch: UserPatch,
        origin: Origin,
    ) -> Result<Written<Arc<Representation<User>>>, StoreError>;

    /// Deletes a user, if it has one of these versions. `NotFound`; `PreconditionFailed`.
    async fn delete(&self, id: Uuid, versions: Versions, origin: Origin) -> Result<Written<()>, StoreError>;
}
