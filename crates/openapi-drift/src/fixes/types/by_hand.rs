//! Schemas for which utoipa's attributes have no words, such as `not`, a choice between schemas, or a number without a
//! `format`: a function, or an `impl`, that says them by hand.
//!
//! utoipa's objects have no member for such a keyword either; but what it calls extensions it writes just as it stands.

use std::collections::HashSet;

use serde_json::Value;

use super::{TRAITS, Typed, Types, Words, literal, snake};
use crate::diff::not_compared;
use crate::fixes::Edit;
use crate::fixes::sources::{Attribute, Item, masked};
use openapi_contract::Kind;

/// Why it is done, for the reader of a fix-it.
pub(in crate::fixes) fn by_hand(words: &str) -> String {
    format!("{words}, as here")
}

/// An expression that makes a schema of just these keywords.
fn expression(schema: &Value, indent: &str) -> String {
    let members = schema.as_object().into_iter().flatten().filter(|(key, _)| !not_compared(Kind::Schema, key));
    let said: String = members
        .map(|(key, value)| {
            format!("{indent}    ({}, serde_json::json!({})),\n", literal(&Value::from(key.as_str())), json(value))
        })
        .collect();
    format!(
        "{indent}let said = [\n{said}{indent}];\n\
         {indent}utoipa::openapi::ObjectBuilder::new()\n\
         {indent}    .schema_type(utoipa::openapi::schema::SchemaType::AnyValue)\n\
         {indent}    .extensions(Some(said.into_iter().collect()))\n\
         {indent}    .build()\n"
    )
}

/// A value, as `json!` takes it: its strings are Rust's.
fn json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members =
                members.iter().map(|(key, value)| format!("{}: {}", literal(&Value::from(key.as_str())), json(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        scalar => literal(scalar),
    }
}

impl Types<'_, '_> {
    /// The type of a field: with a function that says its schema, where attributes cannot.
    pub(super) fn of_field(&mut self, owner: &str, name: &str, schema: &Value, hint: &str) -> Result<Typed, Words> {
        let (items, defined) = (self.items.len(), self.defined.clone());
        let words = match self.of(schema, hint) {
            Ok(typed) => return Ok(typed),
            Err(words) => words,
        };
        self.items.truncate(items);
        self.defined = defined;
        let function = format!("{}_{}", snake(owner), snake(name));
        // What is there already may say something else.
        if self.file.is_some_and(|file| masked(&file.text).contains(&format!("fn {function}("))) {
            return Err(format!("let `{function}` say what the contract says: {words}"));
        }
        self.items.push(format!(
            "/// What utoipa's attributes cannot say of `{name}`.\nfn {function}() -> utoipa::openapi::Object {{\n{}}}",
            expression(schema, "    ")
        ));
        self.by_hand = Some(words);
        let (rust, derives) = match schema.get("type").and_then(Value::as_str) {
            Some("string") => ("String", TRAITS.to_vec()),
            Some("integer") => ("i64", TRAITS.to_vec()),
            Some("number") => ("f64", vec!["Clone", "PartialEq"]),
            Some("boolean") => ("bool", TRAITS.to_vec()),
            _ => ("serde_json::Value", TRAITS.to_vec()),
        };
        Ok(Typed {
            rust: rust.to_owned(),
            attributes: vec![format!("schema_with = {function}")],
            named: false,
            derives,
        })
    }
}

/// The edits that give a type a schema by hand; `None` where it would have to collect others.
pub(in crate::fixes) fn implemented(item: &Item<'_>, schema: &Value) -> Option<Vec<Edit>> {
    if schema.to_string().contains("\"$ref\"") {
        return None;
    }
    let file = item.file;
    let derive = item.attributes.iter().find(|one| one.name == "derive")?;
    let traits: Vec<&str> =
        derive.arguments.iter().filter(|one| one.key != "ToSchema").map(|one| item.text(one.span)).collect();
    let mut edits: Vec<Edit> = Vec::new();
    let said = item.attributes.iter().filter(|one| one.name == "schema");
    edits.extend(said.map(|one: &Attribute| file.replace(one.start, one.end, "")));
    let derived = if traits.is_empty() { String::new() } else { format!("#[derive({})]", traits.join(", ")) };
    edits.push(file.replace(derive.start, derive.end, &derived));
    let words: HashSet<&str> = file.text.split(|one: char| !one.is_alphanumeric() && one != '_').collect();
    // The import of a trait that is derived no more is used all the same.
    let to_schema = if words.contains("ToSchema") { "ToSchema" } else { "utoipa::ToSchema" };
    let name = &item.name;
    edits.push(file.insert_after(
        file.line_of(item.body.1 + 1),
        format!(
            "\nimpl {to_schema} for {name} {{}}\n\n\
             // utoipa's attributes cannot say all of this.\n\
             impl utoipa::PartialSchema for {name} {{\n    \
             fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {{\n{}    }}\n}}",
            expression(schema, "        ").replace(".build()\n", ".into()\n")
        ),
    ));
    Some(edits)
}
