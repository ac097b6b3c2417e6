//! Properties of objects: which are listed, which are required, and whether others are allowed.
//!
//! A property that is `readOnly` is no part of a request, one that is `writeOnly` no part of a response. A change there is
//! reported as one that no client notices, unless the other direction reports it.

use serde_json::Value;

use crate::change::Direction::{Request, Response};
use crate::constraint::{ADDITIONAL, Pair};
use crate::effective_schema::{EffectiveSchema, Unlisted};
use crate::rules::*;
use crate::sides::{both_same, paired};
use crate::subschema::Subschema;
use crate::walk::Walk;
use openapi_contract::pointer::join;

/// One property on both sides.
struct Property<'n, 'a> {
    name: &'n str,
    /// Its schema on each side that lists it and does not hide it from this direction.
    schemas: [Option<Subschema<'a>>; 2],
    is_required: [bool; 2],
    /// Whether the new side lists it, but hides it from this direction.
    is_hidden: bool,
    at: [String; 2],
}

impl<'a> Walk<'a> {
    pub(super) fn properties(&mut self, pair: &Pair<'_, 'a>) {
        let documents = self.documents();
        let listed = pair.each(|side| {
            let listed = side.properties().into_iter().map(|(name, schema)| (name, Some(schema)));
            listed.chain(side.required().into_iter().map(|name| (name, None)))
        });
        let required = pair.each(EffectiveSchema::required);
        for (name, schemas) in paired(listed) {
            let schemas = schemas.map(Option::flatten);
            let is_listed = [0, 1].map(|side: usize| schemas[side].is_some());
            let is_hidden = [0, 1].map(|side: usize| {
                let hides = |schema| EffectiveSchema::hides(documents[side], schema, pair.direction);
                schemas[side].as_ref().is_some_and(hides)
            });
            let is_required = [0, 1].map(|side: usize| required[side].contains(name));
            let at = [0, 1].map(|side: usize| match &schemas[side] {
                Some(schema) => schema.at.clone(),
                None => join(&pair.sides[side].place("properties"), name),
            });
            let is_unsent = [0, 1].map(|side| is_hidden[side] || !is_listed[side] && !is_required[side]);
            if is_hidden.contains(&true) && is_unsent == [true, true] {
                let (rule, required) = (UNSENT_PROPERTY_CHANGED, is_required.map(Value::from));
                let values = schemas.map(|schema| schema.map(|schema| schema.value()));
                let values = match [values[0].as_ref(), values[1].as_ref()] {
                    same if both_same(same) => [Some(&required[0]), Some(&required[1])],
                    values => values,
                };
                self.step(name, |walk| walk.report_unnoticed(rule, at, "the property", values));
                continue;
            }
            // A hidden property cannot be required.
            let is_required = [0, 1].map(|side| is_required[side] && !is_hidden[side]);
            let mut is_visible = is_hidden.iter().map(|is_hidden| !is_hidden);
            let schemas = schemas.map(|schema| schema.filter(|_| is_visible.next().unwrap_or_default()));
            let property = Property { name, schemas, is_required, is_hidden: is_hidden[1], at };
            self.step(name, |walk| walk.property(pair, property));
        }
    }

    fn property(&mut self, pair: &Pair<'_, 'a>, property: Property<'_, 'a>) {
        let Property { name, schemas, is_required, is_hidden, at } = property;
        let is_visible = [schemas[0].is_some(), schemas[1].is_some()];
        let default = |side: &Subschema<'a>| EffectiveSchema::of(self.documents()[1], side).value("default").is_some();
        let has_default = schemas[1].as_ref().is_some_and(default);
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
        let restricting = |side: &EffectiveSchema<'a>| side.values(KEY).filter(|(value, _)| **value != true).count();
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
    let place = |(list, at): (&Value, String)| {
        let index = list.as_array()?.iter().position(|listed| listed == name)?;
        Some(join(&at, &index.to_string()))
    };
    schema.values("required").find_map(place).unwrap_or_else(|| join(&schema.place("required"), name))
}
