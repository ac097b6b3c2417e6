//! The schemas that a schema is composed of.

use std::collections::HashSet;

use openapi_contract::Contract;
use openapi_contract::fields::items;
use openapi_contract::pointer::join;
use serde_json::Value;

/// A part of a schema, references followed.
pub(crate) struct Part<'a> {
    pub(crate) value: &'a Value,
    pub(crate) at: String,
    /// Whether it applies to every value, not only to an alternative.
    pub(crate) always: bool,
}

impl<'a> Part<'a> {
    /// The schemas under `allOf`, `anyOf` and `oneOf`.
    pub(crate) fn inner(&self, contract: &'a Contract) -> impl Iterator<Item = Part<'a>> {
        ["allOf", "anyOf", "oneOf"].into_iter().flat_map(move |key| {
            items(self.value, key).map(move |(index, inner)| {
                let (value, at) = contract.follow(inner, join(&join(&self.at, key), &index));
                Part { value, at, always: self.always && key == "allOf" }
            })
        })
    }
}

/// A schema and everything that it is composed of, each once.
pub(crate) fn parts<'a>(contract: &'a Contract, schema: &'a Value, at: &str) -> Vec<Part<'a>> {
    let (mut parts, mut seen) = (Vec::new(), HashSet::new());
    let mut next = vec![Part { value: schema, at: at.to_owned(), always: true }];
    while let Some(part) = next.pop() {
        if seen.insert(part.at.clone()) {
            next.extend(part.inner(contract));
            parts.push(part);
        }
    }
    parts
}
