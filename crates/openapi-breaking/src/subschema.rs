//! Schemas as they are written, with their pointers.

use std::collections::HashMap;

use serde_json::Value;

use openapi_contract::pointer::{self, join};

/// One schema as written: `true`, `false`, or an object, which may be a reference.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
}

/// The schemas that apply at one place, all of them; none accepts everything.
#[derive(Debug, Clone)]
pub(super) struct Subschema<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// The pointer where it is, or would be.
    pub(super) at: String,
}

impl<'a> Subschema<'a> {
    /// The member `key` of `owner`; accepts everything if there is none.
    pub(super) fn member(owner: &'a Value, owner_at: &str, key: &str) -> Subschema<'a> {
        let at = join(owner_at, key);
        let node = owner.get(key).map(|value| Node { value, pointer: at.clone() });
        Subschema { nodes: node.into_iter().collect(), at }
    }

    pub(super) fn of(value: &'a Value, at: String) -> Subschema<'a> {
        Subschema { nodes: vec![Node { value, pointer: at.clone() }], at }
    }

    /// Whether a part of it may be written elsewhere: it is a reference, or its alternatives or `allOf` may hold one. Every
    /// cycle of schemas contains such a schema.
    pub(super) fn refers(&self) -> bool {
        let elsewhere =
            |node: &Node<'a>| ["$ref", "allOf", "oneOf", "anyOf"].iter().any(|key| node.value.get(key).is_some());
        self.nodes.iter().any(elsewhere)
    }

    /// What distinguishes it from others: the pointers of its parts, references followed.
    pub(super) fn identity(&self, document: &Value) -> Vec<String> {
        let resolved = |node: &Node<'_>| match pointer::resolve(document, node.value, node.pointer.clone()) {
            // Keywords beside a reference belong to the schema.
            Some((_, pointer)) if only_refers(node.value) => pointer,
            _ => node.pointer.clone(),
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
            [Node { value, .. }] => pointer::reference(value),
            _ => None,
        }
    }
}

pub(super) fn only_refers(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.len() == 1)
}

/// Whether a schema accepts `null` and nothing else.
pub(super) fn is_null(document: &Value, schema: &Value) -> bool {
    let schema = pointer::resolve(document, schema, String::new()).map_or(schema, |(value, _)| value);
    let only_null = |list: &Value| match list {
        Value::Array(items) => !items.is_empty() && items.iter().all(|item| item.is_null() || item == "null"),
        other => other == "null",
    };
    schema.get("type").is_some_and(only_null)
        || schema.get("const").is_some_and(Value::is_null)
        || schema.get("enum").is_some_and(|list| list.is_array() && only_null(list))
}

/// Whether `null` is valid. Each schema is evaluated once; one that refers to itself counts as accepting `null` meanwhile.
pub(super) fn accepts_null<'a>(
    document: &'a Value,
    schema: &'a Value,
    known: &mut HashMap<*const Value, bool>,
) -> bool {
    let Some(members) = schema.as_object() else { return schema != &Value::Bool(false) };
    if let Some(known) = known.get(&std::ptr::from_ref(schema)) {
        return *known;
    }
    known.insert(schema, true);
    let mut accepts = |value: &'a Value| accepts_null(document, value, known);
    let all = members.iter().all(|(key, value)| match (key.as_str(), value) {
        ("type", Value::String(one)) => one == "null",
        ("type", Value::Array(list)) => list.iter().any(|one| one == "null"),
        ("enum", Value::Array(list)) => list.iter().any(Value::is_null),
        ("const", value) => value.is_null(),
        ("allOf", Value::Array(items)) => items.iter().all(&mut accepts),
        ("oneOf" | "anyOf", Value::Array(items)) => items.iter().any(&mut accepts),
        ("$ref", Value::String(target)) => {
            let found = pointer::local(target).and_then(|pointer| document.pointer(&pointer));
            found.is_none_or(&mut accepts)
        }
        _ => true,
    });
    known.insert(schema, all);
    all
}
