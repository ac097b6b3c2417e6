//! `web_server contract …`: the contract's checks on the command line, for people and for CI.
//!
//! Exit codes: 0, nothing is wrong; 1, something is, and it was told; 2, the check could not be made.

use std::{fs, io, path::Path, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use contract::{
    Compiled, Contract, Position,
    breaking::{self, Approvals, Day, Edition},
    fixit::{self, Code, SourceFile},
    report::{self, Finding, Severity},
};

/// What `web_server contract` is told.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ContractArgs {
    /// What to do.
    #[command(subcommand)]
    command: ContractCommand,

    /// How findings are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum ContractCommand {
    /// Compare the contract with the handlers inside this program. In a checkout, says how to bring them together.
    Check {
        /// The contract.
        #[arg(default_value = CONTRACT)]
        contract: PathBuf,
    },
    /// Look for what is wrong with the contract by itself: what the server could not keep, what has no 3.0 form.
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

impl From<Format> for report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Github => Self::GitHub,
        }
    }
}

/// Does what it is told, prints what it finds, and says whether nothing is wrong. `today` decides which sunsets have passed.
///
/// # Errors
/// A file cannot be read or written: one line that names it.
pub fn run(args: &ContractArgs, today: Day) -> Result<bool, String> {
    let (findings, done) = match &args.command {
        ContractCommand::Check { contract } => (check(contract)?, "the contract and the code agree".to_owned()),
        ContractCommand::Lint { contract } => (lint(contract)?, "nothing is wrong with the contract".to_owned()),
        ContractCommand::Diff { old, new, approvals, strict } => {
            let (old_text, new_text) = (read(old)?, read(new)?);
            let approvals = approvals.as_deref().map(|file| Ok::<_, String>((file, read(file)?))).transpose()?;
            let findings = diff((old, &old_text), (new, &new_text), approvals, *strict, today);
            (findings, "no client breaks, and the version says what changed".to_owned())
        }
        ContractCommand::Release { contract, released, approvals } => release(contract, released, approvals, today)?,
    };
    let fine = findings.iter().all(|finding| finding.severity != Severity::Error);
    print!("{}", report::render(&findings, args.format.into()));
    if args.format == Format::Text {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        match (fine, findings.len()) {
            (true, 0) => println!("{done}"),
            (true, notes) => println!("{done} ({notes} to look at)"),
            (false, _) => {
                let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
                println!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
            }
        }
    }
    Ok(fine)
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A contract, or what is wrong with it.
fn load(path: &Path) -> Result<Result<Contract, Vec<Finding>>, String> {
    let yaml = fs::read(path).map_err(|error| unusable(path, &error))?;
    let contract = Contract::load_bytes(&path.display().to_string(), &yaml);
    Ok(contract.map_err(|errors| errors.iter().map(Finding::from).collect()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be used: {error}", path.display())
}

// ---- Check and lint -------------------------------------------------------------------------------------------------

fn check(path: &Path) -> Result<Vec<Finding>, String> {
    let contract = match load(path)? {
        Ok(contract) => contract,
        Err(findings) => return Ok(findings),
    };
    let generated = serde_json::to_value(api::openapi()).map_err(|error| format!("the generated spec: {error}"))?;
    let files = SourceFile::all_in(&api::SOURCES);
    let code = Code { files: &files, by_rule: &api::with_shared_answers, rules: api::SHARED_ANSWERS };
    let drifts = contract::diff(&contract, &generated);
    let drifts = fixit::explain(&contract, &generated, code, drifts);
    let faults = [contract.contradictions(), contract.unenforceable()].concat();
    Ok(faults.iter().map(Finding::from).chain(drifts.iter().map(Finding::from)).collect())
}

fn lint(path: &Path) -> Result<Vec<Finding>, String> {
    let contract = match load(path)? {
        Ok(contract) => contract,
        Err(findings) => return Ok(findings),
    };
    let compiled = Compiled::of(&contract, contract.text());
    let mut findings: Vec<_> = compiled.err().iter().flatten().map(Finding::from).collect();
    // A version that cannot be compared would be told at the release after this one.
    let version = Edition::from(&contract).version().to_owned();
    findings.extend(breaking::required_step(&[], &version, &version).err().map(|fault| Finding {
        severity: Severity::Error,
        code: "version-malformed".to_owned(),
        file: contract.file_name().to_owned(),
        position: contract.nearest_position("/info/version"),
        pointer: "/info/version".to_owned(),
        message: fault.to_string(),
        detail: String::new(),
    }));
    for operation in contract.operations() {
        let note = |code: &str, message: String| Finding {
            severity: Severity::Notice,
            code: code.to_owned(),
            file: contract.file_name().to_owned(),
            position: contract.nearest_position(&operation.pointer),
            pointer: operation.pointer.clone(),
            message: format!("{} {}: {message}", operation.method, operation.path),
            detail: String::new(),
        };
        if operation.planned {
            findings.push(note("operation-planned", "planned: neither compared, routed nor served".to_owned()));
        }
        if let Some(sunset) = &operation.sunset {
            findings.push(note("operation-sunset", format!("goes away on {sunset}")));
        }
    }
    Ok(findings)
}

// ---- Diff and release -----------------------------------------------------------------------------------------------

fn diff(
    (old_path, old): (&Path, &str),
    (new_path, new): (&Path, &str),
    approvals: Option<(&Path, String)>,
    strict: bool,
    today: Day,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The new one must be sound; the old one may have been written before something was refused.
    if let Err(errors) = Contract::load(&new_path.display().to_string(), new) {
        return errors.iter().map(Finding::from).collect();
    }
    let editions =
        [(old_path, old), (new_path, new)].map(|(path, yaml)| Edition::read(&path.display().to_string(), yaml));
    let (old, new) = match editions {
        [Ok(old), Ok(new)] => (old, new),
        [old, new] => {
            return [old, new]
                .into_iter()
                .filter_map(Result::err)
                .flatten()
                .map(|error| Finding::from(&error))
                .collect();
        }
    };
    let in_approvals = |line: &breaking::BadLine| Finding {
        severity: Severity::Error,
        code: "approval-wrong".to_owned(),
        file: approvals.as_ref().map(|(path, _)| path.display().to_string()).unwrap_or_default(),
        position: Position { line: line.line, column: 1 },
        pointer: String::new(),
        message: line.message.clone(),
        detail: String::new(),
    };
    let approved = match Approvals::parse(approvals.as_ref().map_or("", |(_, text)| text)) {
        Ok(approved) => approved,
        // What is approved is not known, so nothing is said of the changes.
        Err(lines) => return lines.iter().map(in_approvals).collect(),
    };
    let changes = breaking::changes_between(&old, &new, today);
    let verdict = approved.judge(&changes);
    findings.extend(verdict.stale.iter().map(in_approvals));
    if let Err(fault) = breaking::required_step(&changes, old.version(), new.version()) {
        findings.push(Finding {
            severity: Severity::Error,
            code: "version-step".to_owned(),
            file: new.file_name().to_owned(),
            position: new.nearest_position("/info/version"),
            pointer: "/info/version".to_owned(),
            message: fault.to_string(),
            detail: String::new(),
        });
    }
    findings.extend(changes.iter().map(|change| {
        let mut finding = Finding::from(change);
        if verdict.approved.contains(&change) {
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

fn release(contract: &Path, released: &Path, approvals: &Path, today: Day) -> Result<(Vec<Finding>, String), String> {
    let new = read(contract)?;
    let approved = if approvals.exists() { Some((approvals, read(approvals)?)) } else { None };
    let mut findings = lint(contract)?;
    if released.exists() {
        findings.extend(diff((released, &read(released)?), (contract, &new), approved.clone(), false, today));
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok((findings, String::new()));
    }
    fs::write(released, new).map_err(|error| unusable(released, &error))?;
    if let Some((path, text)) = approved {
        // What was approved is released, and has no more to approve.
        let kept = text.lines().filter(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        fs::write(path, kept).map_err(|error| unusable(path, &error))?;
    }
    Ok((findings, format!("{} is the released contract now, in {}", contract.display(), released.display())))
}
