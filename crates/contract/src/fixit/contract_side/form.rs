//! What the code says, as a contract would say it.

use serde_json::{Map, Value};

use super::{Shape, is_default, kind_at, means_the_same_by_name, not_compared};
use crate::Kind;
use crate::fixit::Context;
use crate::meaning::folded;
use crate::pointer::{self, join};

pub(super) struct Form<'c, 'a> {
    context: &'c Context<'a>,
    /// Schemas that the contract needs besides.
    pub(super) extra: Vec<(String, Value)>,
    /// Why it cannot be said, if it cannot.
    pub(super) refused: Option<String>,
}

impl<'c, 'a> Form<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>) -> Form<'c, 'a> {
        Form { context, extra: Vec::new(), refused: None }
    }

    /// The value of the member at this pointer of the contract.
    pub(super) fn of_member(&mut self, at: &str, value: &Value) -> Value {
        let (owner, name) = at.rsplit_once('/').unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        match (kind_at(owner), kind_at(at)) {
            (Some(Shape::One(kind)), None) if name == "$ref" => {
                let formed = self.object(kind, &serde_json::json!({ "$ref": value }));
                formed.get("$ref").cloned().unwrap_or_else(|| value.clone())
            }
            (Some(Shape::One(kind)), None) => {
                self.unknown(kind, &name);
                value.clone()
            }
            (Some(Shape::Statuses), _) => self.response(&name, value),
            (Some(Shape::Map(Kind::Header)), _) => self.header(&name, value),
            (_, Some(shape)) => self.shaped(shape, value),
            _ => value.clone(),
        }
    }

    fn unknown(&mut self, kind: Kind, key: &str) {
        let advice = kind.refused().iter().find(|(refused, ..)| *refused == key).map(|(.., advice)| *advice);
        let advice = advice.unwrap_or("no OpenAPI document has it there");
        self.refused.get_or_insert_with(|| format!("`{key}` is not supported: {advice}"));
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
            (Shape::Type, Value::Array(items)) => match items.as_slice() {
                [one] => one.clone(),
                _ => {
                    self.refused =
                        Some("`type` is one type: let the code leave it out instead of sending null".to_owned());
                    value.clone()
                }
            },
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
            match kind.keyword(key) {
                Some(shape) => drop(formed.insert(key.clone(), self.shaped(shape, member))),
                None => self.unknown(kind, key),
            }
        }
        Value::Object(formed)
    }

    /// A reference stays one if the contract has what it refers to, or should have it; else it is written out.
    fn referred(&mut self, kind: Kind, value: &Value, target: &str) -> Value {
        let (contract, generated) = (self.context.contract.document(), self.context.generated);
        let beside =
            value.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref" && !not_compared(kind, key));
        let beside: Map<String, Value> = beside.map(|(key, value)| (key.clone(), value.clone())).collect();
        let reference = serde_json::json!({ "$ref": format!("#{target}") });
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
            // What stands beside a reference says more than the type that it refers to; the type's own prose says less.
            members.remove("description");
            members.extend(beside);
            if let Some(prose) = value.get("description") {
                members.insert("description".to_owned(), prose.clone());
            }
        }
        self.object(kind, &found)
    }

    fn header(&mut self, name: &str, value: &Value) -> Value {
        let known = self.component("headers", Kind::Header, value, |known| {
            folded(Kind::Header, known) == folded(Kind::Header, name)
        });
        known.unwrap_or_else(|| self.object(Kind::Header, value))
    }

    /// A response that the contract already names for this status is referred to.
    fn response(&mut self, status: &str, value: &Value) -> Value {
        let contract = self.context.contract.document();
        let named: Vec<String> = contract
            .get("paths")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .flat_map(|(_, item)| item.as_object().into_iter().flatten())
            .filter_map(|(_, operation)| pointer::reference(operation.get("responses")?.get(status)?))
            .map(str::to_owned)
            .collect();
        let known = self.component("responses", Kind::Response, value, |known| {
            named.iter().any(|one| one.rsplit('/').next() == Some(known))
        });
        if let Some(known) = known {
            return known;
        }
        let mut response = self.object(Kind::Response, value);
        if let Some(members) = response.as_object_mut()
            && !members.contains_key("description")
        {
            members.insert("description".to_owned(), Value::from(format!("{}.", reason(status))));
        }
        response
    }

    /// A reference to the contract's component that means the same.
    fn component(&self, section: &str, kind: Kind, value: &Value, fits: impl Fn(&str) -> bool) -> Option<Value> {
        let contract = self.context.contract.document();
        let components = contract.get("components")?.get(section)?.as_object()?;
        let (name, _) = components.iter().find(|(name, component)| {
            fits(name) && means_the_same_by_name(contract, self.context.generated, kind, component, value)
        })?;
        Some(serde_json::json!({ "$ref": format!("#{}", join(&format!("/components/{section}"), name)) }))
    }
}

/// What a status is called (RFC 9110 §15), for the description that every response must have.
fn reason(status: &str) -> &'static str {
    match status {
        "200" => "It is done",
        "201" => "It was created",
        "202" => "It was accepted",
        "204" => "It is done",
        "304" => "Not modified",
        "400" => "Bad request",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not found",
        "406" => "Not acceptable",
        "408" => "Request timeout",
        "409" => "Conflict",
        "412" => "Precondition failed",
        "413" => "Content too large",
        "415" => "Unsupported media type",
        "422" => "Unprocessable content",
        "429" => "Too many requests",
        "500" => "Internal server error",
        "503" => "Service unavailable",
        _ => "Another answer",
    }
}
