//! Tests the client that openapi-generator generates: rust-openapi-generator URL KEY
//!
//! A call returns the value, or an error with the status and the body. The headers are for a middleware of the HTTP client.

use std::sync::{Arc, Mutex};

use reqwest::{
    Request, Response,
    header::{HeaderMap, HeaderValue},
};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use users_client::{
    apis::{Error, configuration::Configuration, users_api::*},
    models::{Problem, User, UserInput, UserPatch, ViolationCode},
};

/// Keeps the headers of the last response.
#[derive(Clone, Default)]
struct LastHeaders(Arc<Mutex<HeaderMap>>);

#[async_trait::async_trait]
impl Middleware for LastHeaders {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let response = next.run(request, extensions).await?;
        *self.0.lock().expect("no panic in here") = response.headers().clone();
        Ok(response)
    }
}

impl LastHeaders {
    fn get(&self, name: &str) -> Option<HeaderValue> {
        self.0.lock().expect("no panic in here").get(name).cloned()
    }
}

/// The problem of a call that fails with this status. The error also has an `entity`, which is of no use here: its variants,
/// one for each status, have the same fields, and it is the first of them whatever the status is.
fn problem<T: std::fmt::Debug, E: std::fmt::Debug>(status: u16, result: Result<T, Error<E>>) -> Problem {
    match result {
        Err(Error::ResponseError(response)) if response.status == status => {
            serde_json::from_str(&response.content).expect("a problem")
        }
        other => panic!("expected {status}, found {other:?}"),
    }
}

/// The code of every violation.
fn codes(problem: &Problem) -> Vec<ViolationCode> {
    problem.errors.iter().flatten().map(|violation| violation.code).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_path), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("expected the URL of the server and an API key".into());
    };
    let headers = LastHeaders::default();
    let client = ClientBuilder::new(reqwest::Client::new()).with(headers.clone()).build();
    let users = Configuration { base_path, client, bearer_access_token: Some(key), ..Configuration::new() };
    let input = |name: &str, email: &str| UserInput::new(name.to_owned(), email.to_owned());

    // With a wrong key.
    let wrong = Configuration { bearer_access_token: Some("wrong".to_owned()), ..users.clone() };
    let refused = list_users(&wrong, None, None, None, None, None, None, None).await;
    assert_eq!(problem(401, refused).kind, "/problems/unauthorized");

    // Create, and send the same again with the key of the first request: the user is created once.
    let once = Some("rust-8e03978e-40d5-43e8-bc93-6894a57f9324");
    let ada = create_user(&users, input("Ada Lovelace", "ada@example.com"), once).await?;
    let id = &ada.id.to_string();
    assert_eq!(headers.get("location").expect("a location"), &format!("/users/{id}"));
    assert_eq!(create_user(&users, input("Ada Lovelace", "ada@example.com"), once).await?, ada);
    assert_eq!(headers.get("idempotency-replayed").expect("a replay"), "true");

    // Read, and list page by page, newest first.
    assert_eq!(get_user(&users, id, None).await?, ada);
    let version = headers.get("etag").expect("a version");
    let version = Some(version.to_str()?);
    assert!(matches!(get_user(&users, id, version).await, Err(Error::Serde(_)))); // 304
    let grace = create_user(&users, input("Grace Hopper", "grace@example.com"), None).await?;
    let (mut listed, mut cursor) = (Vec::<User>::new(), None);
    loop {
        let page = list_users(&users, Some(1), cursor.as_deref(), None, None, None, None, None).await?;
        listed.extend(page.users);
        cursor = page.next_cursor.map(|cursor| cursor.to_string());
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, [grace.clone(), ada.clone()]);

    // Replace the version that was read, then try to change it again.
    let replaced = replace_user(&users, id, input("Ada King", "ada@example.org"), version, None, None).await?;
    assert_eq!(replaced.name, "Ada King");
    let patch = UserPatch { name: Some("Ada 李小龍 👩‍🚀".to_owned()), email: None };
    let outdated = update_user(&users, id, patch.clone(), version, None, None).await;
    assert_eq!(problem(412, outdated).kind, "/problems/precondition-failed");
    let patched = update_user(&users, id, patch, None, None, None).await?;
    assert_eq!((patched.name.as_str(), patched.email.as_str()), ("Ada 李小龍 👩‍🚀", "ada@example.org"));

    // Problems: an e-mail address in use, and a body with two violations.
    let taken = problem(409, create_user(&users, input("Ada", "GRACE@example.com"), None).await);
    assert_eq!(codes(&taken), [ViolationCode::NotUnique]);
    let invalid = problem(422, create_user(&users, input(" ", "ada@localhost"), None).await);
    assert_eq!(codes(&invalid), [ViolationCode::Pattern, ViolationCode::Pattern]);

    // Delete; a later read finds no user.
    for user in [&ada, &grace] {
        delete_user(&users, &user.id.to_string(), None, None, None).await?;
    }
    assert_eq!(problem(404, get_user(&users, id, None).await).kind, "/problems/not-found");

    println!(
        "rust-openapi-generator: created once, read, listed, changed and deleted users; read problems 401, 404, 409, 412 and 422"
    );
    Ok(())
}
