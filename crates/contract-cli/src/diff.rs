//! `contract diff`: one release of the contract and the next.

use openapi_breaking::{Approvals, BadLine, Day, Release, Reviewed, changes_between, is_semantic, required_step};
use openapi_contract::diagnostics::{Diagnostic, Severity};
use openapi_contract::{Contract, Position};

use crate::args::{DiffArgs, VersionArgs};
use crate::lint::version_ignored;
use crate::report::{Input, Report, Unusable, counted, finding, findings, read};

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
    [old, new]: [&Input; 2],
    approvals: Option<&Input>,
    strict: bool,
    version: VersionArgs,
    today: Day,
) -> Report {
    let failed = |findings| Report { findings, success: String::new() };
    // Other errors of the new document alone are reported by `lint`: it may have another author or be older than the rules.
    let contradictions = Contract::load(&new.name, &new.bytes).map(|contract| openapi_lint::contradictions(&contract));
    let (old, new) = match [old, new].map(|file| Release::read_bytes(&file.name, &file.bytes)) {
        [Ok(old), Ok(new)] => (old, new),
        sides => {
            return failed(sides.into_iter().filter_map(Result::err).flat_map(|errors| findings(&errors)).collect());
        }
    };
    let wrong_line = |BadLine { line, message }: &BadLine| {
        let file = approvals.map(|file| file.name.as_str()).unwrap_or_default();
        finding(Severity::Error, file, Position { line: *line, column: 1 }, "approval-wrong", message)
    };
    let text = approvals.map(|file| String::from_utf8_lossy(&file.bytes));
    let approvals = match Approvals::parse(text.as_deref().unwrap_or_default()) {
        Ok(approvals) => approvals,
        // Without the approvals the changes cannot be judged.
        Err(lines) => return failed(lines.iter().map(wrong_line).collect()),
    };
    let changes = changes_between(&old, &new, today);
    let reviewed = approvals.review(&changes);
    let mut findings = findings(&contradictions.unwrap_or_default());
    findings.extend(reviewed.stale.iter().map(wrong_line));
    if !version.ignored {
        let position = new.nearest_position("/info/version");
        for release in [&old, &new].into_iter().filter(|release| !is_semantic(release.version())).take(1) {
            let position = release.nearest_position("/info/version");
            findings.push(version_ignored(release.file_name(), position, release.version()));
        }
        if let Err(fault) = required_step(&changes, old.version(), new.version()) {
            let fault = finding(Severity::Error, new.file_name(), position, "version-step", fault.to_string());
            findings.push(Diagnostic { pointer: "/info/version".to_owned(), ..fault });
        }
    }
    findings.extend(changes.iter().map(|change| {
        let mut finding = Diagnostic::from(change);
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
    let breaking =
        reviewed.approved.iter().filter(|change| change.rule.severity == openapi_breaking::Severity::Breaking);
    match (breaking.count(), reviewed.unreviewed.len()) {
        (0, 0) => "no breaking changes".to_owned(),
        (0, possibly) => format!("no breaking changes, {} to review", counted(possibly, "possibly breaking change")),
        (approved, 0) => format!("{}, no others", counted(approved, "approved breaking change")),
        (approved, possibly) => format!(
            "{}, no others, {} to review",
            counted(approved, "approved breaking change"),
            counted(possibly, "possibly breaking change")
        ),
    }
}
