//! The state of a comparison: the two releases, the current place, and what was found.
//!
//! Schemas that hold references or alternatives are compared as units of a [`PairWalk`]: once per direction, however many
//! operations use them. A change in a shared component is reported once, with every place that shows it.
//!
//! Differences that no client can notice are compared like all others, but reported by one rule that explains why no
//! client notices them: see [`Walk::as_rule`].

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use crate::change::{Change, Direction, Place, Severity};
use crate::fingerprint::{fingerprint, logical_place};
use crate::moves::Moves;
use crate::node::Schema;
use crate::release::{Day, Release};
use crate::rule::{Rule, Twofold};
use crate::rules::{OPERATION_ADDED, PROSE_CHANGED};
use crate::types::Types;
use crate::view::View;
use openapi_contract::equivalence::same;
use openapi_contract::pair_walk::{Found, PairWalk};
use openapi_contract::pointer::{self, join, local};

/// How many units are compared. Only documents made to be difficult have so many combinations of schemas.
const MAX_UNITS: usize = 50_000;

/// How many times one schema may be compared with another to find out whether it accepts everything the other accepts.
const MAX_TRIALS: usize = 2_000;

/// How the schemas that are compared are used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// Everything that is found is reported by this rule.
    rule: Option<&'static Rule>,
    /// The values are written as text, as in a query: `5` is a number and a string.
    pub(super) text: bool,
}

#[derive(Debug, Clone)]
struct Unit<'a> {
    direction: Direction,
    context: Context,
    old: Schema<'a>,
    new: Schema<'a>,
}

/// What makes two units the same: direction, context and both schemas.
type UnitKey = (Direction, Option<&'static str>, bool, Vec<String>, Vec<String>);

/// A change before all of its places are known.
#[derive(Debug)]
struct Finding {
    rule: &'static Rule,
    /// Dropped if the same place is reported by another rule too.
    fallback: bool,
    sentence: String,
    at: [String; 2],
    values: [Option<Value>; 2],
}

/// Two views that correspond to each other, and the direction in which their values travel.
pub(super) struct Pair<'v, 'a> {
    pub(super) direction: Direction,
    /// The types differ, but every old value, written as text, is a text of a new type.
    pub(super) respelled: bool,
    pub(super) types: [Types; 2],
    pub(super) old: &'v View<'a>,
    pub(super) new: &'v View<'a>,
}

impl Pair<'_, '_> {
    /// The place of a keyword on both sides.
    pub(super) fn at(&self, key: &str) -> [String; 2] {
        [self.old.place(key), self.new.place(key)]
    }
}

pub(super) struct Walk<'a> {
    pub(super) old: &'a Release,
    pub(super) new: &'a Release,
    pub(super) today: Day,
    pub(super) moves: Moves<'a>,
    pub(super) context: Context,
    /// Whether the operations that are compared are sent by the server: webhooks and callbacks.
    pub(super) sent_by_server: bool,
    /// The callbacks that are being compared, innermost last.
    pub(super) callbacks: Vec<[String; 2]>,
    pairs: PairWalk<'a, UnitKey, Unit<'a>, (), Finding>,
    /// The components of both sides that were compared.
    visited: [HashSet<String>; 2],
    /// How many trials are left; none inside a trial.
    trials: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(old: &'a Release, new: &'a Release, today: Day) -> Walk<'a> {
        Walk {
            old,
            new,
            today,
            moves: Moves::default(),
            context: Context::default(),
            sent_by_server: false,
            callbacks: Vec::new(),
            pairs: PairWalk::new(MAX_UNITS),
            visited: [HashSet::new(), HashSet::new()],
            trials: MAX_TRIALS,
        }
    }

    pub(super) fn changes(mut self) -> Vec<Change> {
        self.document();
        self.units();
        self.context = Context::default();
        self.unused_components();
        self.collect()
    }

    fn units(&mut self) {
        while let Some(Unit { direction, context, old, new }) = self.pairs.advance() {
            self.context = context;
            self.compare(direction, &old, &new);
        }
    }

    /// Whether `new` accepts every value that `old` accepts, in requests; `false` if that is not certain.
    pub(super) fn accepts_all(&mut self, old: &Schema<'a>, new: &Schema<'a>) -> bool {
        if self.trials == 0 {
            return false;
        }
        self.trials -= 1;
        let mut trial = Walk::new(self.old, self.new, self.today);
        trial.trials = 0;
        trial.context = self.context;
        trial.schema(Direction::Request, old.clone(), new.clone());
        trial.units();
        trial.pairs.found().iter().all(|found| {
            let rule = found.finding.rule;
            // An optional property that is added gives a type to a member that was valid before, whatever it was.
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

    /// Reports what is found `inside` by one rule that explains why no client notices it, and only if the same place is not
    /// reported otherwise: a schema that is used in both directions is reported in the other one.
    pub(super) fn as_rule(&mut self, rule: &'static Rule, inside: impl FnOnce(&mut Self)) {
        let context = Context { rule: self.context.rule.or(Some(rule)), ..self.context };
        self.within(context, inside);
    }

    /// Compares `inside` as values that are written as text.
    pub(super) fn as_text(&mut self, inside: impl FnOnce(&mut Self)) {
        self.within(Context { text: true, ..self.context }, inside);
    }

    fn within(&mut self, context: Context, inside: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.context, context);
        inside(self);
        self.context = before;
    }

    /// Records that the component at or above `pointer` was compared.
    pub(super) fn visit(&mut self, is_old: bool, pointer: &str) {
        let mut tokens = pointer.split('/').skip(1);
        if tokens.next() != Some("components") {
            return;
        }
        if let (Some(section), Some(name)) = (tokens.next(), tokens.next()) {
            let [old, new] = &mut self.visited;
            let visited = if is_old { old } else { new };
            visited.insert(format!("/components/{section}/{name}"));
        }
    }

    /// Whether the component was compared on both sides.
    pub(super) fn is_visited(&self, pointer: &str) -> bool {
        self.visited.iter().all(|visited| visited.contains(pointer))
    }

    /// Adds a step to the place while `inside` runs.
    pub(super) fn step(&mut self, label: impl Into<Cow<'a, str>>, inside: impl FnOnce(&mut Self)) {
        self.pairs.enter(label.into());
        inside(self);
        self.pairs.leave();
    }

    /// Compares two schemas: at once if both are written here, as a unit if a part of either is written elsewhere.
    pub(super) fn schema(&mut self, direction: Direction, old: Schema<'a>, new: Schema<'a>) {
        if !(old.refers() || new.refers()) {
            return self.compare(direction, &old, &new);
        }
        let Context { rule, text } = self.context;
        let identities = [old.identity(self.old.document()), new.identity(self.new.document())];
        let [old_identity, new_identity] = identities;
        let key = (direction, rule.map(|rule| rule.id), text, old_identity, new_identity);
        self.pairs.queue(key, Unit { direction, context: self.context, old, new }, ());
    }

    /// [`Walk::schema`], unless neither side has a schema.
    pub(super) fn schema_unless_free(&mut self, direction: Direction, old: Schema<'a>, new: Schema<'a>) {
        if !(old.nodes.is_empty() && new.nodes.is_empty()) {
            self.schema(direction, old, new);
        }
    }

    pub(super) fn report(&mut self, rule: &'static Rule, at: [String; 2], sentence: impl Into<String>) {
        self.report_values(rule, at, sentence, [None, None]);
    }

    /// [`Walk::report`] of a value that changed. The values are part of the fingerprint.
    pub(super) fn report_values(
        &mut self,
        rule: &'static Rule,
        at: [String; 2],
        sentence: impl Into<String>,
        values: [Option<&Value>; 2],
    ) {
        let (rule, fallback) = match self.context.rule {
            Some(fallback) if rule.severity != Severity::Prose => (fallback, true),
            _ => (rule, false),
        };
        let values = values.map(|value| value.cloned());
        self.pairs.report(Finding { rule, fallback, sentence: sentence.into(), at, values });
    }

    /// Reports a change of a keyword of a schema.
    pub(super) fn keyword(
        &mut self,
        pair: &Pair<'_, 'a>,
        key: &str,
        rule: Twofold,
        sentence: impl Into<String>,
        values: [Option<&Value>; 2],
    ) {
        let at = pair.at(key);
        self.step(key.to_owned(), |walk| walk.report_values(rule.on(pair.direction), at, sentence, values));
    }

    /// Reports changes of components that a value refers to, where the value is compared as it is written.
    pub(super) fn behind(&mut self, rule: &'static Rule, key: &str, values: [Vec<&'a Value>; 2]) {
        let [old, new] = &values;
        let others = referred(self.new.document(), new);
        for at in referred(self.old.document(), old).intersection(&others) {
            let found = [self.old, self.new].map(|release| pointer::find(release.document(), at));
            if !both_same(found) {
                let sentence = format!("`{key}` refers to this component, which changed");
                self.report_values(rule, [at.clone(), at.clone()], sentence, found);
            }
        }
    }

    /// Reports as prose every member of two objects except those in `judged`.
    pub(super) fn rest(&mut self, judged: &[&str], old: (&Value, &str), new: (&Value, &str)) {
        let members = [old.0, new.0].into_iter().filter_map(Value::as_object).flat_map(|members| members.keys());
        let keys: BTreeSet<&str> = members.map(String::as_str).filter(|key| !judged.contains(key)).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        self.prose(&keys, old, new);
    }

    /// Reports as prose these members of two objects.
    pub(super) fn prose(&mut self, keys: &[&str], old: (&Value, &str), new: (&Value, &str)) {
        for key in keys {
            let values = [old.0.get(key), new.0.get(key)];
            if !both_same(values) {
                let at = [join(old.1, key), join(new.1, key)];
                let sentence = format!("`{key}` changed");
                self.step((*key).to_owned(), |walk| walk.report_values(PROSE_CHANGED, at, sentence, values));
            }
        }
    }

    /// Every change, once, with all of its places: the most severe first, then in the order of the new document.
    fn collect(self) -> Vec<Change> {
        let found = self.pairs.found().iter().map(|found| &found.finding);
        let reported: HashSet<&[String; 2]> =
            found.filter(|finding| !finding.fallback).map(|finding| &finding.at).collect();
        let groups = self.pairs.groups(|Found { finding, .. }| {
            let is_reported = finding.fallback && reported.contains(&finding.at);
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
            let key = |change: &Change| (change.severity, change.new.position, change.rule);
            key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place))
        });
        changes
    }

    fn change(&self, finding: &Finding, places: Vec<String>) -> Change {
        let Finding { rule, sentence, at: [old_at, new_at], values: [before, after], .. } = finding;
        let place = |release: &Release, pointer: &str| Place {
            file: release.file_name().to_owned(),
            position: release.nearest_position(pointer),
            pointer: pointer.to_owned(),
        };
        // The fingerprint uses the place in the old document, so that it survives a rename; for what is added, the place
        // in the new one.
        let documents = [self.old.document(), self.new.document()];
        let is_added = rule.id == OPERATION_ADDED.id || documents[0].pointer(old_at).is_none();
        let logical = match is_added && documents[1].pointer(new_at).is_some() {
            true => logical_place(documents[1], new_at),
            false => logical_place(documents[0], old_at),
        };
        let named = |place: String| if place.is_empty() { "the document".to_owned() } else { place };
        let mut places = places.into_iter().map(named);
        Change {
            rule: rule.id,
            severity: rule.severity,
            direction: rule.direction,
            step: rule.step,
            place: places.next().unwrap_or_default(),
            also: places.collect(),
            sentence: sentence.clone(),
            why: rule.sentence,
            remedy: rule.remedy,
            old: place(self.old, old_at),
            new: place(self.new, new_at),
            fingerprint: fingerprint(rule.id, &logical, before.as_ref(), after.as_ref()),
            before: before.clone(),
            after: after.clone(),
        }
    }
}

/// Whether both values are equal in meaning, or both are absent.
fn both_same(values: [Option<&Value>; 2]) -> bool {
    match values {
        [Some(a), Some(b)] => same(a, b),
        [None, None] => true,
        _ => false,
    }
}

/// The pointers of everything that values refer to, directly or not.
pub(super) fn referred(document: &Value, values: &[&Value]) -> BTreeSet<String> {
    let mut referred = BTreeSet::new();
    let mut next: Vec<&Value> = values.to_vec();
    while let Some(value) = next.pop() {
        let target = pointer::reference(value).and_then(local);
        if let Some(target) = target {
            let found = pointer::find(document, &target);
            if referred.insert(target) {
                next.extend(found);
            }
        }
        match value {
            Value::Array(items) => next.extend(items),
            Value::Object(members) => next.extend(members.values()),
            _ => {}
        }
    }
    referred
}
