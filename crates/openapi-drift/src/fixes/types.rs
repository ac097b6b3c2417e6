//! Rust types for the contract's schemas, in the style of the handlers' crate.
//!
//! Types that exist are used. A schema that utoipa's attributes cannot express is an error, in words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::naming::{attribute_of, bounds, distinct, docs, ident, is_type, literal, module, pascal, uses};
use crate::compare::{means_the_same, only_part};
use crate::context::Context;
use crate::fix::SourceFile;
use crate::rename::renamed;
use crate::sources::{Item, Member, argument_of};
use openapi_contract::Kind;
use openapi_contract::fields::{items, members};
use openapi_contract::grammar::Shape;
use openapi_contract::nodes::reached;
use openapi_contract::pointer::{self, join};

/// Why something cannot be written as a type, and what to do instead.
pub(crate) type Words = String;

/// A type, and the attributes that its field or parameter needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    pub(crate) rust: String,
    /// Such as `max_length = 9`.
    pub(crate) attributes: Vec<String>,
    /// Whether it is a type with a schema of its own, to which utoipa refers.
    pub(crate) is_named: bool,
    /// The traits of [`TRAITS`] that it has.
    derives: Vec<&'static str>,
}

/// A new type derives those of them that all of its parts have.
const TRAITS: [&str; 5] = ["Clone", "PartialEq", "Eq", "Serialize", "Deserialize"];

/// The struct that a field is written into.
pub(crate) struct Place<'s> {
    /// Its visibility, which its fields get too.
    visibility: &'s str,
    /// Whether it is serialized.
    is_sent: bool,
    /// Its rule for names, if any.
    rename_all: &'s str,
    /// The names of its fields.
    names: Vec<String>,
}

impl<'s> Place<'s> {
    /// A struct that a fix defines.
    pub(crate) fn new(visibility: &'s str) -> Place<'s> {
        Place { visibility, is_sent: true, rename_all: "", names: Vec::new() }
    }

    pub(crate) fn of(item: &'s Item<'_>) -> Place<'s> {
        Place { is_sent: item.derives("Serialize"), rename_all: item.rename_all(), ..Place::new(item.visibility) }
    }
}

/// Writes types into a file, and collects the new ones that they need.
pub(crate) struct Types<'c, 'a> {
    context: &'c Context<'a>,
    file: &'a SourceFile,
    /// The visibility of new items.
    pub(crate) visibility: &'a str,
    /// New items, each on lines of its own, in the order in which they are needed.
    pub(crate) items: Vec<String>,
    /// The schema of each new type, and its traits.
    new: BTreeMap<String, (Value, Vec<&'static str>)>,
}

impl<'c, 'a> Types<'c, 'a> {
    /// `visibility` is that of the item that needs the types. Another module may need them too, so none is private.
    pub(crate) fn new(context: &'c Context<'a>, file: &'a SourceFile, visibility: &'a str) -> Types<'c, 'a> {
        let visibility = if visibility.is_empty() { "pub(crate) " } else { visibility };
        Types { context, file, visibility, items: Vec::new(), new: BTreeMap::new() }
    }

    /// Records the new types, so that no other fix of this run defines them again.
    pub(crate) fn commit(&self) {
        let module = module(&self.file.path);
        let paths = self.new.iter().map(|(name, (of, _))| (name.clone(), (of.clone(), format!("{module}::{name}"))));
        self.context.defined.borrow_mut().extend(paths);
    }

    /// The name of an item of another module in this file: short where the file uses it already.
    pub(crate) fn import(&self, module: &str, name: &str) -> String {
        if uses(self.file, name) { name.to_owned() } else { format!("{module}::{name}") }
    }

    /// The type of a schema. `hint` is the name of a new type.
    pub(crate) fn of(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        if let Some(part) = only_part(schema) {
            return self.of(part, hint);
        }
        if let Some(target) = pointer::reference(schema) {
            return self.referred(target);
        }
        if let Some(item) = self.equal_type(schema, false).filter(|_| schema.get("pattern").is_some()) {
            return Ok(self.existing(item));
        }
        inexpressible(schema).map_or(Ok(()), Err)?;
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let plain = |rust: &str| Typed { rust: rust.to_owned(), derives: TRAITS.to_vec(), ..Typed::default() };
        let float =
            |rust: &str| Typed { derives: TRAITS.into_iter().filter(|one| *one != "Eq").collect(), ..plain(rust) };
        let mut typed = match (text("type"), text("format")) {
            _ if schema.get("enum").is_some() => return self.defined(hint, schema),
            (Some("string"), Some("uuid")) => plain(&self.import("uuid", "Uuid")),
            (Some("string"), format) => {
                let mut typed = plain("String");
                typed.attributes.extend(format.map(|format| format!("format = {}", literal(&Value::from(format)))));
                typed
            }
            (Some("integer"), Some("int32")) => plain("i32"),
            (Some("integer"), Some("int64")) => plain("i64"),
            (Some("number"), Some("float")) => float("f32"),
            (Some("number"), Some("double")) => float("f64"),
            (Some(number @ ("integer" | "number")), _) => {
                let formats = if number == "integer" { "int32` or `int64" } else { "float` or `double" };
                return Err(format!("a Rust {number} has the format `{formats}`: add a `format` to the contract"));
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
                    let rust = format!("std::collections::BTreeMap<String, {}>", value.rust);
                    Typed { rust, derives: value.derives, ..Typed::default() }
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

    /// A type whose own schema is complete, for a place where no attribute is possible.
    pub(crate) fn in_place(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        let typed = self.of(schema, hint)?;
        if typed.attributes.is_empty() { Ok(typed) } else { self.defined(hint, schema) }
    }

    /// The type of a response header: an existing one that is only there for its schema, if any.
    pub(crate) fn of_header(&mut self, schema: &Value, hint: &str) -> Result<Typed, Words> {
        match self.equal_type(schema, true) {
            Some(item) => Ok(self.existing(item)),
            None => self.in_place(schema, hint),
        }
    }

    fn referred(&mut self, target: &str) -> Result<Typed, Words> {
        let name = target.rsplit('/').next().unwrap_or_default().to_owned();
        let at = join("/components/schemas", &name);
        // A type that does not derive `ToSchema` may implement it by hand, or be something else.
        let is_schema = |item: &&Item<'_>| item.derives("ToSchema") || self.context.generated.pointer(&at).is_some();
        if let Some(item) = self.context.sources.schema(&name).filter(is_schema) {
            return Ok(self.existing(item));
        }
        match self.context.contract.document().pointer(&at) {
            Some(schema) if schema.get("$ref").is_none() => self.defined(&name, schema),
            _ => Err(format!("`{target}` is only a reference: refer to its target")),
        }
    }

    fn existing(&self, item: &Item<'_>) -> Typed {
        // A type that derives neither of serde's traits implements them by hand.
        let is_by_hand = !item.derives("Serialize") && !item.derives("Deserialize");
        let has = |name: &&str| item.derives(name) || (is_by_hand && name.ends_with("ialize"));
        let derives = TRAITS.into_iter().filter(has).collect();
        let is_here = self.file.path == item.file.path || uses(self.file, &item.name);
        let rust = if is_here { item.name.clone() } else { format!("{}::{}", module(&item.file.path), item.name) };
        Typed { rust, is_named: true, derives, ..Typed::default() }
    }

    /// An existing type whose schema means the same. `is_schema_only`: one that no code constructs.
    fn equal_type(&self, schema: &Value, is_schema_only: bool) -> Option<&'c Item<'a>> {
        let context = self.context;
        let (ours, theirs) = (context.contract.document(), context.generated);
        let components = theirs.pointer("/components/schemas")?.as_object()?;
        let same = components.iter().filter(|(_, other)| means_the_same(ours, theirs, Kind::Schema, schema, other));
        same.filter_map(|(name, _)| context.sources.schema(name)).find(|item| {
            let is_dead =
                ["expect", "allow"].iter().any(|one| argument_of(&item.attributes, one, "dead_code").is_some());
            is_dead == is_schema_only && item.attributes.iter().any(|one| one.name == "schema")
        })
    }

    /// A new type for a schema, unless this run has defined it already.
    fn defined(&mut self, name: &str, schema: &Value) -> Result<Typed, Words> {
        let named = |rust: String, derives: &[&'static str]| Typed {
            rust,
            is_named: true,
            derives: derives.to_vec(),
            ..Typed::default()
        };
        if let Some((_, derives)) = self.new.get(name).filter(|(of, _)| of == schema) {
            return Ok(named(name.to_owned(), derives));
        }
        let defined = self.context.defined.borrow().get(name).cloned();
        if let Some((_, path)) = defined.as_ref().filter(|(of, _)| of == schema) {
            let is_here = path.strip_suffix(name) == Some(&format!("{}::", module(&self.file.path)));
            return Ok(named(if is_here { name.to_owned() } else { path.clone() }, &TRAITS));
        }
        let is_taken = self.new.contains_key(name) || defined.is_some() || uses(self.file, name);
        if is_taken || !is_type(name) {
            return Err(format!(
                "`{name}` is no free name of a type: define one by hand, with `#[schema(as = {name})]`"
            ));
        }
        self.not_recursive(&join("/components/schemas", name), schema)?;
        let (body, derives) = self.body(name, schema)?;
        self.new.insert(name.to_owned(), (schema.clone(), derives.clone()));
        let mut traits = vec!["Debug".to_owned()];
        traits.extend(schema.get("enum").map(|_| "Copy".to_owned()));
        traits.extend(derives.iter().map(|one| match one.ends_with("ialize") {
            true => self.import("serde", one),
            false => (*one).to_owned(),
        }));
        traits.push(self.import("utoipa", "ToSchema"));
        let values = items(schema, "enum").filter_map(|(_, value)| Some(format!("`{}`", value.as_str()?)));
        let values = values.collect::<Vec<_>>().join(", ");
        let meaning = if values.is_empty() { format!("The schema `{name}`.") } else { format!("One of {values}.") };
        let docs = docs(schema, &meaning, "");
        self.items.push(format!("{docs}#[derive({})]\n{body}", traits.join(", ")));
        Ok(named(name.to_owned(), &derives))
    }

    /// Refuses a schema that leads back to the type with the schema at `owner`: rustc needs a `Box`, and utoipa
    /// `no_recursion`.
    pub(crate) fn not_recursive(&self, owner: &str, schema: &Value) -> Result<(), Words> {
        match reached(self.context.contract.document(), Shape::One(Kind::Schema), schema, |_, _| true).contains(owner) {
            true => Err("the type would contain itself: write it with `Box` and `#[schema(no_recursion)]`".to_owned()),
            false => Ok(()),
        }
    }

    fn body(&mut self, name: &str, schema: &Value) -> Result<(String, Vec<&'static str>), Words> {
        let bounds = bounds(schema);
        let head = if bounds.is_empty() { String::new() } else { format!("#[schema({})]\n", bounds.join(", ")) };
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let variants = variants(values.iter(), &[])?;
            return Ok((format!("{head}{}enum {name} {{\n{variants}\n}}", self.visibility), TRAITS.to_vec()));
        }
        if schema.get("type").is_some_and(|one| one == "object") {
            return self.fields(name, schema, &head);
        }
        inexpressible(schema).map_or(Ok(()), Err)?;
        let own =
            ["type", "format", "items"].into_iter().filter_map(|key| Some((key.to_owned(), schema.get(key)?.clone())));
        let inner = self.of(&own.collect(), &format!("{name}Value"))?;
        let attributes: Vec<String> = inner.attributes.into_iter().chain(bounds).collect();
        let head =
            if attributes.is_empty() { String::new() } else { format!("#[schema({})]\n", attributes.join(", ")) };
        Ok((format!("{head}{0}struct {name}({0}{1});", self.visibility, inner.rust), inner.derives))
    }

    fn fields(&mut self, name: &str, schema: &Value, head: &str) -> Result<(String, Vec<&'static str>), Words> {
        let (mut lines, mut derives, mut place) = (Vec::new(), TRAITS.to_vec(), Place::new(self.visibility));
        let mut members: Vec<_> = members(schema, "properties").collect();
        let written = join("/components/schemas", name) + "/properties";
        members.sort_by_key(|(property, _)| self.context.contract.position(&join(&written, property)));
        for (property, member) in members {
            let (text, typed) = self.field(name, property, member, is_required(schema, property), &mut place)?;
            derives.retain(|one| typed.derives.contains(one));
            lines.push(text);
        }
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let closed = if is_closed { "#[serde(deny_unknown_fields)]\n" } else { "" };
        let inner = if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) };
        Ok((format!("{closed}{head}{}struct {name} {{{inner}}}", self.visibility), derives))
    }

    /// A field of a struct, with its comment, attributes and comma.
    pub(crate) fn field(
        &mut self,
        owner: &str,
        name: &str,
        schema: &Value,
        required: bool,
        place: &mut Place<'_>,
    ) -> Result<(String, Typed), Words> {
        if name.is_empty() {
            return Err("utoipa ignores an empty name: write the schema by hand (`schema_with`)".to_owned());
        }
        let typed = self.of(schema, &format!("{owner}{}", pascal(name)))?;
        let (mut serde, mut attributes, mut rust) = (Vec::new(), Vec::new(), typed.rust.clone());
        if !required {
            rust = format!("Option<{rust}>");
            attributes.push("nullable = false".to_owned());
            if place.is_sent {
                serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
            }
        }
        attributes.extend(typed.attributes.clone());
        let docs = docs(schema, &format!("The property `{name}`."), "    ");
        Ok((docs + &written(name, serde, ("schema", attributes), &rust, place), typed))
    }

    /// A field of a struct of parameters.
    pub(crate) fn parameter(&mut self, owner: &str, parameter: &Value, place: &mut Place<'_>) -> Result<String, Words> {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let schema = parameter.get("schema").ok_or("a parameter without a `schema` cannot be a field")?;
        let typed = self.of(schema, &format!("{owner}{}", pascal(name)))?;
        let (mut attributes, mut rust) = (Vec::new(), typed.rust.clone());
        let default = self.context.contract.resolve(schema).get("default").is_some();
        match parameter.get("required") == Some(&Value::Bool(true)) {
            true => {}
            // Validation fills the default in, so there is always a value.
            false if default => attributes.push("required = false".to_owned()),
            false => {
                rust = format!("Option<{rust}>");
                attributes.push("nullable = false".to_owned());
            }
        }
        if typed.is_named {
            // utoipa does not collect types that only parameters use.
            attributes.push("inline".to_owned());
        }
        for (key, known) in [("style", "style"), ("explode", "explode"), ("allowReserved", "allow_reserved")] {
            attributes.extend(parameter.get(key).map(|value| match value {
                Value::String(style) => format!("{known} = {}", pascal(style)),
                value => format!("{known} = {value}"),
            }));
        }
        attributes.extend(typed.attributes);
        let docs = docs(parameter, &format!("The parameter `{name}`."), "    ");
        Ok(docs + &written(name, Vec::new(), ("param", attributes), &rust, place))
    }
}

/// A field: serde's attribute, utoipa's, name and type.
fn written(
    name: &str,
    mut serde: Vec<String>,
    (attribute, arguments): (&str, Vec<String>),
    rust: &str,
    place: &mut Place<'_>,
) -> String {
    let ident = distinct(&mut place.names, ident(name));
    if renamed(place.rename_all, ident.trim_start_matches("r#")) != name {
        serde.insert(0, format!("rename = {}", literal(&Value::from(name))));
    }
    let line = |name: &str, arguments: &[String]| match arguments {
        [] => String::new(),
        some => format!("    #[{name}({})]\n", some.join(", ")),
    };
    format!("{}{}    {}{ident}: {rust},", line("serde", &serde), line(attribute, &arguments), place.visibility)
}

/// New variants for values of an enum that has those `known`.
pub(crate) fn variants<'v>(values: impl Iterator<Item = &'v Value>, known: &[Member]) -> Result<String, Words> {
    let mut names = known.iter().map(|variant| variant.name.clone()).collect();
    let variants = values.map(|value| {
        let text = value.as_str().filter(|text| !text.chars().any(char::is_control));
        let text =
            text.ok_or("an `enum` with a value that is no string, or has control characters, cannot be derived")?;
        let name = distinct(&mut names, pascal(text));
        Ok(format!("    /// `{text}`.\n    #[serde(rename = {})]\n    {name},", literal(value)))
    });
    Ok(variants.collect::<Result<Vec<_>, Words>>()?.join("\n"))
}

/// The keyword of a schema that utoipa has no attribute for, in words.
fn inexpressible(schema: &Value) -> Option<Words> {
    let keys = schema.as_object()?.keys();
    let known = ["type", "format", "items", "enum", "properties", "required", "additionalProperties"];
    let mut unknown = keys.filter(|key| {
        !known.contains(&key.as_str())
            && attribute_of(key).is_none()
            && !crate::compare::not_compared(Kind::Schema, key)
    });
    unknown.next().map(|key| format!("utoipa has no attribute for `{key}`: write the schema by hand (`schema_with`)"))
}

pub(crate) fn is_required(schema: &Value, name: &str) -> bool {
    items(schema, "required").any(|(_, one)| one == name)
}
