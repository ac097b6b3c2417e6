//! Files with credentials of the running process: what is read again, and what stops the start.

use std::{fs, path::Path, process::Command};

use crate::{
    harness::credentials::{ALL, EVERY_SCOPE, Key, OTHER},
    process::{Process, run, web_server},
};

fn server(folder: &Path, keys: &str) -> Command {
    fs::write(folder.join("keys"), keys).unwrap();
    let mut command = web_server(folder);
    command.env("API_KEYS_FILE", "keys");
    command
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

async fn status(process: &Process, key: &Key) -> u16 {
    process.app.with_token(Some(&key.secret)).get("/users").await.status
}

#[tokio::test]
async fn keys_are_added_and_revoked_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(server(folder.path(), &ALL.entry)).await;
    assert_eq!((status(&process, &ALL).await, status(&process, &OTHER).await), (200, 401));
    fs::write(folder.path().join("keys"), format!("\u{feff}{}\r\n", OTHER.entry)).unwrap();
    process.until_logged(&["read the API keys again", "\"count\":1"]).await;
    assert_eq!((status(&process, &ALL).await, status(&process, &OTHER).await), (401, 200));

    let misspelt = Key::new("misspelt", &["users:reed"], None);
    fs::write(folder.path().join("keys"), format!("{}\n{}", ALL.entry, misspelt.entry)).unwrap();
    process.until_logged(&["API_KEYS_FILE", "the key misspelt has a scope", "users:read, users:write"]).await;
    assert_eq!(status(&process, &OTHER).await, 200, "the keys that were read before stay");

    fs::write(folder.path().join("keys"), "# none\n").unwrap();
    process.until_logged(&["\"level\":\"WARN\"", "there are no API keys any more"]).await;
    assert_eq!((status(&process, &ALL).await, status(&process, &OTHER).await), (401, 401));
}

/// A path that blocks its readers delays neither requests nor the stop.
#[tokio::test]
async fn a_pipe_in_place_of_the_file_delays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(server(folder.path(), &ALL.entry)).await;
    fs::remove_file(folder.path().join("keys")).unwrap();
    make_pipe(&folder.path().join("keys"));
    process.until_logged(&["API_KEYS_FILE", "is not a regular file"]).await;
    assert_eq!(status(&process, &ALL).await, 200);
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
}

/// The default of SIGHUP is to end the process.
#[tokio::test]
async fn sighup_is_harmless_without_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(web_server(folder.path())).await;
    for _ in 0..3 {
        process.signal("HUP");
        assert_eq!(process.app.get("/users").await.status, 200);
    }
    process.signal("TERM");
    assert_eq!(process.exit().await.code(), Some(0));
}

#[test]
fn credentials_that_cannot_be_used_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    make_pipe(&folder.path().join("pipe"));
    fs::write(folder.path().join("keys"), &OTHER.entry).unwrap();
    fs::write(folder.path().join("comment"), format!("# one; two\n{}\nthree", ALL.entry)).unwrap();
    fs::write(folder.path().join("large"), vec![b'\n'; (1 << 20) + 1]).unwrap();
    let again = OTHER.entry.replace("others", "again");
    let misspelt = Key::new("misspelt", &["users:reed"], None).entry;
    for (environment, message) in [
        (&[("API_KEYS_FILE", "pipe")][..], "API_KEYS_FILE (--api-keys-file): \"pipe\" is not a regular file"),
        (&[("API_KEYS_FILE", "large")], "API_KEYS_FILE (--api-keys-file): the file \"large\" is too large"),
        (&[("API_KEYS_FILE", "comment")], "API_KEYS_FILE (--api-keys-file): line 3: expected `NAME"),
        (&[("API_KEYS", "; ;")], "API_KEYS (--api-keys): there is no entry"),
        (&[("API_KEYS", &misspelt)], "API_KEYS (--api-keys): the key misspelt has a scope"),
        (&[("API_KEYS", &format!("{again};{}", OTHER.entry))], "API_KEYS (--api-keys): two entries, again and others"),
        (&[("API_KEYS", &again), ("API_KEYS_FILE", "keys")], "two entries, again and others"),
    ] {
        let output = run(web_server(folder.path()).envs(environment.iter().copied()).env("LISTEN_ADDR", "127.0.0.1:0"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{environment:?}: {error}");
        assert!(error.contains(message) && !error.contains("sha256:0") && !error.contains("reed"), "{error}");
    }
}

#[test]
fn a_new_key_is_accepted_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let scope = &EVERY_SCOPE[0];
    let arguments =
        ["keys", "new", "--name", "my_wsk_x", "--scope", scope, "--scope", &EVERY_SCOPE[1], "--scope", scope];
    let output = run(web_server(folder.path()).args(arguments));
    let text = String::from_utf8(output.stdout).unwrap();
    let entry = text.lines().nth(1).expect("an entry");
    assert_eq!(entry.split(' ').nth(1), Some(&*format!("{scope},{}", EVERY_SCOPE[1])), "{entry}");
    // The address is not one of this machine, so the server does not start in any case.
    let output = run(web_server(folder.path()).env("API_KEYS", entry).env("LISTEN_ADDR", "192.0.2.1:0"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("LISTEN_ADDR"), "{output:?}");
}
