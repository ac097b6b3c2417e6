//! Which step of `info.version` the changes demand (semver 2.0.0).
//!
//! - Breaking: a major step. Before 1.0.0 everything is one place further right, as Cargo has it: a minor step, and
//!   before 0.1.0 a patch.
//! - Possibly breaking, or something new that clients may use: a minor step; before 1.0.0 a patch.
//! - Safe and nothing new: a patch.
//! - Prose: none. The version may stay, and may go on.
//!
//! An approval does not lessen the step: it says that a break is meant, not that it is none. A version never goes back,
//! and a larger step than demanded is always right. A pre-release counts as the version that it leads to.

use std::fmt;

use semver::Version;

use crate::{Change, Severity};

/// A step of the version. The least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The version may stay.
    None,
    /// `1.2.3` → `1.2.4`.
    Patch,
    /// `1.2.3` → `1.3.0`.
    Minor,
    /// `1.2.3` → `2.0.0`.
    Major,
}

/// Why a version does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepFault {
    /// It is no version by semver.
    #[error("`{0}` is no version of the form 1.2.3")]
    NotAVersion(String),
    /// It is less than the old one.
    #[error("the version goes back, from {old} to {new}")]
    Backwards {
        /// The old version.
        old: Version,
        /// The new version.
        new: Version,
    },
    /// The step is too small.
    #[error("{changes} a {demanded} step, at least {least}, and the version goes from {old} to {new}")]
    TooSmall {
        /// What demands the step, as in "2 breaking changes demand".
        changes: String,
        /// The step demanded.
        demanded: Step,
        /// The least version that does.
        least: Version,
        /// The old version.
        old: Version,
        /// The new version.
        new: Version,
    },
}

/// The step that the gravest of these changes demands of a version of 1.0.0 or more.
pub fn demanded_step(changes: &[Change]) -> Step {
    changes.iter().map(|change| change.step).max().unwrap_or(Step::None)
}

/// Whether the version takes the step that the changes demand; if so, the step.
///
/// # Errors
/// Either is no version, the new one is less, or the step is too small.
pub fn required_step(changes: &[Change], old: &str, new: &str) -> Result<Step, StepFault> {
    let parse = |text: &str| Version::parse(text).map_err(|_| StepFault::NotAVersion(text.to_owned()));
    let (old, new) = (parse(old)?, parse(new)?);
    let demanded = shifted(demanded_step(changes), &old);
    if new < old {
        return Err(StepFault::Backwards { old, new });
    }
    let least = least(&old, demanded);
    let reached = (new.major, new.minor, new.patch) >= (least.major, least.minor, least.patch);
    // A pre-release promises nothing yet (semver §9), so whatever follows it may differ.
    let promised = old.pre.is_empty() || new == old;
    if demanded > Step::None && promised && (!reached || new == old) {
        return Err(StepFault::TooSmall { changes: told(changes), demanded, least, old, new });
    }
    Ok(demanded)
}

/// Before 1.0.0 the places of a version mean what those to their left mean later.
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

/// What demands a step, the gravest only.
fn told(changes: &[Change]) -> String {
    let gravest = changes.iter().map(|change| change.severity).min().unwrap_or(Severity::Prose);
    let count = changes.iter().filter(|change| change.severity == gravest).count();
    let plural = if count == 1 { "change demands" } else { "changes demand" };
    format!("{count} {gravest} {plural}")
}

impl Step {
    /// As in a sentence: `minor`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::None => "no",
            Step::Patch => "patch",
            Step::Minor => "minor",
            Step::Major => "major",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
