//! `web_server completions` and `web_server man`: what shells and `man` need of the command line.

use std::{io, path::Path};

use crate::cli::Cli;

/// Prints the script for a shell.
pub(super) fn print(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command_with_relevant_help(), "web_server", &mut io::stdout());
}

/// Writes a manual page for the server, and one for each command, to an existing folder.
///
/// # Errors
/// A page cannot be written.
pub(super) fn write_man_pages(folder: &Path) -> Result<(), String> {
    let written = clap_mangen::generate_to(Cli::command_with_relevant_help(), folder);
    written.map_err(|error| format!("{}: {error}", folder.display()))
}
