//! Rust types for the contract's schemas, in the style of the handlers' crate.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::Context;
use super::sources::Item;
use super::text::SourceFile;
use crate::diff::{means_the_same, only_part};
use crate::pointer::{self, join};
use crate::{Kind, meaning};

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
}

/// Which way the values of a type travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Way {
    pub(super) request: bool,
    pub(super) response: bool,
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
        Types { context, file, items: Vec::new(), defined: BTreeMap::new(), way, imports: Vec::new() }
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
        if let Some(key) = ["allOf", "anyOf", "not", "uniqueItems", "discriminator", "xml"]
            .iter()
            .find(|key| schema.get(**key).is_some())
        {
            return Err(format!("`{key}` has no derived form: write `impl ToSchema` for the type by hand"));
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let plain = |rust: &str| Typed { rust: rust.to_owned(), derives: TRAITS.to_vec(), ..Typed::default() };
        let mut typed = match (text("type"), text("format")) {
            _ if schema.get("oneOf").is_some() => return self.defined(hint, schema),
            (Some("string"), _) if schema.get("enum").is_some() => return self.defined(hint, schema),
            _ if schema.get("enum").is_some() => {
                return Err(
                    "an `enum` of other than strings has no derived form: write `impl ToSchema` by hand".to_owned()
                );
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
                    "Rust's integers have a format: give it `format: int32` or `format: int64` in the contract"
                        .to_owned(),
                );
            }
            (Some("number"), Some("float")) => Typed { derives: vec!["Clone", "PartialEq"], ..plain("f32") },
            (Some("number"), Some("double")) => Typed { derives: vec!["Clone", "PartialEq"], ..plain("f64") },
            (Some("number"), _) => {
                return Err("Rust's numbers have a format: give it `format: double` in the contract".to_owned());
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

    /// Writes a new item for a schema.
    fn defined(&mut self, name: &str, schema: &Value) -> Result<Typed, Words> {
        if let Some(derives) = self.defined.get(name) {
            return Ok(Typed { rust: name.to_owned(), named: true, derives: derives.clone(), ..Typed::default() });
        }
        // Known before it is done, since it may hold itself.
        self.defined.insert(name.to_owned(), TRAITS.to_vec());
        let (body, derives) = self.body(name, schema)?;
        self.defined.insert(name.to_owned(), derives.clone());
        let mut traits = vec!["Debug".to_owned()];
        if schema.get("enum").is_some() {
            traits.push("Copy".to_owned());
        }
        traits.extend(derives.iter().map(|one| (*one).to_owned()));
        // What nobody uses yet is at least shown.
        if self.way.response || !self.way.request {
            traits.push(self.import("serde", "Serialize"));
        }
        if self.way.request {
            traits.push(self.import("serde", "Deserialize"));
        }
        traits.push(self.import("utoipa", "ToSchema"));
        let component = join("/components/schemas", name);
        let otherwise = match self.context.contract.document().pointer(&component) {
            Some(_) => format!("See `{name}` in the contract."),
            None => "See the contract, where it has no name of its own.".to_owned(),
        };
        let docs = docs(schema, &otherwise, "");
        self.items.push(format!("{docs}#[derive({})]\n{body}", traits.join(", ")));
        Ok(Typed { rust: name.to_owned(), named: true, derives, ..Typed::default() })
    }

    fn body(&mut self, name: &str, schema: &Value) -> Result<(String, Vec<&'static str>), Words> {
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let variants: Result<Vec<_>, Words> = values.iter().map(variant).collect();
            return Ok((format!("pub enum {name} {{\n{}\n}}", variants?.join("\n")), TRAITS.to_vec()));
        }
        if let Some(options) = schema.get("oneOf").and_then(Value::as_array) {
            let mut lines = Vec::new();
            let mut derives = TRAITS.to_vec();
            for (index, option) in options.iter().enumerate() {
                let typed = self.in_place(option, &format!("{name}{}", index + 1))?;
                let variant = if typed.named { pascal(&typed.rust) } else { format!("Option{}", index + 1) };
                lines.push(format!("    /// See `{}`.\n    {variant}({}),", typed.rust, typed.rust));
                derives.retain(|one| typed.derives.contains(one));
            }
            return Ok((format!("#[serde(untagged)]\npub enum {name} {{\n{}\n}}", lines.join("\n")), derives));
        }
        if schema.get("type").is_some_and(|one| one == "object") {
            return self.fields(name, schema);
        }
        let bare: Value = schema
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key == "type" || *key == "format" || *key == "items")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let typed = self.of(&bare, &format!("{name}Value"))?;
        let attributes: Vec<_> = typed.attributes.iter().cloned().chain(bounds(schema)).collect();
        let attributes =
            if attributes.is_empty() { String::new() } else { format!("#[schema({})]\n", attributes.join(", ")) };
        Ok((format!("{attributes}pub struct {name}(pub {});", typed.rust), typed.derives))
    }

    fn fields(&mut self, name: &str, schema: &Value) -> Result<(String, Vec<&'static str>), Words> {
        let mut derives = TRAITS.to_vec();
        let mut lines = Vec::new();
        let members = schema.get("properties").and_then(Value::as_object);
        let mut members: Vec<_> = members.into_iter().flatten().collect();
        let at = |property: &str| {
            let at = join(&format!("{}/properties", join("/components/schemas", name)), property);
            self.context.contract.position(&at)
        };
        members.sort_by_key(|(property, _)| at(property));
        for (property, member) in members {
            let (text, typed) = self.field(name, property, member, is_required(schema, property), true)?;
            derives.retain(|one| typed.derives.contains(one));
            lines.push(format!("{}{text},", docs(member, &format!("See `{property}` in the contract."), "    ")));
        }
        let mut head = String::new();
        if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            head.push_str("#[serde(deny_unknown_fields)]\n");
        }
        let bounds = bounds(schema);
        if !bounds.is_empty() {
            head.push_str(&format!("#[schema({})]\n", bounds.join(", ")));
        }
        let inner = if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) };
        Ok((format!("{head}pub struct {name} {{{inner}}}"), derives))
    }

    /// A field without its comment and its comma: attributes, visibility, name and type.
    pub(super) fn field(
        &mut self,
        owner: &str,
        name: &str,
        schema: &Value,
        required: bool,
        public: bool,
    ) -> Result<(String, Typed), Words> {
        let typed = self.of(schema, &format!("{owner}{}", pascal(name)))?;
        let ident = ident(name);
        let mut serde = Vec::new();
        if ident.trim_start_matches("r#") != name {
            serde.push(format!("rename = {}", literal(&Value::from(name))));
        }
        let mut attributes = Vec::new();
        let mut rust = typed.rust.clone();
        if !required {
            rust = format!("Option<{rust}>");
            attributes.push("nullable = false".to_owned());
            if self.way.response {
                serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
            }
        }
        if typed.named && self.defined.contains_key(&typed.rust) && self.way == Way::default() {
            // A type of a schema that no operation uses is used by none, either.
            attributes.push("inline".to_owned());
        }
        attributes.extend(typed.attributes.clone());
        let mut text = String::new();
        if !serde.is_empty() {
            text.push_str(&format!("    #[serde({})]\n", serde.join(", ")));
        }
        if !attributes.is_empty() {
            text.push_str(&format!("    #[schema({})]\n", attributes.join(", ")));
        }
        let public = if public { "pub " } else { "" };
        text.push_str(&format!("    {public}{ident}: {rust}"));
        Ok((text, typed))
    }

    /// A field of a struct of parameters.
    pub(super) fn parameter(&mut self, owner: &str, parameter: &Value, public: bool) -> Result<String, Words> {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let nothing = Value::Null;
        let schema = parameter.get("schema").unwrap_or(&nothing);
        if schema.is_null() {
            return Err("a parameter of a media type has no derived form: describe it by `schema`".to_owned());
        }
        let typed = self.of(schema, &format!("{owner}{}", pascal(name)))?;
        let required = parameter.get("required") == Some(&Value::Bool(true));
        let has_default = schema.get("default").is_some();
        let mut attributes = Vec::new();
        let mut rust = typed.rust.clone();
        if !required && has_default {
            // Validation fills the default in, so the handler always finds a value.
            attributes.push("required = false".to_owned());
        } else if !required {
            rust = format!("Option<{rust}>");
            attributes.push("nullable = false".to_owned());
        }
        if typed.named {
            // utoipa does not collect what only parameters name.
            attributes.push("inline".to_owned());
        }
        for (key, known) in [("style", "style"), ("explode", "explode"), ("allowReserved", "allow_reserved")] {
            match parameter.get(key) {
                Some(Value::String(style)) => attributes.push(format!("{known} = {}", pascal(style))),
                Some(value) => attributes.push(format!("{known} = {value}")),
                None => {}
            }
        }
        attributes.extend(typed.attributes);
        let ident = ident(name);
        let mut text = String::new();
        if ident.trim_start_matches("r#") != name {
            text.push_str(&format!("    #[serde(rename = {})]\n", literal(&Value::from(name))));
        }
        if !attributes.is_empty() {
            text.push_str(&format!("    #[param({})]\n", attributes.join(", ")));
        }
        let public = if public { "pub " } else { "" };
        text.push_str(&format!("    {public}{ident}: {rust}"));
        Ok(text)
    }
}

/// A variant for one value of an enum.
pub(super) fn variant(value: &Value) -> Result<String, Words> {
    let text = value.as_str().ok_or("an `enum` of other than strings has no derived form")?;
    Ok(format!("    /// `{text}`.\n    #[serde(rename = {})]\n    {},", literal(value), pascal(text)))
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

/// utoipa's word for a keyword of the contract, where the value is all there is to say.
pub(super) fn attribute_of(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "minimum" => "minimum",
        "maximum" => "maximum",
        "multipleOf" => "multiple_of",
        "minLength" => "min_length",
        "maxLength" => "max_length",
        "pattern" => "pattern",
        "minItems" => "min_items",
        "maxItems" => "max_items",
        "minProperties" => "min_properties",
        "maxProperties" => "max_properties",
        "default" => "default",
        "readOnly" => "read_only",
        "writeOnly" => "write_only",
        "deprecated" => "deprecated",
        _ => return None,
    })
}

/// `attribute = value` of a keyword; flags stand alone.
pub(super) fn attribute(keyword: &str, value: &Value) -> Option<String> {
    let name = attribute_of(keyword)?;
    let count = keyword.starts_with("min") || keyword.starts_with("max");
    let value = match meaning::whole(value) {
        // `1e2` is a float to Rust.
        Some(whole) if count && !value.is_string() => whole.to_string(),
        _ => literal(value),
    };
    Some(match value.as_str() {
        "true" if keyword != "default" => name.to_owned(),
        _ => format!("{name} = {value}"),
    })
}

fn bounds(schema: &Value) -> Vec<String> {
    const ORDER: [&str; 14] = [
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "default",
        "readOnly",
        "writeOnly",
        "deprecated",
    ];
    ORDER.into_iter().filter_map(|key| attribute(key, schema.get(key)?)).collect()
}

/// A value as Rust writes it: a raw string where there is a backslash.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(['\\', '"']) && !text.chars().any(char::is_control) => {
            let mut hashes = String::new();
            while text.contains(&format!("\"{hashes}")) {
                hashes.push('#');
            }
            format!("r{hashes}\"{text}\"{hashes}")
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) | Value::Object(_) => format!("json!({value})"),
        other => other.to_string(),
    }
}

/// The description of a schema as a comment, or what else there is to say.
pub(super) fn docs(schema: &Value, otherwise: &str, indent: &str) -> String {
    let prose =
        ["description", "summary"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_str).unwrap_or(otherwise);
    let lines = prose.trim().lines().map(|line| format!("{indent}/// {}", line.trim()).trim_end().to_owned() + "\n");
    lines.collect()
}

/// `next_cursor` and `merge-patch` as `NextCursor` and `MergePatch`.
pub(super) fn pascal(name: &str) -> String {
    // A sort key such as `-created_at` is another than `created_at`.
    let mut out = String::from(if name.starts_with('-') { "Minus" } else { "" });
    let mut upper = true;
    for one in name.chars() {
        if !one.is_alphanumeric() {
            upper = true;
        } else if upper {
            out.extend(one.to_uppercase());
            upper = false;
        } else {
            out.push(one);
        }
    }
    if out.starts_with(|one: char| one.is_ascii_digit()) || out.is_empty() { format!("V{out}") } else { out }
}

/// `countUsers` as `count_users`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    for one in name.chars() {
        if one.is_uppercase() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.extend(one.to_lowercase());
        } else {
            out.push(if one.is_alphanumeric() { one } else { '_' });
        }
    }
    out
}

/// A name that Rust takes for a field.
fn ident(name: &str) -> String {
    const KEYWORDS: [&str; 18] = [
        "as", "box", "const", "default", "enum", "fn", "for", "if", "in", "loop", "match", "mod", "move", "ref",
        "type", "use", "where", "while",
    ];
    let ident = snake(name);
    let ident = if ident.starts_with(|one: char| one.is_ascii_digit()) { format!("_{ident}") } else { ident };
    if KEYWORDS.contains(&ident.as_str()) && ident != "default" { format!("r#{ident}") } else { ident }
}

/// Which way the values of a component travel.
pub(super) fn way_of(context: &Context<'_>, name: &str) -> Way {
    let document = context.contract.document();
    let target = format!("#{}", join("/components/schemas", name));
    let mut way = Way::default();
    let operations = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (_, item) in operations {
        for (key, part) in item.as_object().into_iter().flatten() {
            let of = |key: &str| part.get(key);
            let requests = if key == "parameters" { Some(part) } else { of("requestBody") };
            way.request |=
                [requests, of("parameters")].into_iter().flatten().any(|one| leads_to(document, one, &target));
            way.response |= of("responses").is_some_and(|one| leads_to(document, one, &target));
        }
    }
    way
}

fn leads_to(document: &Value, from: &Value, target: &str) -> bool {
    let mut seen = HashSet::new();
    let mut next = vec![from];
    while let Some(value) = next.pop() {
        if let Some(reference) = pointer::reference(value) {
            if reference == target {
                return true;
            }
            if seen.insert(reference) {
                next.extend(pointer::local(reference).and_then(|at| document.pointer(&at)));
            }
        }
        match value {
            Value::Object(members) => next.extend(members.values()),
            Value::Array(items) => next.extend(items),
            _ => {}
        }
    }
    false
}
