//! What the checks have found so far.

use openapi_contract::error::Errors;
use openapi_contract::{Code, Contract, LoadError};
use serde_json::Value;

pub(crate) struct Findings<'a> {
    pub(crate) contract: &'a Contract,
    code: Code,
    pub(crate) errors: Errors<'a>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(contract: &'a Contract, code: Code) -> Findings<'a> {
        Findings { contract, code, errors: contract.new_errors() }
    }

    pub(crate) fn add(&mut self, pointer: String, message: impl Into<String>) {
        self.errors.add(self.code, &pointer, message);
    }

    /// The findings in the order of the file.
    pub(crate) fn finish(self) -> Vec<LoadError> {
        self.errors.in_order()
    }
}

/// The items of the list under `key`, each with its index as a pointer token.
pub(crate) fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (String, &'v Value)> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
    items.map(|(index, item)| (index.to_string(), item))
}
