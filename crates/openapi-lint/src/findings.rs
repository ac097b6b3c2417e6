//! What the checks have found so far.

use openapi_contract::error::in_order;
use openapi_contract::pointer::join;
use openapi_contract::{Code, Contract, LoadError};
use serde_json::Value;

pub(crate) struct Findings<'a> {
    pub(crate) contract: &'a Contract,
    code: Code,
    found: Vec<LoadError>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(contract: &'a Contract, code: Code) -> Findings<'a> {
        Findings { contract, code, found: Vec::new() }
    }

    pub(crate) fn add(&mut self, pointer: String, message: impl Into<String>) {
        self.found.push(self.contract.error(self.code, pointer, message));
    }

    /// Of two members of one object, the one that comes later in the file.
    pub(crate) fn later(&self, at: &str, keys: [&str; 2]) -> String {
        let [first, second] = keys.map(|key| join(at, key));
        let position = |pointer: &str| self.contract.nearest_position(pointer);
        if position(&first) > position(&second) { first } else { second }
    }

    /// The findings in the order of the file.
    pub(crate) fn finish(self) -> Vec<LoadError> {
        in_order(self.found)
    }
}

/// The items of the list under `key`, each with its index as a pointer token.
pub(crate) fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
    items.map(|(index, item)| (index.to_string(), item))
}
