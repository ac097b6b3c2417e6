//! The contract as OpenAPI 3.0.3, for clients that do not support 3.1.
//!
//! The supported subset has a 3.0 form for almost everything: the version is rewritten, what 3.0 lacks and does not need
//! is left out, and a few constructs are written differently. What would have another meaning in 3.0 is an error, so
//! that both documents have the same meaning.

use serde_json::{Map, Value};

use crate::contract::Contract;
use crate::error::{Code, LoadError, in_order};
use crate::grammar::Shape;
use crate::kind::Kind;
use crate::pointer::{self, join};

/// The last version of OpenAPI 3.0 with any difference from the one before.
const VERSION: &str = "3.0.3";

/// The contract as 3.0.3.
///
/// # Errors
/// Every place that cannot be expressed in 3.0.
pub fn form(contract: &Contract) -> Result<Value, Vec<LoadError>> {
    let mut form = Form { contract, found: Vec::new() };
    let value = form.object(Kind::Document, contract.document(), "");
    if form.found.is_empty() { Ok(value) } else { Err(in_order(form.found)) }
}

struct Form<'a> {
    contract: &'a Contract,
    found: Vec<LoadError>,
}

impl Form<'_> {
    fn add(&mut self, pointer: String, message: &str) {
        let message = format!("has no form in OpenAPI 3.0: {message}");
        self.found.push(self.contract.error(Code::Unsupported, pointer, message));
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
                // 3.0 has no summary, writes licences as `url`, and has no components for path items: `reference`
                // copies them.
                (Kind::Info, "summary") | (Kind::License, "identifier") | (Kind::Components, "pathItems") => continue,
                (Kind::Document | Kind::Operation, "security") => self.requirements(member),
                (Kind::Schema, "examples") => continue,
                _ => self.member(kind.keyword(key), member, &here),
            };
            written.insert(key.clone(), member);
        }
        match kind {
            Kind::License => license_url(members, &mut written),
            Kind::PathItem => self.bodies(members, at),
            // 3.0 has one `example` where 3.1 also has `examples`.
            Kind::Schema => {
                if let Some(first) = members.get("examples").and_then(|examples| examples.get(0)) {
                    written.entry("example").or_insert_with(|| first.clone());
                }
            }
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

    /// 3.0 has no `components/pathItems`, so path items are copied to where they are used.
    fn reference(&mut self, kind: Kind, target: &str, value: &Value, at: &str) -> Value {
        if kind == Kind::PathItem {
            return match self.contract.follow(value, at.to_owned()) {
                (item, at) if pointer::reference(item).is_none() => self.object(kind, item, &at),
                _ => value.clone(),
            };
        }
        if pointer::local(target).is_some_and(|target| target.starts_with("/components/pathItems/")) {
            self.add(
                join(at, "$ref"),
                "references into `components/pathItems` do not resolve: move the target to another component",
            );
        }
        value.clone()
    }

    /// In 3.0 only OAuth and OpenID Connect have scopes.
    fn requirements(&self, value: &Value) -> Value {
        let has_scopes = |scheme: &str| {
            let declared = self.contract.document().pointer(&join("/components/securitySchemes", scheme));
            let declared = declared.map(|scheme| self.contract.resolve(scheme));
            let kind = declared.and_then(|scheme| scheme.get("type")).and_then(Value::as_str);
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

    /// A request body without a meaning in HTTP "SHALL be ignored" (3.0.3, Operation Object).
    fn bodies(&mut self, item: &Map<String, Value>, at: &str) {
        for method in ["get", "head", "delete", "trace"] {
            if item.get(method).is_some_and(|operation| operation.get("requestBody").is_some()) {
                let here = join(&join(at, method), "requestBody");
                self.add(here, "the request body of a GET, HEAD, DELETE or TRACE is ignored");
            }
        }
    }
}

/// 3.0 identifies a licence by its URL. SPDX has one for every identifier, but not for expressions of several.
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
    use super::*;

    /// A keyword that is added to the grammar needs a form here.
    #[test]
    fn every_schema_keyword_of_the_grammar_is_one_of_3_0() {
        const SCHEMA_3_0: &str = "title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength \
            pattern maxItems minItems uniqueItems maxProperties minProperties required enum type allOf oneOf anyOf not \
            items properties additionalProperties description format default nullable discriminator readOnly writeOnly \
            xml externalDocs example deprecated";
        let known: Vec<_> = SCHEMA_3_0.split(' ').chain(["examples"]).collect();
        for (keyword, shape) in Kind::Schema.keywords() {
            assert!(known.contains(keyword), "{keyword}");
            // These are flags in 3.0 and not in 3.1.
            assert!(!keyword.starts_with("exclusive") && *keyword != "nullable", "{keyword}: {shape:?}");
        }
    }
}
