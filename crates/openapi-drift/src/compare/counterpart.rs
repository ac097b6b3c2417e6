//! The counterpart in the generated spec of a node of the contract.

use serde_json::{Map, Value};

use super::exclusions::not_compared;
use super::same::only_part;
use openapi_contract::Kind;
use openapi_contract::pointer;

/// A node of the generated spec, references followed.
#[derive(Debug, Clone)]
pub(super) struct Counterpart<'a> {
    pub(super) value: &'a Value,
    /// The members beside each followed `$ref`, outermost first. utoipa writes `default`, `readOnly` and `writeOnly` there;
    /// the contract has them inside the component.
    pub(super) beside: Vec<&'a Map<String, Value>>,
    /// The node that identifies this counterpart: the reference itself if it has members beside it.
    pub(super) identity: *const Value,
}

impl<'a> Counterpart<'a> {
    pub(super) fn of(value: &'a Value) -> Counterpart<'a> {
        Counterpart { value, beside: Vec::new(), identity: value }
    }

    /// Follows the references at the head of `value` and, with `parts`, each `allOf` of one part; `None` if they lead nowhere.
    pub(super) fn resolve(document: &'a Value, mut value: &'a Value, parts: bool) -> Option<Counterpart<'a>> {
        let start = value;
        let mut beside = Vec::new();
        for _ in 0..=pointer::MAX_HOPS {
            if let Some(part) = only_part(value).filter(|_| parts) {
                value = part;
                continue;
            }
            let Some(target) = pointer::reference(value) else {
                let identity = if beside.is_empty() { value } else { start };
                return Some(Counterpart { value, beside, identity });
            };
            // Prose beside a `$ref` does not change the schema.
            beside.extend(
                value
                    .as_object()
                    .filter(|members| members.keys().any(|key| key != "$ref" && !not_compared(Kind::Schema, key))),
            );
            value = pointer::find(document, &pointer::local(target)?)?;
        }
        None
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let beside = self.beside.iter().find_map(|members| members.get(key).filter(|_| key != "$ref"));
        beside.or_else(|| self.value.get(key))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        let beside = self.beside.iter().flat_map(|members| members.keys()).filter(|key| *key != "$ref");
        let own = self.value.as_object().into_iter().flat_map(|members| members.keys());
        beside.chain(own).map(String::as_str)
    }
}
