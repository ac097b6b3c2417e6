//! A node of the generated spec, converted to the form of a contract: with references to the contract's components, without
//! defaults.

use serde_json::{Map, Value, json};

use crate::compare::{is_default, means_the_same, not_compared};
use crate::context::Context;
use openapi_contract::Kind;
use openapi_contract::equivalence::folded;
use openapi_contract::grammar::Shape;
use openapi_contract::paths;
use openapi_contract::pointer::{self, join};

pub(crate) struct Form<'c, 'a> {
    context: &'c Context<'a>,
    /// Schemas that the contract needs too.
    pub(crate) extra: Vec<(String, Value)>,
}

impl<'c, 'a> Form<'c, 'a> {
    pub(crate) fn new(context: &'c Context<'a>) -> Form<'c, 'a> {
        Form { context, extra: Vec::new() }
    }

    /// The value of the member at this pointer of the contract.
    pub(crate) fn of_member(&mut self, at: &str, value: &Value) -> Value {
        let (owner, name) = at.rsplit_once('/').unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        match (shape_at(owner), shape_at(at)) {
            (Some(Shape::One(kind)), None) if name == "$ref" => {
                let formed = self.object(kind, &json!({ "$ref": value }));
                formed.get("$ref").cloned().unwrap_or_else(|| value.clone())
            }
            (Some(Shape::Statuses), _) => self.response(&name, value),
            (Some(Shape::Map(Kind::Header)), _) => self.header(&name, value),
            (_, Some(shape)) => self.shaped(shape, value),
            _ => value.clone(),
        }
    }

    fn shaped(&mut self, shape: Shape, value: &Value) -> Value {
        match (shape, value) {
            (Shape::One(kind), value) => self.object(kind, value),
            (Shape::SchemaOrFlag, Value::Object(_)) => self.object(Kind::Schema, value),
            (Shape::List(kind), Value::Array(items)) => items.iter().map(|item| self.object(kind, item)).collect(),
            (Shape::Map(Kind::Header), Value::Object(members)) => {
                Value::Object(members.iter().map(|(name, one)| (name.clone(), self.header(name, one))).collect())
            }
            (Shape::Map(kind), Value::Object(members)) => {
                Value::Object(members.iter().map(|(name, one)| (name.clone(), self.object(kind, one))).collect())
            }
            (Shape::Statuses, Value::Object(members)) => Value::Object(
                members.iter().map(|(status, one)| (status.clone(), self.response(status, one))).collect(),
            ),
            (Shape::Type, Value::Array(items)) if items.len() == 1 => items.first().unwrap_or(value).clone(),
            _ => value.clone(),
        }
    }

    fn object(&mut self, kind: Kind, value: &Value) -> Value {
        if let Some(target) = pointer::reference(value).and_then(pointer::local) {
            return self.referred(kind, value, &target);
        }
        let Some(members) = value.as_object() else { return value.clone() };
        let mut formed = Map::new();
        for (key, member) in members {
            let prose = matches!(key.as_str(), "description" | "summary")
                && member.as_str().is_some_and(|text| !text.is_empty());
            if (not_compared(kind, key) && !prose) || is_default(kind, key, member, |key| members.get(key)) {
                continue;
            }
            // What the contract cannot express is reported when the fix is tried.
            let member = kind.keyword(key).map_or_else(|| member.clone(), |shape| self.shaped(shape, member));
            formed.insert(key.clone(), member);
        }
        Value::Object(formed)
    }

    /// A reference is kept if the contract has its target, or should have it; otherwise it is written inline.
    fn referred(&mut self, kind: Kind, value: &Value, target: &str) -> Value {
        let (contract, generated) = (self.context.contract.document(), self.context.generated);
        let beside =
            value.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref" && !not_compared(kind, key));
        let beside: Map<String, Value> = beside.map(|(key, value)| (key.clone(), value.clone())).collect();
        let reference = json!({ "$ref": format!("#{target}") });
        if beside.is_empty() && contract.pointer(target).is_some() {
            return reference;
        }
        let Some(found) = generated.pointer(target) else { return reference };
        let name = pointer::tokens(target).last().unwrap_or_default();
        let is_object = found.get("type").is_some_and(|one| one == "object") || found.get("oneOf").is_some();
        if kind == Kind::Schema && beside.is_empty() && is_object {
            if !self.extra.iter().any(|(known, _)| *known == name) {
                self.extra.push((name.clone(), Value::Null));
                let schema = self.object(kind, found);
                if let Some(entry) = self.extra.iter_mut().find(|(known, _)| *known == name) {
                    entry.1 = schema;
                }
            }
            return reference;
        }
        let mut found = found.clone();
        if let Some(members) = found.as_object_mut() {
            // A description beside a reference is about the place, that of the type is about all places.
            members.remove("description");
            members.extend(beside);
            if let Some(prose) = value.get("description") {
                members.insert("description".to_owned(), prose.clone());
            }
        }
        self.object(kind, &found)
    }

    fn header(&mut self, name: &str, value: &Value) -> Value {
        let is_named = |known: &str| folded(Kind::Header, known) == folded(Kind::Header, name);
        if let Some(known) = self.component("headers", Kind::Header, value, is_named) {
            return known;
        }
        let mut header = self.object(Kind::Header, value);
        let components = self.context.contract.document().pointer("/components/headers").and_then(Value::as_object);
        let namesake = components.into_iter().flatten().find(|(known, _)| is_named(known)).map(|(_, one)| one);
        // What utoipa cannot express of a header comes from the contract's header with this name.
        if let Some(members) = header.as_object_mut() {
            let prose = members.get_mut("schema").and_then(|schema| schema.as_object_mut()?.remove("description"));
            let own = |key: &str| Some((key.to_owned(), namesake?.get(key)?.clone()));
            let prose = own("description").or_else(|| Some(("description".to_owned(), prose?)));
            members.extend(prose.into_iter().chain(own("required")));
        }
        header
    }

    /// A component that the contract uses for this status is referred to.
    fn response(&mut self, status: &str, value: &Value) -> Value {
        let operations = paths::paths(self.context.contract.document());
        let operations = operations.flat_map(|path| path.endpoints().map(|one| one.operation).collect::<Vec<_>>());
        let used: Vec<&str> = operations
            .filter_map(|operation| pointer::reference(operation.get("responses")?.get(status)?)?.rsplit('/').next())
            .collect();
        if let Some(known) = self.component("responses", Kind::Response, value, |known| used.contains(&known)) {
            return known;
        }
        let mut response = self.object(Kind::Response, value);
        if let Some(members) = response.as_object_mut()
            && !members.contains_key("description")
        {
            members.insert("description".to_owned(), Value::from(format!("Response {status}.")));
        }
        response
    }

    /// A reference to a component of the contract that means the same.
    fn component(&self, section: &str, kind: Kind, value: &Value, fits: impl Fn(&str) -> bool) -> Option<Value> {
        let (contract, generated) = (self.context.contract.document(), self.context.generated);
        let at = join("/components", section);
        let listed = contract.pointer(&at).and_then(Value::as_object).into_iter().flatten();
        let mut same = listed.filter(|(name, one)| fits(name) && means_the_same(contract, generated, kind, one, value));
        same.next().map(|(name, _)| json!({ "$ref": format!("#{}", join(&at, name)) }))
    }
}

/// What a keyword of the contract at this pointer looks like.
pub(crate) fn shape_at(at: &str) -> Option<Shape> {
    let mut shape = Shape::One(Kind::Document);
    for token in pointer::tokens(at) {
        shape = match shape {
            Shape::One(kind) => kind.keyword(&token)?,
            Shape::SchemaOrFlag => Kind::Schema.keyword(&token)?,
            Shape::Map(kind) | Shape::List(kind) => Shape::One(kind),
            Shape::Statuses => Shape::One(Kind::Response),
            _ => return None,
        };
    }
    Some(shape)
}
