//! The step of `info.version` that the changes require (semver 2.0.0).
//!
//! - Breaking: a major step. Before 1.0.0 each step is one place further right, as in Cargo: a minor step, and before
//!   0.1.0 a patch.
//! - Possibly breaking, or something new that clients may use: a minor step; before 1.0.0 a patch.
//! - Safe and nothing new: a patch.
//! - Prose: none. The version may stay the same or increase.
//!
//! An approval does not reduce the step: an approved change still breaks clients. A version must not decrease, and a larger
//! step than required is always accepted. A pre-release counts as the version that it precedes.
//!
//! OpenAPI allows any string as version. Where either version is not a semantic version, the rule does not apply.

use semver::Version;

use crate::change::Change;
use crate::rule::{Severity, Step};

/// Why a version is wrong, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StepFault(String);

/// Whether a version is a semantic version, to which the rule applies.
pub fn is_semantic(version: &str) -> bool {
    Version::parse(version).is_ok()
}

/// The step that the changes require, if the version takes it; `None` if either version is not a semantic version.
///
/// # Errors
/// The new version is less than the old one, or its step is too small.
pub fn required_step(changes: &[Change], old: &str, new: &str) -> Result<Option<Step>, StepFault> {
    let (Ok(old), Ok(new)) = (Version::parse(old), Version::parse(new)) else { return Ok(None) };
    let largest = changes.iter().map(|change| change.rule.step).max().unwrap_or(Step::None);
    let required = shifted(largest, &old);
    if new < old {
        return Err(StepFault(format!("the version decreases from {old} to {new}")));
    }
    let least = least(&old, required);
    let reached = (new.major, new.minor, new.patch) >= (least.major, least.minor, least.patch);
    // A pre-release promises no compatibility (semver §9).
    let stable = old.pre.is_empty() || new == old;
    if required > Step::None && stable && (!reached || new == old) {
        let cause = cause(changes);
        return Err(StepFault(format!(
            "{cause} a {required} version step, from {old} to at least {least}, but the new version is {new}"
        )));
    }
    Ok(Some(required))
}

/// Before 1.0.0 each place of a version has the meaning that the place to its left has later.
fn shifted(step: Step, old: &Version) -> Step {
    match (step, old.major, old.minor) {
        (Step::Major, 0, 0) => Step::Patch,
        (Step::Major, 0, _) => Step::Minor,
        (Step::Minor, 0, _) => Step::Patch,
        (step, ..) => step,
    }
}

fn least(old: &Version, step: Step) -> Version {
    let Version { major, minor, patch, .. } = *old;
    match step {
        Step::None => old.clone(),
        Step::Patch => Version::new(major, minor, patch.saturating_add(1)),
        Step::Minor => Version::new(major, minor.saturating_add(1), 0),
        Step::Major => Version::new(major.saturating_add(1), 0, 0),
    }
}

/// What requires the step: the most severe changes.
fn cause(changes: &[Change]) -> String {
    let worst = changes.iter().map(|change| change.rule.severity).min().unwrap_or(Severity::Prose);
    let count = changes.iter().filter(|change| change.rule.severity == worst).count();
    let plural = if count == 1 { "change requires" } else { "changes require" };
    format!("{count} {worst} {plural}")
}
