//! Required names against the properties that there may be.
//!
//! A schema is looked at with all that it is composed of: a part of `allOf` may require what another part describes, and
//! an alternative what the whole does.

use std::collections::HashSet;

use serde_json::Value;

use super::{Node, Search, Seen, listed};
use openapi_contract::pointer::{self, join};
use openapi_contract::spelling::did_you_mean;

/// What schemas are composed by.
const COMPOSED_BY: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The schemas that are parts of others, by where they are written: by themselves they need not make sense.
pub(super) fn members(document: &Value, nodes: &[Node<'_>]) -> HashSet<String> {
    let mut members = HashSet::new();
    for Node { value, at, .. } in nodes {
        let not = value.get("not").map(|part| ("not".to_owned(), part));
        let composed = COMPOSED_BY
            .iter()
            .flat_map(|key| listed(value, key).map(move |(index, part)| (format!("{key}/{index}"), part)));
        let parts =
            composed.chain(not).filter_map(|(token, part)| pointer::resolve(document, part, format!("{at}/{token}")));
        members.extend(parts.map(|(_, at)| at));
    }
    members
}

/// A part of a schema that is composed.
struct Part<'a> {
    value: &'a Value,
    at: String,
    /// Whether it holds whatever alternative is taken.
    always: bool,
}

impl<'a> Search<'a> {
    /// Looks at every name that a schema requires, it and all that it is composed of.
    pub(super) fn required(&mut self, schema: &'a Value, at: &str) {
        let parts = self.parts(schema, at);
        if parts.iter().all(|part| part.value.get("required").is_none()) {
            return;
        }
        let properties = |part: &Part<'a>| part.value.get("properties").and_then(Value::as_object);
        let known: HashSet<&str> =
            parts.iter().filter_map(properties).flat_map(|names| names.keys()).map(String::as_str).collect();
        let is_closed = |part: &&Part<'a>| part.value.get("additionalProperties") == Some(&Value::Bool(false));
        // Who says what others there may be, or names none at all, may require one of them.
        let is_map = |part: &Part<'a>| {
            part.value.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false))
        };
        let says_all = !known.is_empty() && !parts.iter().any(is_map);
        let mut told = Vec::new();
        for part in &parts {
            for (index, name) in listed(part.value, "required") {
                let Some(name) = name.as_str() else { continue };
                let here = join(&join(&part.at, "required"), &index);
                let refuses = |closed: &&Part<'a>| {
                    (closed.always || closed.at == part.at)
                        && !properties(closed).is_some_and(|names| names.contains_key(name))
                };
                let closed = parts.iter().filter(is_closed).find(refuses);
                let near = did_you_mean(name, known.iter().copied());
                match closed {
                    Some(closed) if closed.at == part.at => {
                        told.push((here, format!("no object fits: `{name}` is required, and `additionalProperties: false` admits only what is under `properties`{near}")));
                    }
                    Some(closed) => {
                        let place = self.contract.nearest_position(&join(&closed.at, "additionalProperties"));
                        told.push((here, format!("no object fits: `{name}` is required, and the `additionalProperties: false` at {place} does not admit it")));
                    }
                    None if says_all && !known.contains(name) => {
                        told.push((
                            here,
                            format!(
                                "`{name}` is required, but nothing says what it is: it is not under `properties`{near}"
                            ),
                        ));
                    }
                    None => {}
                }
            }
        }
        for (here, message) in told {
            self.add(here, message);
        }
    }

    /// A schema and all that it is composed of, references followed, each once.
    fn parts(&self, schema: &'a Value, at: &str) -> Vec<Part<'a>> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut seen = Seen::new();
        let mut next = vec![Part { value: schema, at: at.to_owned(), always: true }];
        while let Some(part) = next.pop() {
            if !seen.insert(part.at.clone()) {
                continue;
            }
            for key in COMPOSED_BY {
                for (index, inner) in listed(part.value, key) {
                    let (value, at) = self.contract.follow(inner, join(&join(&part.at, key), &index));
                    next.push(Part { value, at, always: part.always && key == "allOf" });
                }
            }
            parts.push(part);
        }
        parts
    }
}
