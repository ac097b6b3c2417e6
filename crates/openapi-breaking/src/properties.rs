//! Properties of objects: which are listed, which are required, and whether others are allowed.
//!
//! A property that is `readOnly` is no part of a request, one that is `writeOnly` no part of a response. A change there is
//! reported as one that no client notices, unless the other direction reports it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::constraint::{ADDITIONAL, Pair};
use crate::effective_schema::{EffectiveSchema, Unlisted};
use crate::rule::Direction::{Request, Response};
use crate::rules::*;
use crate::sides::{Side, both_same};
use crate::subschema::Subschema;
use crate::walk::Walk;
use openapi_contract::pointer::join;

/// One property on one side.
struct Property<'a> {
    /// Its schema, if the side lists it.
    listed: Option<Subschema<'a>>,
    is_required: bool,
    /// Whether it is listed, but no part of this direction.
    is_hidden: bool,
    at: String,
}

impl<'a> Walk<'a> {
    pub(super) fn properties(&mut self, pair: &Pair<'_, 'a>) {
        let (listed, required) = (pair.each(EffectiveSchema::properties), pair.each(EffectiveSchema::required));
        let names = listed.iter().flat_map(|all| all.keys()).chain(required.iter().flatten());
        for name in names.copied().collect::<BTreeSet<_>>() {
            let properties = [0, 1].map(|side: usize| {
                let listed = listed[side].get(name).cloned();
                let would_be = || join(&pair.sides[side].place("properties"), name);
                Property {
                    is_required: required[side].contains(name),
                    is_hidden: listed.as_ref().is_some_and(|schema| EffectiveSchema::hides(schema, pair.direction)),
                    at: listed.as_ref().map_or_else(would_be, |schema| schema.at.clone()),
                    listed,
                }
            });
            let is_unsent = |one: &Property<'a>| one.is_hidden || one.listed.is_none() && !one.is_required;
            self.step(name, |walk| {
                match properties.iter().any(|one| one.is_hidden) && properties.iter().all(is_unsent) {
                    true => walk.unsent_property(properties),
                    false => walk.property(pair, name, properties),
                }
            });
        }
    }

    fn unsent_property(&mut self, [old, new]: [Property<'a>; 2]) {
        let required = [&old, &new].map(|one| Value::from(one.is_required));
        let values = [&old, &new].map(|one| one.listed.as_ref().map(Subschema::value));
        let values = match [values[0].as_ref(), values[1].as_ref()] {
            values if both_same(values) => [Some(&required[0]), Some(&required[1])],
            values => values,
        };
        self.report_unnoticed(UNSENT_PROPERTY_CHANGED, [old.at, new.at], "the property", values);
    }

    fn property(&mut self, pair: &Pair<'_, 'a>, name: &str, properties: [Property<'a>; 2]) {
        // A hidden property cannot be required.
        let is_required = properties.each_ref().map(|one| one.is_required && !one.is_hidden);
        let is_hidden = properties[1].is_hidden;
        let at = properties.each_ref().map(|one| one.at.clone());
        let schemas = properties.map(|one| one.listed.filter(|_| !one.is_hidden));
        let is_visible = schemas.each_ref().map(Option::is_some);
        let has_default =
            schemas[1].as_ref().is_some_and(|schema| EffectiveSchema::of(schema).value("default").is_some());
        let unlisted = pair.each(EffectiveSchema::unlisted);
        let (rule, sentence) = match (pair.direction, is_visible, is_required) {
            (Response, [false, true], [true, false]) => (PROPERTY_BECAME_OPTIONAL.response, "no longer required"),
            (Response, [false, true], _) if unlisted[0] == Unlisted::Nothing => {
                (RESPONSE_PROPERTY_ADDED_TO_CLOSED, "a property is added")
            }
            (Response, [false, true], _) => (RESPONSE_PROPERTY_ADDED, "a property is added"),
            (_, [false, true], [false, true]) if has_default => {
                (PROPERTY_ADDED_REQUIRED_WITH_DEFAULT, "a required property is added, with a default")
            }
            (_, [false, true], [false, true]) => (PROPERTY_ADDED_REQUIRED, "a required property is added"),
            (_, [false, true], _) => (PROPERTY_ADDED_OPTIONAL, "an optional property is added"),
            (Response, [true, false], [true, _]) => (RESPONSE_PROPERTY_REMOVED, "the property is removed"),
            (Response, [true, false], _) => (RESPONSE_OPTIONAL_PROPERTY_REMOVED, "the property is removed"),
            (Request, [_, false], _) if is_hidden => (PROPERTY_BECAME_READ_ONLY, "the property is now `readOnly`"),
            (_, [true, false], [false, true]) => (PROPERTY_BECAME_REQUIRED.request, "now required"),
            (_, [true, false], _) if unlisted[1] == Unlisted::Nothing => {
                (REQUEST_PROPERTY_REMOVED, "the property is removed")
            }
            (_, [true, false], _) => (REQUEST_PROPERTY_IGNORED, "the property is removed"),
            (Request, _, [false, true]) if has_default => {
                (PROPERTY_BECAME_REQUIRED_WITH_DEFAULT, "now required, with a default")
            }
            (direction, _, [false, true]) => (PROPERTY_BECAME_REQUIRED.on(direction), "now required"),
            (direction, _, [true, false]) => (PROPERTY_BECAME_OPTIONAL.on(direction), "no longer required"),
            (_, _, [true, true] | [false, false]) => (PROSE_CHANGED, ""),
        };
        if !sentence.is_empty() {
            let at = if is_visible == [true, true] { pair.each(|side| required_at(side, name)) } else { at };
            self.report(rule, at, sentence);
        }
        // A property that is not listed must match `additionalProperties`.
        let or_unlisted = |schema: Option<Subschema<'a>>, side: usize| {
            let under = || pair.sides[side].under("additionalProperties");
            schema.or_else(|| (unlisted[side] == Unlisted::Schema).then(under))
        };
        let [old, new] = schemas;
        if let ([true, _], false) | ([_, true], _) = (is_visible, is_hidden)
            && let (Some(old), Some(new)) = (or_unlisted(old, 0), or_unlisted(new, 1))
        {
            self.schema(pair.direction, [old, new]);
        }
    }

    /// Whether properties that are not listed are allowed, and which.
    pub(super) fn additional(&mut self, pair: &Pair<'_, 'a>) {
        const KEY: &str = "additionalProperties";
        // Each schema of `allOf` excludes what it does not list itself, which is more than the merged list shows.
        let restricting = |side: &EffectiveSchema<'a>| side.values(KEY).filter(|found| *found.value != true).count();
        let counts = pair.each(restricting);
        if counts[0] != counts[1] && !counts.contains(&0) {
            let counts = counts.map(|count| Some(Value::from(count)));
            self.keyword(pair, KEY, CONSTRAINT_CHANGED.on(pair.direction), counts);
        }
        let unlisted = pair.each(EffectiveSchema::unlisted);
        if unlisted == [Unlisted::Schema, Unlisted::Schema] {
            self.subschema(pair, KEY);
        } else if let Some(rule) = ADDITIONAL.of(&unlisted[..1], &unlisted[1..], |a, b| a <= b) {
            self.keyword(pair, KEY, rule.on(pair.direction), pair.first(KEY));
        }
    }
}

/// The pointer where a property is listed as required, or would be.
fn required_at(schema: &EffectiveSchema<'_>, name: &str) -> String {
    let place = |list: Side<'_>| list.items().find(|listed| listed.value == name).map(|listed| listed.at);
    schema.values("required").find_map(place).unwrap_or_else(|| join(&schema.place("required"), name))
}
