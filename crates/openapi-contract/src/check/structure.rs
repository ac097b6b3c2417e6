//! Compares every object of a document with the grammar.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::equivalence::{canonical, whole};
use crate::error::Errors;
use crate::extensions::EXTENSIONS;
use crate::grammar::{Kind, Shape, TYPES};
use crate::nodes::Node;
use crate::pointer::join;
use crate::profile::Profile;
use crate::suggestions::{did_you_mean, nearest};

pub(super) fn check(nodes: &[Node<'_>], profile: Profile, errors: &mut Errors<'_>) {
    let mut checker = Checker { is_standard: profile == Profile::Standard, profile, errors };
    for node in nodes {
        checker.object(node);
    }
}

struct Checker<'e, 's> {
    profile: Profile,
    is_standard: bool,
    errors: &'e mut Errors<'s>,
}

impl Checker<'_, '_> {
    fn object(&mut self, Node { kind, value, at }: &Node<'_>) {
        let Some(members) = value.as_object() else {
            return match value {
                Value::Bool(_) if *kind == Kind::Schema => self.unsupported(
                    at,
                    format!("{kind} must be a mapping, not `{value}`: boolean schemas are supported only under `additionalProperties`"),
                ),
                _ => self.errors.invalid(at, format!("{kind} must be a mapping, not {}", name_of(value))),
            };
        };
        let reference = members.get("$ref").filter(|_| kind.referable());
        if reference.is_some_and(|target| !target.is_string()) {
            self.errors.invalid(&join(at, "$ref"), "`$ref` must be a string");
        }
        if reference.is_none() {
            for key in kind.mandatory().iter().filter(|key| !members.contains_key(**key)) {
                self.missing(*kind, key, at);
            }
        }
        if reference.is_none() || self.is_standard {
            return self.members(*kind, members, at);
        }
        let siblings: Vec<_> = members.keys().filter(|key| *key != "$ref").map(|key| format!("`{key}`")).collect();
        if !siblings.is_empty() {
            let siblings = siblings.join(", ");
            let message = format!(
                "`$ref` must be the only property, because OpenAPI 3.0 ignores its siblings: move {siblings} to the target"
            );
            self.unsupported(&join(at, "$ref"), message);
        }
    }

    /// Adds an error of the supported subset.
    fn unsupported(&mut self, at: &str, message: impl Into<String>) {
        if !self.is_standard {
            self.errors.unsupported(at, message);
        }
    }

    fn missing(&mut self, kind: Kind, key: &str, at: &str) {
        let message = format!("`{key}` is missing: {kind} must have it");
        match (kind, key) {
            // OpenAPI 3.1 does not require them.
            (Kind::Document, "paths") | (Kind::Operation, "operationId" | "responses") => self.unsupported(at, message),
            // Many documents lack it, and a comparison does not need it.
            (Kind::Response, "description") if self.is_standard => {}
            _ => self.errors.invalid(at, message),
        }
    }

    fn members(&mut self, kind: Kind, members: &Map<String, Value>, at: &str) {
        for (key, value) in members {
            let here = join(at, key);
            match kind.keyword_in(key, self.profile) {
                Some(shape) => self.value(shape, key, value, &here),
                None if self.is_standard => {}
                None if key.starts_with("x-") => self.extension(kind, key, value, &here),
                None => self.unknown(kind, key, &here),
            }
        }
    }

    /// Checks the value of a keyword, but not the objects inside it.
    fn value(&mut self, shape: Shape, key: &str, value: &Value, at: &str) {
        let (accepted, expected) = expected(shape, value);
        // A security scheme that OpenAPI 3.0 does not have.
        let is_of_3_1 = || self.is_standard && matches!(shape, Shape::Word(_)) && key == "type" && value == "mutualTLS";
        if !(accepted || is_of_3_1()) {
            let hint = if value.is_null() && expected == "a mapping" { ": write `{}` if it is empty" } else { "" };
            let message = format!("`{key}` must be {expected}, not {}{hint}", name_of(value));
            return self.errors.invalid(at, message);
        }
        let (is_valid, must): (fn(&Value) -> bool, _) = match shape {
            Shape::Texts | Shape::TextMap => (Value::is_string, "must be a string"),
            Shape::Requirements => (Value::is_object, "must map scheme names to lists of scopes"),
            Shape::Callbacks => (Value::is_object, "must be a mapping"),
            _ => (|_| true, ""),
        };
        for (index, item) in value.as_array().into_iter().flatten().enumerate().filter(|(_, item)| !is_valid(item)) {
            let message = format!("an item of `{key}` {must}, not {}", name_of(item));
            self.errors.invalid(&join(at, &index.to_string()), message);
        }
        for (name, member) in value.as_object().into_iter().flatten().filter(|(_, member)| !is_valid(member)) {
            self.errors.invalid(&join(at, name), format!("`{name}` {must}, not {}", name_of(member)));
        }
        match (shape, value) {
            (Shape::Statuses, Value::Object(members)) => self.statuses(members, at),
            (Shape::Texts | Shape::Values, Value::Array(items)) => self.unique(key, items, at),
            (Shape::Requirements, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    for (scheme, scopes) in item.as_object().into_iter().flatten() {
                        self.value(Shape::Texts, scheme, scopes, &join(&join(at, &index.to_string()), scheme));
                    }
                }
            }
            (Shape::Type, Value::Array(_)) => {
                let message = "OpenAPI 3.0 has no lists of types: write one type; make the property optional instead of \
                               nullable, and alternatives a `oneOf`";
                self.unsupported(at, message);
            }
            (Shape::Type, _) if value == "null" => {
                self.unsupported(at, "OpenAPI 3.0 has no type `null`: make the property optional instead of nullable");
            }
            _ => {}
        }
    }

    fn statuses(&mut self, members: &Map<String, Value>, at: &str) {
        for status in members.keys().filter(|status| !is_status(status)) {
            let message = format!("`{status}` is not a status: list each status by its number, from 100 to 599");
            match is_range(status) || status.starts_with("x-") {
                true => self.unsupported(&join(at, status), message),
                false => self.errors.invalid(&join(at, status), message),
            }
        }
        if members.is_empty() {
            self.errors.invalid(at, "`responses` is empty: list at least one status");
        }
    }

    /// A value that is listed twice is valid, but probably an error.
    fn unique(&mut self, key: &str, items: &[Value], at: &str) {
        let mut known = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if !known.insert(canonical(item)) {
                self.unsupported(&join(at, &index.to_string()), format!("`{key}` contains {item} twice"));
            }
        }
    }

    fn extension(&mut self, kind: Kind, key: &str, value: &Value, at: &str) {
        let message = match EXTENSIONS.iter().find(|extension| extension.key == key) {
            None => {
                let known: Vec<_> = EXTENSIONS.iter().map(|extension| extension.key).collect();
                let near = nearest(key, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                let hint = near.unwrap_or_else(|| format!("expected one of {}", known.join(", ")));
                format!("unknown extension `{key}`: {hint}")
            }
            Some(extension) if extension.on != kind => {
                format!("`{key}` must be on {}, not on {kind}", extension.on)
            }
            Some(extension) if !(extension.accepts)(value) => format!("`{key}` must be {}", extension.expects),
            Some(_) => return,
        };
        self.unsupported(at, message);
    }

    fn unknown(&mut self, kind: Kind, key: &str, at: &str) {
        let message = match kind.refused().iter().find(|(refused, ..)| *refused == key) {
            Some((.., advice)) => format!("`{key}` is not supported: {advice}"),
            None => {
                let suggestion = did_you_mean(key, kind.keywords().iter().map(|(keyword, _)| *keyword));
                format!("unknown keyword `{key}` in {kind}{suggestion}")
            }
        };
        self.unsupported(at, message);
    }
}

/// Whether a value has this shape, without regard to the values inside it, and what to write after "must be".
fn expected(shape: Shape, value: &Value) -> (bool, String) {
    let is_one_of = |words: &[&str], value: &Value| value.as_str().is_some_and(|word| words.contains(&word));
    let is_type = |value: &Value| value == "null" || is_one_of(TYPES, value);
    let (accepted, expected) = match shape {
        Shape::Any | Shape::One(_) => (true, ""),
        Shape::Text => (value.is_string(), "a string"),
        Shape::Flag => (value.is_boolean(), "true or false"),
        Shape::Count => (whole(value).is_some(), "a whole number, zero or more"),
        Shape::Number => (value.is_number(), "a number"),
        Shape::Word(words) => return (is_one_of(words, value), format!("one of {}", words.join(", "))),
        Shape::Type => {
            let types = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            return (types.iter().all(is_type), format!("one of {}", TYPES.join(", ")));
        }
        Shape::Texts => (value.is_array(), "a list of strings"),
        Shape::Values | Shape::Requirements | Shape::List(_) => (value.is_array(), "a list"),
        Shape::SchemaOrFlag => (value.is_object() || value.is_boolean(), "a schema, true or false"),
        Shape::TextMap | Shape::AnyMap | Shape::Map(_) | Shape::Statuses | Shape::Callbacks => {
            (value.is_object(), "a mapping")
        }
    };
    (accepted, expected.to_owned())
}

/// The responses of OpenAPI that are not for one status: `default` and such as `4XX`.
fn is_range(text: &str) -> bool {
    text == "default" || matches!(text.as_bytes(), [b'1'..=b'5', b'X', b'X'])
}

/// A status code of three digits (RFC 9110 §15).
fn is_status(text: &str) -> bool {
    text.len() == 3 && text.parse::<u16>().is_ok_and(|status| (100..=599).contains(&status))
}

/// A description of a value, to complete "must be a string, not …".
fn name_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("`{value}`"),
    }
}
