//! The same contract as OpenAPI 3.0.3, for readers that know nothing newer.
//!
//! The grammar keeps contracts inside the part of 3.1 that also has a 3.0 form, so little is left to do: name the
//! version, leave out what 3.0 does not have and can do without, and write differently what it spells differently.
//! What would say something else in 3.0, or nothing, is a fault at its place: a reader of either form must be told the
//! same.
//!
//! Some spellings below (a list of types, `const`, exclusive bounds) the grammar refuses today. They are here so that
//! the form does not depend on that: whoever widens the grammar finds them translated or told, never passed on as they
//! are.

use serde_json::{Map, Value};

use crate::check::Fault;
use crate::grammar::Shape;
use crate::pointer::{self, join};
use crate::{Contract, Kind};

/// What OpenAPI 3.0 says of itself, in its last edition.
const VERSION: &str = "3.0.3";

/// Keywords of 3.1's schemas that 3.0 can neither say nor leave out.
const WITHOUT_FORM: &[&str] = &[
    "$anchor",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$schema",
    "$vocabulary",
    "contains",
    "contentMediaType",
    "contentSchema",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// The contract as 3.0.3, or every place that has no form there.
pub fn form(contract: &Contract) -> Result<Value, Vec<Fault>> {
    let (value, found) = translate(contract.document());
    if found.is_empty() {
        return Ok(value);
    }
    let located = |(pointer, message)| contract.fault(pointer, format!("has no form in OpenAPI 3.0: {message}"));
    Err(found.into_iter().map(located).collect())
}

/// A document as 3.0.3, and what in it has no form there, by pointer.
fn translate(document: &Value) -> (Value, Vec<(String, String)>) {
    let mut form = Form { document, found: Vec::new() };
    let value = form.object(Kind::Document, document, "");
    (value, form.found)
}

struct Form<'a> {
    document: &'a Value,
    found: Vec<(String, String)>,
}

impl Form<'_> {
    fn add(&mut self, pointer: String, message: &str) {
        self.found.push((pointer, message.to_owned()));
    }

    fn object(&mut self, kind: Kind, value: &Value, at: &str) -> Value {
        let Some(members) = value.as_object() else { return value.clone() };
        if let Some(target) = pointer::reference(value).filter(|_| kind.referable()) {
            return self.reference(kind, target, value, at);
        }
        let mut written = Map::new();
        for (key, member) in members {
            let here = join(at, key);
            let member = match (kind, key.as_str()) {
                (Kind::Document, "openapi") => VERSION.into(),
                // A line more of prose, which 3.0 has no place for.
                (Kind::Info, "summary") => continue,
                // Written as `url` below.
                (Kind::License, "identifier") => continue,
                // Whoever refers to one gets the path item itself.
                (Kind::Components, "pathItems") => continue,
                (Kind::Document | Kind::Operation, "security") => self.requirements(member),
                (Kind::Schema, _) if self.schema_keyword(key, members, &here, &mut written) => continue,
                _ => self.member(kind.keyword(key), member, &here),
            };
            written.insert(key.clone(), member);
        }
        match kind {
            Kind::License => license_url(members, &mut written),
            Kind::PathItem => self.bodies(members, at),
            _ => {}
        }
        Value::Object(written)
    }

    fn member(&mut self, shape: Option<Shape>, value: &Value, at: &str) -> Value {
        match (shape, value) {
            (Some(Shape::One(kind)), _) => self.object(kind, value, at),
            (Some(Shape::SchemaOrFlag), Value::Object(_)) => self.object(Kind::Schema, value, at),
            (Some(Shape::List(kind)), Value::Array(items)) => {
                let items = items.iter().enumerate();
                items.map(|(index, item)| self.object(kind, item, &join(at, &index.to_string()))).collect()
            }
            (Some(Shape::Map(kind)), Value::Object(members)) => self.members(kind, members, at),
            (Some(Shape::Statuses), Value::Object(members)) => self.members(Kind::Response, members, at),
            _ => value.clone(),
        }
    }

    fn members(&mut self, kind: Kind, members: &Map<String, Value>, at: &str) -> Value {
        let written = members.iter().map(|(name, member)| (name.clone(), self.object(kind, member, &join(at, name))));
        Value::Object(written.collect())
    }

    /// 3.0 has no `components/pathItems`, and knows references of path items to other files only.
    fn reference(&mut self, kind: Kind, target: &str, value: &Value, at: &str) -> Value {
        if kind == Kind::PathItem {
            // The loader lets no reference through that leads nowhere, or round in a circle.
            return match pointer::resolve(self.document, value, at.to_owned()) {
                Some((item, at)) if pointer::reference(item).is_none() => self.object(kind, item, &at),
                _ => value.clone(),
            };
        }
        if pointer::local(target).is_some_and(|target| target.starts_with("/components/pathItems/")) {
            self.add(
                join(at, "$ref"),
                "`components/pathItems` cannot be referred into: move what is meant to a component",
            );
        }
        if value.as_object().is_some_and(|members| members.len() > 1) {
            self.add(join(at, "$ref"), "what stands beside `$ref` is ignored: move it to what is referred to");
        }
        value.clone()
    }

    /// Scopes belong to OAuth and OpenID Connect alone; any other scheme is listed with none.
    fn requirements(&self, value: &Value) -> Value {
        let has_scopes = |scheme: &str| {
            let declared = self.document.pointer(&join("/components/securitySchemes", scheme));
            let declared = declared.and_then(|scheme| pointer::resolve(self.document, scheme, String::new()));
            let kind = declared.and_then(|(scheme, _)| scheme.get("type")).and_then(Value::as_str);
            matches!(kind, Some("oauth2" | "openIdConnect"))
        };
        let mut value = value.clone();
        for requirement in value.as_array_mut().into_iter().flatten() {
            for (scheme, scopes) in requirement.as_object_mut().into_iter().flatten() {
                if !has_scopes(scheme) {
                    *scopes = Value::Array(Vec::new());
                }
            }
        }
        value
    }

    /// A body where HTTP gives it no meaning "SHALL be ignored" (3.0.3, Operation Object).
    fn bodies(&mut self, item: &Map<String, Value>, at: &str) {
        for method in ["get", "head", "delete", "trace"] {
            if item.get(method).is_some_and(|operation| operation.get("requestBody").is_some()) {
                let here = join(&join(at, method), "requestBody");
                self.add(here, "there the body of a GET, HEAD, DELETE or TRACE is ignored");
            }
        }
    }

    /// Writes a keyword that 3.0 spells differently. `false` if it is the same there.
    fn schema_keyword(
        &mut self,
        key: &str,
        schema: &Map<String, Value>,
        at: &str,
        written: &mut Map<String, Value>,
    ) -> bool {
        let value = schema.get(key).unwrap_or(&Value::Null);
        let taken = match key {
            "const" => "enum",
            "exclusiveMinimum" => "minimum",
            "exclusiveMaximum" => "maximum",
            "contentEncoding" => "format",
            _ => "",
        };
        match (key, value) {
            _ if schema.contains_key(taken) => {
                self.add(at.to_owned(), &format!("it is written as `{taken}`, which is there already: keep one"));
            }
            ("type", Value::Array(types)) => self.types(types, at, written),
            ("type", Value::String(name)) if name == "null" => {
                self.add(at.to_owned(), "it has no `null` by itself: add it to the types of another schema");
            }
            ("const", _) => {
                written.insert("enum".to_owned(), Value::Array(vec![value.clone()]));
            }
            // One is all that there is a place for, and `example` may be there already.
            ("examples", Value::Array(items)) => {
                if let Some(first) = items.first() {
                    written.entry("example").or_insert_with(|| first.clone());
                }
            }
            ("exclusiveMinimum", Value::Number(_)) => exclusive(key, "minimum", value, written),
            ("exclusiveMaximum", Value::Number(_)) => exclusive(key, "maximum", value, written),
            ("contentEncoding", Value::String(coding)) if coding == "base64" => {
                written.insert("format".to_owned(), "byte".into());
            }
            ("contentEncoding", _) => self.add(at.to_owned(), "no encoding but base64 (`format: byte`) can be said"),
            ("$comment", _) => {}
            _ if WITHOUT_FORM.contains(&key) => self.add(at.to_owned(), &format!("`{key}` cannot be said")),
            _ => return false,
        }
        true
    }

    fn types(&mut self, types: &[Value], at: &str, written: &mut Map<String, Value>) {
        let mut others = types.iter().filter(|name| *name != "null");
        match (others.next(), others.next()) {
            (Some(only), None) => {
                written.insert("type".to_owned(), only.clone());
                if types.len() > 1 {
                    written.insert("nullable".to_owned(), true.into());
                }
            }
            _ => self.add(at.to_owned(), "a schema has one type there: give alternatives as `oneOf`"),
        }
    }
}

/// In 3.0 an exclusive bound is a flag beside the bound.
fn exclusive(key: &str, bound: &str, value: &Value, written: &mut Map<String, Value>) {
    written.insert(key.to_owned(), true.into());
    written.insert(bound.to_owned(), value.clone());
}

/// 3.0 knows a licence by its address. The SPDX has one for every identifier, though none for an expression of several.
fn license_url(members: &Map<String, Value>, written: &mut Map<String, Value>) {
    let identifier = members.get("identifier").and_then(Value::as_str);
    if let Some(identifier) = identifier.filter(|identifier| !identifier.contains([' ', '(']))
        && !written.contains_key("url")
    {
        written.insert("url".to_owned(), format!("https://spdx.org/licenses/{identifier}.html").into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(schema: Value) -> (Value, Vec<String>) {
        let (document, found) = translate(&json!({ "components": { "schemas": { "S": schema } } }));
        (document["components"]["schemas"]["S"].clone(), found.into_iter().map(|(pointer, _)| pointer).collect())
    }

    /// Keywords that the grammar refuses today: whoever lets them in finds them written as 3.0 has them.
    #[test]
    fn spellings_of_3_1_are_translated() {
        for (from, to) in [
            (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
            (json!({"type": ["null", "integer"]}), json!({"type": "integer", "nullable": true})),
            (json!({"type": ["integer"]}), json!({"type": "integer"})),
            (json!({"const": 1}), json!({"enum": [1]})),
            (json!({"exclusiveMinimum": 0}), json!({"minimum": 0, "exclusiveMinimum": true})),
            (json!({"exclusiveMaximum": 9.5}), json!({"maximum": 9.5, "exclusiveMaximum": true})),
            (json!({"type": "string", "contentEncoding": "base64"}), json!({"type": "string", "format": "byte"})),
            (json!({"$comment": "c"}), json!({})),
            (json!({"examples": []}), json!({})),
            (json!({"properties": {"const": {"const": null}}}), json!({"properties": {"const": {"enum": [null]}}})),
            (
                json!({"example": {"const": 1}, "enum": [{"if": 1}]}),
                json!({"example": {"const": 1}, "enum": [{"if": 1}]}),
            ),
        ] {
            assert_eq!(schema(from.clone()), (to, Vec::new()), "{from}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_told() {
        for (from, place) in [
            (json!({"type": ["string", "integer"]}), "type"),
            (json!({"type": ["null"]}), "type"),
            (json!({"type": "null"}), "type"),
            (json!({"const": 1, "enum": [1, 2]}), "const"),
            (json!({"minimum": 1, "exclusiveMinimum": 0}), "exclusiveMinimum"),
            (json!({"contentEncoding": "base16"}), "contentEncoding"),
            (json!({"if": {}}), "if"),
            (json!({"prefixItems": []}), "prefixItems"),
            (json!({"$ref": "#/components/schemas/S", "description": "d"}), "$ref"),
        ] {
            assert_eq!(schema(from.clone()).1, [format!("/components/schemas/S/{place}")], "{from}");
        }
    }
}
