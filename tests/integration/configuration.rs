//! `docs/configuration.md` lists the settings as the command line defines them.

use clap::{Arg, CommandFactory};
use web_server::cli::Cli;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");

/// Everything after this line is generated.
const MARKER: &str = "<!-- settings -->\n";

fn tables() -> String {
    let command = Cli::command();
    let mut tables = String::new();
    let mut section = None;
    for setting in command.get_arguments().filter(|argument| argument.get_env().is_some()) {
        let heading = setting.get_help_heading();
        if section != heading {
            let heading = heading.expect("every setting is in a section");
            tables += &format!("\n## {heading}\n\n| variable | flag | default | description |\n|---|---|---|---|\n");
            section = setting.get_help_heading();
        }
        tables += &row(setting);
    }
    tables
}

fn row(setting: &Arg) -> String {
    let variable = setting.get_env().expect("filtered above").display();
    let flag = setting.get_long().expect("every setting is a flag");
    let value = &setting.get_value_names().expect("every setting has a value")[0];
    let value = if setting.is_require_equals_set() { format!("[={value}]") } else { format!(" {value}") };
    let default = match setting.get_default_values() {
        [default] if !default.is_empty() => format!("`{}`", default.display()),
        _ => String::new(),
    };
    let help = setting.get_long_help().or(setting.get_help()).expect("every setting has a help text").to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("| `{variable}` | `--{flag}{value}` | {default} | {help} |\n")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test, not a setting of the server")]
fn the_configuration_document_lists_every_setting() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (prose, listed) = text.split_once(MARKER).expect("the document has the marker");
    let tables = tables();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, format!("{prose}{MARKER}{tables}")).unwrap();
    } else {
        assert_eq!(listed, tables, "run `UPDATE_DOCS=1 cargo test --test integration configuration`");
    }
}
