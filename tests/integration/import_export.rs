//! `web_server import` and `web_server export`: the real binary on both databases.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::Duration,
};

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use web_server::clock::{Clock, SystemClock};

use crate::{
    environment::{Client, Environment, Outcome, new_user, on_both, parse},
    harness::{Database, document::Document, values::Values},
    process::{Process, run, web_server},
};

/// The line of a user that was created at a time. Its id has this time.
fn exported(created_at: &str, updated_at: &str, number: u64) -> Value {
    let time = chrono::DateTime::parse_from_rfc3339(created_at).unwrap();
    let id = web_server::ids::uuid_v7(time.timestamp_micros(), uuid::Uuid::from_u64_pair(0, (1 << 63) + number));
    let email = format!("exported{number}@example.com");
    json!({ "id": id, "name": "Ada", "email": email, "created_at": created_at, "updated_at": updated_at, "version": 7 })
}

const OLD: &str = "2001-02-03T04:05:06.789012Z";
const EARLIER: &str = "2000-02-03T04:05:06.789012Z";
const LATER: &str = "2002-02-03T04:05:06.789012Z";

/// A line, and the pointers and parts of the details of its violations.
fn line(
    text: impl AsRef<[u8]>,
    errors: &'static [(&'static str, &'static str)],
) -> (Vec<u8>, &'static [(&'static str, &'static str)]) {
    (text.as_ref().to_vec(), errors)
}

/// A line with a member set to another value.
fn with(user: &Value, member: &str, value: impl Into<Value>) -> String {
    let mut user = user.clone();
    user[member] = value.into();
    user.to_string()
}

fn names(users: &[Value]) -> Vec<&str> {
    users.iter().map(|user| user["name"].as_str().unwrap()).collect()
}

on_both! {
    /// Every line that is not imported is in the file of the rejects, with every reason and its text.
    async fn lines_are_imported_or_rejected_with_their_reasons(environment: Environment) {
        let user = exported(OLD, LATER, 1);
        let other = exported(OLD, LATER, 2);
        // The clock of the database is that of this machine.
        let soon = SystemClock.now().datetime() + TimeDelta::seconds(30);
        let soon = soon.to_rfc3339_opts(SecondsFormat::Micros, true);
        let lines = [
            line(new_user(1), &[]),
            line(r#"{"name":" ","email":"x","a/b":1}"#, &[
                ("/email", "must be an e-mail address"),
                ("/name", "must not begin or end with white space"),
                ("/a~1b", "unknown property"),
            ]),
            line(r#"{"name":"A"}"#, &[("/email", "is required")]),
            line(r#"{"name":"A","name":"B","email":"a@example.com"}"#, &[("", "not valid JSON: duplicate property")]),
            line(r#"{"name":"A","#, &[("", "not valid JSON: EOF")]),
            line(b"{\"name\":\"\xff\",\"email\":\"a@example.com\"}", &[("", "not valid JSON: invalid unicode")]),
            line("[]", &[("", "must be of type object")]),
            line(r#"{"name":"A","email":"USER1@example.com"}"#, &[("/email", "must be unique")]),
            line(user.to_string(), &[]),
            line(user.to_string(), &[("/id", "must be unique"), ("/email", "must be unique")]),
            line(with(&other, "email", "EXPORTED1@example.com"), &[("/email", "must be unique")]),
            line(with(&other, "id", user["id"].clone()), &[("/id", "must be unique")]),
            line(with(&other, "version", 0), &[("/version", "must be at least 1")]),
            line(with(&other, "created_at", LATER), &[("/id", "a UUID of version 7 whose time is created_at")]),
            line(with(&other, "updated_at", EARLIER), &[("/updated_at", "is before created_at")]),
            line(with(&other, "created_at", "2026-01-01T00:00:00Z"), &[("/created_at", "must be a time in UTC with six decimals")]),
            line(with(&other, "updated_at", soon), &[("/updated_at", "is in the future")]),
        ];
        // Line ends of both kinds, blank lines, and no line end after the last line.
        let mut input = b"\r\n".to_vec();
        for (number, (line, _)) in lines.iter().enumerate() {
            let end: &[u8] = if number % 2 == 0 { b"\r\n \n" } else { b"\n\n" };
            input.extend([line.as_slice(), end].concat());
        }
        input.extend(new_user(2).as_bytes());
        environment.write("users", input);

        let outcome = environment.run(&["import", "users"]);
        let summary = "imported 3 users, rejected 15 (reasons in users.rejects.ndjson)\n";
        assert_eq!((outcome.code, &*outcome.stdout, &*outcome.stderr), (Some(3), summary, ""));
        let rejects = environment.read("users.rejects.ndjson");
        let expected = lines.iter().enumerate().filter(|(_, (_, errors))| !errors.is_empty());
        assert_eq!(rejects.len(), expected.clone().count());
        for (reject, (number, (line, errors))) in rejects.iter().zip(expected) {
            assert_eq!(reject["line"], 2 * number + 2);
            assert_eq!(reject["input"], String::from_utf8_lossy(line).as_ref());
            let found = reject["errors"].as_array().unwrap();
            assert_eq!(found.len(), errors.len(), "{reject}");
            for (pointer, detail) in *errors {
                let is_found = |error: &Value| {
                    error["pointer"] == *pointer && error["detail"].as_str().unwrap().contains(detail)
                };
                assert!(found.iter().any(is_found), "{pointer} {detail} in {reject}");
            }
        }
        let users = parse(&environment.export());
        assert_eq!(users[0], user, "the id, the version and the times are kept");
        assert_eq!(names(&users[1..]), ["User 1", "User 2"]);
    }

    /// What was mended is imported; what was imported is rejected.
    async fn an_import_can_be_repeated(environment: Environment) {
        let lines: Vec<_> = (0..5_000).map(new_user).collect();
        environment.write("users", lines[..4_000].join("\n"));
        assert_eq!(environment.run(&["import", "users"]).stdout, "imported 4000 users, rejected 0\n");
        assert!(!environment.path().join("users.rejects.ndjson").exists());
        let before = environment.export();
        let users = parse(&before);
        assert!(users.iter().enumerate().all(|(number, user)| user["name"] == format!("User {number}")));

        environment.write("users", lines.join("\n"));
        let outcome = environment.run(&["import", "users"]);
        assert!(outcome.stdout.starts_with("imported 1000 users, rejected 4000 "), "{outcome:?}");
        assert!(environment.export().starts_with(&before));
        // Reasons are not overwritten.
        let outcome = environment.run(&["import", "users"]);
        assert_eq!(outcome.code, Some(1));
        let message = "users.rejects.ndjson exists: move it, or name another file with --rejects\n";
        assert_eq!(outcome.stderr, message);
        let outcome = environment.run(&["import", "users", "--rejects", "/dev/null"]);
        assert_eq!(outcome.stdout, "imported 0 users, rejected 5000 (reasons in /dev/null)\n");
    }

    async fn an_array_is_imported(environment: Environment) {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/test_data.json");
        assert_eq!(environment.run(&["import", fixture]).stdout, "imported 5 users, rejected 0\n");
        assert_eq!(names(&parse(&environment.export()))[2..4], ["Ὑπατία", "李善兰"]);

        environment.write("more", format!("\u{feff}[{},\n {{\n}}, {}]", new_user(1), new_user(2)));
        let outcome = environment.run_on("more", &["import", "-"]);
        assert_eq!((outcome.code, &*outcome.stdout), (Some(3), "imported 2 users, rejected 1\n"));
        let reject = &parse(&outcome.stderr)[0];
        assert_eq!((&reject["element"], &reject["input"]), (&json!(2), &json!("{ }")));

        environment.write("broken", format!("[{}, {}\n{}]", new_user(3), new_user(4), new_user(5)));
        let outcome = environment.run(&["import", "broken"]);
        let message = "broken: not a valid JSON array: expected `,` or `]` at line 2 column 1 after element 2: \
                       imported 2 users, rejected 0\n";
        assert_eq!((outcome.code, &*outcome.stderr), (Some(1), message));

        for (content, count) in [("", 0), ("\n", 0), ("[]", 0), (&*new_user(6), 1)] {
            environment.write("few", content);
            let outcome = environment.run_on("few", &["import", "-"]);
            assert_eq!((outcome.code, outcome.stdout), (Some(0), format!("imported {count} users, rejected 0\n")));
        }
    }

    /// Users with any values that the contract accepts are the same after they moved to the other database and back.
    async fn an_export_imported_elsewhere_is_the_same(environment: Environment) {
        let document = Document::of_the_contract();
        let schema = json!({ "$ref": "#/components/schemas/UserInput" });
        let mut values = Values::new(document);
        let mut lines: Vec<_> = (0..300).map(|_| values.generate(&schema).to_string()).collect();
        lines.push(json!({ "name": r"\N \. \t", "email": "{}|'\\'$@example.com".replace('\\', "") }).to_string());
        lines.extend((0..3_000).map(new_user));
        lines.push(exported(OLD, LATER, 3).to_string());
        environment.write("users", lines.join("\n"));
        let outcome = environment.run(&["import", "users", "--rejects", "-"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let export = environment.export();
        assert_eq!(export.lines().count(), lines.len());

        let outcome = environment.run(&["export", "--output", "export"]);
        assert_eq!((outcome.code, &*outcome.stdout), (Some(0), ""));
        let file = environment.path().join("export");
        assert_eq!(fs::read_to_string(&file).unwrap(), export);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(environment.run(&["export", "--output", "export"]).stderr.starts_with("export exists: "));

        let elsewhere = match environment.storage.database() {
            Database::Sqlite => Database::Postgres,
            Database::Postgres => Database::Sqlite,
        };
        let Some(other) = Environment::new(elsewhere).await else { return };
        let outcome = other.run(&["import", file.to_str().unwrap(), "--rejects", "-"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(other.export(), export);
        other.storage.drop_database().await;
    }

    /// A server that runs on the database serves the users, with their version as the ETag, and their changes.
    async fn a_running_server_serves_imported_users(environment: Environment) {
        let mut command = web_server(environment.path());
        command.env("DATABASE_URL", environment.storage.url()).env("USER_CACHE_BYTES", "1000000");
        let process = Process::start(command).await;
        let app = &process.app;
        let created = app.create_user("bob").await;
        let bob = format!("/users/{}", created["id"].as_str().unwrap());
        assert_eq!(app.patch(&bob, json!({ "name": "Bob" })).await.status, 200);
        let line = environment.export();
        let read = app.get(&bob).await;
        // The line has the JSON of the response, and then the version.
        assert_eq!(line.trim_end(), format!("{},\"version\":2}}", read.text().strip_suffix('}').unwrap()));
        assert_eq!(app.delete(&bob).await.status, 204);
        assert_eq!(app.get(&bob).await.status, 404);

        let before = app.get("/users/changes").await.json()["changes"][2]["at"].as_str().unwrap().to_owned();
        environment.write("users", format!("{line}{}\n{}\n", exported(OLD, LATER, 5), new_user(1)));
        assert_eq!(environment.run(&["import", "users"]).stdout, "imported 3 users, rejected 0\n");
        let restored = app.get(&bob).await;
        assert_eq!((restored.status, restored.text(), restored.header("etag")), (200, read.text(), Some("\"2\"")));

        let changes = app.get("/users/changes").await.json();
        let changes = changes["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 3 + 3);
        for change in &changes[3..] {
            assert_eq!(change["type"], "created");
            let at = change["at"].as_str().unwrap();
            assert!(at > before.as_str(), "the time of a change is that of the import: {change}");
        }
        let mut versions: Vec<_> = changes[3..].iter().map(|change| change["version"].as_i64().unwrap()).collect();
        versions.sort_unstable();
        assert_eq!(versions, [1, 2, 7]);
    }

    /// SIGTERM stops after the chunk that was sent, and the message has the last line that was processed.
    async fn a_signal_stops_after_the_current_chunk(environment: Environment) {
        let (child, mut input) = environment.start_import().await;
        // Less than a chunk.
        writeln!(input, "{}", new_user(2_000)).unwrap();
        assert!(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap().success());
        let outcome = Outcome::of(&child.wait_with_output().unwrap());
        let message = "stopped by a signal after line 2000: imported 2000 users, rejected 0\n";
        assert_eq!((outcome.code, &*outcome.stdout, &*outcome.stderr), (Some(1), "", message));
        drop(input);
        assert_eq!(environment.export().lines().count(), 2_000);
    }

    /// The lock of another client is held for longer than DATABASE_LOCK_TIMEOUT. Its user is there first.
    async fn an_import_waits_for_another_writer(environment: Environment) {
        let insert = match environment.storage.database() {
            Database::Sqlite => "BEGIN IMMEDIATE; \
                INSERT INTO users (id, name, email, email_key, version, created_at, updated_at) VALUES \
                (x'01900000000070008000000000000001', 'First', 'user2000@example.com', 'user2000@example.com', 1, 1, 1)",
            Database::Postgres => "BEGIN; INSERT INTO users VALUES ('01900000-0000-7000-8000-000000000001', 'First', \
                'user2000@example.com', 'user2000@example.com', 1, now(), now())",
        };
        let (child, mut input) = environment.start_import().await;
        let mut other = Client::connect(&environment.storage).await;
        other.execute(insert).await;
        writeln!(input, "{}\n{}", new_user(2_000), new_user(2_001)).unwrap();
        drop(input);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        other.execute("COMMIT").await;
        let outcome = Outcome::of(&child.wait_with_output().unwrap());
        assert_eq!((outcome.code, &*outcome.stdout), (Some(3), "imported 2001 users, rejected 1\n"));
        let users = parse(&environment.export());
        assert_eq!((names(&users)[0], names(&users)[2_001]), ("First", "User 2001"));
    }

    /// As in `web_server export | gzip > FILE`, if the disk is full.
    async fn a_closed_pipe_makes_an_export_incomplete(environment: Environment) {
        environment.write("users", (0..4_000).map(|number| new_user(number) + "\n").collect::<String>());
        assert_eq!(environment.run(&["import", "users"]).code, Some(0));
        let mut child = environment.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(100, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert_eq!(names(&parse(&first)), ["User 0"]);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(stderr.starts_with("cannot write: Broken pipe") && stderr.lines().count() == 1, "{stderr}");
    }
}

/// The limit of a file's size is as a full disk. On SQLite it would be one for the database too.
#[tokio::test]
async fn an_incomplete_export_does_not_have_the_name_of_a_complete_one() {
    let Some(environment) = Environment::new(Database::Postgres).await else {
        return eprintln!("skipped: no PostgreSQL here");
    };
    environment.write("users", (0..2_000).map(new_user).collect::<Vec<_>>().join("\n"));
    assert_eq!(environment.run(&["import", "users"]).code, Some(0));
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --log off export --output export";
    limited.args(["-c", script, env!("CARGO_BIN_EXE_web_server")]).current_dir(environment.path());
    let outcome = Outcome::of(&run(limited.env("DATABASE_URL", environment.storage.url())));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("the export is incomplete"), "{outcome:?}");
    assert!(!environment.path().join("export").exists() && environment.path().join("export.partial").exists());
    fs::remove_file(environment.path().join("export.partial")).unwrap();
    assert_eq!(environment.run(&["export", "--output", "export"]).code, Some(0));
    assert_eq!(environment.read("export").len(), 2_000);
    assert!(!environment.path().join("export.partial").exists());
    let to_stdout = environment.run(&["export", "--output", "-"]);
    assert_eq!(to_stdout.stdout, fs::read_to_string(environment.path().join("export")).unwrap());
    environment.storage.drop_database().await;
}

#[test]
fn a_rejects_file_needs_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users"), new_user(1)).unwrap();
    let outcome = Outcome::of(&run(web_server(folder.path()).args([
        "--log",
        "off",
        "import",
        "users",
        "--rejects",
        "no/rejects",
    ])));
    assert_eq!((outcome.code, &*outcome.stderr), (Some(1), "no: the folder does not exist\n"));
}

#[test]
fn an_export_creates_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).env("DATABASE_URL", "sqlite://typo.db").arg("export"));
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap().trim_end()),
        (Some(1), "typo.db: the database does not exist")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_input_that_cannot_be_read_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    for (path, message) in [("missing", "missing: No such file"), (".", ".: Is a directory")] {
        let outcome = Outcome::of(&run(web_server(folder.path()).args(["--log", "off", "import", path])));
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 1), "{outcome:?}");
        assert!(outcome.stderr.starts_with(message), "{outcome:?}");
    }
}
