//! `contract diff`: one release of the contract and the next.

use openapi_breaking::{Approvals, BadLine, Change, Day, Reviewed, changes_between, required_step};
use openapi_contract::diagnostics::{Diagnostic, Severity};
use openapi_contract::{Contract, Position, Profile, excerpt};

use crate::args::{DiffArgs, VersionArgs};
use crate::lint::version_ignored;
use crate::report::{Input, Report, Unusable, counted, read};

/// Compares two files. Every file that cannot be read is reported, not only the first.
pub(crate) fn diff(args: &DiffArgs, today: Day) -> Result<Report, Unusable> {
    match (read(&args.old), read(&args.new), args.approvals.as_deref().map(read).transpose()) {
        (Ok(old), Ok(new), Ok(approvals)) => {
            Ok(compare([&old, &new], approvals.as_ref(), args.strict, args.version, today))
        }
        (old, new, approvals) => Err([old.err(), new.err(), approvals.err()].into_iter().flatten().flatten().collect()),
    }
}

pub(crate) fn compare(
    files: [&Input; 2],
    approvals: Option<&Input>,
    strict: bool,
    version: VersionArgs,
    today: Day,
) -> Report {
    let failed = |findings| Report { findings, success: String::new() };
    let (old, new) = match files.map(|file| Contract::read(&file.name, &file.bytes, Profile::Standard)) {
        [Ok(old), Ok(new)] => (old, new),
        sides => {
            let errors = files.iter().zip(sides).filter_map(|(file, side)| Some(file.findings(&side.err()?)));
            return failed(errors.flatten().collect());
        }
    };
    // `lint` reports the errors of a document; here, only contradictions that the changes cause.
    let [known, mut contradictions] = [&old, &new].map(openapi_lint::contradictions);
    contradictions.retain(|new| !known.iter().any(|old| (&old.pointer, &old.message) == (&new.pointer, &new.message)));
    let file = files[1];
    let wrong_line = |BadLine { line, message }: &BadLine| {
        let position = Position { line: *line, column: 1 };
        approvals.map(|file| file.finding(Severity::Error, position, "approval-wrong", message))
    };
    let approved = match Approvals::parse(approvals.map(|file| file.text.as_str()).unwrap_or_default()) {
        Ok(approved) => approved,
        // Without the approvals it is unknown which changes are intended.
        Err(lines) => return failed(lines.iter().filter_map(wrong_line).collect()),
    };
    let changes = changes_between(&old, &new, today);
    let reviewed = approved.review(&changes);
    let mut findings = file.findings(&contradictions);
    findings.extend(reviewed.stale.iter().filter_map(wrong_line));
    if !version.ignored {
        findings.extend(files.into_iter().zip([&old, &new]).find_map(|(file, release)| version_ignored(file, release)));
        if let Err(fault) = required_step(&changes, old.version(), new.version()) {
            let position = new.nearest_position("/info/version");
            let fault = file.finding(Severity::Error, position, "version-step", fault.to_string());
            findings.push(Diagnostic { pointer: "/info/version".to_owned(), ..fault });
        }
    }
    let lines = files.map(|file| excerpt::lines(&file.text));
    findings.extend(changes.iter().map(|change| {
        let mut finding = change.diagnostic([&lines[0], &lines[1]]);
        let approved = reviewed.approved.contains(&change);
        finding.facts.insert("approved".to_owned(), approved.into());
        if approved {
            finding.severity = Severity::Notice;
            finding.detail.push_str("approved\n");
        } else if strict && reviewed.unreviewed.contains(&change) {
            finding.severity = Severity::Error;
        }
        finding
    }));
    findings.sort_by_key(|finding| finding.severity);
    Report { findings, success: success(&reviewed) }
}

/// The last line if no change is an error: approved changes break clients too.
fn success(reviewed: &Reviewed<'_>) -> String {
    let is_breaking = |change: &&&Change| change.rule.severity == openapi_breaking::Severity::Breaking;
    let mut text = match reviewed.approved.iter().filter(is_breaking).count() {
        0 => "no breaking changes".to_owned(),
        approved => format!("{}, no others", counted(approved, "approved breaking change")),
    };
    if !reviewed.unreviewed.is_empty() {
        let possibly = counted(reviewed.unreviewed.len(), "possibly breaking change");
        text.push_str(&format!(", {possibly} to review"));
    }
    text
}
