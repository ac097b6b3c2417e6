//! Rust types for the contract's schemas, in the style of the handlers' crate.
//!
//! What exists is used; `item` writes what does not, `spelling` knows the words, `way` says what a type has to derive. What
//! has no words there, `by_hand` writes out.

mod by_hand;
mod item;
mod spelling;
mod way;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

pub(super) use by_hand::{by_hand, implemented};
pub(super) use item::variant;
pub(super) use spelling::{attribute, attribute_of, docs, literal, pascal, snake};
use spelling::{bounds, ident};
pub(super) use way::{Way, way_of};

use super::Context;
use super::sources::Item;
use super::text::SourceFile;
use crate::diff::{means_the_same, only_part};
use openapi_contract::Kind;
use openapi_contract::pointer::{self, join};

/// Writes types into a file, and remembers the new ones that they need.
pub(super) struct Types<'c, 'a> {
    context: &'c Context<'a>,
    /// The file that they are written into, if it exists.
    file: Option<&'a SourceFile>,
    /// New items, each on lines of its own, in the order in which they are needed.
    pub(super) items: Vec<String>,
    /// Names of new items, with the traits that they derive.
    defined: BTreeMap<String, Vec<&'static str>>,
    /// Which way new types travel.
    pub(super) way: Way,
    /// What a new file has to import.
    pub(super) imports: Vec<(&'static str, String)>,
    /// Why a schema is written by hand, if one is.
    pub(super) by_hand: Option<Words>,
}

/// A type, and what its place must say of it besides.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) rust: String,
    /// Such as `max_length = 9`.
    pub(super) attributes: Vec<String>,
    /// Whether it is a type with a schema of its own, to which utoipa refers.
    pub(super) named: bool,
    /// The traits that it has.
    derives: Vec<&'static str>,
}

/// Why something cannot be written as a type, and what to do.
pub(super) type Words = String;

const TRAITS: [&str; 3] = ["Clone", "PartialEq", "Eq"];

impl<'c, 'a> Types<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, file: Option<&'a SourceFile>, way: Way) -> Types<'c, 'a> {
        Types { context, file, items: Vec::new(), defined: BTreeMap::new(), way, imports: Vec::new(), by_hand: None }
    }

    /// How an item of another module is called in this file.
    pub(super) fn import(&mut self, module: &'static str, name: &str) -> String {
        let Some(file) = self.file else {
            let import = (module, name.to_owned());
            if !self.imports.contains(&import) {
                self.imports.push(import);
            }
            return name.to_owned();
        };
        if names(file, name) { name.to_owned() } else { format!("{module}::{name}") }
    }

    /// The module that it writes into.
    pub(super) fn module(&self) -> Option<String> {
        self.file.map(|file| module(&file.path).trim_start_matches("crate::").to_owned())
    }

    /// The type of a schema. `hint` is what a new type would be called.
    pub(super) fn of(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        if let Some(part) = only_part(schema) {
            return self.of(part, hint);
        }
        if let Some(target) = pointer::reference(schema) {
            return self.referred(target);
        }
        if let Some(item) = self.same_type(schema) {
            return Ok(self.existing(item));
        }
        unsaid(schema).map_or(Ok(()), Err)?;
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let plain = |rust: &str| Typed { rust: rust.to_owned(), derives: TRAITS.to_vec(), ..Typed::default() };
        let mut typed = match (text("type"), text("format")) {
            _ if schema.get("oneOf").is_some() => return self.defined(hint, schema),
            (Some("string"), _) if schema.get("enum").is_some() => return self.defined(hint, schema),
            _ if schema.get("enum").is_some() => {
                return Err("utoipa's attributes cannot say an `enum` of other than strings: write the schema by hand"
                    .to_owned());
            }
            (Some("string"), Some("uuid")) => plain(&self.import("uuid", "Uuid")),
            (Some("string"), format) => {
                let mut typed = plain("String");
                typed.attributes.extend(format.map(|format| format!("format = {}", literal(&Value::from(format)))));
                typed
            }
            (Some("integer"), Some("int32")) => plain("i32"),
            (Some("integer"), Some("int64")) => plain("i64"),
            (Some("integer"), _) => {
                return Err(
                    "Rust's integers have a format: give it `format: int32` or `format: int64` in the contract, or write the schema by hand"
                        .to_owned(),
                );
            }
            (Some("number"), Some("float")) => Typed { derives: vec!["Clone", "PartialEq"], ..plain("f32") },
            (Some("number"), Some("double")) => Typed { derives: vec!["Clone", "PartialEq"], ..plain("f64") },
            (Some("number"), _) => {
                return Err("Rust's numbers have a format: give it `format: double` in the contract, or write the schema by hand".to_owned());
            }
            (Some("boolean"), _) => plain("bool"),
            (Some("array"), _) => {
                let nothing = Value::Object(serde_json::Map::new());
                let item = self.in_place(schema.get("items").unwrap_or(&nothing), &format!("{hint}Item"))?;
                Typed { rust: format!("Vec<{}>", item.rust), derives: item.derives, ..Typed::default() }
            }
            (Some("object"), _) if schema.get("properties").is_some() => return self.defined(hint, schema),
            (Some("object"), _) => match schema.get("additionalProperties") {
                Some(value) if value.is_object() => {
                    let value = self.in_place(value, &format!("{hint}Value"))?;
                    Typed {
                        rust: format!("std::collections::BTreeMap<String, {}>", value.rust),
                        derives: value.derives,
                        ..Typed::default()
                    }
                }
                Some(Value::Bool(false)) => return self.defined(hint, schema),
                _ => {
                    let mut typed = plain("serde_json::Map<String, serde_json::Value>");
                    typed.attributes.push("value_type = Object".to_owned());
                    typed
                }
            },
            _ => plain("serde_json::Value"),
        };
        typed.attributes.extend(bounds(schema));
        Ok(typed)
    }

    /// A type that says all by itself, for a place where no attribute can stand.
    pub(super) fn in_place(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        let typed = self.of(schema, hint)?;
        if typed.attributes.is_empty() { Ok(typed) } else { self.defined(hint, schema) }
    }

    /// The type of a response header: one that exists only for its schema will do.
    pub(super) fn of_header(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        let twin = self.twins(schema).find(|item| is_for_its_schema(item)).map(|item| item.name.clone());
        match twin.and_then(|name| self.context.sources.items.iter().find(|item| item.name == name)) {
            Some(item) => Ok(self.existing(item)),
            None => self.in_place(schema, hint),
        }
    }

    fn referred(&mut self, target: &str) -> Result<Typed, Words> {
        let name = target.rsplit('/').next().unwrap_or_default().to_owned();
        let context = self.context;
        if let Some(item) = context.sources.schema(&name) {
            return Ok(self.existing(item));
        }
        let component = join("/components/schemas", &name);
        if context.generated.pointer(&component).is_some() || self.defined.contains_key(&name) {
            let derives = self.defined.get(&name).cloned().unwrap_or_default();
            return Ok(Typed { rust: name, named: true, derives, ..Typed::default() });
        }
        match context.contract.document().pointer(&component) {
            Some(schema) if schema.get("$ref").is_none() => self.defined(&name, schema),
            _ => Err(format!("`{target}` only leads on: refer to what it refers to")),
        }
    }

    fn existing(&mut self, item: &Item<'a>) -> Typed {
        let derives = TRAITS.into_iter().filter(|name| item.derives(name)).collect();
        let here = self.file.is_some_and(|file| file.path == item.file.path || names(file, &item.name));
        let rust = if here { item.name.clone() } else { format!("{}::{}", module(&item.file.path), item.name) };
        Typed { rust, named: true, derives, ..Typed::default() }
    }

    /// A type of the code that means the same as a schema written out, such as the one of points in time.
    fn same_type(&self, schema: &Value) -> Option<&'c Item<'a>> {
        // What is only a type and a format is nobody's in particular.
        schema.get("pattern")?;
        self.twins(schema)
            .find(|item| !is_for_its_schema(item) && item.attributes.iter().any(|one| one.name == "schema"))
    }

    fn twins(&self, schema: &Value) -> impl Iterator<Item = &'c Item<'a>> {
        let context = self.context;
        let components = context.generated.pointer("/components/schemas").and_then(Value::as_object);
        let same: Vec<_> = components
            .into_iter()
            .flatten()
            .filter(|(_, twin)| {
                means_the_same(context.contract.document(), context.generated, Kind::Schema, schema, twin)
            })
            .filter_map(|(name, _)| context.sources.schema(name))
            .collect();
        same.into_iter()
    }
}

/// The keyword of a schema for which utoipa has no attribute, put in words.
fn unsaid(schema: &Value) -> Option<Words> {
    let mut keys = ["allOf", "anyOf", "not", "uniqueItems", "discriminator", "xml"].into_iter();
    let key = keys.find(|key| schema.get(*key).is_some())?;
    Some(format!("utoipa's attributes cannot say `{key}`: take it out of the contract, or write the schema by hand"))
}

/// A type that nobody makes: utoipa takes types where a schema is meant.
fn is_for_its_schema(item: &Item<'_>) -> bool {
    item.attributes.iter().any(|one| {
        matches!(one.name.as_str(), "expect" | "allow") && one.arguments.iter().any(|one| one.key == "dead_code")
    })
}

/// Whether the text of a file holds this word, as code.
fn names(file: &SourceFile, name: &str) -> bool {
    let masked = super::sources::masked(&file.text);
    let words: HashSet<&str> = masked.split(|one: char| !one.is_alphanumeric() && one != '_').collect();
    words.contains(name)
}

fn module(path: &str) -> String {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    format!("crate::{}", inside.trim_end_matches(".rs").replace('/', "::"))
}

pub(super) fn is_required(schema: &Value, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
}
