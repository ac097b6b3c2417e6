//! `web_server completions` and `web_server man`: what shells and `man` need of the command line.

use std::{fs, path::Path};

use super::files;
use crate::cli::Cli;

/// Prints the script for a shell.
///
/// # Errors
/// Standard output fails, also if its reader closes the pipe.
pub(super) fn print(shell: clap_complete::Shell) -> Result<(), String> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command_with_relevant_help(), "web_server", &mut script);
    files::print(&script)
}

/// Writes a manual page for the server, and one for each command, to a folder, which is created if it does not exist.
///
/// # Errors
/// A page cannot be written.
pub(super) fn write_man_pages(folder: &Path) -> Result<(), String> {
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command_with_relevant_help(), folder));
    written.map_err(|error| format!("{}: {error}", folder.display()))
}
