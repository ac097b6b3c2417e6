//! Properties of objects: which there are, which must be there, and whether there may be others.
//!
//! A property that is `readOnly` is no part of a request, one that is `writeOnly` no part of a response. What happens to
//! it there is told quietly: clients notice it on the other way, if there is one.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Direction;
use crate::rules::{self, Rule};
use crate::schema::Pair;
use crate::view::{Schema, View};
use crate::walk::Walk;
use openapi_contract::pointer::join;

/// What an object says of properties that it does not list.
#[derive(PartialEq, Eq)]
enum Others {
    Anything,
    Nothing,
    Typed,
}

impl Others {
    fn of(view: &View<'_>) -> Others {
        let says = |value: &Value| match value {
            Value::Bool(false) => Others::Nothing,
            Value::Object(members) if !members.is_empty() => Others::Typed,
            _ => Others::Anything,
        };
        let all: Vec<Others> = view.values("additionalProperties").map(|(value, _)| says(value)).collect();
        if all.contains(&Others::Nothing) {
            Others::Nothing
        } else if all.contains(&Others::Typed) {
            Others::Typed
        } else {
            Others::Anything
        }
    }
}

/// One property on both sides.
struct Property<'n, 'a> {
    name: &'n str,
    /// Its schemas, where it is listed and part of what travels.
    schemas: [Option<Schema<'a>>; 2],
    required: [bool; 2],
    /// Listed in the new one, but no part of what travels this way.
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
            let travels = |side: usize| {
                let schema = *listed.get(side)?;
                schema.filter(|schema| !schema.hidden(documents[side], pair.direction)).cloned()
            };
            let schemas = [travels(0), travels(1)];
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
                self.quietly(rules::UNSENT_PROPERTY_CHANGED, |walk| {
                    walk.step(name, |walk| walk.property(pair, property));
                });
                continue;
            }
            // What is no part of what travels need not be there.
            let required = [0, 1].map(|side| required[side] && !hidden[side]);
            let property = Property { name, schemas, required, hidden: hidden[1], at };
            self.step(name, |walk| walk.property(pair, property));
        }
    }

    fn property(&mut self, pair: &Pair<'_, 'a>, property: Property<'_, 'a>) {
        let rule = match (&property.schemas, pair.direction) {
            ([None, Some(_)], Direction::Response) if property.required == [true, false] => {
                Some((rules::RESPONSE_PROPERTY_BECAME_OPTIONAL, "it may be missing".to_owned()))
            }
            ([None, Some(_)], Direction::Response) => Some(came(pair)),
            ([None, Some(new)], _) => Some(self.must_come(&property, new)),
            ([Some(_), None], Direction::Request) if property.required == [false, true] && !property.hidden => {
                Some((rules::PROPERTY_BECAME_REQUIRED, "it must be there".to_owned()))
            }
            ([Some(_), None], direction) => Some(gone(pair, &property, direction)),
            ([None, None], Direction::Request) if property.hidden => Some(gone(pair, &property, Direction::Request)),
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
        // What is not listed had to fit the schema of what is not.
        let unlisted =
            |view: &View<'a>| (Others::of(view) == Others::Typed).then(|| view.under("additionalProperties"));
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

    fn must_come(&self, property: &Property<'_, 'a>, new: &Schema<'a>) -> (&'static Rule, String) {
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
        let (required, optional) = ("it must be there", "it may be missing");
        let (rule, sentence) = match (property.required, direction) {
            ([true, true] | [false, false], _) => return None,
            ([false, true], Direction::Response) => (rules::RESPONSE_PROPERTY_BECAME_REQUIRED, "it is always there"),
            ([true, false], Direction::Response) => (rules::RESPONSE_PROPERTY_BECAME_OPTIONAL, optional),
            ([false, true], _) if new.is_some_and(|new| self.has_default(new)) => {
                (rules::PROPERTY_BECAME_REQUIRED_WITH_DEFAULT, "it must be there, though it has a default")
            }
            ([false, true], _) => (rules::PROPERTY_BECAME_REQUIRED, required),
            ([true, false], _) => (rules::PROPERTY_BECAME_OPTIONAL, optional),
        };
        Some((rule, sentence.to_owned()))
    }

    fn has_default(&self, new: &Schema<'a>) -> bool {
        View::of(self.new.document(), new).value("default").is_some()
    }

    /// Whether there may be properties that are not listed, and what they are.
    pub(super) fn additional(&mut self, pair: &Pair<'_, 'a>) {
        let [old, new] = [Others::of(pair.old), Others::of(pair.new)];
        // Each schema of `allOf` closes itself by what it lists itself, which is more than the sum says.
        let closing =
            |view: &View<'a>| view.values("additionalProperties").filter(|(value, _)| **value != true).count();
        let [closes, closes_now] = [closing(pair.old), closing(pair.new)];
        if closes != closes_now && closes > 0 && closes_now > 0 {
            let sentence = "more or fewer schemas of `allOf` say what else there may be";
            let counts = [Value::from(closes), Value::from(closes_now)];
            let values = [Some(&counts[0]), Some(&counts[1])];
            self.keyword(pair, "additionalProperties", rules::CONSTRAINT_CHANGED, sentence, values);
        }
        let (rule, sentence) = match (&old, &new) {
            (Others::Typed, Others::Typed) => {
                let [old, new] = [pair.old, pair.new].map(|view| view.under("additionalProperties"));
                self.step("additionalProperties", |walk| walk.schema(pair.direction, old, new));
                return;
            }
            (old, new) if old == new => return,
            (_, Others::Nothing) => (rules::ADDITIONAL_NARROWED, "properties that are not listed are refused"),
            (Others::Anything, _) => (rules::ADDITIONAL_NARROWED, "properties that are not listed must fit a schema"),
            (Others::Nothing, Others::Typed) => {
                (rules::ADDITIONAL_WIDENED, "properties that are not listed are admitted if they fit a schema")
            }
            _ => (rules::ADDITIONAL_WIDENED, "any properties that are not listed are admitted"),
        };
        let value = |view: &View<'a>| view.value("additionalProperties").map(|(value, _)| value);
        self.keyword(pair, "additionalProperties", rule, sentence, [value(pair.old), value(pair.new)]);
    }
}

/// Where a property is said to be required, or would be.
fn required_at(view: &View<'_>, name: &str) -> String {
    let lists = view.values("required").filter_map(|(list, at)| Some((list.as_array()?, at)));
    let place = |(list, at): (&Vec<Value>, String)| {
        let index = list.iter().position(|listed| listed == name)?;
        Some(join(&at, &index.to_string()))
    };
    lists.filter_map(place).next().unwrap_or_else(|| join(&view.place("required"), name))
}

fn came(pair: &Pair<'_, '_>) -> (&'static Rule, String) {
    if Others::of(pair.old) == Others::Nothing {
        (rules::RESPONSE_PROPERTY_ADDED_TO_CLOSED, "a property is added where there were to be no others".to_owned())
    } else {
        (rules::RESPONSE_PROPERTY_ADDED, "a property is added".to_owned())
    }
}

fn gone(pair: &Pair<'_, '_>, property: &Property<'_, '_>, direction: Direction) -> (&'static Rule, String) {
    let gone = "the property is gone".to_owned();
    match direction {
        Direction::Response if property.required[0] => (rules::RESPONSE_PROPERTY_REMOVED, gone),
        Direction::Response => (rules::RESPONSE_OPTIONAL_PROPERTY_REMOVED, gone),
        _ if property.hidden => (rules::PROPERTY_BECAME_READ_ONLY, "the property can only be read".to_owned()),
        _ if Others::of(pair.new) == Others::Nothing => (rules::REQUEST_PROPERTY_REMOVED, gone),
        _ => (rules::REQUEST_PROPERTY_IGNORED, gone),
    }
}
