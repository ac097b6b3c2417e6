//! The command line and the configuration, as users run them.

#![expect(clippy::disallowed_methods, reason = "a test writes to the table of migrations")]

use std::{fs, net::TcpListener, process::Output};

use sqlx::Connection;

use crate::{
    harness::{Database, Storage},
    process::{Process, run, web_server},
};

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// One line: which setting, what is wrong, what is expected. No data folder is created.
#[test]
fn an_invalid_setting_stops_the_start_with_one_line() {
    for (variable, value, right) in [
        ("LISTEN_ADDR", "8080", "127.0.0.1:8080"),
        ("DATABASE_URL", "mysql://localhost/x", "postgres://"),
        ("LOG_FORMAT", "xml", "pretty or json"),
        ("REQUEST_TIMEOUT", "10", "500ms or 10s"),
        ("NO_MIGRATE", "maybe", "true or false"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(web_server(folder.path()).env(variable, value));
        assert_eq!(output.status.code(), Some(1), "{variable}");
        let message = stderr(&output);
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(variable) && message.contains(right), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// A URL in the place of something else is not quoted.
#[test]
fn an_argument_that_may_contain_a_password_is_not_printed() {
    for secret in [
        "postgres://app:secret@db.example/app",
        "postgres://db.example/app?user=app&password=secret",
        "https://u:secret%40h",
        "wsk_secret",
    ] {
        let new = ["keys", "new", "--name", "a", "--scope"];
        for (arguments, code) in [
            (vec![secret], 2),
            (vec!["serve", secret], 2),
            (vec!["openapi", "--form", secret], 2),
            ([&new[..], &["users:read", secret]].concat(), 2),
            ([&new[..], &[secret]].concat(), 1),
            ([&new[..], &["users:read", "--expires", secret]].concat(), 1),
            (vec!["--listen-addr", secret], 1),
            (vec!["--cors-allowed-origins", secret], 1),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let output = run(web_server(folder.path()).args(&arguments));
            let message = stderr(&output);
            assert_eq!((output.status.code(), message.lines().count()), (Some(code), 1), "{arguments:?}: {message}");
            assert!(!message.contains("secret"), "{arguments:?}: {message}");
        }
    }
}

#[test]
fn an_address_in_use_is_reported_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--listen-addr", &address]));
    let message = stderr(&output);
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    assert!(message.contains("LISTEN_ADDR") && message.contains(&address), "{message}");
}

#[test]
fn an_unavailable_database_is_reported_in_one_line_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for url in ["postgres://user:secret@127.0.0.1:1/app", "sqlite://file/users.db"] {
        let output = run(web_server(folder.path()).args([
            "--log",
            "off",
            "--database-url",
            url,
            "--database-startup-timeout",
            "1s",
        ]));
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.starts_with("cannot open the database (") && !message.contains("secret"), "{message}");
    }
}

/// A release has them; they list every command, and only options that a command uses.
#[test]
fn completions_and_manual_pages_have_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        // Invalid settings do not matter.
        let output = run(web_server(folder.path()).env("LISTEN_ADDR", "x").args(["completions", shell]));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let script = stdout(&output);
        for word in ["backup", "migrate", "listen-addr", "database-url"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let bash = stdout(&run(web_server(folder.path()).args(["completions", "bash"])));
    fs::write(folder.path().join("completions"), bash).unwrap(); // longer than an argument may be
    let syntax = std::process::Command::new("bash").arg("-n").arg(folder.path().join("completions")).output().unwrap();
    assert!(syntax.status.success(), "{}", stderr(&syntax));
    assert_eq!(run(web_server(folder.path()).args(["man", "."])).status.code(), Some(0));
    for page in ["web_server.1", "web_server-backup.1", "web_server-keys-new.1"] {
        assert!(fs::read_to_string(folder.path().join(page)).unwrap().contains(".TH web_server"), "{page}");
    }
    let backup = fs::read_to_string(folder.path().join("web_server-backup.1")).unwrap();
    assert!(backup.contains("database\\-url") && !backup.contains("rate\\-limit"), "{backup}");
    assert!(backup.contains("DATABASE_URL") && !backup.contains("[default: ]"), "{backup}");
    assert_eq!(run(web_server(folder.path()).args(["man", "new/man1"])).status.code(), Some(0));
    let output = run(web_server(folder.path()).args(["man", "completions"]));
    assert_eq!((output.status.code(), stderr(&output).lines().count()), (Some(1), 1), "{}", stderr(&output));
}

/// As `web_server openapi | head` does.
#[test]
fn a_closed_output_is_an_error_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["openapi", "completions bash", "keys new --name a --scope users:read"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = web_server(folder.path()).args(command.split(' ')).stdout(full).output().unwrap();
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    }
}

#[test]
fn the_version_has_the_schema_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let version = stdout(&run(web_server(folder.path()).arg("--version")));
    let last = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")).unwrap();
    let last = last.map(|file| file.unwrap().file_name().into_string().unwrap()).max().unwrap();
    let (schema, _) = last.split_once('_').unwrap();
    let expected = format!("web_server {} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(
        version.starts_with(&expected) && version.ends_with(&format!(", database schema {schema})\n")),
        "{version}"
    );
}

/// No path leaves a file behind that is not the database of the URL.
#[test]
fn a_path_where_no_database_can_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("nowhere.db", path("link.db")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    for (url, problem) in [
        ("sqlite://link.db", "link.db is a symbolic link to nowhere.db, which does not exist"),
        ("sqlite://folder", "folder is a folder"),
        ("sqlite://a/users.db", "the folder a does not exist: create it, or correct the path"),
        ("sqlite://folder/data/users.db", "the folder folder/data does not exist"),
        ("sqlite:file:x.db", "must not begin with `file:`"),
        ("sqlite::memory:", "would be lost"),
        ("sqlite://x.db?mode=ro", "`mode=rwc`"),
    ] {
        let output = run(web_server(folder.path()).args(["--log", "off", "--database-url", url]));
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.contains(problem), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{url}");
    }
}

#[test]
fn a_path_may_have_any_characters() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("my data")).unwrap();
    for (url, path) in [
        ("sqlite://my data/the users.db", "my data/the users.db"),
        ("sqlite://my%20data/a%3Fb%25.db?mode=rwc", "my data/a?b%.db"),
        ("sqlite:ünï.db", "ünï.db"),
    ] {
        let output = run(web_server(folder.path()).args(["migrate", "--log", "off", "--database-url", url]));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(folder.path().join(path).is_file(), "{url}");
    }
    let absolute = format!("sqlite://{}/absolute.db", folder.path().display());
    let output = run(web_server(folder.path()).args(["migrate", "--log", "off", "--database-url", &absolute]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.path().join("absolute.db").is_file());
}

/// A file that is not a database must not be treated as an empty one, nor be changed.
#[test]
fn a_file_that_is_not_a_database_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let text = "these are notes and no database\n".repeat(200);
    fs::write(&file, &text).unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--database-url", "sqlite://notes.txt"]));
    assert_eq!((output.status.code(), stderr(&output).lines().count()), (Some(1), 1), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn without_schema_and_migrations_the_error_names_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--no-migrate"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("web_server migrate"), "{}", stderr(&output));
    let migrate = run(web_server(folder.path()).arg("migrate"));
    assert_eq!(migrate.status.code(), Some(0), "{}", stderr(&migrate));
}

/// One line that says what to do, from each command that migrates. `NO_MIGRATE` starts anyway: the statements decide.
async fn refuses_a_newer_schema(database: Database) {
    let Some(storage) = Storage::new(database).await else { return eprintln!("skipped: PostgreSQL is not installed") };
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = web_server(folder.path());
        command.env("DATABASE_URL", storage.url()).args(["--log", "off"]).args(arguments);
        command
    };
    assert_eq!(run(&mut command(&["migrate"])).status.code(), Some(0));
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 29990101000000, 'newer', success, checksum, execution_time FROM _sqlx_migrations LIMIT 1";
    match database {
        Database::Sqlite => {
            let mut connection = sqlx::SqliteConnection::connect(&storage.url()).await.unwrap();
            sqlx::query(newer).execute(&mut connection).await.map(drop).unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres => {
            let mut connection = sqlx::PgConnection::connect(&storage.url()).await.unwrap();
            sqlx::query(newer).execute(&mut connection).await.map(drop).unwrap();
            connection.close().await.unwrap();
        }
    }
    for arguments in [&["serve"][..], &["migrate"]] {
        let output = run(&mut command(arguments));
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        for text in
            ["newer version of the server", "29990101000000", "start that version, restore a backup", "NO_MIGRATE=true"]
        {
            assert!(message.contains(text), "{message}");
        }
    }
    let mut anyway = web_server(folder.path());
    anyway.env("DATABASE_URL", storage.url()).env("NO_MIGRATE", "true");
    assert_eq!(Process::start(anyway).await.app.get("/users").await.status, 200);
    storage.drop_database().await;
}

mod a_newer_schema_stops_the_start {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        refuses_a_newer_schema(Database::Sqlite).await;
    }

    #[tokio::test]
    async fn postgres() {
        refuses_a_newer_schema(Database::Postgres).await;
    }
}

#[tokio::test]
async fn a_migrated_database_needs_no_migration() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(web_server(folder.path()).arg("migrate")).status.code(), Some(0));
    let mut command = web_server(folder.path());
    command.env("NO_MIGRATE", "true");
    let process = Process::start(command).await;
    assert_eq!(process.app.get("/users").await.status, 200);
}

#[tokio::test]
async fn settings_are_read_from_dotenv() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "DATABASE_URL=sqlite://elsewhere.db\nMAX_BODY_BYTES=50\n").unwrap();
    let process = Process::start(web_server(folder.path())).await;
    assert!(folder.path().join("elsewhere.db").is_file());
    let large = serde_json::json!({ "name": "a".repeat(40), "email": "a@example.com" });
    assert_eq!(process.app.post("/users", large).await.status, 413);
}

/// A server must not read settings for another program, nor print a password that it cannot parse.
#[test]
fn only_the_working_directorys_dotenv_is_read_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    for password in ["pass word", "pass\0word"] {
        let text = format!("LOG_FORMAT=pretty\nDATABASE_URL=postgres://u:{password}@localhost/x\n");
        fs::write(folder.path().join(".env"), text).unwrap();
        let output = run(web_server(folder.path()).arg("migrate"));
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.starts_with(".env, line 2: ") && !message.contains("pass"), "{message}");
    }
    assert!(stdout(&run(web_server(folder.path()).arg("--help"))).contains("LISTEN_ADDR"));
    fs::write(folder.path().join(".env"), "# pass word\r\nLOG_FORMAT=json\r\n\r\nLOG_FORMAT=pretty\r\n").unwrap();
    let message = stderr(&run(web_server(folder.path()).arg("migrate")));
    assert_eq!(message, ".env, line 4: LOG_FORMAT is set in line 2 already: remove one of the two\n");
    fs::write(folder.path().join(".env"), "DATABASE_URL=\"sqlite://x # $HOME y.db\"\n").unwrap();
    let message = stderr(&run(web_server(folder.path()).arg("migrate")));
    assert!(
        message.starts_with(".env, line 1: DATABASE_URL: `$` would be replaced") && message.lines().count() == 1,
        "{message}"
    );
    assert_eq!(run(web_server(&below).arg("migrate")).status.code(), Some(0));
}

#[test]
fn a_switch_does_not_take_the_command_as_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--no-migrate", "migrate"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// Root can write every file, so this is tested for other users only.
#[test]
fn a_read_only_database_stops_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(web_server(folder.path()).arg("migrate")).status.code(), Some(0));
    let file = folder.path().join("data/web_server.db");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().write(true).open(&file).is_ok() {
        return;
    }
    let output = run(web_server(folder.path()).args(["--log", "off"]));
    assert_eq!((output.status.code(), stderr(&output).lines().count()), (Some(1), 1), "{}", stderr(&output));
}

/// Every setting is listed with its variable and its default, and no password is printed.
#[test]
fn help_lists_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).arg("--help").env("DATABASE_URL", "postgres://u:hunter2@localhost/x"));
    let help = stdout(&output);
    for text in [
        "LISTEN_ADDR",
        "[default: 127.0.0.1:8080]",
        "DATABASE_URL",
        "sqlite://data/web_server.db",
        "LOG_FORMAT",
        "RUST_LOG",
        "REQUEST_TIMEOUT",
        "MAX_BODY_BYTES",
        "CORS_ALLOWED_ORIGINS",
        "ALLOWED_HOSTS",
        "SHUTDOWN_TIMEOUT",
        "migrate",
    ] {
        assert!(help.contains(text), "{text} is missing in\n{help}");
    }
    assert!(!help.contains("hunter2"));
}

#[test]
fn openapi_prints_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let printed = |form: &[&str]| stdout(&run(web_server(folder.path()).arg("openapi").args(form)));
    for (form, version) in [(&[][..], "3.1.0"), (&["--form", "json"], "3.1.0"), (&["--form", "3.0"], "3.0.3")] {
        let document: serde_json::Value = serde_json::from_str(&printed(form)).unwrap();
        assert_eq!(
            (&document["openapi"], &document["info"]["version"]),
            (&version.into(), &env!("CARGO_PKG_VERSION").into())
        );
    }
    assert_eq!(printed(&["--form", "yaml"]), include_str!("../../openapi.yaml"));
}
