//! The command line.

use std::path::PathBuf;

use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    config::{Settings, parse::may_have_secret},
    version,
};

/// A users API whose OpenAPI contract is enforced at build time and at run time.
///
/// Every setting is a flag and an environment variable; the flag takes precedence. A file `.env` in the working directory
/// sets variables that are not in the environment. Durations have the form `500ms`, `10s` or `1h`.
#[derive(Parser)]
#[command(name = "web_server", version = version::text(), max_term_width = 120)]
pub struct Cli {
    /// The command. The default is `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the API until SIGTERM or SIGINT (the default).
    Serve,
    /// Run pending database migrations.
    Migrate,
    /// Create the users of a file. Exit code 0 if all were imported, 3 if some were rejected, 1 if the import did not reach
    /// the end of the file.
    // clap would list every setting of the environment as required.
    #[command(override_usage = "web_server import [OPTIONS] <FILE>")]
    Import {
        /// NDJSON, one `{"name": …, "email": …}` or exported user per line, or one JSON array of them; `-` is standard input.
        file: PathBuf,

        /// Write the users that were not imported, with the reasons, to a new file; `-` is standard error. Default:
        /// FILE.rejects.ndjson, or standard error if the input is standard input.
        #[arg(long, value_name = "FILE")]
        rejects: Option<PathBuf>,
    },
    /// Write every user as NDJSON, in the form that `import` reads.
    Export {
        /// Write to a new file instead of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Copy the SQLite database to a new file, also while a server writes to it.
    #[command(override_usage = "web_server backup [OPTIONS] <FILE>")]
    Backup {
        /// The copy. It is readable by its owner only.
        file: PathBuf,
    },
    /// Make API keys.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Check whether a server with these settings is ready. Exit code 0 if it is. For containers without curl.
    Health,
    /// Print the completions for a shell, for example to `/etc/bash_completion.d/web_server`.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a folder.
    Man {
        /// An existing folder, such as `/usr/local/share/man/man1`.
        folder: PathBuf,
    },
    /// Print the contract.
    Openapi {
        /// Version and format of the document.
        #[arg(long, value_enum, default_value_t = Form::Json)]
        form: Form,
    },
}

/// What `keys` does.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum KeysCommand {
    /// Print a new key and the entry for API_KEYS_FILE, a line each. The key is stored nowhere: give it to its caller.
    New {
        /// Who has the key, in logs and in the changes of users.
        #[arg(long)]
        name: String,

        /// What the key allows, such as `users:read`; repeat it for several scopes.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,

        /// When the key expires: a time such as `2027-01-01T00:00:00Z`, or a duration from now such as `90d`. Default: never.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
}

/// A version and format of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// OpenAPI 3.1 in YAML, as written.
    Yaml,
    /// OpenAPI 3.1 in JSON.
    Json,
    /// OpenAPI 3.0.3 in JSON, for tools without support for 3.1.
    #[value(name = "3.0")]
    Json30,
}

impl Cli {
    /// Parses the arguments of the process. Prints and exits on `--help`, `--version` and on invalid arguments.
    pub fn from_process() -> Self {
        let matches = Self::command_with_relevant_help().try_get_matches().unwrap_or_else(|error| {
            // A URL in the place of a command or a value may contain a password.
            if error.use_stderr() && may_have_secret(&error.to_string()) {
                clap::Error::raw(error.kind(), "unexpected argument, which may contain a password; see --help\n")
                    .exit();
            }
            error.exit()
        });
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Returns the definition of the command line. Every command accepts every setting; its help lists only the settings
    /// that it uses.
    pub fn command_with_relevant_help() -> clap::Command {
        let settings = Settings::augment_args(clap::Command::new("settings"));
        Self::command().mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            let irrelevant = settings.get_arguments().filter(|setting| !uses(&name, setting));
            // clap does not propagate a global argument to a command that has an argument with the same id.
            let hidden: Vec<Arg> = irrelevant.map(|setting| setting.clone().hide(true)).collect();
            command.args(hidden)
        })
    }
}

/// Whether a command uses a setting.
fn uses(command: &str, setting: &Arg) -> bool {
    match command {
        "serve" => true,
        "health" => matches!(setting.get_id().as_str(), "listen_addr" | "admin_addr"),
        // `migrate` migrates whatever `--no-migrate` is, and `export` never does.
        "migrate" | "export" if setting.get_id() == "no_migrate" => false,
        "backup" => {
            let is_location = matches!(setting.get_id().as_str(), "database_url" | "database_url_file");
            is_location || setting.get_help_heading() == Some("Telemetry")
        }
        "migrate" | "import" | "export" => {
            // Only the server has a cache, removes what is old, and creates example users.
            let id = setting.get_id().as_str();
            let is_for_serve = id.ends_with("_retention") || ["user_cache_bytes", "example_data"].contains(&id);
            !is_for_serve && matches!(setting.get_help_heading(), Some("Database" | "Telemetry"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_the_only_argument_that_is_required() {
        let arguments = ["web_server", "--database-url", "sqlite://x.db", "import"];
        let error = Cli::command_with_relevant_help().try_get_matches_from(arguments).unwrap_err().to_string();
        assert!(error.contains("Usage: web_server import [OPTIONS] <FILE>\n"), "{error}");
    }

    #[test]
    fn the_help_of_a_command_lists_the_settings_that_it_uses() {
        for (command, setting, is_listed) in [
            ("serve", "--listen-addr", true),
            ("health", "--listen-addr", true),
            ("health", "--database-url", false),
            ("migrate", "--database-url", true),
            ("migrate", "--no-migrate", false),
            ("import", "--no-migrate", true),
            ("import", "--user-cache-bytes", false),
            ("import", "--example-data", false),
            ("export", "--database-url", true),
            ("export", "--no-migrate", false),
            ("backup", "--database-url", true),
            ("backup", "--database-lock-timeout", false),
            ("migrate", "--rate-limit", false),
            ("openapi", "--listen-addr", false),
        ] {
            let error = Cli::command_with_relevant_help().try_get_matches_from(["web_server", command, "--help"]);
            let help = error.unwrap_err().to_string();
            assert_eq!(help.contains(setting), is_listed, "{command} {setting}: {help}");
            let arguments = ["web_server", command, &format!("{setting}=x"), "--help"];
            let parsed = Cli::command_with_relevant_help().try_get_matches_from(arguments);
            assert_eq!(parsed.unwrap_err().kind(), clap::error::ErrorKind::DisplayHelp, "every setting is accepted");
        }
    }
}
