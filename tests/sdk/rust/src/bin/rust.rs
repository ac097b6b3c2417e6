//! Tests the client that progenitor generates: rust URL KEY
//!
//! A call returns the value with its status and headers, or an error with the problem, typed by the contract.

use std::num::NonZero;

use reqwest::header::AUTHORIZATION;
use users_api::{
    Client, Error, ResponseValue,
    types::{Problem, UserBatch, UserInput, UserPatch, ViolationCode},
};

type Failure = Box<dyn std::error::Error>;

/// The problem of a failed call.
fn problem<T: std::fmt::Debug>(result: Result<ResponseValue<T>, Error<Problem>>) -> Problem {
    match result {
        Err(Error::ErrorResponse(problem)) => problem.into_inner(),
        other => panic!("not a problem: {other:?}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("expected the URL of the server and an API key".into());
    };
    let client = |key: &str| {
        let headers = [(AUTHORIZATION, format!("Bearer {key}").parse()?)].into_iter().collect();
        let http = reqwest::Client::builder().default_headers(headers).build()?;
        Ok::<_, Failure>(Client::new_with_client(&url, http))
    };
    let (wrong, client) = (client("wrong")?, client(&key)?);
    let user = |name: &str, email: &str| Ok::<_, Failure>(UserInput { name: name.parse()?, email: email.parse()? });

    // Create: the response has the location and the version of the new user.
    let (key, new) = ("8e03978e-40d5-43e8-bc93-6894a57f9324".parse()?, user("Ada Lovelace", "ada@example.com")?);
    let created = client.create_user(Some(&key), &new).await?;
    assert_eq!(created.status(), 201);
    // A retry gets the same response.
    let retried = client.create_user(Some(&key), &new).await?;
    assert_eq!((retried.status(), retried.id), (created.status(), created.id));
    assert_eq!(retried.headers()["idempotency-replayed"], "true");
    assert_eq!(created.headers()["location"], format!("/users/{}", created.id));
    let version = created.headers()["etag"].clone();
    let ada = created.into_inner();

    // Get.
    let read = client.get_user(&ada.id, None).await?;
    assert_eq!((read.id, &read.created_at), (ada.id, &ada.created_at));
    assert_eq!(read.headers()["etag"], version);
    match client.get_user(&ada.id, Some(&version.to_str()?.parse()?)).await {
        Err(Error::UnexpectedResponse(response)) => assert_eq!(response.status(), 304),
        other => panic!("an unchanged user was read: {other:?}"),
    }

    // List, page by page, newest first.
    let grace = client.create_user(None, &user("Grace Hopper", "grace@example.com")?).await?.into_inner();
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page =
            client.list_users(None, None, cursor.as_ref(), None, NonZero::new(1), None, None).await?.into_inner();
        assert_eq!(page.users.len(), 1);
        names.extend(page.users.iter().map(|user| user.name.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Grace Hopper", "Ada Lovelace"]);

    // Replace a user, then change one property.
    let replaced = client.replace_user(&ada.id, None, None, None, &user("Ada King", "ada@example.org")?).await?;
    assert_eq!(replaced.name.as_str(), "Ada King");
    assert_ne!(replaced.headers()["etag"], version);
    let patch = UserPatch { name: Some("Ada, Countess of Lovelace".parse()?), email: None };
    // Only if no other client has changed the user since.
    let tag = replaced.headers()["etag"].to_str()?.parse()?;
    let patched = client.update_user(&ada.id, None, Some(&tag), None, &patch).await?;
    let stale = problem(client.update_user(&ada.id, None, Some(&tag), None, &patch).await);
    assert_eq!((stale.type_.as_str(), stale.status), ("/problems/precondition-failed", 412));
    assert_eq!((patched.name.as_str(), patched.email.as_str()), ("Ada, Countess of Lovelace", "ada@example.org"));

    // A value that violates a pattern of the contract cannot be constructed.
    assert!(user(" ", "ada@localhost").is_err());

    // Problems: an e-mail address in use, a limit above the maximum, and an empty batch.
    let taken = problem(client.create_user(None, &user("Ada", "GRACE@example.com")?).await);
    assert_eq!((taken.type_.as_str(), taken.status), ("/problems/conflict", 409));
    assert_eq!((taken.errors[0].pointer.as_deref(), taken.errors[0].code), (Some("/email"), ViolationCode::NotUnique));
    let invalid = problem(client.list_users(None, None, None, None, NonZero::new(101), None, None).await);
    assert_eq!((invalid.type_.as_str(), invalid.status), ("/problems/invalid-parameter", 400));
    assert_eq!(
        (invalid.errors[0].parameter.as_deref(), invalid.errors[0].code),
        (Some("limit"), ViolationCode::Maximum)
    );
    let empty = problem(client.create_users(None, &UserBatch { users: Vec::new(), atomic: false }).await);
    assert_eq!((empty.type_.as_str(), empty.status), ("/problems/validation", 422));
    assert_eq!(empty.errors[0].code, ViolationCode::TooFewItems);

    // Delete; a later read finds no user.
    for id in [&ada.id, &grace.id] {
        assert_eq!(client.delete_user(id, None, None, None).await?.status(), 204);
    }
    // Without a key, and with a wrong one.
    for other in [Client::new(&url), wrong] {
        let refused = problem(other.get_user(&ada.id, None).await);
        assert_eq!((refused.type_.as_str(), refused.status), ("/problems/unauthorized", 401));
    }
    let not_found = problem(client.get_user(&ada.id, None).await);
    assert_eq!((not_found.type_.as_str(), not_found.status), ("/problems/not-found", 404));

    println!(
        "rust: created once, read, listed, changed and deleted users; read problems 400, 401, 404, 409, 412 and 422"
    );
    Ok(())
}
