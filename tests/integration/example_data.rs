//! The example users of a new database: only on a first start without settings.

use std::{path::Path, process::Command};

use crate::{
    harness::{Database, Response, Storage, credentials::ALL},
    process::{Process, run, web_server},
};

/// A server whose setting is the default; the other tests switch it off.
fn with_defaults(folder: &Path) -> Command {
    let mut command = web_server(folder);
    command.env_remove("EXAMPLE_DATA");
    command
}

async fn stop(mut process: Process) {
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
}

fn emails(response: &Response) -> Vec<String> {
    let body = response.json();
    let users = body["users"].as_array().unwrap().iter();
    users.map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

fn messages(process: &Process) -> usize {
    process.logged(&["EXAMPLE_DATA"])
}

#[tokio::test]
async fn a_first_start_without_settings_creates_the_users_of_the_examples() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(with_defaults(folder.path())).await;
    let users = process.app.get("/users").await;
    assert_eq!(emails(&users), ["margaret@example.com", "katherine@example.com", "ada@example.com"]);
    assert_eq!(messages(&process), 1);
    // As users that were created by requests: with a version, and a change.
    let path = format!("/users/{}", users.json()["users"][2]["id"].as_str().unwrap());
    let ada = process.app.get(&path).await;
    assert_eq!((ada.status, ada.header("etag")), (200, Some("\"1\"")));
    assert_eq!(process.app.get("/users/changes").await.json()["changes"].as_array().unwrap().len(), 3);
    // Later users are first in the list, although the users of the examples have the times of the examples.
    process.app.create_user("grace").await;
    assert_eq!(emails(&process.app.get("/users?limit=1").await), ["grace@example.com"]);
    assert_eq!(process.app.delete(&path).await.status, 204);
    stop(process).await;

    let process = Process::start(with_defaults(folder.path())).await;
    let left = ["grace@example.com", "margaret@example.com", "katherine@example.com"];
    assert_eq!((emails(&process.app.get("/users").await), messages(&process)), (left.map(str::to_owned).to_vec(), 0));
    stop(process).await;
}

/// Starts a server, which must create no user.
async fn is_empty(command: Command) {
    let process = Process::start(command).await;
    let users = process.app.with_token(Some(&ALL.secret)).get("/users").await;
    assert_eq!((emails(&users), messages(&process)), (Vec::new(), 0));
    stop(process).await;
}

#[tokio::test]
async fn the_setting_switches_it_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = with_defaults(folder.path());
    command.env("EXAMPLE_DATA", "off");
    is_empty(command).await;
}

#[tokio::test]
async fn a_server_with_credentials_gets_no_users() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = with_defaults(folder.path());
    command.env("API_KEYS", &ALL.entry);
    is_empty(command).await;
}

#[tokio::test]
async fn a_file_that_exists_gets_no_users() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(with_defaults(folder.path()).arg("migrate")).status.code(), Some(0));
    is_empty(with_defaults(folder.path())).await;
}

mod another_database_gets_no_users {
    use super::*;

    async fn check(database: Database) {
        let Some(storage) = Storage::new(database).await else {
            return eprintln!("skipped: PostgreSQL is not installed");
        };
        let folder = tempfile::tempdir().unwrap();
        let mut command = with_defaults(folder.path());
        command.env("DATABASE_URL", storage.url());
        is_empty(command).await;
        storage.drop_database().await;
    }

    #[tokio::test]
    async fn sqlite() {
        check(Database::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        check(Database::Postgres).await;
    }
}
