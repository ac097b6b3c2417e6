//! Compares every object of a document with the grammar.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::errors::Errors;
use crate::equivalence::{canonical, whole};
use crate::extensions::EXTENSIONS;
use crate::grammar::{Shape, TYPES, WORDS_OF_3_1};
use crate::kind::Kind;
use crate::nodes::{Node, below};
use crate::pointer::{self, join};
use crate::profile::Profile;
use crate::suggestions::{did_you_mean, nearest};

/// The objects and references of a document.
pub(super) struct Structure<'a> {
    /// Every object of the grammar, references included, by JSON pointer.
    pub(super) nodes: HashMap<String, (Kind, &'a Value)>,
    /// Every `$ref`: the pointer of the referring object, the kind expected there (`None` for a callback, which the
    /// grammar does not have), and the target.
    pub(super) references: Vec<(String, Option<Kind>, &'a str)>,
}

pub(super) fn check<'a>(document: &'a Value, profile: Profile, errors: &mut Errors<'_>) -> Structure<'a> {
    let structure = Structure { nodes: HashMap::new(), references: Vec::new() };
    let mut walk = Walk { structure, profile, errors, next: vec![Node::document(document)] };
    while let Some(node) = walk.next.pop() {
        walk.object(node);
    }
    walk.structure
}

struct Walk<'a, 'f, 's> {
    structure: Structure<'a>,
    profile: Profile,
    errors: &'f mut Errors<'s>,
    next: Vec<Node<'a>>,
}

impl<'a> Walk<'a, '_, '_> {
    fn object(&mut self, Node { kind, value, at }: Node<'a>) {
        let is_standard = self.profile == Profile::Standard;
        let Some(members) = value.as_object() else {
            return match value {
                Value::Bool(_) if kind == Kind::Schema && is_standard => {}
                Value::Bool(_) if kind == Kind::Schema => self.errors.unsupported(
                    &at,
                    format!("{kind} must be a mapping, not `{value}`: boolean schemas are supported only under `additionalProperties`"),
                ),
                _ => self.errors.invalid(&at, format!("{kind} must be a mapping, not {}", name_of(value))),
            };
        };
        let reference = members.get("$ref").filter(|_| kind.referable());
        match reference {
            None => {
                for key in kind.mandatory().iter().filter(|key| !members.contains_key(**key)) {
                    let message = format!("`{key}` is missing: {kind} must have it");
                    match is_optional_in_3_1(kind, key) {
                        false => self.errors.invalid(&at, message),
                        true if is_standard => {}
                        true => self.errors.unsupported(&at, message),
                    }
                }
            }
            Some(Value::String(target)) => self.structure.references.push((at.clone(), Some(kind), target)),
            Some(_) => self.errors.invalid(&join(&at, "$ref"), "`$ref` must be a string"),
        }
        if reference.is_none() || is_standard {
            self.members(kind, members, &at);
        } else if members.len() > 1 {
            let siblings: Vec<_> = members.keys().filter(|key| *key != "$ref").map(|key| format!("`{key}`")).collect();
            let message = format!(
                "`$ref` must be the only member, because 3.0 ignores its siblings: move {} to the target",
                siblings.join(", ")
            );
            self.errors.unsupported(&join(&at, "$ref"), message);
        }
        self.structure.nodes.insert(at, (kind, value));
    }

    fn members(&mut self, kind: Kind, members: &'a Map<String, Value>, at: &str) {
        for (key, value) in members {
            let here = join(at, key);
            match kind.keyword_in(key, self.profile) {
                Some(shape) => {
                    self.value(shape, key, value, &here);
                    below(shape, value, &here, &mut self.next);
                }
                None if self.profile == Profile::Standard => {}
                None if key.starts_with("x-") => self.extension(kind, key, value, &here),
                None => self.unknown(kind, key, &here),
            }
        }
    }

    /// Checks the value of a keyword, but not the objects inside it.
    fn value(&mut self, shape: Shape, key: &str, value: &'a Value, at: &str) {
        let is_standard = self.profile == Profile::Standard;
        match (shape, value) {
            (Shape::Any | Shape::One(_), _)
            | (Shape::Text, Value::String(_))
            | (Shape::Flag | Shape::SchemaOrFlag, Value::Bool(_))
            | (Shape::Number, Value::Number(_))
            | (Shape::List(_), Value::Array(_))
            | (Shape::AnyMap | Shape::Map(_) | Shape::SchemaOrFlag, Value::Object(_)) => {}
            (Shape::Count, count) if whole(count).is_some() => {}
            (Shape::Word(words), Value::String(word))
                if words.contains(&word.as_str())
                    || is_standard && key == "type" && WORDS_OF_3_1.contains(&word.as_str()) => {}
            (Shape::Type, value) => self.type_name(value, at),
            (Shape::Texts, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_string()) {
                    let message = format!("`{key}` must contain strings, not {}", name_of(item));
                    self.errors.invalid(&join(at, &index.to_string()), message);
                }
                self.unique(key, items, at);
            }
            (Shape::Values, Value::Array(items)) => self.unique(key, items, at),
            (Shape::TextMap | Shape::Scopes, Value::Object(members)) => {
                for (name, value) in members.iter().filter(|(_, value)| !value.is_string()) {
                    self.errors.invalid(&join(at, name), format!("`{name}` must be a string, not {}", name_of(value)));
                }
            }
            (Shape::Requirements, Value::Array(items)) => {
                let is_scopes = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
                for (index, item) in items.iter().enumerate() {
                    if !item.as_object().is_some_and(|schemes| schemes.values().all(is_scopes)) {
                        let message = "a security requirement must map scheme names to lists of scopes";
                        self.errors.invalid(&join(at, &index.to_string()), message);
                    }
                }
            }
            (Shape::Callbacks, Value::Object(members)) => {
                for (name, callback) in members {
                    if let Some(target) = pointer::reference(callback) {
                        self.structure.references.push((join(at, name), None, target));
                    } else if !callback.is_object() {
                        let message = format!("a callback must be a mapping, not {}", name_of(callback));
                        self.errors.invalid(&join(at, name), message);
                    }
                }
            }
            (Shape::Statuses, Value::Object(members)) => self.statuses(members, at),
            (shape, value) => {
                let message = format!("`{key}` must be {}, not {}", expected(shape), name_of(value));
                self.errors.invalid(at, message);
            }
        }
    }

    fn statuses(&mut self, members: &Map<String, Value>, at: &str) {
        for status in members.keys().filter(|status| !is_status(status)) {
            let message = format!("`{status}` is not a status: list each status by its number, from 100 to 599");
            match is_range(status) || status.starts_with("x-") {
                false => self.errors.invalid(&join(at, status), message),
                true if self.profile == Profile::Standard => {}
                true => self.errors.unsupported(&join(at, status), message),
            }
        }
        if members.is_empty() {
            self.errors.invalid(at, "`responses` is empty: list at least one status");
        }
    }

    fn type_name(&mut self, value: &Value, at: &str) {
        let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
        let standard = |value: &Value| known(value) || value == "null";
        let types = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if known(value) {
        } else if !types.iter().all(standard) {
            self.errors.invalid(at, format!("`type` must be one of {}, not {}", TYPES.join(", "), name_of(value)));
        } else if self.profile == Profile::Supported {
            let message = match value {
                Value::Array(_) => {
                    "3.0 has no lists of types: write one type; make the property optional instead of nullable, and \
                     alternatives a `oneOf`"
                }
                _ => "3.0 has no type `null`: make the property optional instead of nullable",
            };
            self.errors.unsupported(at, message);
        }
    }

    /// A value that is listed twice is valid, but probably an error.
    fn unique(&mut self, key: &str, items: &[Value], at: &str) {
        if self.profile == Profile::Standard {
            return;
        }
        let mut known = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if !known.insert(canonical(item)) {
                self.errors.unsupported(&join(at, &index.to_string()), format!("`{key}` contains {item} twice"));
            }
        }
    }

    fn extension(&mut self, kind: Kind, key: &str, value: &Value, at: &str) {
        let message = match EXTENSIONS.iter().find(|extension| extension.key == key) {
            None => {
                let known: Vec<_> = EXTENSIONS.iter().map(|extension| extension.key).collect();
                match nearest(key, known.iter().copied()) {
                    Some(near) => format!("unknown extension `{key}`: did you mean `{near}`?"),
                    None => format!("unknown extension `{key}`: expected one of {}", known.join(", ")),
                }
            }
            Some(extension) if extension.on != kind => {
                format!("`{key}` must be on {}, not on {kind}", extension.on)
            }
            Some(extension) if !extension.accepts(value) => format!("`{key}` must be {}", extension.expects),
            Some(_) => return,
        };
        self.errors.unsupported(at, message);
    }

    fn unknown(&mut self, kind: Kind, key: &str, at: &str) {
        let message = match kind.refused().iter().find(|(refused, ..)| *refused == key) {
            Some((.., advice)) => format!("`{key}` is not supported: {advice}"),
            None => {
                let suggestion = did_you_mean(key, kind.keywords().iter().map(|(keyword, _)| *keyword));
                format!("unknown keyword `{key}` in {kind}{suggestion}")
            }
        };
        self.errors.unsupported(at, message);
    }
}

/// Keywords that a contract must have although OpenAPI 3.1 does not require them.
fn is_optional_in_3_1(kind: Kind, key: &str) -> bool {
    matches!((kind, key), (Kind::Document, "paths") | (Kind::Operation, "operationId" | "responses"))
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
        Value::Null => "empty".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("`{value}`"),
    }
}

fn expected(shape: Shape) -> String {
    let expected = match shape {
        Shape::Any => "present",
        Shape::Text => "a string",
        Shape::Flag => "true or false",
        Shape::Count => "a whole number, zero or more",
        Shape::Number => "a number",
        Shape::Word(words) => return format!("one of {}", words.join(", ")),
        Shape::Type => "a type",
        Shape::Texts => "a list of strings",
        Shape::Values | Shape::Requirements | Shape::List(_) => "a list",
        Shape::SchemaOrFlag => "a schema, true or false",
        Shape::One(_)
        | Shape::TextMap
        | Shape::AnyMap
        | Shape::Scopes
        | Shape::Map(_)
        | Shape::Statuses
        | Shape::Callbacks => "a mapping",
    };
    expected.to_owned()
}
