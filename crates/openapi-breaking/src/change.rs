//! The result of a comparison: changes, each with its severity and its place in both documents.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::rule::{Rule, Severity};
use openapi_contract::Position;
use openapi_contract::diagnostics::{self, Diagnostic};
use openapi_contract::excerpt;

/// The place of a change in one of the two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line and column of the node, or of its nearest ancestor that exists.
    pub position: Position,
    /// JSON pointer (RFC 6901) of the node, or of its nearest ancestor that exists.
    pub pointer: String,
    /// Whether the node exists in this document.
    pub exists: bool,
}

/// One difference between two releases. Displayed on one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The rule that applies.
    pub rule: &'static Rule,
    /// The place for people: `POST /users → body → application/json → name → maxLength`.
    pub place: String,
    /// Other places that show the same change of a shared component.
    pub also: Vec<String>,
    /// What changed, in one sentence without a full stop.
    pub sentence: String,
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

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { rule, place, sentence, new, .. } = self;
        write!(f, "{}[{}]: {}:{}: {place}: {sentence}", rule.severity, rule.id, new.file, new.position)
    }
}

impl Change {
    fn facts(&self) -> Map<String, Value> {
        let place = |place: &Place| {
            let Place { file, position, pointer, .. } = place;
            json!({ "file": file, "line": position.line, "column": position.column, "pointer": pointer })
        };
        let mut facts = diagnostics::members_of(json!({
            "change": self.rule.severity.as_str(),
            "direction": self.rule.direction.as_str(),
            "step": self.rule.step.as_str(),
            "place": self.place,
            "also": self.also,
            "sentence": self.sentence,
            "why": self.rule.sentence(),
            "remedy": self.rule.remedy,
            "old": place(&self.old),
            "new": place(&self.new),
            "fingerprint": self.fingerprint,
        }));
        let values = [("before", &self.before), ("after", &self.after)];
        facts.extend(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))));
        facts
    }
}

impl Change {
    /// The change as a finding at its place in the new release, where a pull request shows it. `lines` are those of the old
    /// and of the new release.
    ///
    /// The detail has the rest for people; the facts have it for programs: `change` (the severity), `direction`, `step`,
    /// `place`, `also`, `sentence`, `why`, `remedy`, `old` and `new` (`file`, `line`, `column`, `pointer`), `before`,
    /// `after` and `fingerprint`.
    pub fn diagnostic(&self, lines: [&[&str]; 2]) -> Diagnostic {
        let Change { rule, place, sentence, old, new, fingerprint, .. } = self;
        let labels = match [old.exists, new.exists] {
            [true, true] => ["before", "after"],
            [true, false] => ["removed", "not here"],
            [false, _] => ["not here", "added"],
        };
        let [before, after] = [(0, old), (1, new)]
            .map(|(side, place)| excerpt::at(&place.file, lines[side], place.position, labels[side]));
        let is_drawn = before.is_some();
        let mut detail = excerpt::draw(after.into_iter().chain(before));
        detail.push_str(&format!("{}: {}\n", rule.severity, rule.sentence()));
        if !rule.remedy.is_empty() {
            detail.push_str(&format!("to stay compatible: {}\n", rule.remedy));
        }
        if !is_drawn {
            detail.push_str(&format!("before: {}:{} (#{})\n", old.file, old.position, old.pointer));
        }
        for also in &self.also {
            detail.push_str(&format!("also at: {also}\n"));
        }
        detail.push_str(&format!("fingerprint: {fingerprint}\n"));
        Diagnostic {
            severity: match rule.severity {
                Severity::Breaking => diagnostics::Severity::Error,
                Severity::PossiblyBreaking => diagnostics::Severity::Warning,
                Severity::Safe | Severity::Prose => diagnostics::Severity::Notice,
            },
            code: rule.id.to_owned(),
            file: new.file.clone(),
            position: new.position,
            pointer: new.pointer.clone(),
            message: format!("{place}: {sentence}"),
            detail,
            facts: self.facts(),
        }
    }
}
