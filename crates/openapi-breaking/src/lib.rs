//! What a new contract breaks of an old one: one [`Change`] per difference, judged by who sends and who reads.
//!
//! A client wrote its requests and reads its responses by the old contract. So what *tightens a request* breaks it (what
//! it sends is refused), and so does what *widens a response* (what it reads is news to it); the other way round is
//! safe. A schema that is used both ways is judged both ways. Every difference is told: breaking, possibly breaking (it
//! depends on something that no contract says), safe, or prose. [`RULES`] lists them all.
//!
//! `view` reads a schema for what it means, whatever its spelling: references followed, `allOf` merged, `null` as
//! `type: [string, 'null']`, `anyOf`, `enum` or `const`. `schema` and what it calls hold two such views against each
//! other, keyword by keyword; `operations`, `parameters`, `exchange`, `security`, `servers` and `leftovers` hold everything around schemas; `moves`
//! knows where operations went.
//! `walk` keeps the place, follows each pair of references once, however often it is used, and tells what is found.
//! `version` says which step of `info.version` the changes demand, `approvals` which of them somebody has approved.
//!
//! The engine takes any OpenAPI 3.1, not only what the grammar lets pass: an [`Edition`] may have been written before a
//! keyword was refused.
//!
//! Why it is not built on Oxide's `drift` 0.2: that compares the 3.0 form (the `openapiv3` types), in which nullability
//! and sunsets are gone; it does not look at security, headers or media types by direction, leaves `anyOf`, `allOf` and
//! changed bounds "unhandled", calls defaults and discriminators trivial, and has neither rule ids nor positions.

mod approvals;
mod bounds;
#[cfg(test)]
mod coverage;
mod edition;
mod exchange;
mod fingerprint;
mod leftovers;
mod moves;
mod operations;
mod parameters;
mod properties;
mod rules;
mod schema;
mod security;
mod servers;
mod types;
mod unions;
mod version;
mod view;
mod walk;

use std::fmt;

use serde_json::{Map, Value, json};

use openapi_contract::diagnostics::{self, Diagnostic};
use openapi_contract::{Contract, Position};

pub use approvals::{Approvals, BadLine, Verdict};
pub use edition::{Day, Edition};
pub use rules::{RULES, Rule};
pub use version::{Step, StepFault, demanded_step, required_step};

/// What a change does to clients that were written by the old contract. The gravest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Some client that kept to the old contract fails.
    Breaking,
    /// Some client may fail; the contracts alone do not say.
    PossiblyBreaking,
    /// No client that kept to the old contract notices, unless it wants to.
    Safe,
    /// Only people read it.
    Prose,
}

/// On which way a change shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// In what clients send.
    Request,
    /// In what clients are sent.
    Response,
    /// In the API as a whole: which operations there are, who may call them, how long they stay.
    Api,
}

/// Where one side of a change stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line and column of the node, or of its nearest ancestor that exists.
    pub position: Position,
    /// JSON pointer (RFC 6901) of the node, or of where it would be.
    pub pointer: String,
}

/// One difference between two contracts. Displayed on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The id of the [`Rule`] that judged it: stable, in kebab case.
    pub rule: &'static str,
    /// What it does to clients.
    pub severity: Severity,
    /// On which way it shows.
    pub direction: Direction,
    /// The least step of the version that it asks for.
    pub step: Step,
    /// Where it shows, for people: `POST /users → body → application/json → name → maxLength`.
    pub place: String,
    /// Where else it shows, since components are shared.
    pub also: Vec<String>,
    /// What changed, in one sentence without a full stop.
    pub sentence: String,
    /// Why that is judged as it is: the rule's sentence.
    pub why: &'static str,
    /// What would make it safe; empty where it is.
    pub remedy: &'static str,
    /// Where it stands, or would stand, in the old contract.
    pub old: Place,
    /// Where it stands, or would stand, in the new contract.
    pub new: Place,
    /// What the old contract says, where a value changed.
    pub before: Option<Value>,
    /// What the new contract says, where a value changed.
    pub after: Option<Value>,
    /// Twelve hexadecimal digits that stay the same wherever in the files the change moves: made of the rule, the
    /// logical place and the values.
    pub fingerprint: String,
}

/// Every change from an old contract to a new one, the gravest first, then in the order of the new one.
///
/// `today` decides whether a sunset has passed.
pub fn changes(old: &Contract, new: &Contract, today: Day) -> Vec<Change> {
    changes_between(&Edition::from(old), &Edition::from(new), today)
}

/// [`changes`] of documents that need not keep to this crate's grammar.
pub fn changes_between(old: &Edition, new: &Edition, today: Day) -> Vec<Change> {
    walk::Walk::new(old, new, today).changes()
}

impl Severity {
    /// As in every list: `possibly breaking`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Breaking => "breaking",
            Severity::PossiblyBreaking => "possibly breaking",
            Severity::Safe => "safe",
            Severity::Prose => "prose",
        }
    }
}

impl Direction {
    /// As in every list: `request`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::Request => "request",
            Direction::Response => "response",
            Direction::Api => "api",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
    /// At the place in the new contract, where a pull request shows it; what else is known stands in the detail, and for
    /// programs in the facts: `change` (the severity), `direction`, `step`, `place`, `also`, `sentence`, `why`, `remedy`,
    /// `old` and `new` (`file`, `line`, `column`, `pointer`), `before`, `after` and `fingerprint`.
    fn from(change: &Change) -> Self {
        let Change { place, sentence, why, remedy, old, new, fingerprint, .. } = change;
        let mut detail = format!("{}: {why}\n", change.severity);
        if !remedy.is_empty() {
            detail.push_str(&format!("to keep clients working: {remedy}\n"));
        }
        detail.push_str(&format!("before: {}:{} (#{})\n", old.file, old.position, old.pointer));
        for also in &change.also {
            detail.push_str(&format!("shows in: {also}\n"));
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
