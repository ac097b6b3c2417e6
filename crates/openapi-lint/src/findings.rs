//! What the checks have found so far.

use std::fmt::Display;

use openapi_contract::equivalence::folded;
use openapi_contract::error::Errors;
use openapi_contract::fields::text;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Code, Contract, Kind, LoadError, Operation};
use serde_json::Value;

pub(crate) struct Findings<'a> {
    pub(crate) contract: &'a Contract,
    code: Code,
    /// The beginning of each message.
    prefix: &'static str,
    pub(crate) errors: Errors<'a>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(contract: &'a Contract, code: Code, prefix: &'static str) -> Findings<'a> {
        Findings { contract, code, prefix, errors: contract.new_errors() }
    }

    pub(crate) fn add(&mut self, pointer: String, message: impl Display) {
        self.errors.add(self.code, &pointer, format!("{}{message}", self.prefix));
    }

    /// The operation that a link refers to, if this contract has it.
    pub(crate) fn target_of(&self, link: &Value) -> Option<&'a Operation> {
        let (id, pointer) = (text(link, "operationId"), text(link, "operationRef").and_then(pointer::local));
        self.contract.operations().iter().find(|operation| {
            let listed = join(&join("/paths", &operation.path), operation.method.key());
            let is_at = |pointer: &String| [&listed, &operation.pointer].contains(&pointer);
            id == Some(&operation.id) || pointer.as_ref().is_some_and(is_at)
        })
    }

    /// The findings in the order of the file.
    pub(crate) fn finish(self) -> Vec<LoadError> {
        self.errors.in_order()
    }
}

/// Whether a media type without parameters is JSON.
pub(crate) fn is_json_media_type(name: &str) -> bool {
    let name = folded(Kind::MediaType, name);
    name == "application/json" || name.ends_with("+json")
}
