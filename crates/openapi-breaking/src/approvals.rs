//! Breaking changes that were reviewed and are intended: a file of fingerprints.
//!
//! One per line; text after `#` is a comment:
//!
//! ```text
//! # 2.0: cursors replace page numbers
//! 3f9a01c2d4e5  # GET /users → query page
//! ```
//!
//! An approval ends with the release: its change is then part of the old release. A line that matches no change is an error,
//! so that the file never approves a break that is introduced again by accident.

use std::collections::HashSet;

use crate::change::Change;
use crate::rule::Severity;

/// The fingerprints of the approved changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    lines: Vec<(usize, String)>,
}

/// A line of the file that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Changes by whether they are approved.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed<'c> {
    /// Approved changes, breaking and possibly breaking.
    pub approved: Vec<&'c Change>,
    /// Breaking changes without approval: the check fails.
    pub unapproved: Vec<&'c Change>,
    /// Possibly breaking changes without approval: they need a review.
    pub unreviewed: Vec<&'c Change>,
    /// Lines that match no breaking or possibly breaking change.
    pub stale: Vec<BadLine>,
}

impl Approvals {
    /// Reads a file of approvals.
    ///
    /// # Errors
    /// Every line that is neither empty, a comment nor a fingerprint of twelve hexadecimal digits in either case, and every
    /// second approval of the same change.
    pub fn parse(text: &str) -> Result<Approvals, Vec<BadLine>> {
        let (mut lines, mut bad, mut known) = (Vec::new(), Vec::new(), HashSet::new());
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, text) in (1..).zip(text.lines()) {
            let approval = text.split_once('#').map_or(text, |(approval, _)| approval).trim().to_ascii_lowercase();
            if approval.is_empty() {
                continue;
            }
            let is_fingerprint =
                |text: &str| text.len() == 12 && text.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
            if !is_fingerprint(&approval) {
                let message = match approval.split_once(char::is_whitespace) {
                    Some((head, _)) if is_fingerprint(head) => format!("write `#` before the comment after `{head}`"),
                    _ => format!(
                        "`{approval}` is not a fingerprint: expected twelve hexadecimal digits, as `contract diff` prints them"
                    ),
                };
                bad.push(BadLine { line, message });
            } else if known.insert(approval.clone()) {
                lines.push((line, approval));
            } else {
                bad.push(BadLine { line, message: format!("`{approval}` is approved twice") });
            }
        }
        if bad.is_empty() { Ok(Approvals { lines }) } else { Err(bad) }
    }

    /// Sorts changes by approval. Safe changes and prose need none and are in no list.
    pub fn review<'c>(&self, changes: &'c [Change]) -> Reviewed<'c> {
        let approved: HashSet<&str> = self.lines.iter().map(|(_, fingerprint)| fingerprint.as_str()).collect();
        let mut reviewed =
            Reviewed { approved: Vec::new(), unapproved: Vec::new(), unreviewed: Vec::new(), stale: Vec::new() };
        let mut used = HashSet::new();
        for change in changes {
            let list = match change.rule.severity {
                Severity::Safe | Severity::Prose => continue,
                _ if approved.contains(change.fingerprint.as_str()) => {
                    used.insert(change.fingerprint.as_str());
                    &mut reviewed.approved
                }
                Severity::Breaking => &mut reviewed.unapproved,
                Severity::PossiblyBreaking => &mut reviewed.unreviewed,
            };
            list.push(change);
        }
        for (line, fingerprint) in self.lines.iter().filter(|(_, fingerprint)| !used.contains(fingerprint.as_str())) {
            let message = format!("`{fingerprint}` matches no change of this comparison: remove the line");
            reviewed.stale.push(BadLine { line: *line, message });
        }
        reviewed
    }
}
