//! Users: the operations and their routes.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::model::{
    User, UserBatch, UserChangeList, UserChangeQuery, UserCreation, UserCreations, UserInput, UserList, UserLookup,
    UserPatch, UserQuery, UsersFound,
};
use crate::{
    extract::{Body, Header, Path, Query},
    freshness::Freshness,
    idempotency::{IdempotencyHeader, Origin},
    page::with_next,
    preconditions::{ReadPrecondition, WritePreconditions, entity_tag, not_modified},
    problem::Problem,
    representation::Representation,
    respond::{self, EntityTag, Location, with_header},
    state::AppState,
    store_error::StoreError,
};

/// The path of one user.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct UserPath {
    id: Uuid,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        // /users
        .routes(routes!(list_users, create_user))
        // /users/batch
        .routes(routes!(create_users))
        // /users/lookup
        .routes(routes!(lookup_users))
        // /users/changes
        .routes(routes!(list_user_changes))
        // /users/{id}
        .routes(routes!(get_user, replace_user, update_user, delete_user))
}

#[utoipa::path(get, path = "/users", operation_id = "listUsers", tag = "users", params(UserQuery),
    responses((status = 200, body = UserList, headers(("Link" = String)))))]
async fn list_users(
    State(state): State<AppState>,
    uri: Uri,
    Query(query): Query<UserQuery>,
) -> Result<Response, Problem> {
    let list = state.users.list(query).await.map_err(problem)?;
    Ok(with_next(list.response(StatusCode::OK), &uri, "cursor", list.next_cursor))
}

#[utoipa::path(get, path = "/users/changes", operation_id = "listUserChanges", tag = "users", params(UserChangeQuery),
    responses(
        (status = 200, body = UserChangeList, headers(("Link" = String))),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn list_user_changes(
    State(state): State<AppState>,
    uri: Uri,
    Query(query): Query<UserChangeQuery>,
) -> Result<Response, Problem> {
    let list = state.users.changes(query).await.map_err(problem)?;
    Ok(with_next(list.response(StatusCode::OK), &uri, "after", list.next_cursor))
}

#[utoipa::path(post, path = "/users", operation_id = "createUser", tag = "users", params(IdempotencyHeader),
    request_body = UserInput,
    responses(
        (status = 201, body = User,
            headers(("Location" = Location), ("ETag" = EntityTag), ("Idempotency-Replayed" = bool))),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn create_user(
    State(state): State<AppState>,
    origin: Origin,
    Body(new): Body<UserInput>,
) -> Result<Response, Problem> {
    let written = state.users.create(new, origin).await.map_err(problem)?;
    Ok(written.respond(|user| {
        let location = format!("/users/{}", user.id);
        with_header(representation(StatusCode::CREATED, &user), header::LOCATION, location)
    }))
}

#[utoipa::path(post, path = "/users/batch", operation_id = "createUsers", tag = "users", params(IdempotencyHeader),
    request_body = UserBatch,
    responses(
        (status = 200, body = UserCreations, headers(("Idempotency-Replayed" = bool))),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn create_users(
    State(state): State<AppState>,
    origin: Origin,
    Body(UserBatch { users, atomic }): Body<UserBatch>,
) -> Result<Response, Problem> {
    let written = state.users.create_many(users, atomic, origin).await.map_err(problem)?;
    Ok(written.respond(|users| {
        let result = |(place, user)| UserCreation::new(&state.public_url, place, user);
        let results = users.into_iter().enumerate().map(result).collect();
        respond::json(StatusCode::OK, &UserCreations { results })
    }))
}

#[utoipa::path(post, path = "/users/lookup", operation_id = "lookupUsers", tag = "users", request_body = UserLookup,
    responses((status = 200, body = UsersFound)))]
async fn lookup_users(State(state): State<AppState>, Body(lookup): Body<UserLookup>) -> Result<Response, Problem> {
    let users = state.users.look_up(lookup).await.map_err(problem)?;
    Ok(respond::json(StatusCode::OK, &UsersFound { users }))
}

#[utoipa::path(get, path = "/users/{id}", operation_id = "getUser", tag = "users", params(UserPath, ReadPrecondition),
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag))),
        (status = 304, headers(("ETag" = EntityTag))),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn get_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    Header(precondition): Header<ReadPrecondition>,
    freshness: Freshness,
) -> Result<Response, Problem> {
    let user = state.users.get(path.id, freshness).await.map_err(problem)?;
    if precondition.excludes(user.version) {
        return Ok(not_modified(user.version));
    }
    Ok(representation(StatusCode::OK, &user))
}

#[utoipa::path(put, path = "/users/{id}", operation_id = "replaceUser", tag = "users",
    params(UserPath, WritePreconditions, IdempotencyHeader), request_body = UserInput,
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag), ("Idempotency-Replayed" = bool))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json", headers(("ETag" = EntityTag))),
        (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn replace_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    origin: Origin,
    Header(preconditions): Header<WritePreconditions>,
    Body(new): Body<UserInput>,
) -> Result<Response, Problem> {
    let all = UserPatch { name: Some(new.name), email: Some(new.email) };
    let written = state.users.update(path.id, preconditions.versions(), all, origin).await.map_err(problem)?;
    Ok(written.respond(|user| representation(StatusCode::OK, &user)))
}

#[utoipa::path(patch, path = "/users/{id}", operation_id = "updateUser", tag = "users",
    params(UserPath, WritePreconditions, IdempotencyHeader),
    request_body(content((UserPatch = "application/merge-patch+json"), (UserPatch = "application/json"))),
    responses(
        (status = 200, body = User, headers(("ETag" = EntityTag), ("Idempotency-Replayed" = bool))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json", headers(("ETag" = EntityTag))),
        (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn update_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    origin: Origin,
    Header(preconditions): Header<WritePreconditions>,
    Body(patch): Body<UserPatch>,
) -> Result<Response, Problem> {
    let written = state.users.update(path.id, preconditions.versions(), patch, origin).await.map_err(problem)?;
    Ok(written.respond(|user| representation(StatusCode::OK, &user)))
}

#[utoipa::path(delete, path = "/users/{id}", operation_id = "deleteUser", tag = "users",
    params(UserPath, WritePreconditions, IdempotencyHeader),
    responses(
        (status = 204, headers(("Idempotency-Replayed" = bool))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json", headers(("ETag" = EntityTag))),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn delete_user(
    State(state): State<AppState>,
    Path(path): Path<UserPath>,
    origin: Origin,
    Header(preconditions): Header<WritePreconditions>,
) -> Result<Response, Problem> {
    let written = state.users.delete(path.id, preconditions.versions(), origin).await.map_err(problem)?;
    Ok(written.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

/// A user with its strong validator: the version of the row, which is the same on every instance.
fn representation(status: StatusCode, user: &Representation<User>) -> Response {
    with_header(user.response(status), header::ETAG, entity_tag(user.version))
}

fn problem(error: StoreError) -> Problem {
    error.into_problem("user")
}
