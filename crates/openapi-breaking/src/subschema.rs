//! Schemas as they are written, with their pointers.

use std::collections::HashMap;

use serde_json::Value;

use crate::sides::Side;
use openapi_contract::pointer::{self, join};

/// The schemas that apply at one place, all of them; none accepts everything.
#[derive(Debug, Clone)]
pub(super) struct Subschema<'a> {
    /// Each is `true`, `false`, or an object, which may be a reference.
    pub(super) nodes: Vec<Side<'a>>,
    /// The pointer where it is, or would be.
    pub(super) at: String,
}

impl<'a> Side<'a> {
    /// The schema under `schema`.
    pub(super) fn schema(&self) -> Subschema<'a> {
        Subschema { nodes: self.get("schema").into_iter().collect(), at: join(&self.at, "schema") }
    }
}

impl<'a> Subschema<'a> {
    /// Whether a part of it may be written elsewhere: it is a reference, or its alternatives or `allOf` may hold one. Every
    /// cycle of schemas contains such a schema.
    pub(super) fn refers(&self) -> bool {
        let elsewhere =
            |node: &Side<'a>| ["$ref", "allOf", "oneOf", "anyOf"].iter().any(|key| node.value.get(key).is_some());
        self.nodes.iter().any(elsewhere)
    }

    /// What distinguishes it from others: the pointers of its parts, references followed.
    pub(super) fn identity(&self) -> Vec<String> {
        let resolved = |node: &Side<'a>| match only_refers(node.value) {
            true => node.followed().at,
            // Keywords beside a reference belong to the schema.
            false => node.at.clone(),
        };
        let mut identity: Vec<String> = self.nodes.iter().map(resolved).collect();
        identity.sort();
        identity.dedup();
        if identity.is_empty() {
            identity.push(self.at.clone());
        }
        identity
    }

    /// The schema as it is written.
    pub(super) fn value(&self) -> Value {
        match self.nodes.as_slice() {
            [only] => only.value.clone(),
            nodes => nodes.iter().map(|node| node.value.clone()).collect(),
        }
    }

    /// The reference, if the schema is only that.
    pub(super) fn component(&self) -> Option<&'a str> {
        match self.nodes.as_slice() {
            [only] => pointer::reference(only.value),
            _ => None,
        }
    }
}

pub(super) fn only_refers(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.len() == 1)
}

/// Whether a schema accepts `null` and nothing else.
pub(super) fn is_null(schema: &Side<'_>) -> bool {
    let schema = schema.followed().value;
    let only = |key: &str, null: Value| {
        let is_only =
            |found: &Value| found.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|one| *one == null));
        schema.get(key).is_some_and(|found| *found == null || is_only(found))
    };
    only("type", Value::from("null")) || only("const", Value::Null) || only("enum", Value::Null)
}

/// Whether `null` is valid. Each schema is evaluated once; one that refers to itself counts as accepting `null` meanwhile.
pub(super) fn accepts_null(schema: &Side<'_>, known: &mut HashMap<String, bool>) -> bool {
    if !schema.value.is_object() {
        return schema.value != &Value::Bool(false);
    }
    if let Some(known) = known.get(&schema.at) {
        return *known;
    }
    known.insert(schema.at.clone(), true);
    let accepts = schema.members().all(|(key, member)| match (key, member.value) {
        ("type", Value::String(one)) => one == "null",
        ("type", Value::Array(list)) => list.iter().any(|one| one == "null"),
        ("enum", Value::Array(list)) => list.iter().any(Value::is_null),
        ("const", value) => value.is_null(),
        ("allOf", Value::Array(_)) => member.items().all(|item| accepts_null(&item, known)),
        ("oneOf" | "anyOf", Value::Array(_)) => member.items().any(|item| accepts_null(&item, known)),
        ("$ref", _) => schema.target().is_none_or(|target| accepts_null(&target, known)),
        _ => true,
    });
    known.insert(schema.at.clone(), accepts);
    accepts
}
