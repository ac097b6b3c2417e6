//! The command line and the configuration, as people meet them.

use std::{fs, net::TcpListener, process::Output};

use crate::process::{Process, run, web_server};

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// One line: which setting, what is wrong with it, what would be right. And no data folder is left behind.
#[test]
fn a_wrong_setting_stops_the_start_with_one_line() {
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

#[test]
fn an_address_that_is_taken_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--listen-addr", &address]));
    let message = stderr(&output);
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    assert!(message.contains("LISTEN_ADDR") && message.contains(&address), "{message}");
}

#[test]
fn a_database_that_cannot_be_opened_is_one_line_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for url in ["postgres://user:secret@127.0.0.1:1/app", "sqlite://file/users.db"] {
        let output = run(web_server(folder.path()).args(["--log", "off", "--database-url", url]));
        let message = stderr(&output);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.starts_with("the database (") && !message.contains("secret"), "{message}");
    }
}

/// A file that is there but is no database must not be taken for an empty one, nor be changed.
#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let text = "these are notes and no database\n".repeat(200);
    fs::write(&file, &text).unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--database-url", "sqlite://notes.txt"]));
    assert_eq!((output.status.code(), stderr(&output).lines().count()), (Some(1), 1), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn without_a_schema_and_without_migrations_the_start_says_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "--no-migrate"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("web_server migrate"), "{}", stderr(&output));
    let migrate = run(web_server(folder.path()).arg("migrate"));
    assert_eq!(migrate.status.code(), Some(0), "{}", stderr(&migrate));
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
    fs::write(folder.path().join(".env"), "DATABASE_URL=sqlite://elsewhere/users.db\nMAX_BODY_BYTES=50\n").unwrap();
    let process = Process::start(web_server(folder.path())).await;
    assert!(folder.path().join("elsewhere/users.db").is_file());
    let large = serde_json::json!({ "name": "a".repeat(40), "email": "a@example.com" });
    assert_eq!(process.app.post("/users", large).await.status, 413);
}

/// A server must not find settings that nobody put there for it, nor print a password that it cannot read.
#[test]
fn only_the_working_directorys_dotenv_is_read_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(folder.path().join(".env"), "LOG_FORMAT=pretty\nDATABASE_URL=postgres://u:pass word@localhost/x\n")
        .unwrap();
    let output = run(web_server(folder.path()).arg("migrate"));
    let message = stderr(&output);
    assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{message}");
    assert!(message.starts_with(".env, line 2,") && !message.contains("pass"), "{message}");
    assert!(stdout(&run(web_server(folder.path()).arg("--help"))).contains("LISTEN_ADDR"));
    assert_eq!(run(web_server(&below).arg("migrate")).status.code(), Some(0));
}

#[test]
fn a_switch_does_not_swallow_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(web_server(folder.path()).args(["--no-migrate", "migrate"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// Root may write anything, so this is asked of others only.
#[test]
fn a_database_that_cannot_be_written_stops_the_start() {
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

/// Every setting is shown with its variable and its default, and the password of none.
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

#[test]
fn a_fixture_is_imported_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/test_data.json");
    let import = || run(web_server(folder.path()).args(["--log", "off", "import", file]));
    assert!(stdout(&import()).starts_with("5 users created, 0 were there already, in SQLite"));
    assert!(stdout(&import()).starts_with("0 users created, 5 were there already, in SQLite"));
}

/// All of it is checked before any of it is kept.
#[test]
fn a_fixture_that_breaks_the_contract_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.json");
    fs::write(&file, r#"{"users":[{"name":"Ada","email":"ada@example.com"},{"name":" ","email":"x"}]}"#).unwrap();
    let output = run(web_server(folder.path()).args(["--log", "off", "import", "users.json"]));
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("/users/1/name") && message.contains("/users/1/email"), "{message}");
    fs::write(&file, r#"{"users":[]}"#).unwrap();
    assert!(
        stdout(&run(web_server(folder.path()).args(["--log", "off", "import", "users.json"]))).starts_with("0 users")
    );
}

// ---- The contract's commands ----------------------------------------------------------------------------------------

/// Runs `web_server contract …` in a folder that holds these files. Returns the exit code and what was printed.
fn contract(files: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    let output = run(web_server(folder.path()).arg("contract").args(arguments));
    (output.status.code(), stdout(&output) + &stderr(&output))
}

const CONTRACT: &str = include_str!("../../openapi.yaml");

#[test]
fn the_contract_is_checked_against_the_handlers_inside() {
    assert_eq!(contract(&[("openapi.yaml", CONTRACT)], &["check"]).0, Some(0));
    let strayed = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, told) = contract(&[("openapi.yaml", &strayed)], &["check"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("error[drift-differs]: openapi.yaml:") && told.contains("says 90"), "{told}");
    let (code, told) = contract(&[], &["check"]);
    assert_eq!((code, told.lines().count()), (Some(2), 1), "{told}");
    // What is wrong with the contract by itself hides no drift; programs read of both without parsing prose.
    let faulty = strayed.replacen("info:\n", "info:\n  x-foo: 1\n", 1);
    let (code, told) = contract(&[("openapi.yaml", &faulty)], &["check", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let [fault, drift] = [&told[0], &told[1]];
    assert_eq!((code, &fault["code"], told.as_array().unwrap().len()), (Some(1), &"contract-unsound".into(), 2));
    assert_eq!((&drift["contract"], &drift["code"]), (&90.into(), &"drift-differs".into()));
    let line = &drift["line"];
    let edit = serde_json::json!({"file": "openapi.yaml", "action": "replace", "first": line, "last": line,
        "text": "      maxLength: 100"});
    assert_eq!((&drift["fixes"][0]["side"], &drift["fixes"][0]["edits"][0]), (&"contract".into(), &edit));
    assert_eq!(drift["fixes"][1]["side"], "code");
}

#[test]
fn the_contract_is_linted_by_itself() {
    assert_eq!(contract(&[("a.yaml", CONTRACT)], &["lint", "a.yaml"]).0, Some(0));
    let misspelt = CONTRACT.replacen("maxLength: 100", "maxLenght: 100", 1);
    let (code, told) = contract(&[("a.yaml", &misspelt)], &["--format", "json", "lint", "a.yaml"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told[0]["file"], &told[0]["severity"]), (Some(1), &"a.yaml".into(), &"error".into()));
}

/// What cannot be read as a contract is a finding like any other; so is a version that nothing can be compared with.
#[test]
fn what_is_no_contract_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), b"openapi: \xff").unwrap();
    let output = run(web_server(folder.path()).args(["contract", "lint", "a.yaml"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("error[contract-unsound]: a.yaml:1:10: "), "{}", stdout(&output));
    let unversioned = CONTRACT.replacen("version: 0.1.0", "version: one", 1);
    let (code, told) = contract(&[("openapi.yaml", &unversioned)], &["release"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("error[version-malformed]: openapi.yaml:9:3: "), "{told}");
}

/// Whoever reads JSON or annotations gets them also where there is nothing to check.
#[test]
fn files_that_cannot_be_read_are_told_in_the_format_that_was_asked_for() {
    let ask = |arguments: &[&str]| contract(&[("old", CONTRACT)], arguments);
    let (code, told) = ask(&["--format", "json", "diff", "none", ".", "--approvals", "old"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let files: Vec<_> = told.as_array().unwrap().iter().filter_map(|finding| finding["file"].as_str()).collect();
    assert_eq!((code, files), (Some(2), vec!["none", "."]));
    let (code, told) = ask(&["--format", "github", "lint", "a,b"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.starts_with("::error file=a%2Cb,line=1,col=1,title=file-unusable::cannot be read: "), "{told}");
}

/// Either side may be anybody's document of OpenAPI 3.1; what leads the comparison astray is told where it is, and what the new
/// one says against itself beside its changes.
#[test]
fn any_sound_document_is_compared() {
    let document = |kind: &str, more: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{title: T, version: '9.0'}}\npaths:\n  /a:\n    put:\n      responses: {{}}\n      \
             requestBody: {{content: {{application/json: {{schema: {{type: {kind}{more}}}}}}}}}\n"
        )
    };
    let ask = |old: &str, new: &str| contract(&[("old", old), ("new", new)], &["diff", "old", "new"]);
    let fine =
        document("[string, 'null']", "").replace("{}\n", "{default: {description: D}}\n").replace("9.0", "9.0.0");
    let (code, told) = ask(&fine, &fine.replace("[string, 'null']", "string"));
    assert!(code == Some(1) && told.contains("error[request-null-refused]: new:7:"), "{told}");
    for (from, to, expected) in [
        ("[string, 'null']", "[string, nil]", ":7:59: `type` is made of string"),
        ("[string, 'null']", "string, maximum: lots", ":7:73: `maximum` must be a number"),
        (
            "{type: [string, 'null']}",
            "{$ref: '#/components/schemas/A'}",
            ":7:59: `#/components/schemas/A` does not exist",
        ),
    ] {
        let broken = fine.replace(from, to);
        for (files, name) in [([&*broken, &*fine], "old"), ([&*fine, &*broken], "new")] {
            let (code, told) = ask(files[0], files[1]);
            assert!(
                code == Some(1) && told.starts_with(&format!("error[contract-unsound]: {name}{expected}")),
                "{told}"
            );
        }
    }
    let wrong = CONTRACT.replacen("maximum: 100\n", "maximum: 10\n", 1);
    let (_, told) = contract(&[("old", CONTRACT), ("new", &wrong)], &["diff", "old", "new"]);
    assert!(told.contains("error[contract-unsound]") && told.contains("error[request-bound-tightened]"), "{told}");
}

/// A break fails, an approved one with the right version does not, and once it is released there is nothing to approve.
#[test]
fn breaking_changes_need_a_version_and_an_approval() {
    let broken = CONTRACT.replacen("maxLength: 100", "maxLength: 90", 1);
    let (code, told) = contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error[version-step]") && told.contains("error[request-bound-tightened]"), "{told}");
    let (_, annotated) =
        contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new", "--format", "github"]);
    assert!(annotated.lines().all(|line| line.starts_with("::")), "{annotated}");
    let (_, json) = contract(&[("old", CONTRACT), ("new", &broken)], &["diff", "old", "new", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let change = json.as_array().unwrap().iter().find(|one| one["change"] == "breaking").unwrap();
    assert_eq!((&change["before"], &change["after"], &change["approved"]), (&100.into(), &90.into(), &false.into()));
    assert_eq!((&change["old"]["file"], &change["new"]["file"]), (&"old".into(), &"new".into()));
    assert!(told.contains(change["fingerprint"].as_str().unwrap()), "{change}");

    let fingerprint = told.lines().find_map(|line| line.trim().strip_prefix("fingerprint: ")).unwrap();
    let named = broken.replacen("version: 0.1.0", "version: 0.2.0", 1);
    let approval = format!("# names are shorter\n{fingerprint}  # maxLength\n");
    let files = [("openapi.released.yaml", CONTRACT), ("openapi.yaml", &*named), ("openapi.approvals", &*approval)];
    let (code, told) = contract(&files, &["release"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(contract(&files[..2], &["release"]).0, Some(1), "without the approval");

    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    assert!(run(web_server(folder.path()).args(["contract", "release"])).status.success());
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("openapi.released.yaml"), named);
    assert_eq!(read("openapi.approvals"), "# names are shorter\n");

    // What approves nothing is told, too.
    let (code, told) = contract(&files, &["diff", "openapi.yaml", "openapi.yaml", "--approvals", "openapi.approvals"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.starts_with("error[approval-wrong]: openapi.approvals:2:1"), "{told}");
}
