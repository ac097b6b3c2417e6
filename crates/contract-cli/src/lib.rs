//! The command line tool `contract`: checks of an OpenAPI contract, for people and for CI.
//!
//! The binary links no handlers, so it can be built while they do not compile. `contract check` without `--generated`
//! builds and runs the example `contract` of the package `api`: the same tool, with the handlers linked ([`Handlers`]).
//!
//! Findings go to the standard output in the requested format, also where a file cannot be read, so that a program which
//! reads JSON always gets JSON.

mod args;
mod check;
mod diff;
mod lint;
mod release;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use openapi_breaking::Day;
use openapi_contract::diagnostics::{self, Format};
use openapi_drift::Side;

pub use check::Handlers;

use args::{CheckArgs, Cli, Command};
use report::{Report, Unusable, counted, read};

/// Runs the command line of this process. Returns its exit code.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock: whether a sunset has passed")]
pub fn run(handlers: Option<Handlers<'_>>) -> ExitCode {
    let Cli { command, format, verbose } = Cli::parse();
    if let Command::Check(CheckArgs { generated: Some(_), sources, fix: Some(Side::Code), .. }) = &command
        && sources.is_empty()
    {
        let message = "`--generated` with `--fix` needs `--sources DIR`: the folder with the Rust sources to edit";
        Cli::command().error(ErrorKind::MissingRequiredArgument, message).exit();
    }
    let Some(today) = Day::parse(&chrono::Utc::now().to_rfc3339()) else { return ExitCode::from(2) };
    let (mut findings, mut summary, code) = match execute(&command, handlers, today) {
        Ok(report) => {
            let (summary, code) = (report.summary() + "\n", u8::from(report.has_errors()));
            (report.findings, summary, code)
        }
        Err(unusable) => (unusable, String::new(), 2),
    };
    if format == Format::Text && !verbose {
        let all = findings.len();
        findings.retain(|finding| finding.facts.get("change").is_none_or(|change| change != "prose"));
        match all - findings.len() {
            0 => {}
            prose => {
                summary.push_str(&format!("{} not listed: see --verbose\n", counted(prose, "change") + " of prose"))
            }
        }
    }
    let mut text = diagnostics::render(&findings, format);
    if format == Format::Text {
        text.push_str(&summary);
    }
    // A reader that closes the pipe early, as `head` does, is no error.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

/// `today` decides which sunsets have passed.
fn execute(command: &Command, handlers: Option<Handlers<'_>>, today: Day) -> Result<Report, Unusable> {
    match command {
        Command::Check(args) => check::check(args, handlers),
        Command::Lint { contract } => Ok(lint::lint(&read(contract)?)),
        Command::Diff(args) => diff::diff(args, today),
        Command::Release { contract, released, approvals, version } => {
            release::release(contract, released, approvals, *version, today)
        }
    }
}
