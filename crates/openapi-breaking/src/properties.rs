//! Properties of objects: which are listed, which are required, and whether others are allowed.
//!
//! A property that is `readOnly` is no part of a request, one that is `writeOnly` no part of a response. A change there is
//! reported as one that no client notices, unless the other direction reports it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::change::Direction;
use crate::node::Schema;
use crate::rule::Rule;
use crate::rules;
use crate::view::{Unlisted, View};
use crate::walk::{Pair, Walk};
use openapi_contract::pointer::join;

/// One property on both sides.
struct Property<'n, 'a> {
    name: &'n str,
    /// Its schema on each side that lists it and does not hide it from this direction.
    schemas: [Option<Schema<'a>>; 2],
    required: [bool; 2],
    /// Whether the new side lists it, but hides it from this direction.
    hidden: bool,
    at: [String; 2],
}

impl<'a> Walk<'a> {
    pub(super) fn properties(&mut self, pair: &Pair<'_, 'a>) {
        let (old, new) = (pair.old.properties(), pair.new.properties());
        let required = [pair.old.required(), pair.new.required()];
        let sets = [old.keys().copied().collect(), new.keys().copied().collect()];
        let names: BTreeSet<&str> =
            sets.iter().chain(&required).flat_map(|set: &BTreeSet<&str>| set.iter().copied()).collect();
        for name in names {
            let listed = [old.get(name), new.get(name)];
            let documents = [self.old.document(), self.new.document()];
            let visible = |side: usize| {
                let schema = *listed.get(side)?;
                schema.filter(|schema| !View::hides(documents[side], schema, pair.direction)).cloned()
            };
            let schemas = [visible(0), visible(1)];
            let at = |listed: Option<&Schema<'a>>, view: &View<'a>| match listed {
                Some(schema) => schema.at.clone(),
                None => join(&view.place("properties"), name),
            };
            let at = [at(listed[0], pair.old), at(listed[1], pair.new)];
            let required = [0, 1].map(|side| required[side].contains(name));
            let hidden = [0, 1].map(|side| listed[side].is_some() && schemas[side].is_none());
            let is_unsent = |side: usize| hidden[side] || listed[side].is_none() && !required[side];
            if hidden.contains(&true) && is_unsent(0) && is_unsent(1) {
                let schemas = listed.map(Option::<&Schema<'a>>::cloned);
                let property = Property { name, schemas, required, hidden: false, at };
                self.as_rule(rules::UNSENT_PROPERTY_CHANGED, |walk| {
                    walk.step(name.to_owned(), |walk| walk.property(pair, property));
                });
                continue;
            }
            // A hidden property cannot be required.
            let required = [0, 1].map(|side| required[side] && !hidden[side]);
            let property = Property { name, schemas, required, hidden: hidden[1], at };
            self.step(name.to_owned(), |walk| walk.property(pair, property));
        }
    }

    fn property(&mut self, pair: &Pair<'_, 'a>, property: Property<'_, 'a>) {
        let rule = match (&property.schemas, pair.direction) {
            ([None, Some(_)], Direction::Response) if property.required == [true, false] => {
                Some((rules::RESPONSE_PROPERTY_BECAME_OPTIONAL, "no longer required".to_owned()))
            }
            ([None, Some(_)], Direction::Response) => Some(added_to_response(pair)),
            ([None, Some(new)], _) => Some(self.added_to_request(&property, new)),
            ([Some(_), None], Direction::Request) if property.required == [false, true] && !property.hidden => {
                Some((rules::PROPERTY_BECAME_REQUIRED, "now required".to_owned()))
            }
            ([Some(_), None], direction) => Some(removed(pair, &property, direction)),
            ([None, None], Direction::Request) if property.hidden => Some(removed(pair, &property, Direction::Request)),
            (schemas, direction) => self.requiredness(&property, schemas[1].as_ref(), direction),
        };
        let both = matches!(property.schemas, [Some(_), Some(_)]);
        if let Some((rule, sentence)) = rule {
            let at = if both {
                [pair.old, pair.new].map(|view| required_at(view, property.name))
            } else {
                property.at.clone()
            };
            self.report(rule, at, sentence);
        }
        // A property that is not listed must match `additionalProperties`.
        let unlisted =
            |view: &View<'a>| (view.unlisted() == Unlisted::Schema).then(|| view.under("additionalProperties"));
        match property.schemas {
            [Some(old), Some(new)] => self.schema(pair.direction, old, new),
            [None, Some(new)] => {
                if let Some(old) = unlisted(pair.old) {
                    self.schema(pair.direction, old, new);
                }
            }
            [Some(old), None] if !property.hidden => {
                if let Some(new) = unlisted(pair.new) {
                    self.schema(pair.direction, old, new);
                }
            }
            _ => {}
        }
    }

    fn added_to_request(&self, property: &Property<'_, 'a>, new: &Schema<'a>) -> (&'static Rule, String) {
        match (property.required, self.has_default(new)) {
            ([false, true], true) => {
                (rules::PROPERTY_ADDED_REQUIRED_WITH_DEFAULT, "a required property is added, with a default".to_owned())
            }
            ([false, true], false) => (rules::PROPERTY_ADDED_REQUIRED, "a required property is added".to_owned()),
            _ => (rules::PROPERTY_ADDED_OPTIONAL, "an optional property is added".to_owned()),
        }
    }

    fn requiredness(
        &self,
        property: &Property<'_, 'a>,
        new: Option<&Schema<'a>>,
        direction: Direction,
    ) -> Option<(&'static Rule, String)> {
        let (required, optional) = ("now required", "no longer required");
        let (rule, sentence) = match (property.required, direction) {
            ([true, true] | [false, false], _) => return None,
            ([false, true], Direction::Response) => (rules::RESPONSE_PROPERTY_BECAME_REQUIRED, "always sent"),
            ([true, false], Direction::Response) => (rules::RESPONSE_PROPERTY_BECAME_OPTIONAL, optional),
            ([false, true], _) if new.is_some_and(|new| self.has_default(new)) => {
                (rules::PROPERTY_BECAME_REQUIRED_WITH_DEFAULT, "now required, with a default")
            }
            ([false, true], _) => (rules::PROPERTY_BECAME_REQUIRED, required),
            ([true, false], _) => (rules::PROPERTY_BECAME_OPTIONAL, optional),
        };
        Some((rule, sentence.to_owned()))
    }

    fn has_default(&self, new: &Schema<'a>) -> bool {
        View::of(self.new.document(), new).value("default").is_some()
    }

    /// Whether properties that are not listed are allowed, and which.
    pub(super) fn additional(&mut self, pair: &Pair<'_, 'a>) {
        let [old, new] = [pair.old.unlisted(), pair.new.unlisted()];
        // Each schema of `allOf` excludes what it does not list itself, which is more than the merged list shows.
        let closing =
            |view: &View<'a>| view.values("additionalProperties").filter(|(value, _)| **value != true).count();
        let [closes, closes_now] = [closing(pair.old), closing(pair.new)];
        if closes != closes_now && closes > 0 && closes_now > 0 {
            let sentence = "more or fewer schemas of `allOf` have `additionalProperties`";
            let counts = [Value::from(closes), Value::from(closes_now)];
            let values = [Some(&counts[0]), Some(&counts[1])];
            self.keyword(pair, "additionalProperties", rules::CONSTRAINT_CHANGED, sentence, values);
        }
        let (rule, sentence) = match (&old, &new) {
            (Unlisted::Schema, Unlisted::Schema) => {
                let [old, new] = [pair.old, pair.new].map(|view| view.under("additionalProperties"));
                self.step("additionalProperties", |walk| walk.schema(pair.direction, old, new));
                return;
            }
            (old, new) if old == new => return,
            (_, Unlisted::Nothing) => (rules::ADDITIONAL_NARROWED, "other properties are excluded"),
            (Unlisted::Anything, _) => (rules::ADDITIONAL_NARROWED, "other properties must match a schema"),
            (Unlisted::Nothing, Unlisted::Schema) => {
                (rules::ADDITIONAL_WIDENED, "other properties are allowed if they match a schema")
            }
            _ => (rules::ADDITIONAL_WIDENED, "any other properties are allowed"),
        };
        let value = |view: &View<'a>| view.value("additionalProperties").map(|(value, _)| value);
        self.keyword(pair, "additionalProperties", rule, sentence, [value(pair.old), value(pair.new)]);
    }
}

/// The pointer where a property is listed as required, or would be.
fn required_at(view: &View<'_>, name: &str) -> String {
    let lists = view.values("required").filter_map(|(list, at)| Some((list.as_array()?, at)));
    let place = |(list, at): (&Vec<Value>, String)| {
        let index = list.iter().position(|listed| listed == name)?;
        Some(join(&at, &index.to_string()))
    };
    lists.filter_map(place).next().unwrap_or_else(|| join(&view.place("required"), name))
}

fn added_to_response(pair: &Pair<'_, '_>) -> (&'static Rule, String) {
    if pair.old.unlisted() == Unlisted::Nothing {
        (rules::RESPONSE_PROPERTY_ADDED_TO_CLOSED, "a property is added to an object that allowed no others".to_owned())
    } else {
        (rules::RESPONSE_PROPERTY_ADDED, "a property is added".to_owned())
    }
}

fn removed(pair: &Pair<'_, '_>, property: &Property<'_, '_>, direction: Direction) -> (&'static Rule, String) {
    let removed = "the property is removed".to_owned();
    match direction {
        Direction::Response if property.required[0] => (rules::RESPONSE_PROPERTY_REMOVED, removed),
        Direction::Response => (rules::RESPONSE_OPTIONAL_PROPERTY_REMOVED, removed),
        _ if property.hidden => (rules::PROPERTY_BECAME_READ_ONLY, "the property is now `readOnly`".to_owned()),
        _ if pair.new.unlisted() == Unlisted::Nothing => (rules::REQUEST_PROPERTY_REMOVED, removed),
        _ => (rules::REQUEST_PROPERTY_IGNORED, removed),
    }
}
