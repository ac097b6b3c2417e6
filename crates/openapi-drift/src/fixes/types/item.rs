//! New types: structs and enums, their fields, and the fields of structs of parameters.

use serde_json::Value;

use super::{TRAITS, Typed, Types, Way, Words, bounds, docs, ident, is_required, literal, pascal, unsaid};
use openapi_contract::pointer::join;

impl Types<'_, '_> {
    /// Writes a new item for a schema.
    pub(super) fn defined(&mut self, name: &str, schema: &Value) -> Result<Typed, Words> {
        if let Some(derives) = self.defined.get(name) {
            return Ok(Typed { rust: name.to_owned(), named: true, derives: derives.clone(), ..Typed::default() });
        }
        // What another fix-it has just written will do: had it been there before, it would be in the spec.
        let sources = &self.context.sources.items;
        if let Some(item) = sources.iter().find(|item| item.name == name && item.derives("ToSchema"))
            && self.context.generated.pointer(&join("/components/schemas", name)).is_none()
        {
            return Ok(self.existing(item));
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
        let (typed, attributes) = self.newtype(name, schema)?;
        let attributes =
            if attributes.is_empty() { String::new() } else { format!("#[schema({})]\n", attributes.join(", ")) };
        Ok((format!("{attributes}pub struct {name}(pub {});", typed.rust), typed.derives))
    }

    /// The type inside a type that is there for its schema, and what its attribute says.
    pub(in crate::fixes) fn newtype(&mut self, name: &str, schema: &Value) -> Result<(Typed, Vec<String>), Words> {
        unsaid(schema).map_or(Ok(()), Err)?;
        let bare: Value = schema
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key == "type" || *key == "format" || *key == "items")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let typed = self.of(&bare, &format!("{name}Value"))?;
        let attributes = typed.attributes.iter().cloned().chain(bounds(schema)).collect();
        Ok((typed, attributes))
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
    pub(in crate::fixes) fn field(
        &mut self,
        owner: &str,
        name: &str,
        schema: &Value,
        required: bool,
        public: bool,
    ) -> Result<(String, Typed), Words> {
        let typed = self.of_field(owner, name, schema, &format!("{owner}{}", pascal(name)))?;
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
    pub(in crate::fixes) fn parameter(
        &mut self,
        owner: &str,
        parameter: &Value,
        public: bool,
    ) -> Result<String, Words> {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let nothing = Value::Null;
        let schema = parameter.get("schema").unwrap_or(&nothing);
        if schema.is_null() {
            return Err("a parameter of a media type has no derived form: describe it by `schema`".to_owned());
        }
        let typed = self.of_field(owner, name, schema, &format!("{owner}{}", pascal(name)))?;
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
pub(in crate::fixes) fn variant(value: &Value) -> Result<String, Words> {
    let text = value.as_str().ok_or("an `enum` of other than strings has no derived form")?;
    Ok(format!("    /// `{text}`.\n    #[serde(rename = {})]\n    {},", literal(value), pascal(text)))
}
