//! Compares two schemas keyword by keyword, by what they accept.

use serde_json::Value;

use crate::constraint::{DEFAULT, FORMAT, PATTERN, Pair, TYPE, UNKNOWN, sorted};
use crate::effective_schema::{EffectiveSchema, PROSE};
use crate::rule::Direction;
use crate::rules::*;
use crate::subschema::Subschema;
use crate::types::Types;
use crate::walk::Walk;
use openapi_contract::equivalence::{canonical, set};

/// Patterns that match every string.
const MATCH_ALL: &[&str] = &["", "^", "$", ".*", "^.*", ".*$", "[\\s\\S]*", "^[\\s\\S]*$", "^[\\s\\S]*"];

impl<'a> Walk<'a> {
    /// Compares two schemas: at once if both are written here, as a unit if a part of either is written elsewhere.
    pub(super) fn schema(&mut self, direction: Direction, schemas: [Subschema<'a>; 2]) {
        match schemas.iter().any(Subschema::refers) {
            true => self.queue(direction, schemas),
            // Neither side has a schema.
            false if schemas.iter().all(|schema| schema.nodes.is_empty()) => {}
            false => self.compare(direction, &schemas),
        }
    }

    pub(super) fn compare(&mut self, direction: Direction, schemas: &[Subschema<'a>; 2]) {
        let sides = schemas.each_ref().map(EffectiveSchema::of);
        let is_text = self.text && direction == Direction::Request;
        let types = [sides[0].types(), sides[1].types()];
        let pair = Pair { direction, is_text, types, sides: [&sides[0], &sides[1]] };
        self.annotations(&pair);
        self.null(&pair);
        let foreign = pair.each(|side| side.foreign.iter().copied().map(Value::from).collect());
        self.constraint(&pair, "$ref", &UNKNOWN, foreign, |a, b| a == b);
        if self.single_and_alternatives(&pair, schemas) {
            return;
        }
        let listed = listed(&pair);
        // Lists that differ imply the types of their values.
        let are_lists_equal = match &listed {
            [Some(old), Some(new)] => Some(set(old) == set(new)),
            _ => None,
        };
        if are_lists_equal != Some(false) && types[0] != types[1] {
            let is_respelled = pair.is_respelled() || pair.is_text && are_lists_equal == Some(true);
            let implies = |a: &Types, b: &Types| a.within(*b);
            let rule = TYPE.of(&types[..1], &types[1..], implies).filter(|_| !is_respelled).unwrap_or(TYPE_WIDENED);
            let names = types.map(|types| Some(Value::from(types.to_string())));
            self.keyword(&pair, "type", rule.on(direction), names);
            let comparable = types[0].meets(types[1]) || is_respelled;
            if !comparable || sides.iter().any(EffectiveSchema::is_free) {
                // One finding, not one for each keyword that only one of the types can have.
                return;
            }
        } else {
            // `int64` accepts every `int32`, and `double` every `float`.
            let implies = |a: &Value, b: &Value| {
                let wider = [a, b].map(|format| format.as_str().unwrap_or_default());
                a == b || matches!(wider, ["int32", "int64"] | ["float", "double"])
            };
            self.constraint(&pair, "format", &FORMAT, pair.lists("format"), implies);
        }
        // Where only `null` is valid, an enumeration of other values has no effect.
        if types.iter().any(|types| *types != Types::NONE) {
            self.enumeration(&pair, listed);
        }
        self.bounds(&pair);
        let restricts = |pattern: &Value| pattern.as_str().is_none_or(|pattern| !MATCH_ALL.contains(&pattern));
        let patterns = pair.lists("pattern").map(|all| all.into_iter().filter(restricts).collect());
        self.constraint(&pair, "pattern", &PATTERN, patterns, |a, b| a == b);
        let is_same_default = |a: &Value, b: &Value| a == b || pair.is_respelled() && text(a) == text(b);
        self.constraint(&pair, "default", &DEFAULT, pair.lists("default"), is_same_default);
        self.properties(&pair);
        self.additional(&pair);
        self.subschema(&pair, "items");
        self.unions(&pair);
        self.discriminators(&pair);
        self.other_keywords(&pair);
    }

    /// Keywords that have no effect on what is valid.
    fn annotations(&mut self, pair: &Pair<'_, 'a>) {
        for key in PROSE {
            self.schema_prose(pair, key, pair.lists(key));
        }
        // The prose of alternatives that are not compared by themselves.
        for key in ["oneOf", "anyOf"] {
            let items = |list: Vec<Value>| list.iter().filter_map(Value::as_array).flatten().cloned().collect();
            let [old, new] = pair.lists(key).map(items).map(sorted);
            if pair.first(key).iter().all(Option::is_some) {
                let (at, values) = (pair.each(EffectiveSchema::pointer), [Some(&old), Some(&new)]);
                self.step(key, |walk| walk.report_unnoticed(PROSE_CHANGED, at, &format!("`{key}`"), values));
            }
        }
        for key in ["readOnly", "writeOnly", "deprecated"] {
            let flags = pair.each(|side| side.flag(key));
            let rule = match (key, flags) {
                _ if flags[0] == flags[1] => continue,
                ("deprecated", [_, true]) => PART_DEPRECATED,
                ("deprecated", _) => PART_REVIVED,
                // For a property that is hidden from one direction, `properties` reports more than this.
                _ => PROSE_CHANGED,
            };
            self.keyword(pair, key, rule, flags.map(|flag| Some(Value::from(flag))));
        }
    }

    fn null(&mut self, pair: &Pair<'_, 'a>) {
        let is_free = |side: &EffectiveSchema<'a>| side.types() == Types::ANY && side.open_unions().is_empty();
        let is_null = pair.each(|side| side.null);
        if is_null[0] == is_null[1] || pair.each(is_free).contains(&true) {
            return;
        }
        let (rule, sentence) = match is_null {
            // No text is `null`.
            _ if self.text => (PROSE_CHANGED, "`null` is added or removed, which is no text"),
            [_, true] => (NULL_ALLOWED.on(pair.direction), "`null` is valid"),
            [_, false] => (NULL_REFUSED.on(pair.direction), "`null` is no longer valid"),
        };
        self.step("type", |walk| walk.report(rule, pair.at("type"), sentence));
    }

    fn enumeration(&mut self, pair: &Pair<'_, 'a>, listed: [Option<Vec<Value>>; 2]) {
        let key = |side: &EffectiveSchema<'a>| {
            ["enum", "const", "oneOf", "anyOf"].into_iter().find(|key| side.value(key).is_some())
        };
        let keys = pair.each(key);
        let at = [0, 1].map(|side| pair.sides[side].place(keys[side].unwrap_or("enum")));
        let label = keys[1].filter(|_| listed[1].is_some()).or(keys[0]).unwrap_or("enum");
        let is_response = pair.direction == Direction::Response;
        let sets = listed.clone().map(|list| list.map(|list| set(&list)));
        let rule = match &sets {
            [None, None] => return,
            [None, Some(_)] => ENUM_INTRODUCED.on(pair.direction),
            [Some(_), None] => ENUM_LIFTED.on(pair.direction),
            [Some(old), Some(new)] if is_response && !old.is_empty() && !new.is_empty() && old.is_disjoint(new) => {
                ENUM_REPLACED
            }
            [Some(old), Some(new)] => {
                let is_repeated = |value| pair.sides[1].unions.iter().any(|union| union.repeats(value));
                return self.step(label, |walk| {
                    for value in listed.iter().flatten().flatten() {
                        let (rule, values) = match (old.contains(value), new.contains(value)) {
                            (false, true) => (ENUM_VALUE_ADDED.on(pair.direction), [None, Some(value.clone())]),
                            (true, false) if is_repeated(value) && !is_response => {
                                (MATCHES_TWICE, [Some(value.clone()), None])
                            }
                            (true, false) => (ENUM_VALUE_REMOVED.on(pair.direction), [Some(value.clone()), None]),
                            _ => continue,
                        };
                        walk.report_value(rule, at.clone(), "a value", values);
                    }
                });
            }
        };
        let lists = listed.map(|list| list.map(sorted));
        self.step(label, |walk| walk.report_value(rule, at, "the list of values", lists));
    }
}

/// The listed values of both sides, except `null`: as text if that makes them comparable.
fn listed(pair: &Pair<'_, '_>) -> [Option<Vec<Value>>; 2] {
    let listed = pair.each(EffectiveSchema::enumeration);
    if !pair.is_text || pair.types[0] == pair.types[1] || listed.iter().all(Option::is_none) {
        return listed;
    }
    let mut types = pair.types.iter();
    listed.map(|list| {
        let is_boolean = types.next().is_some_and(|types| *types == Types::BOOLEAN);
        let list = list.or(is_boolean.then(|| vec![Value::Bool(true), Value::Bool(false)]));
        list.map(|values| values.iter().map(text).collect())
    })
}

/// A scalar as it is written in a query.
fn text(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(canonical(value).to_string()),
        other => other.clone(),
    }
}
