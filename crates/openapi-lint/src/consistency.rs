//! What a contract says that cannot be true together: bounds that nothing fits, required names that nobody may send,
//! values that their own schema refuses.
//!
//! None of this keeps a contract from being read or compared, so the loader lets it pass and drifts are still reported.
//!
//! `schema` holds each schema against itself and `required` its list of names against its properties; `shown` finds every
//! default, example and listed value, and `value` holds it against the schema that it is of; `pattern` reads patterns;
//! `rest` looks at what is not a schema: links, servers, and what may be given in one way only.
//!
//!
mod pattern;
mod required;
mod rest;
mod schema;
mod shown;
mod value;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use openapi_contract::error::in_order;
use openapi_contract::grammar::Shape;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Code, Contract, Kind, LoadError};

pub(crate) use pattern::{Unreadable, readable};

/// Every contradiction of a contract, in the order of the file: bounds that no value meets, required names that no
/// request may contain, examples and defaults that do not match their own schema.
pub fn contradictions(contract: &Contract) -> Vec<LoadError> {
    let nodes = nodes(contract.document());
    let mut search = Search { contract, found: Vec::new(), shared: BTreeMap::new() };
    let members = required::members(contract.document(), &nodes);
    for Node { kind, value, at } in &nodes {
        search.values(*kind, value, at);
        match kind {
            Kind::Schema => {
                search.schema(value, at);
                if !members.contains(at) {
                    search.required(value, at);
                }
            }
            _ => search.rest(*kind, value, at),
        }
    }
    search.shared_examples();
    in_order(search.found)
}

/// The contradictions found so far.
struct Search<'a> {
    contract: &'a Contract,
    found: Vec<LoadError>,
    /// The examples that are referred to, by where they are written.
    shared: BTreeMap<String, Vec<shown::Use<'a>>>,
}

impl<'a> Search<'a> {
    fn add(&mut self, pointer: String, message: impl Into<String>) {
        self.found.push(self.contract.error(Code::Inconsistent, pointer, message));
    }

    /// Of two members of one object, the one that is written after the other.
    fn later(&self, at: &str, keys: [&str; 2]) -> String {
        let [first, second] = keys.map(|key| join(at, key));
        let place = |pointer: &str| self.contract.nearest_position(pointer);
        if place(&first) > place(&second) { first } else { second }
    }
}

/// An object that the grammar knows, where it is written.
struct Node<'a> {
    kind: Kind,
    value: &'a Value,
    at: String,
}

/// Every object of a document but references, each once.
fn nodes(document: &Value) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let mut next = vec![Node { kind: Kind::Document, value: document, at: String::new() }];
    // A list of work, not recursion: a document may be deep.
    while let Some(Node { kind, value, at }) = next.pop() {
        let Some(members) = value.as_object() else { continue };
        if kind.referable() && pointer::reference(value).is_some() {
            continue;
        }
        for (key, value) in members {
            let here = join(&at, key);
            let inner = |kind: Kind, value, token: &str| Node { kind, value, at: join(&here, token) };
            match (kind.keyword(key), value) {
                (Some(Shape::One(kind)), _) => next.push(Node { kind, value, at: here }),
                (Some(Shape::SchemaOrFlag), _) => next.push(Node { kind: Kind::Schema, value, at: here }),
                (Some(Shape::List(kind)), Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    next.extend(items.map(|(index, item)| inner(kind, item, &index.to_string())));
                }
                (Some(Shape::Map(kind)), Value::Object(members)) => {
                    next.extend(members.iter().map(|(name, member)| inner(kind, member, name)));
                }
                (Some(Shape::Statuses), Value::Object(members)) => {
                    next.extend(members.iter().map(|(status, member)| inner(Kind::Response, member, status)));
                }
                _ => {}
            }
        }
        nodes.push(Node { kind, value, at });
    }
    nodes
}

/// The members of `value` under `key`, or its items, by their names or numbers.
fn listed<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
    items.map(|(index, item)| (index.to_string(), item))
}

/// The places that are looked at twice.
type Seen = HashSet<String>;
