//! The state of a comparison: the two releases, the current place, and what was found.
//!
//! Schemas that hold references or alternatives are compared as units of a [`PairWalk`]: once per direction, however many
//! operations use them. A change in a shared component is reported once, with every place that shows it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::change::{Change, Place};
use crate::day::Day;
use crate::fingerprint::{fingerprint, logical_place};
use crate::rule::{Direction, Rule, Severity};
use crate::rules::PROSE_CHANGED;
use crate::sides::{Sides, both_same};
use crate::subschema::Subschema;
use openapi_contract::Contract;
use openapi_contract::operation::is_planned;
use openapi_contract::pair_walk::{Found, PairWalk};
use openapi_contract::pointer::{self, local};

/// How many units are compared. Only documents made to be difficult have so many combinations of schemas.
const MAX_UNITS: usize = 50_000;

/// How many times one schema may be compared with another to find out whether it accepts everything the other accepts.
const MAX_TRIALS: usize = 2_000;

#[derive(Debug, Clone)]
struct Unit<'a> {
    direction: Direction,
    text: bool,
    schemas: [Subschema<'a>; 2],
}

/// What makes two units the same: direction, whether values are text, and both schemas.
type UnitKey = (Direction, bool, [Vec<String>; 2]);

/// A value before and after a change.
pub(super) type Values = [Option<Value>; 2];

/// A change before all of its places are known.
#[derive(Debug)]
struct Finding {
    rule: &'static Rule,
    /// Dropped if another finding is below its place, or one that is no fallback is at its place.
    fallback: bool,
    sentence: String,
    at: [String; 2],
    values: Values,
}

pub(super) struct Walk<'a> {
    pub(super) releases: [&'a Contract; 2],
    pub(super) today: Day,
    /// Whether values are written as text, as in a query: `5` is a number and a string.
    pub(super) text: bool,
    /// Whether the operations that are compared are sent by the server: webhooks and callbacks.
    pub(super) sent_by_server: bool,
    /// The callbacks that are being compared, innermost last.
    pub(super) callbacks: Vec<[String; 2]>,
    pairs: PairWalk<'a, UnitKey, Unit<'a>, (), Finding>,
    /// How many trials are left; none inside a trial.
    trials: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(releases: [&'a Contract; 2], today: Day) -> Walk<'a> {
        Walk {
            releases,
            today,
            text: false,
            sent_by_server: false,
            callbacks: Vec::new(),
            pairs: PairWalk::new(MAX_UNITS),
            trials: MAX_TRIALS,
        }
    }

    /// Both documents.
    pub(super) fn documents(&self) -> [&'a Value; 2] {
        self.releases.map(Contract::document)
    }

    /// Compares the schemas that were queued.
    pub(super) fn units(&mut self) {
        while let Some(Unit { direction, text, schemas }) = self.pairs.advance() {
            self.text = text;
            self.compare(direction, &schemas);
        }
        self.text = false;
    }

    /// A walk of its own to find out whether one schema accepts everything that another one accepts.
    pub(super) fn trial(&mut self) -> Option<Walk<'a>> {
        self.trials = self.trials.checked_sub(1)?;
        Some(Walk { trials: 0, text: self.text, ..Walk::new(self.releases, self.today) })
    }

    /// Whether nothing was found that may break a client.
    pub(super) fn is_safe(&self) -> bool {
        self.pairs.found().iter().all(|found| {
            let rule = found.finding.rule;
            // An optional property that is added gives a type to a property that was not listed before.
            matches!(rule.severity, Severity::Safe | Severity::Prose) && rule.id != "request-property-added-optional"
        })
    }

    /// The direction in which the request of an operation travels, as clients see it.
    pub(super) fn request_direction(&self) -> Direction {
        if self.sent_by_server { Direction::Response } else { Direction::Request }
    }

    /// The direction in which the response to an operation travels, as clients see it.
    pub(super) fn response_direction(&self) -> Direction {
        if self.sent_by_server { Direction::Request } else { Direction::Response }
    }

    /// Adds a step to the place while `inside` runs.
    pub(super) fn step(&mut self, label: impl Into<Cow<'a, str>>, inside: impl FnOnce(&mut Self)) {
        self.pairs.enter(label.into());
        inside(self);
        self.pairs.leave();
    }

    /// Queues two schemas as a unit.
    pub(super) fn queue(&mut self, direction: Direction, schemas: [Subschema<'a>; 2]) {
        let identities = [schemas[0].identity(), schemas[1].identity()];
        self.pairs.queue((direction, self.text, identities), Unit { direction, text: self.text, schemas }, ());
    }

    /// Reports a change of which rule and place are everything.
    pub(super) fn report(&mut self, rule: &'static Rule, at: [String; 2], sentence: impl Into<String>) {
        self.pairs.report(Finding { rule, fallback: false, sentence: sentence.into(), at, values: [None, None] });
    }

    /// Reports that a value is added, removed or another one. The values are part of the fingerprint.
    pub(super) fn report_value(&mut self, rule: &'static Rule, at: [String; 2], what: &str, values: Values) {
        let sentence = sentence(what, &values);
        self.pairs.report(Finding { rule, fallback: false, sentence, at, values });
    }

    /// Reports a difference that no client notices, unless another finding is at its place or below: what the difference
    /// changes is reported there.
    pub(super) fn report_unnoticed(
        &mut self,
        rule: &'static Rule,
        at: [String; 2],
        what: &str,
        values: [Option<&Value>; 2],
    ) {
        if !both_same(values) {
            let values = values.map(|value| value.cloned());
            let sentence = sentence(what, &values);
            self.pairs.report(Finding { rule, fallback: true, sentence, at, values });
        }
    }

    /// Reports that the member `key` is added, removed or another one.
    pub(super) fn changed(&mut self, rule: &'static Rule, sides: &Sides<'a>, key: &str) {
        let values = sides.get(key).map(|value| value.cloned());
        self.step(key.to_owned(), |walk| walk.report_value(rule, sides.at(key), &format!("`{key}`"), values));
    }

    /// Reports changes of components that a value refers to, where the value is compared as it is written.
    pub(super) fn referred_components(&mut self, rule: &'static Rule, key: &str, values: [Vec<&'a Value>; 2]) {
        let documents = self.documents();
        let others = referred(documents[1], &values[1]);
        for at in referred(documents[0], &values[0]).intersection(&others) {
            let found = documents.map(|document| pointer::find(document, at));
            if !both_same(found) {
                let what = format!("the component that `{key}` refers to");
                let values = found.map(|value| value.cloned());
                self.report_value(rule, [at.clone(), at.clone()], &what, values);
            }
        }
    }

    /// Reports as prose every member of two objects except those that are compared, and what is beside references to them.
    pub(super) fn rest(&mut self, is_compared: impl Fn(&str) -> bool, sides: &Sides<'a>) {
        let keys: BTreeSet<&str> = sides.keys().filter(|key| !is_compared(key)).collect();
        self.prose(keys, sides);
        for beside in sides.references() {
            self.prose(beside.keys().filter(|key| *key != "$ref").collect::<BTreeSet<_>>(), &beside);
        }
    }

    /// Reports as prose these members of two objects.
    pub(super) fn prose<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>, sides: &Sides<'a>) {
        for key in keys {
            if !both_same(sides.get(key)) {
                self.changed(PROSE_CHANGED, sides, key);
            }
        }
    }

    /// Every change, once, with all of its places: the most severe first, then in the order of the new document.
    pub(super) fn collect(self) -> Vec<Change> {
        let found = || self.pairs.found().iter().map(|found| &found.finding);
        // Whether another finding reports what a fallback is for.
        let covers = |other: &Finding, finding: &Finding| {
            let below = finding.at.iter().zip(&other.at).filter_map(|(at, other)| other.strip_prefix(at.as_str()));
            below.into_iter().any(|rest| rest.starts_with('/') || rest.is_empty() && !other.fallback)
        };
        let groups = self.pairs.groups(|Found { finding, .. }| {
            let is_reported = finding.fallback && found().any(|other| covers(other, finding));
            let values = finding.values.clone().map(|value| value.map(|value| value.to_string()));
            (!is_reported).then(|| (finding.rule.id, finding.at.clone(), values))
        });
        let mut changes: Vec<Change> = Vec::with_capacity(groups.len());
        for group in groups {
            if let Some(first) = group.first() {
                changes.push(self.change(&first.finding, self.pairs.places(&group)));
            }
        }
        changes.sort_by(|a, b| {
            let key = |change: &Change| (change.rule.severity, change.new.position, change.rule.id);
            key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place))
        });
        changes
    }

    fn change(&self, finding: &Finding, places: Vec<String>) -> Change {
        let Finding { rule, sentence, at, values: [before, after], .. } = finding;
        let documents = self.documents();
        let exists = |side: usize| pointer::find(documents[side], &at[side]).is_some();
        let place = |side: usize| {
            let pointer = nearest(documents[side], &at[side]);
            let position = self.releases[side].nearest_position(pointer);
            let file = self.releases[side].file_name().to_owned();
            Place { file, position, pointer: pointer.to_owned(), exists: exists(side) }
        };
        // The fingerprint uses the place in the old document, so that it survives a rename; for what is added, the place
        // in the new one.
        let side = usize::from(!exists(0) && exists(1));
        let logical = logical_place(documents[side], &at[side]);
        let named = |place: String| if place.is_empty() { "the document".to_owned() } else { place };
        let mut places = places.into_iter().map(named);
        Change {
            rule,
            place: places.next().unwrap_or_default(),
            also: places.collect(),
            sentence: sentence.clone(),
            old: place(0),
            new: place(1),
            fingerprint: fingerprint(rule.id, &logical, before.as_ref(), after.as_ref()),
            before: before.clone(),
            after: after.clone(),
        }
    }
}

/// What happened to a value, in one sentence: `` `maxLength` changes from 100 to 50 ``. Long values are left out.
fn sentence(what: &str, [old, new]: &Values) -> String {
    let quoted = [old, new].map(|value| value.as_ref().map(Value::to_string));
    let is_short = quoted.iter().flatten().all(|text| text.len() <= 80);
    match quoted {
        [Some(old), Some(new)] if is_short && old != new => format!("{what} changes from {old} to {new}"),
        [None, Some(new)] if is_short => format!("{what} is added: {new}"),
        [Some(old), None] if is_short => format!("{what} is removed, it was {old}"),
        [None, Some(_)] => format!("{what} is added"),
        [Some(_), None] => format!("{what} is removed"),
        _ => format!("{what} changes"),
    }
}

/// The pointer itself if it exists, else that of its nearest ancestor that does.
fn nearest<'p>(document: &Value, mut pointer: &'p str) -> &'p str {
    while let (None, Some((parent, _))) = (pointer::find(document, pointer), pointer.rsplit_once('/')) {
        pointer = parent;
    }
    pointer
}

/// The pointers of everything that values refer to, directly or not, without extensions and planned operations.
pub(super) fn referred(document: &Value, values: &[&Value]) -> BTreeSet<String> {
    let mut referred = BTreeSet::new();
    let mut next: Vec<&Value> = values.to_vec();
    while let Some(value) = next.pop() {
        if let Some(target) = pointer::reference(value).and_then(local) {
            let found = pointer::find(document, &target);
            if referred.insert(target) {
                next.extend(found);
            }
        }
        match value {
            Value::Array(items) => next.extend(items),
            Value::Object(members) if !is_planned(value) => {
                next.extend(members.iter().filter(|(key, _)| !key.starts_with("x-")).map(|(_, member)| member));
            }
            _ => {}
        }
    }
    referred
}
