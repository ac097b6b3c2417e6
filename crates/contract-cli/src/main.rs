//! `contract …`: the contract's checks on the command line, for people and for CI.
//!
//! Exit codes: 0, nothing is wrong; 1, something is, and it was told; 2, the check could not be made. Whatever there is to
//! tell goes to the standard output in the format that was asked for, so that a program which reads JSON always gets it.

mod check;
mod report;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use openapi_breaking::{self as breaking, Approvals, Day, Edition};
use openapi_contract::{
    Contract, Position,
    diagnostics::{self, Diagnostic, Severity},
};
use report::{Input, Report, finding, findings, read, write};
use serde_json::Map;

/// Check, lint, compare and release an OpenAPI contract.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "contract", version, about)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: ContractCommand,

    /// How findings are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum ContractCommand {
    /// Compare the contract with the spec generated from the code
    Check(check::CheckArgs),
    /// Look for what is wrong with the contract by itself: what it says against itself, what the server could not keep,
    /// what has no 3.0 form.
    Lint {
        /// The contract.
        #[arg(default_value = CONTRACT)]
        contract: PathBuf,
    },
    /// Tell what changed from one contract to another, what of it breaks clients, and whether the version says so.
    Diff {
        /// The contract that clients were written by.
        old: PathBuf,
        /// The contract that takes its place.
        new: PathBuf,
        /// File of fingerprints of the breaking changes that are meant.
        #[arg(long, value_name = "FILE")]
        approvals: Option<PathBuf>,
        /// Fail on possibly breaking changes, too.
        #[arg(long)]
        strict: bool,
    },
    /// Make the contract the released one, which later ones are compared with; refused where `diff` fails.
    Release {
        /// The contract.
        #[arg(long, default_value = CONTRACT, value_name = "FILE")]
        contract: PathBuf,
        /// The contract of the last release; made if it is not there.
        #[arg(long, default_value = "openapi.released.yaml", value_name = "FILE")]
        released: PathBuf,
        /// File of fingerprints of the breaking changes that are meant. They are taken out of it.
        #[arg(long, default_value = "openapi.approvals", value_name = "FILE")]
        approvals: PathBuf,
    },
}

const CONTRACT: &str = "openapi.yaml";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// A JSON array, an object for each finding.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

impl From<Format> for diagnostics::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Github => Self::GitHub,
        }
    }
}

/// What came of a check, for whoever waits for its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing is wrong.
    Fine,
    /// Something is, and it was told.
    Wrong,
    /// The check could not be made: a file cannot be read or written.
    NotMade,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Wrong => 1,
            Outcome::NotMade => 2,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of this tool that reads the clock: has a sunset passed?")]
fn main() -> ExitCode {
    let args = Cli::parse();
    let now = chrono::Utc::now().to_rfc3339();
    match Day::parse(&now) {
        Some(today) => run(&args, today).into(),
        None => Outcome::NotMade.into(),
    }
}

/// Does what it is told, prints what it finds, and says what came of it. `today` decides which sunsets have passed.
fn run(args: &Cli, today: Day) -> Outcome {
    let (findings, outcome, summary) = match found(&args.command, today) {
        Ok((findings, success)) => {
            let report = Report { findings, success };
            let outcome = if report.has_errors() { Outcome::Wrong } else { Outcome::Fine };
            let summary = report.summary() + "\n";
            (report.findings, outcome, summary)
        }
        Err(unusable) => (unusable, Outcome::NotMade, String::new()),
    };
    let mut told = diagnostics::render(&findings, args.format.into());
    if args.format == Format::Text {
        told.push_str(&summary);
    }
    // Who reads no further, as `head` does, knows enough.
    let _ = io::stdout().write_all(told.as_bytes());
    outcome
}

/// What a command finds and what to say where it is nothing, or the files that cannot be used.
fn found(command: &ContractCommand, today: Day) -> Result<(Vec<Diagnostic>, String), Vec<Diagnostic>> {
    match command {
        ContractCommand::Check(args) => check::check(args).map(|report| (report.findings, report.success)),
        ContractCommand::Lint { contract } => {
            Ok((lint(&read(contract)?), "nothing is wrong with the contract".to_owned()))
        }
        ContractCommand::Diff { old, new, approvals, strict } => {
            let approvals = approvals.as_deref().map(read).transpose();
            let files = (read(old), read(new), approvals);
            let (old, new, approvals) = match files {
                (Ok(old), Ok(new), Ok(approvals)) => (old, new, approvals),
                (old, new, approvals) => {
                    let unusable = [old.err(), new.err(), approvals.err()];
                    return Err(unusable.into_iter().flatten().flatten().collect());
                }
            };
            let findings = diff(&old, &new, approvals.as_ref(), *strict, today);
            Ok((findings, "no client breaks, and the version says what changed".to_owned()))
        }
        ContractCommand::Release { contract, released, approvals } => release(contract, released, approvals, today),
    }
}

/// An error that concerns no node of a document.
fn at(file: &str, position: Position, code: &str, message: String) -> Diagnostic {
    finding(Severity::Error, file, position, code, message)
}

// ---- Lint -----------------------------------------------------------------------------------------------------------

fn lint(file: &Input) -> Vec<Diagnostic> {
    let contract = match Contract::read_bytes(&file.name, &file.bytes) {
        Ok(contract) => contract,
        Err(errors) => return findings(&errors),
    };
    let mut findings = findings(&openapi_lint::lint(&contract));
    // A version that cannot be compared would be told at the release after this one.
    let version = Edition::from(&contract).version().to_owned();
    findings.extend(breaking::required_step(&[], &version, &version).err().map(|fault| {
        let position = contract.nearest_position("/info/version");
        let finding = at(&file.name, position, "version-malformed", fault.to_string());
        Diagnostic { pointer: "/info/version".to_owned(), ..finding }
    }));
    for operation in contract.operations() {
        let note = |code: &str, message: String| Diagnostic {
            severity: Severity::Notice,
            code: code.to_owned(),
            file: contract.file_name().to_owned(),
            position: contract.nearest_position(&operation.pointer),
            pointer: operation.pointer.clone(),
            message: format!("{} {}: {message}", operation.method, operation.path),
            detail: String::new(),
            facts: Map::new(),
        };
        if operation.planned {
            findings.push(note("operation-planned", "planned: neither compared, routed nor served".to_owned()));
        }
        if let Some(sunset) = &operation.sunset {
            findings.push(note("operation-sunset", format!("goes away on {sunset}")));
        }
    }
    findings
}

// ---- Diff and release -----------------------------------------------------------------------------------------------

fn diff(old: &Input, new: &Input, approvals: Option<&Input>, strict: bool, today: Day) -> Vec<Diagnostic> {
    // What the new one says against itself is told beside its changes. Whatever else is wrong with it alone is for `lint` to
    // say: either may be somebody else's, or written before something was refused.
    let contradictions =
        Contract::load_bytes(&new.name, &new.bytes).map(|contract| openapi_lint::contradictions(&contract));
    let editions = [old, new].map(|file| Edition::read_bytes(&file.name, &file.bytes));
    let (old, new) = match editions {
        [Ok(old), Ok(new)] => (old, new),
        faulty => return faulty.into_iter().filter_map(Result::err).flat_map(|errors| findings(&errors)).collect(),
    };
    let in_approvals = |line: &breaking::BadLine| {
        let file = approvals.map(|file| file.name.as_str()).unwrap_or_default();
        at(file, Position { line: line.line, column: 1 }, "approval-wrong", line.message.clone())
    };
    let text = approvals.map(|file| String::from_utf8_lossy(&file.bytes));
    let approved = match Approvals::parse(text.as_deref().unwrap_or_default()) {
        Ok(approved) => approved,
        // What is approved is not known, so nothing is said of the changes.
        Err(lines) => return lines.iter().map(in_approvals).collect(),
    };
    let changes = breaking::changes_between(&old, &new, today);
    let verdict = approved.judge(&changes);
    let mut findings = findings(&contradictions.unwrap_or_default());
    findings.extend(verdict.stale.iter().map(in_approvals));
    if let Err(fault) = breaking::required_step(&changes, old.version(), new.version()) {
        let position = new.nearest_position("/info/version");
        let finding = at(new.file_name(), position, "version-step", fault.to_string());
        findings.push(Diagnostic { pointer: "/info/version".to_owned(), ..finding });
    }
    findings.extend(changes.iter().map(|change| {
        let mut finding = Diagnostic::from(change);
        let approved = verdict.approved.contains(&change);
        finding.facts.insert("approved".to_owned(), approved.into());
        if approved {
            finding.severity = Severity::Notice;
            finding.detail.push_str("approved\n");
        } else if strict && verdict.doubtful.contains(&change) {
            finding.severity = Severity::Error;
        }
        finding
    }));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn release(
    contract: &Path,
    released: &Path,
    approvals: &Path,
    today: Day,
) -> Result<(Vec<Diagnostic>, String), Vec<Diagnostic>> {
    let new = read(contract)?;
    let approved = approvals.exists().then(|| read(approvals)).transpose()?;
    let mut findings = lint(&new);
    if released.exists() {
        // What is wrong with the contract by itself was just told.
        let known = findings.clone();
        let more = diff(&read(released)?, &new, approved.as_ref(), false, today);
        findings.extend(more.into_iter().filter(|finding| !known.contains(finding)));
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok((findings, String::new()));
    }
    write(released, &new.bytes)?;
    if let Some(approved) = approved {
        // What was approved is released, and has no more to approve.
        let text = String::from_utf8_lossy(&approved.bytes);
        let kept = text.lines().filter(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        write(approvals, kept.as_bytes())?;
    }
    Ok((findings, format!("{} is the released contract now, in {}", contract.display(), released.display())))
}
