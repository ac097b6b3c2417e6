//! Breaks that somebody has looked at and wants: a file of fingerprints.
//!
//! One a line, with what is written after `#` for whoever reads it:
//!
//! ```text
//! # 2.0: page numbers are gone, nobody used them
//! 3f9a01c2d4e5  # GET /users → query page
//! ```
//!
//! An approval ends with the release: its change is then part of what is compared with. A line that approves nothing is
//! told, so that the file never holds leave for a break that comes back by accident.

use std::collections::HashSet;

use crate::{Change, Severity};

/// The fingerprints of the changes that are approved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    lines: Vec<(usize, String)>,
}

/// A line of the file that is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What approvals make of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'c> {
    /// Breaking changes that are approved, and possibly breaking ones that are.
    pub approved: Vec<&'c Change>,
    /// Breaking changes that nobody approved: the check fails by them.
    pub refused: Vec<&'c Change>,
    /// Possibly breaking changes that nobody approved: somebody should look at them.
    pub doubtful: Vec<&'c Change>,
    /// Lines that approve nothing, or nothing that needs it.
    pub stale: Vec<BadLine>,
}

impl Approvals {
    /// Reads a file of approvals.
    ///
    /// # Errors
    /// Every line that is neither empty, a comment nor a fingerprint of twelve hexadecimal digits, in whatever case, and
    /// every second approval of the same change.
    pub fn parse(text: &str) -> Result<Approvals, Vec<BadLine>> {
        let (mut lines, mut bad, mut known) = (Vec::new(), Vec::new(), HashSet::new());
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, text) in (1..).zip(text.lines()) {
            let approval = text.split_once('#').map_or(text, |(approval, _)| approval).trim().to_ascii_lowercase();
            if approval.is_empty() {
                continue;
            }
            if approval.len() != 12 || !approval.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                let message =
                    format!("`{approval}` is no fingerprint: twelve digits of 0–9 and a–f, as the check prints them");
                bad.push(BadLine { line, message });
            } else if known.insert(approval.clone()) {
                lines.push((line, approval));
            } else {
                bad.push(BadLine { line, message: format!("`{approval}` is approved twice") });
            }
        }
        if bad.is_empty() { Ok(Approvals { lines }) } else { Err(bad) }
    }

    /// Sorts changes by what is approved. Safe changes and prose need no approval and are in no list.
    pub fn judge<'c>(&self, changes: &'c [Change]) -> Verdict<'c> {
        let approved: HashSet<&str> = self.lines.iter().map(|(_, fingerprint)| fingerprint.as_str()).collect();
        let mut verdict =
            Verdict { approved: Vec::new(), refused: Vec::new(), doubtful: Vec::new(), stale: Vec::new() };
        let mut used = HashSet::new();
        for change in changes {
            let list = match change.severity {
                Severity::Safe | Severity::Prose => continue,
                _ if approved.contains(change.fingerprint.as_str()) => {
                    used.insert(change.fingerprint.as_str());
                    &mut verdict.approved
                }
                Severity::Breaking => &mut verdict.refused,
                Severity::PossiblyBreaking => &mut verdict.doubtful,
            };
            list.push(change);
        }
        for (line, fingerprint) in self.lines.iter().filter(|(_, fingerprint)| !used.contains(fingerprint.as_str())) {
            let message = format!("`{fingerprint}` approves no change of this comparison: take the line away");
            verdict.stale.push(BadLine { line: *line, message });
        }
        verdict
    }
}
