//! Keeps the place while two documents are held against each other, and tells what was found.
//!
//! Schemas that are referred to, or that hold others as their own, are compared as a *unit*: once for each way they
//! travel, however many operations use them. So recursive schemas end, a fault in a shared component is told once with
//! the places that show it, and the depth of recursion is that of the text. Every unit remembers who led to it; the
//! places are put together at the end.
//!
//! What no client can notice is compared as everything else is, but told [quietly](Walk::quietly).

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::fingerprint::{fingerprint, logical_place};
use crate::moves::Moves;
use crate::rules::{OPERATION_ADDED, PROSE_CHANGED, Rule};
use crate::view::Schema;
use crate::{Change, Day, Direction, Edition, Place, Severity};
use openapi_contract::equivalence::same;
use openapi_contract::pointer::{self, join, local};

/// How many places a change lists before nobody reads on.
const MAX_PLACES: usize = 40;

/// How many units are compared: only documents made to be difficult have so many combinations of schemas.
const MAX_UNITS: usize = 50_000;

/// Two schemas that stand for each other, at least one of them written elsewhere in part.
struct Unit<'a> {
    direction: Direction,
    quiet: Option<&'static Rule>,
    old: Schema<'a>,
    new: Schema<'a>,
    /// Who led here: the unit that did, if any, and the steps from there.
    led: Vec<(Option<usize>, Vec<String>)>,
}

/// A change, before it is known everywhere it shows.
struct Found {
    unit: Option<usize>,
    rule: &'static Rule,
    /// Not worth telling if the same place is told of as well.
    quiet: bool,
    steps: Vec<String>,
    sentence: String,
    at: [String; 2],
    values: [Option<Value>; 2],
}

/// What tells units apart: the way, the rule of what is told quietly, and both schemas.
type UnitKey = (Direction, Option<&'static str>, Vec<String>, Vec<String>);

pub(super) struct Walk<'a> {
    pub(super) old: &'a Edition,
    pub(super) new: &'a Edition,
    pub(super) today: Day,
    pub(super) moves: Moves<'a>,
    units: Vec<Unit<'a>>,
    known: HashMap<UnitKey, usize>,
    /// The unit being compared, and the steps taken inside it.
    unit: Option<usize>,
    steps: Vec<String>,
    /// The rule by which everything is told for now.
    quiet: Option<&'static Rule>,
    found: Vec<Found>,
    /// The components of both sides that were looked into.
    visited: [HashSet<String>; 2],
}

impl<'a> Walk<'a> {
    pub(super) fn new(old: &'a Edition, new: &'a Edition, today: Day) -> Walk<'a> {
        let (units, known, steps, found) = (Vec::new(), HashMap::new(), Vec::new(), Vec::new());
        let visited = [HashSet::new(), HashSet::new()];
        Walk { old, new, today, moves: Moves::default(), units, known, unit: None, steps, quiet: None, found, visited }
    }

    pub(super) fn changes(mut self) -> Vec<Change> {
        self.document();
        let mut next = 0;
        while let Some(Unit { direction, quiet, old, new, .. }) = self.units.get(next) {
            let (direction, old, new) = (*direction, old.clone(), new.clone());
            (self.unit, self.quiet) = (Some(next), *quiet);
            self.compare(direction, &old, &new);
            next += 1;
        }
        (self.unit, self.quiet) = (None, None);
        self.unused_components();
        self.told()
    }

    /// Tells what is found `inside` by one rule that says why nobody notices it, and only if nothing else is told of the
    /// same place: a schema that travels both ways tells it on the other.
    pub(super) fn quietly(&mut self, rule: &'static Rule, inside: impl FnOnce(&mut Self)) {
        let before = self.quiet;
        self.quiet = before.or(Some(rule));
        inside(self);
        self.quiet = before;
    }

    /// Remembers that what stands at `pointer` was looked into.
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

    /// Whether what stands there was looked into on both sides.
    pub(super) fn is_visited(&self, pointer: &str) -> bool {
        self.visited.iter().all(|visited| visited.contains(pointer))
    }

    /// Takes one step, for the reader of a message, around `inside`.
    pub(super) fn step(&mut self, label: impl Into<String>, inside: impl FnOnce(&mut Self)) {
        self.steps.push(label.into());
        inside(self);
        self.steps.pop();
    }

    /// Compares two schemas: on the spot if both stand here, as a unit if either is written elsewhere.
    pub(super) fn schema(&mut self, direction: Direction, old: Schema<'a>, new: Schema<'a>) {
        if !(old.refers() || new.refers()) {
            self.compare(direction, &old, &new);
            return;
        }
        let quiet = self.quiet.map(|rule| rule.id);
        let key = (direction, quiet, old.identity(self.old.document()), new.identity(self.new.document()));
        let led = (self.unit, self.steps.clone());
        let fresh = self.units.len();
        let index = *self.known.entry(key).or_insert(fresh);
        match self.units.get_mut(index) {
            Some(unit) => unit.led.push(led),
            None if fresh < MAX_UNITS => {
                self.units.push(Unit { direction, quiet: self.quiet, old, new, led: vec![led] });
            }
            None => {}
        }
    }

    pub(super) fn report(&mut self, rule: &'static Rule, at: [String; 2], sentence: impl Into<String>) {
        self.report_values(rule, at, sentence, [None, None]);
    }

    /// [`Walk::report`] of a value that changed; the values are part of the fingerprint.
    pub(super) fn report_values(
        &mut self,
        rule: &'static Rule,
        at: [String; 2],
        sentence: impl Into<String>,
        values: [Option<&Value>; 2],
    ) {
        let (unit, steps, sentence) = (self.unit, self.steps.clone(), sentence.into());
        let (rule, quiet) = match self.quiet {
            Some(quiet) if rule.severity != Severity::Prose => (quiet, true),
            _ => (rule, false),
        };
        self.found.push(Found { unit, rule, quiet, steps, sentence, at, values: values.map(|value| value.cloned()) });
    }

    /// Reports what a value that is compared as it is written refers to, by a rule of that value: what is said there is
    /// said here.
    pub(super) fn behind(&mut self, rule: &'static Rule, key: &str, values: [Vec<&'a Value>; 2]) {
        let [old, new] = &values;
        let others = referred(self.new.document(), new);
        for at in referred(self.old.document(), old).intersection(&others) {
            let found = [self.old, self.new].map(|edition| pointer::find(edition.document(), at));
            if !both_same(found) {
                let sentence = format!("`{key}` refers to it, and it says something else");
                self.report_values(rule, [at.clone(), at.clone()], sentence, found);
            }
        }
    }

    /// Reports every member of one object that is not judged elsewhere: it drives nothing.
    pub(super) fn rest(&mut self, judged: &[&str], old: (&Value, &str), new: (&Value, &str)) {
        let members = [old.0, new.0].into_iter().filter_map(Value::as_object).flat_map(|members| members.keys());
        let keys: BTreeSet<&str> = members.map(String::as_str).filter(|key| !judged.contains(key)).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        self.prose(&keys, old, new);
    }

    /// Reports keywords of one object that only people read.
    pub(super) fn prose(&mut self, keys: &[&str], old: (&Value, &str), new: (&Value, &str)) {
        for key in keys {
            let values = [old.0.get(key), new.0.get(key)];
            if !both_same(values) {
                let at = [join(old.1, key), join(new.1, key)];
                let sentence = format!("`{key}` reads differently");
                self.step(*key, |walk| walk.report_values(PROSE_CHANGED, at, sentence, values));
            }
        }
    }

    /// Everything found, each once with all of its places.
    fn told(self) -> Vec<Change> {
        type Key = (&'static str, [String; 2], [Option<String>; 2]);
        let mut known: HashMap<Key, usize> = HashMap::new();
        let mut changes: Vec<Change> = Vec::new();
        let loud: HashSet<&[String; 2]> =
            self.found.iter().filter(|found| !found.quiet).map(|found| &found.at).collect();
        for found in self.found.iter().filter(|found| !(found.quiet && loud.contains(&found.at))) {
            let places = self.places(found);
            let values = found.values.clone().map(|value| value.map(|value| value.to_string()));
            let fresh = changes.len();
            let index = *known.entry((found.rule.id, found.at.clone(), values)).or_insert(fresh);
            if let Some(change) = changes.get_mut(index) {
                let known: HashSet<&String> = change.also.iter().chain([&change.place]).collect();
                let more: Vec<_> = places.into_iter().filter(|place| !known.contains(place)).collect();
                change.also.extend(more);
                change.also.truncate(MAX_PLACES);
            } else {
                changes.push(self.change(found, places));
            }
        }
        changes.sort_by(|a, b| {
            let key = |change: &Change| (change.severity, change.new.position, change.rule);
            key(a).cmp(&key(b)).then_with(|| a.place.cmp(&b.place))
        });
        changes
    }

    fn change(&self, found: &Found, places: Vec<String>) -> Change {
        let Found { rule, sentence, at: [old_at, new_at], values: [before, after], .. } = found;
        let place = |edition: &Edition, pointer: &str| Place {
            file: edition.file_name().to_owned(),
            position: edition.nearest_position(pointer),
            pointer: pointer.to_owned(),
        };
        // What both have is named by the old one, so that the place outlives a rename. What is added by the new one,
        // whatever it was before.
        let documents = [self.old.document(), self.new.document()];
        let is_added = rule.id == OPERATION_ADDED.id || documents[0].pointer(old_at).is_none();
        let logical = match is_added && documents[1].pointer(new_at).is_some() {
            true => logical_place(documents[1], new_at),
            false => logical_place(documents[0], old_at),
        };
        let mut places = places.into_iter();
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

    /// Every way to a change, the shortest first.
    fn places(&self, found: &Found) -> Vec<String> {
        let readable = |steps: &[&[String]]| {
            let steps: Vec<&str> = steps.iter().flat_map(|part| part.iter()).map(String::as_str).collect();
            if steps.is_empty() { "the document".to_owned() } else { steps.join(" → ") }
        };
        let mut places = Vec::new();
        // Parts of the way from the change up, and the units passed: a circle is walked once.
        let mut next = VecDeque::from([(found.unit, vec![found.steps.as_slice()], Vec::new())]);
        let mut budget = 2_000;
        while let Some((unit, way, passed)) = next.pop_front() {
            budget -= 1;
            if budget == 0 || places.len() >= MAX_PLACES {
                break;
            }
            let Some(index) = unit else {
                let way: Vec<&[String]> = way.into_iter().rev().collect();
                let place = readable(&way);
                if !places.contains(&place) {
                    places.push(place);
                }
                continue;
            };
            for (leader, steps) in self.units.get(index).into_iter().flat_map(|unit| &unit.led) {
                if leader.is_some_and(|leader| passed.contains(&leader) || leader == index) {
                    continue;
                }
                let (mut way, mut passed) = (way.clone(), passed.clone());
                way.push(steps);
                passed.push(index);
                next.push_back((*leader, way, passed));
            }
        }
        places
    }
}

/// Whether both mean the same, or neither is there.
fn both_same(values: [Option<&Value>; 2]) -> bool {
    match values {
        [Some(a), Some(b)] => same(a, b),
        [None, None] => true,
        _ => false,
    }
}

/// Everything that values refer to in their document, directly or not, whatever they are.
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
