//! The resource `users`: its models, its storage port, its handlers and its routes.

use async_trait::async_trait;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    AppState,
    extract::{Body, Path, Query},
    page::{Page, with_next},
    problem::Problem,
    respond::{EntityTag, Location, json, with_header},
    store_error::StoreError,
    timestamp::Timestamp,
};

// ---- Models ---------------------------------------------------------------------------------------------------------

/// What people call a user. Validated by the contract: see `UserName` there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 100,
    pattern = r"^[^\s\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]([^\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])?$"
)]
pub struct UserName(pub String);

/// An e-mail address, as given. Validated by the contract: see `EmailAddress` there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(
    format = "email",
    min_length = 6,
    max_length = 254,
    pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$"
)]
pub struct EmailAddress(pub String);

impl EmailAddress {
    /// The form under which the address is unique: ASCII letters in lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A user, as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// Given by the server; a UUID of version 7, so that the order of ids is the order of creation.
    pub id: Uuid,
    /// What people call the user.
    pub name: UserName,
    /// Unique by [`EmailAddress::key`].
    pub email: EmailAddress,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// How often the user was written, from 1. Sent as the `ETag`.
    #[serde(skip)]
    pub version: i64,
}

/// What a client says of a user.
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

/// One page of users, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserList {
    /// The users of this page.
    #[schema(max_items = 100)]
    pub users: Vec<User>,
    /// Where the next page starts; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<Uuid>,
}

/// The path of one user.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct UserPath {
    id: Uuid,
}

// ---- Storage port ---------------------------------------------------------------------------------------------------

/// Where users are kept. A method is a use case: it happens wholly and durably, or not at all.
///
/// Every method can answer [`StoreError::Unavailable`] or [`StoreError::Internal`]; the others are named with each.
#[async_trait]
pub trait Users: Send + Sync {
    /// Creates a user with a new id. `Conflict("email")`: the address belongs to another user.
    async fn create(&self, new: NewUser) -> Result<User, StoreError>;

    /// Reads a user. `NotFound`.
    async fn get(&self, id: Uuid) -> Result<User, StoreError>;

    /// Reads a page, newest first.
    async fn list(&self, page: Page) -> Result<UserList, StoreError>;

    /// Changes the members that the patch holds and raises the version. `NotFound`; `Conflict("email")`.
    async fn update(&self, id: Uuid, patch: UserPatch) -> Result<User, StoreError>;

    /// Deletes a user. `NotFound`.
    async fn delete(&self, id: Uuid) -> Result<(), StoreError>;
}

// ---- Handlers -------------------------------------------------------------------------------------------------------

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        // /users
        .routes(routes!(list_users, create_user))
        // /users/{id}
        .routes(routes!(get_user, replace_user, update_user, delete_user))
}

#[utoipa::path(get, path = "/users", operation_id = "listUsers", tag = "users", params(Page),
    responses((status = 200, body = UserList, headers(("Link" = String)))))]
async fn list_users(State(state): State<AppState>, Query(page): Query<Page>) -> Result<Response, Problem> {
    let list = state.users.list(page).await.map_err(problem)?;
    Ok(with_next(json(StatusCode::OK, &list), "/users", page, list.next_cursor))
}

#[utoipa::path(post, path = "/users", operation_id = "createUser", tag = "users", request_body = NewUser,
    responses(
        (status = 201, body = User, headers(("Location" = Location), ("ETag" = EntityTag))),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn create_user(State(state): State<AppState>, Body(new): Body<NewUser>) -> Result<Response, Problem> {
    let user = state.users.create(new).await.map_err(problem)?;
    let location = format!("/users/{}", user.id);
    Ok(with_header(representation(StatusCode::CREATED, &user), header::LOCATION, location))
}

#[utoipa::path(get, path = "/users/{id}", operation_id = "getUser", tag = "users", params(UserPath),
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag))),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn get_user(State(state): State<AppState>, Path(path): Path<UserPath>) -> Result<Response, Problem> {
    let user = state.users.get(path.id).await.map_err(problem)?;
    Ok(representation(StatusCode::OK, &user))
}

#[utoipa::path(put, path = "/users/{id}", operation_id = "replaceUser", tag = "users", params(UserPath),
    request_body = NewUser,
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn replace_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    Body(new): Body<NewUser>,
) -> Result<Response, Problem> {
    let all = UserPatch { name: Some(new.name), email: Some(new.email) };
    let user = state.users.update(path.id, all).await.map_err(problem)?;
    Ok(representation(StatusCode::OK, &user))
}

#[utoipa::path(patch, path = "/users/{id}", operation_id = "updateUser", tag = "users", params(UserPath),
    request_body(content((UserPatch = "application/merge-patch+json"), (UserPatch = "application/json"))),
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn update_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    Body(patch): Body<UserPatch>,
) -> Result<Response, Problem> {
    let user = if patch == UserPatch::default() {
        // Nothing to change is no change: neither the version nor `updated_at` moves.
        state.users.get(path.id).await
    } else {
        state.users.update(path.id, patch).await
    };
    Ok(representation(StatusCode::OK, &user.map_err(problem)?))
}

#[utoipa::path(delete, path = "/users/{id}", operation_id = "deleteUser", tag = "users", params(UserPath),
    responses(
        (status = 204),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn delete_user(State(state): State<AppState>, Path(path): Path<UserPath>) -> Result<Response, Problem> {
    state.users.delete(path.id).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A user with its strong validator. The version belongs to the row, so the tag is right on every instance.
fn representation(status: StatusCode, user: &User) -> Response {
    with_header(json(status, user), header::ETAG, format!("\"{}\"", user.version))
}

fn problem(error: StoreError) -> Problem {
    error.into_problem("user")
}
