//! `contract release`: makes the contract the released one.

use std::path::Path;

use openapi_breaking::Day;

use crate::args::VersionArgs;
use crate::diff::compare;
use crate::lint::lint;
use crate::report::{Report, Unusable, read, write};

pub(crate) fn release(
    contract: &Path,
    released: &Path,
    approvals: &Path,
    version: VersionArgs,
    today: Day,
) -> Result<Report, Unusable> {
    let new = read(contract)?;
    let approved = approvals.exists().then(|| read(approvals)).transpose()?;
    let mut report = lint(&new);
    if released.exists() {
        let changes = compare([&read(released)?, &new], approved.as_ref(), false, version, today);
        // What both commands report is reported once.
        let known = report.findings.clone();
        report.findings.extend(changes.findings.into_iter().filter(|finding| !known.contains(finding)));
    }
    if report.has_errors() {
        return Ok(report);
    }
    write(released, &new.bytes)?;
    if let Some(approved) = approved {
        // Approved changes are part of the release now.
        let text = String::from_utf8_lossy(&approved.bytes);
        let kept = text.lines().filter(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        write(approvals, kept.as_bytes())?;
    }
    report.success = format!("{} is released as {}", contract.display(), released.display());
    Ok(report)
}
