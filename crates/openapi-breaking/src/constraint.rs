//! Whether a keyword restricts more or less than before, and the rules that follow from that.

use serde_json::Value;

use crate::effective_schema::EffectiveSchema;
use crate::rule::Direction;
use crate::rule::{ByDirection, Rule};
use crate::rules::*;
use crate::types::Types;
use crate::walk::{Values, Walk};
use openapi_contract::equivalence::canonical;

/// Two schemas that correspond to each other, and the direction in which their values travel.
pub(super) struct Pair<'v, 'a> {
    pub(super) direction: Direction,
    /// Whether the values are sent as text: `5` is a number and a string.
    pub(super) is_text: bool,
    pub(super) types: [Types; 2],
    pub(super) sides: [&'v EffectiveSchema<'a>; 2],
}

impl<'v, 'a> Pair<'v, 'a> {
    pub(super) fn each<T>(&self, f: impl Fn(&'v EffectiveSchema<'a>) -> T) -> [T; 2] {
        self.sides.map(f)
    }

    /// The place of a keyword on both sides.
    pub(super) fn at(&self, key: &str) -> [String; 2] {
        self.each(|side| side.place(key))
    }

    /// The first value of a keyword.
    pub(super) fn first(&self, key: &str) -> Values {
        self.each(|side| side.value(key).map(|found| found.value.clone()))
    }

    /// Every value of a keyword: several schemas of `allOf` may have one each.
    pub(super) fn lists(&self, key: &str) -> [Vec<Value>; 2] {
        self.each(|side| side.values(key).map(|found| canonical(found.value)).collect())
    }

    /// Whether the types differ, but every old value, written as text, is a text of a new type.
    pub(super) fn is_respelled(&self) -> bool {
        self.is_text && self.types[0] != self.types[1] && self.types[0].within(self.types[1].as_text())
    }
}

/// The rules of a constraint that one schema can have more than once, by what happens to its values.
pub(super) struct Rules {
    /// The first value.
    added: ByDirection,
    /// The last value.
    removed: ByDirection,
    narrowed: ByDirection,
    widened: ByDirection,
    changed: ByDirection,
}

const fn rules(narrowed: ByDirection, widened: ByDirection, changed: ByDirection) -> Rules {
    Rules { added: narrowed, removed: widened, narrowed, widened, changed }
}

pub(super) const TYPE: Rules = rules(TYPE_NARROWED, TYPE_WIDENED, TYPE_CHANGED);
pub(super) const BOUND: Rules = rules(BOUND_TIGHTENED, BOUND_LOOSENED, MULTIPLE_CHANGED);
pub(super) const PATTERN: Rules = rules(PATTERN_ADDED, PATTERN_REMOVED, PATTERN_CHANGED);
pub(super) const ADDITIONAL: Rules = rules(ADDITIONAL_NARROWED, ADDITIONAL_WIDENED, CONSTRAINT_CHANGED);
/// Of names that are required together: of those that replace others, some are new.
pub(super) const NAMES: Rules = rules(
    CONSTRAINT_ADDED,
    CONSTRAINT_REMOVED,
    ByDirection { request: CONSTRAINT_ADDED.request, response: CONSTRAINT_REMOVED.response },
);
pub(super) const FORMAT: Rules =
    Rules { added: FORMAT_ADDED, removed: FORMAT_REMOVED, ..rules(FORMAT_NARROWED, FORMAT_WIDENED, FORMAT_CHANGED) };
/// Of any keyword that restricts. How its values relate to each other is not known.
pub(super) const CONSTRAINT: Rules = Rules { added: CONSTRAINT_ADDED, removed: CONSTRAINT_REMOVED, ..UNKNOWN };
/// Of any other keyword.
pub(super) const UNKNOWN: Rules = rules(CONSTRAINT_CHANGED, CONSTRAINT_CHANGED, CONSTRAINT_CHANGED);
pub(super) const DEFAULT: Rules = Rules {
    added: DEFAULT_ADDED,
    removed: DEFAULT_REMOVED,
    ..rules(DEFAULT_CHANGED, DEFAULT_CHANGED, DEFAULT_CHANGED)
};

impl Rules {
    /// The rule for a change from the old values to the new ones, all of which apply; `None` if they accept the same.
    /// `implies`: whether everything that satisfies its first argument satisfies the second one.
    pub(super) fn of<T>(&self, old: &[T], new: &[T], implies: impl Fn(&T, &T) -> bool) -> Option<ByDirection> {
        let covers = |by: &[T], all: &[T]| all.iter().all(|one| by.iter().any(|other| implies(other, one)));
        match (covers(new, old), covers(old, new)) {
            (true, true) => None,
            (true, false) if old.is_empty() => Some(self.added),
            (true, false) => Some(self.narrowed),
            (false, true) if new.is_empty() => Some(self.removed),
            (false, true) => Some(self.widened),
            (false, false) => Some(self.changed),
        }
    }
}

impl<'a> Walk<'a> {
    /// Compares the values of a keyword.
    pub(super) fn constraint(
        &mut self,
        pair: &Pair<'_, 'a>,
        key: &str,
        rules: &Rules,
        lists: [Vec<Value>; 2],
        implies: impl Fn(&Value, &Value) -> bool,
    ) {
        if let Some(rule) = rules.of(&lists[0], &lists[1], implies) {
            self.keyword(pair, key, rule.on(pair.direction), lists.map(together));
        }
    }

    /// Reports a change of a keyword.
    pub(super) fn keyword(&mut self, pair: &Pair<'_, 'a>, key: &str, rule: &'static Rule, values: [Option<Value>; 2]) {
        self.step(key.to_owned(), |walk| walk.report_value(rule, pair.at(key), &format!("`{key}`"), values));
    }

    /// Reports lists of values that differ as prose.
    pub(super) fn schema_prose(&mut self, pair: &Pair<'_, 'a>, key: &str, lists: [Vec<Value>; 2]) {
        if lists[0] != lists[1] {
            self.keyword(pair, key, PROSE_CHANGED, lists.map(together));
        }
    }
}

/// The values of a keyword in all parts of `allOf`: the value itself if there is only one.
fn together(mut values: Vec<Value>) -> Option<Value> {
    match values.len() {
        0 | 1 => values.pop(),
        _ => Some(sorted(values)),
    }
}

/// A list whose order has no meaning, in a fixed order.
pub(super) fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_cached_key(Value::to_string);
    Value::Array(values)
}
