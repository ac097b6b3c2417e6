//! Holds every object of a document against the grammar.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{EXTENSIONS, Faults, Profile};
use crate::Kind;
use crate::equivalence::{canonical, whole};
use crate::grammar::{Shape, TYPES, WORDS_OF_3_1};
use crate::pointer::{self, join};

/// What stands where.
pub(super) struct Structure<'a> {
    /// Every object that the grammar knows, references included, by JSON pointer.
    pub(super) nodes: HashMap<String, (Kind, &'a Value)>,
    /// Every `$ref`: where the referring object stands, what is expected there, what it refers to.
    pub(super) references: Vec<(String, Kind, &'a str)>,
}

pub(super) fn check<'a>(document: &'a Value, profile: Profile, faults: &mut Faults<'_>) -> Structure<'a> {
    let structure = Structure { nodes: HashMap::new(), references: Vec::new() };
    let mut walk = Walk { structure, profile, faults };
    walk.object(Kind::Document, document, String::new());
    walk.structure
}

struct Walk<'a, 'f, 's> {
    structure: Structure<'a>,
    profile: Profile,
    faults: &'f mut Faults<'s>,
}

impl<'a> Walk<'a, '_, '_> {
    fn object(&mut self, kind: Kind, value: &'a Value, at: String) {
        let Some(members) = value.as_object() else {
            if kind == Kind::Schema && value.is_boolean() && self.profile == Profile::Standard {
                return;
            }
            let advice = match value {
                Value::Bool(_) if kind == Kind::Schema => {
                    ": `true` and `false` are schemas only under `additionalProperties`"
                }
                _ => "",
            };
            self.faults.add(&at, format!("{kind} must be a mapping, not {}{advice}", name_of(value)));
            return;
        };
        self.structure.nodes.insert(at.clone(), (kind, value));
        if kind.referable() && members.contains_key("$ref") {
            let here = join(&at, "$ref");
            match pointer::reference(value) {
                Some(target) => self.structure.references.push((at.clone(), kind, target)),
                None => self.faults.add(&here, "`$ref` must be a string"),
            }
            if self.profile == Profile::Standard {
                self.members(kind, members, &at);
                return;
            }
            let siblings: Vec<_> = members.keys().filter(|key| *key != "$ref").map(|key| format!("`{key}`")).collect();
            if !siblings.is_empty() {
                let siblings = siblings.join(", ");
                self.faults.add(
                    &here,
                    format!("`$ref` stands alone: 3.0 ignores what is beside it; move {siblings} to what it refers to"),
                );
            }
            return;
        }
        self.members(kind, members, &at);
        for key in kind.mandatory() {
            let demanded = self.profile == Profile::Supported || !may_lack(kind, key);
            if demanded && !members.contains_key(*key) {
                self.faults.add(&at, format!("`{key}` is missing: {kind} must have it"));
            }
        }
    }

    fn members(&mut self, kind: Kind, members: &'a Map<String, Value>, at: &str) {
        for (key, value) in members {
            let here = join(at, key);
            let shape = match self.profile {
                Profile::Supported => kind.keyword(key),
                Profile::Standard => kind.keyword(key).or_else(|| refused(kind, key).map(|(_, shape, _)| *shape)),
            };
            match shape {
                Some(shape) => self.shape(shape, key, value, here),
                // Whoever wrote it knows what it means.
                None if self.profile == Profile::Standard => {}
                None if key.starts_with("x-") => self.extension(kind, key, value, &here),
                None => self.unknown(kind, key, &here),
            }
        }
    }

    fn shape(&mut self, shape: Shape, key: &str, value: &'a Value, at: String) {
        let profile = self.profile;
        match (shape, value) {
            (Shape::Any, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Flag | Shape::SchemaOrFlag, Value::Bool(_))
            | (Shape::Number, Value::Number(_))
            | (Shape::AnyMap, Value::Object(_)) => {}
            (Shape::Count, count) if whole(count).is_some() => {}
            (Shape::Word(words), Value::String(word)) if words.contains(&word.as_str()) => {}
            (Shape::Word(_), Value::String(word))
                if key == "type" && profile == Profile::Standard && WORDS_OF_3_1.contains(&word.as_str()) => {}
            (Shape::Type, value) => self.type_name(value, &at),
            (Shape::Texts, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if !item.is_string() {
                        let here = join(&at, &index.to_string());
                        self.faults.add(&here, format!("`{key}` holds strings, not {}", name_of(item)));
                    }
                }
                self.unique(key, items, &at);
            }
            (Shape::Values, Value::Array(items)) => self.unique(key, items, &at),
            (Shape::TextMap | Shape::Scopes, Value::Object(members)) => {
                for (name, value) in members {
                    if !value.is_string() {
                        let here = join(&at, name);
                        self.faults.add(&here, format!("`{name}` must be a string, not {}", name_of(value)));
                    }
                }
            }
            (Shape::Requirements, Value::Array(items)) => self.requirements(items, &at),
            (Shape::One(kind), value) => self.object(kind, value, at),
            (Shape::SchemaOrFlag, Value::Object(_)) => self.object(Kind::Schema, value, at),
            (Shape::List(kind), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.object(kind, item, join(&at, &index.to_string()));
                }
            }
            (Shape::Map(kind), Value::Object(members)) => {
                for (name, member) in members.iter().filter(|(name, _)| !extends(profile, kind, name)) {
                    self.object(kind, member, join(&at, name));
                }
            }
            (Shape::Callbacks, Value::Object(members)) => {
                for (name, callback) in members.iter().filter(|(_, callback)| callback.get("$ref").is_none()) {
                    self.shape(Shape::Map(Kind::PathItem), name, callback, join(&at, name));
                }
            }
            (Shape::Statuses, Value::Object(members)) => {
                for (status, response) in members.iter().filter(|(name, _)| !extends(profile, Kind::Response, name)) {
                    let here = join(&at, status);
                    if !(is_status(status) || profile == Profile::Standard && is_range(status)) {
                        self.faults.add(
                            &here,
                            format!("`{status}` is not a status: name each one by its number, from 100 to 599"),
                        );
                    }
                    self.object(Kind::Response, response, here);
                }
                if members.is_empty() {
                    self.faults.add(&at, "an operation answers with something: name at least one status");
                }
            }
            (shape, value) => {
                let expected = expected(shape);
                self.faults.add(&at, format!("`{key}` must be {expected}, not {}", name_of(value)));
            }
        }
    }

    fn type_name(&mut self, value: &Value, at: &str) {
        let known = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
        let standard = |value: &Value| known(value) || value == "null";
        match value {
            value if known(value) => {}
            Value::String(_) | Value::Array(_) if self.profile == Profile::Standard => {
                let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                if !all.iter().all(standard) {
                    self.faults.add(at, format!("`type` is made of {} and null", TYPES.join(", ")));
                }
            }
            Value::Array(_) => self.faults.add(
                at,
                "3.0 has no lists of types: write one type; leave an absent member out of `required` instead of \
                 sending null, and give alternatives as `oneOf`",
            ),
            value if value == "null" => self
                .faults
                .add(at, "3.0 has no type `null`: leave an absent member out of `required` instead of sending null"),
            value => {
                let message = format!("`type` must be one of {}, not {}", TYPES.join(", "), name_of(value));
                self.faults.add(at, message);
            }
        }
    }

    fn unique(&mut self, key: &str, items: &[Value], at: &str) {
        if self.profile == Profile::Standard {
            // What stands there twice means no more than once.
            return;
        }
        let mut known = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if !known.insert(canonical(item)) {
                self.faults.add(&join(at, &index.to_string()), format!("`{key}` holds {item} twice"));
            }
        }
    }

    fn requirements(&mut self, items: &[Value], at: &str) {
        for (index, item) in items.iter().enumerate() {
            let here = join(at, &index.to_string());
            let scopes_of = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
            if !item.as_object().is_some_and(|schemes| schemes.values().all(scopes_of)) {
                self.faults.add(&here, "a security requirement maps scheme names to lists of scopes");
            }
        }
    }

    fn extension(&mut self, kind: Kind, key: &str, value: &Value, at: &str) {
        match EXTENSIONS.iter().find(|extension| extension.key == key) {
            None => {
                let known: Vec<_> = EXTENSIONS.iter().map(|extension| extension.key).collect();
                let message = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("unknown extension `{key}`: did you mean `{near}`?"),
                    None => format!("unknown extension `{key}`: known are {}", known.join(", ")),
                };
                self.faults.add(at, message);
            }
            Some(extension) if extension.on != kind => {
                self.faults.add(at, format!("`{key}` belongs on {}, not on {kind}", extension.on));
            }
            Some(extension) if !extension.accepts(value) => {
                self.faults.add(at, format!("`{key}` must be {}", extension.expects));
            }
            Some(_) => {}
        }
    }

    fn unknown(&mut self, kind: Kind, key: &str, at: &str) {
        if let Some((.., advice)) = refused(kind, key) {
            self.faults.add(at, format!("`{key}` is not supported: {advice}"));
            return;
        }
        let known = kind.keywords().iter().map(|(keyword, _)| *keyword);
        let suggestion = did_you_mean(key, known);
        self.faults.add(at, format!("unknown keyword `{key}` in {kind}{suggestion}"));
    }
}

fn refused(kind: Kind, key: &str) -> Option<&'static (&'static str, Shape, &'static str)> {
    kind.refused().iter().find(|(refused, ..)| *refused == key)
}

/// Whether a member of `paths` or `responses` is none of them but an extension.
fn extends(profile: Profile, kind: Kind, name: &str) -> bool {
    let extensible = matches!(kind, Kind::PathItem | Kind::Response);
    profile == Profile::Standard && extensible && name.starts_with("x-")
}

/// What must be in a contract here, and need not be in every document of OpenAPI 3.1.
fn may_lack(kind: Kind, key: &str) -> bool {
    matches!((kind, key), (Kind::Document, "paths") | (Kind::Operation, "operationId" | "responses"))
}

/// What OpenAPI has beside statuses: `default` for all others, `4XX` for a hundred.
fn is_range(text: &str) -> bool {
    text == "default" || matches!(text.as_bytes(), [b'1'..=b'5', b'X', b'X'])
}

/// Three digits, as RFC 9110 §15 has them.
fn is_status(text: &str) -> bool {
    text.len() == 3 && text.parse::<u16>().is_ok_and(|status| (100..=599).contains(&status))
}

/// What a value is, as in "must be a string, not …".
fn name_of(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("`{value}`"),
    }
}

fn expected(shape: Shape) -> String {
    match shape {
        Shape::Any => "present".to_owned(),
        Shape::Text => "a string".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Count => "a whole number, zero or more".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Word(words) => format!("one of {}", words.join(", ")),
        Shape::Type => "a type".to_owned(),
        Shape::Texts => "a list of strings".to_owned(),
        Shape::Values | Shape::Requirements | Shape::List(_) => "a list".to_owned(),
        Shape::SchemaOrFlag => "a schema, true or false".to_owned(),
        Shape::One(_)
        | Shape::TextMap
        | Shape::AnyMap
        | Shape::Scopes
        | Shape::Map(_)
        | Shape::Statuses
        | Shape::Callbacks => "a mapping".to_owned(),
    }
}

/// The known word that is at most two edits away from `word`, if any: `maxLenght` → `maxLength`.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // Nothing this long is a slip of the fingers, and the distance takes square time.
    if word.len() > 64 {
        return None;
    }
    let (distance, near) = known.map(|known| (edits(word, known), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance * 2 < word.len()).then_some(near)
}

/// What to add to a message about an unknown word: `: did you mean …?`, or nothing.
pub fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(": did you mean `{near}`?"))
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
