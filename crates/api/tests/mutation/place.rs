//! Where a mutation of the contract must be reported.
//!
//! At the altered node itself, by pointer or by line and column. Otherwise at the nearest place that exists:
//!
//! - a removed member: at its former place (the position of its parent) or its parent; `items` also at the `type: array`
//!   that requires it, and a path parameter at the path template. A renamed member is also a removed one;
//! - an item of a set (`required`, `enum`, `tags`), or one removed from any list: at the list;
//! - the `name` or `in` of a parameter, which identify it: at the parameter, or where operations refer to it;
//! - a reference to a parameter: at any parameter of the list, since it may repeat another;
//! - a sibling of a `$ref`: at the `$ref`;
//! - a new value: at any part of it;
//! - the target of references (a component, the operation of a link, the security of the document): at *all* the
//!   references.

use std::collections::BTreeSet;

use openapi_contract::Kind;
use serde_json::Value;

use crate::mutate::{Edit, Mutation, Operator, join};
use crate::vocabulary::{Context, METHODS};

/// The pointers of the places, any of which is right.
pub(crate) fn places(mutation: &Mutation, mutant: &Value) -> BTreeSet<String> {
    let (owner, token) = mutation.step();
    let parent = mutation.parent();
    let mut places = BTreeSet::from([mutation.pointer()]);
    if matches!(mutation.edit, Edit::Remove | Edit::Rename(_)) {
        places.extend([mutation.original(), join(&mutation.original(), "-")]);
        if (owner, token) == (Context::Object(Kind::Schema), "items") {
            places.insert(join(&parent, "type"));
        }
    }
    if matches!(mutation.edit, Edit::Remove) {
        places.insert(parent.clone());
        if let (Context::List(Kind::Parameter), Some((item, _))) = (owner, parent.rsplit_once("/parameters")) {
            places.insert(item.to_owned());
        }
    }
    if owner == Context::Set || (matches!(owner, Context::List(_)) && matches!(mutation.edit, Edit::Remove)) {
        places.insert(join(&parent, "-"));
        places.insert(parent.clone());
    }
    if owner == Context::Object(Kind::Parameter) && matches!(token, "name" | "in") {
        places.insert(parent.clone());
        places.extend(references(mutant, &parent));
    }
    if owner == Context::Object(Kind::Parameter)
        && token == "$ref"
        && let Some((list, _)) = parent.rsplit_once('/')
    {
        let count = mutant.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        places.extend((0..count).map(|index| join(list, &index.to_string())));
    }
    if mutation.operator == Operator::Add && mutant.pointer(&join(&parent, "$ref")).is_some() {
        places.insert(join(&parent, "$ref"));
    }
    places
}

/// The pointers of the nodes that refer to this one.
fn references(document: &Value, target: &str) -> Vec<String> {
    let refers =
        |node: &Value| node["$ref"].as_str().is_some_and(|reference| reference.strip_prefix('#') == Some(target));
    nodes(document).into_iter().filter(|(_, _, node)| refers(node)).map(|(pointer, ..)| pointer).collect()
}

/// Whether a reported node is part of the new value.
pub(crate) fn is_inside(mutation: &Mutation, reported: &str) -> bool {
    let is_new = matches!(mutation.operator, Operator::Add | Operator::Retype | Operator::Duplicate);
    is_new && reported.starts_with(&format!("{}/", mutation.pointer()))
}

/// The pointers of references whose target does not exist.
pub(crate) fn dangling(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let ids: Vec<_> =
        operations(document).into_iter().filter_map(|(_, operation)| operation.get("operationId")).collect();
    for (pointer, context, node) in nodes(document) {
        let is_dangling = |target: &&str| document.pointer(target.trim_start_matches('#')).is_none();
        if node.get("$ref").and_then(Value::as_str).is_some_and(|target| is_dangling(&target)) {
            found.insert(join(&pointer, "$ref"));
        }
        if context == Context::Object(Kind::Link) && node.get("operationId").is_some_and(|id| !ids.contains(&id)) {
            found.insert(join(&pointer, "operationId"));
        }
    }
    let owners = operations(document).into_iter().chain([(String::new(), document)]);
    for (pointer, owner) in owners {
        for (index, schemes) in owner["security"].as_array().into_iter().flatten().enumerate() {
            let requirement = join(&join(&pointer, "security"), &index.to_string());
            let undeclared = schemes.as_object().into_iter().flatten().map(|(scheme, _)| scheme);
            let undeclared =
                undeclared.filter(|scheme| document["components"]["securitySchemes"].get(scheme).is_none());
            found.extend(undeclared.map(|scheme| join(&requirement, scheme)));
        }
    }
    if document.get("security").is_none() {
        let unstated = operations(document).into_iter().filter(|(_, operation)| operation.get("security").is_none());
        found.extend(unstated.map(|(pointer, _)| pointer));
    }
    found
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let is_operation = |pointer: &str| {
        let tokens: Vec<_> = pointer.split('/').skip(1).collect();
        matches!(tokens[..], ["paths", _, method] | ["components", "pathItems", _, method] if METHODS.contains(&method))
    };
    let all = nodes(document).into_iter();
    all.filter(|(pointer, _, _)| is_operation(pointer)).map(|(pointer, _, node)| (pointer, node)).collect()
}

/// Every node of a document that OpenAPI interprets.
pub(crate) fn nodes(document: &Value) -> Vec<(String, Context, &Value)> {
    let mut found = Vec::new();
    let mut next = vec![(String::new(), Context::Object(Kind::Document), document)];
    while let Some((pointer, context, node)) = next.pop() {
        match node {
            _ if context == Context::Data => continue,
            Value::Object(members) => {
                next.extend(members.iter().map(|(key, value)| (join(&pointer, key), context.child(key), value)));
            }
            Value::Array(items) => next.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (join(&pointer, &index.to_string()), context.child(""), item)),
            ),
            _ => {}
        }
        found.push((pointer, context, node));
    }
    found
}
