//! What findings and fixes are made from.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fix::SourceFile;
use crate::sources::Sources;
use openapi_contract::excerpt;
use openapi_contract::pointer::join;
use openapi_contract::{Contract, LoadError};
use openapi_lint::lint;

/// What is known of the code besides the spec that it generates.
#[derive(Clone, Copy)]
pub struct CodeSide<'a> {
    /// The Rust sources of the handlers and their types.
    pub files: &'a [SourceFile],
    /// Adds to an operation, in JSON, what the code adds to every operation by rule. Fixes do not repeat that.
    pub by_rule: &'a dyn Fn(Value) -> Value,
    /// The file with those rules.
    pub rules: &'a str,
}

impl CodeSide<'_> {
    /// No sources: fixes of the code are given in words.
    pub const UNKNOWN: CodeSide<'static> = CodeSide { files: &[], by_rule: &|operation| operation, rules: "" };

    /// The generated spec under the `security` of the contract, which the code does not repeat: the responses that the rules
    /// add to an operation can depend on it. An operation that the contract does not have is under that of the document.
    pub fn under_security(&self, contract: &Contract, generated: &Value) -> Value {
        let mut generated = generated.clone();
        for (path, item) in generated.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten() {
            for (method, node) in item.as_object_mut().into_iter().flatten() {
                let known = contract.operations().iter().find(|one| one.path == *path && one.method.key() == method);
                let default = || contract.document().get("security").cloned().unwrap_or_default();
                let security = known.map_or_else(default, |operation| json!(operation.security));
                if let Some(operation) = node.as_object_mut().filter(|operation| operation.contains_key("responses")) {
                    operation.insert("security".to_owned(), security);
                    *node = (self.by_rule)(node.take());
                }
            }
        }
        generated
    }
}

pub(crate) struct Context<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) yaml: SourceFile,
    pub(crate) lines: Vec<&'a str>,
    /// What the check refuses in the contract.
    pub(crate) faults: Vec<LoadError>,
    pub(crate) generated: &'a Value,
    pub(crate) code: CodeSide<'a>,
    pub(crate) sources: Sources<'a>,
    /// The types that fixes of this run define, each with its schema and its path: a type is defined once, however many
    /// fixes need it.
    pub(crate) defined: RefCell<BTreeMap<String, (Value, String)>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(contract: &'a Contract, generated: &'a Value, code: CodeSide<'a>) -> Context<'a> {
        let yaml = SourceFile { path: contract.file_name().to_owned(), text: contract.text().to_owned() };
        let (lines, sources, faults) = (excerpt::lines(contract.text()), Sources::read(code.files), lint(contract));
        Context { contract, yaml, lines, faults, generated, code, sources, defined: RefCell::default() }
    }

    /// Whether a rule for all operations adds the node at this pointer of the generated spec.
    pub(crate) fn is_by_rule(&self, at: &str) -> bool {
        let tokens: Vec<String> = openapi_contract::pointer::tokens(at).collect();
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let ["paths", path, method, "responses", status, rest @ ..] = tokens.as_slice() else { return false };
        let operation = join(&join("/paths", path), method);
        let (owner, name) = match rest {
            ["headers", name, ..] => (join("/responses", status) + "/headers", *name),
            _ => ("/responses".to_owned(), *status),
        };
        let Some(mut without) = self.generated.pointer(&operation).cloned() else { return false };
        let Some(members) = without.pointer_mut(&owner).and_then(Value::as_object_mut) else { return false };
        members.remove(name);
        let id = without.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let handler = self.sources.handler(id);
        // A handler that annotates the same itself is the place to edit.
        let is_annotated = handler.and_then(|one| Some((one, one.response(status)?))).is_some_and(|(one, span)| {
            !matches!(rest, ["headers", ..]) || one.file.slice(span).contains(&json!(name).to_string())
        });
        !is_annotated && (self.code.by_rule)(without).pointer(&join(&owner, name)).is_some()
    }
}
