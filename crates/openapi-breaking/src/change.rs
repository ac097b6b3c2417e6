//! The result of a comparison: changes, each with its severity and its place in both documents.

use std::fmt;

use serde_json::{Map, Value, json};

use openapi_contract::Position;
use openapi_contract::diagnostics::{self, Diagnostic};

/// What a change does to clients that were written for the old release. The most severe comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Some client that follows the old release fails.
    Breaking,
    /// Some client may fail; the two documents alone do not decide it.
    PossiblyBreaking,
    /// No client that follows the old release fails.
    Safe,
    /// Documentation only.
    Prose,
}

/// What a change affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What clients send.
    Request,
    /// What clients receive.
    Response,
    /// The API as a whole: which operations exist, who may call them, until when.
    Api,
}

/// A step of the version. The smallest comes first.
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

/// The place of a change in one of the two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line and column of the node, or of its nearest ancestor that exists.
    pub position: Position,
    /// JSON pointer (RFC 6901) of the node, or of where it would be.
    pub pointer: String,
}

/// One difference between two releases. Displayed on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The id of the [`Rule`](crate::Rule) that applies: stable, in kebab case.
    pub rule: &'static str,
    /// What it does to clients.
    pub severity: Severity,
    /// What it affects.
    pub direction: Direction,
    /// The smallest step of the version that it requires.
    pub step: Step,
    /// The place for people: `POST /users → body → application/json → name → maxLength`.
    pub place: String,
    /// Other places that show the same change of a shared component.
    pub also: Vec<String>,
    /// What changed, in one sentence without a full stop.
    pub sentence: String,
    /// Why it has this severity: the rule's sentence.
    pub why: &'static str,
    /// What would make it safe; empty if it is safe.
    pub remedy: &'static str,
    /// The place in the old release.
    pub old: Place,
    /// The place in the new release.
    pub new: Place,
    /// The old value, where a value changed.
    pub before: Option<Value>,
    /// The new value, where a value changed.
    pub after: Option<Value>,
    /// Twelve hexadecimal digits, computed from the rule, the logical place and the values. They stay the same when the
    /// change moves in the files.
    pub fingerprint: String,
}

/// The names in reports.
macro_rules! names {
    ($($type:ident { $($variant:ident => $name:literal),* })*) => {$(
        impl $type {
            /// The name in reports, in lower case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

names! {
    Severity { Breaking => "breaking", PossiblyBreaking => "possibly breaking", Safe => "safe", Prose => "prose" }
    Direction { Request => "request", Response => "response", Api => "api" }
    Step { None => "no", Patch => "patch", Minor => "minor", Major => "major" }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { rule, severity, place, sentence, new, .. } = self;
        write!(f, "{severity}[{rule}]: {}:{}: {place}: {sentence}", new.file, new.position)
    }
}

impl Change {
    fn facts(&self) -> Map<String, Value> {
        let place = |place: &Place| {
            let Place { file, position, pointer } = place;
            json!({ "file": file, "line": position.line, "column": position.column, "pointer": pointer })
        };
        let mut facts = diagnostics::members_of(json!({
            "change": self.severity.as_str(),
            "direction": self.direction.as_str(),
            "step": self.step.as_str(),
            "place": self.place,
            "also": self.also,
            "sentence": self.sentence,
            "why": self.why,
            "remedy": self.remedy,
            "old": place(&self.old),
            "new": place(&self.new),
            "fingerprint": self.fingerprint,
        }));
        let values = [("before", &self.before), ("after", &self.after)];
        facts.extend(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))));
        facts
    }
}

impl From<&Change> for Diagnostic {
    /// At the place in the new release, where a pull request shows it. The detail has the rest for people; the facts have
    /// it for programs: `change` (the severity), `direction`, `step`, `place`, `also`, `sentence`, `why`, `remedy`, `old`
    /// and `new` (`file`, `line`, `column`, `pointer`), `before`, `after` and `fingerprint`.
    fn from(change: &Change) -> Self {
        let Change { place, sentence, why, remedy, old, new, fingerprint, .. } = change;
        let mut detail = format!("{}: {why}\n", change.severity);
        if !remedy.is_empty() {
            detail.push_str(&format!("to stay compatible: {remedy}\n"));
        }
        detail.push_str(&format!("before: {}:{} (#{})\n", old.file, old.position, old.pointer));
        for also in &change.also {
            detail.push_str(&format!("also at: {also}\n"));
        }
        detail.push_str(&format!("fingerprint: {fingerprint}\n"));
        Diagnostic {
            severity: match change.severity {
                Severity::Breaking => diagnostics::Severity::Error,
                Severity::PossiblyBreaking => diagnostics::Severity::Warning,
                Severity::Safe | Severity::Prose => diagnostics::Severity::Notice,
            },
            code: change.rule.to_owned(),
            file: new.file.clone(),
            position: new.position,
            pointer: new.pointer.clone(),
            message: format!("{place}: {sentence}"),
            detail,
            facts: change.facts(),
        }
    }
}
