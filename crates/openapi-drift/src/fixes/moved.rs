//! Operations that both sides have, by their id, at different addresses.
//!
//! Told as they are found they would be two drifts each, and the fix-it of one would write what is there already. So each
//! is told once, and everything else is compared as if the code had them where the contract has them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::{Context, Fix, Side, code_side, contract_side};
use crate::{Drift, DriftKind};
use openapi_contract::Contract;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::paths;
use openapi_contract::pointer::{self, join};

/// Where an operation is found, or every operation of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) template: String,
    /// `None` for the path as a whole.
    pub(super) method: Option<Method>,
}

/// What has another address in the code.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) contract: Address,
    pub(super) code: Address,
    /// The operations.
    pub(super) ids: Vec<String>,
    /// Parameters of the path: what the contract calls them, and what the code does.
    pub(super) renamed: Vec<(String, String)>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            Some(method) => write!(f, "{method} {}", self.template),
            None => f.write_str(&self.template),
        }
    }
}

impl Address {
    fn pointer(&self) -> String {
        let path = join("/paths", &self.template);
        self.method.map_or(path.clone(), |method| join(&path, method.key()))
    }
}

/// What moved, and the code's spec with all of it where the contract has it.
pub(super) fn settled(contract: &Contract, generated: &Value) -> (Vec<Move>, Value) {
    let mut settled = generated.clone();
    let mut moves = Vec::new();
    // A path first, then what is left of it: an operation may have another path and another method.
    while let Some(one) = path(contract, &settled).or_else(|| operation(contract, &settled)) {
        if settle(&mut settled, &one).is_none() {
            break;
        }
        moves.push(one);
    }
    (moves, settled)
}

/// The drift that tells of a move, with its fix-its.
pub(super) fn told(context: &Context<'_>, one: &Move) -> Drift {
    let pointer = one.contract.pointer();
    let code = match code_side::moved(context, one) {
        Ok((edits, note)) => Fix { side: Side::Code, edits, note },
        Err(note) => Fix { side: Side::Code, edits: Vec::new(), note },
    };
    let edits = contract_side::moved(context, one);
    let note = match edits {
        Some(_) => String::new(),
        None => format!("let the contract say `{}`", one.code),
    };
    let contract = Fix { side: Side::Contract, edits: edits.unwrap_or_default(), note };
    Drift {
        kind: DriftKind::Moved,
        file: context.contract.file_name().to_owned(),
        position: context.contract.nearest_position(&pointer),
        place: one.ids.join(", "),
        also: Vec::new(),
        likewise: Vec::new(),
        via: Vec::new(),
        followed: Vec::new(),
        contract: Some(Value::from(one.contract.to_string())),
        code: Some(Value::from(one.code.to_string())),
        code_pointer: Some(one.code.pointer()),
        code_pointers: Vec::new(),
        who: who(context, one),
        fixes: vec![contract, code],
        pointer,
    }
}

fn who(context: &Context<'_>, one: &Move) -> Option<String> {
    let id = one.ids.first()?;
    let place = context.sources.handler(id).map(|handler| format!(" ({})", handler.place())).unwrap_or_default();
    let others = match one.ids.len() - 1 {
        0 => String::new(),
        1 => ", and 1 more".to_owned(),
        more => format!(", and {more} more"),
    };
    Some(format!("the handler of `{id}`{place}{others}"))
}

/// A path of the contract that the code does not have, and the path of the code in its stead.
fn path(contract: &Contract, code: &Value) -> Option<Move> {
    let document = contract.document();
    let (ours, theirs) = (promised(document), operations(code));
    let is_in = |document: &Value, template: &str| pointer::find(document, &join("/paths", template)).is_some();
    let (to, from) = ours.iter().find_map(|(id, to)| {
        let from = theirs.get(id)?;
        (!is_in(code, &to.template) && !is_in(document, &from.template)).then_some((to, from))
    })?;
    let ids = ours.iter().filter(|(id, at)| {
        at.template == to.template && theirs.get(*id).is_some_and(|other| other.template == from.template)
    });
    Some(Move {
        ids: ids.map(|(id, _)| id.clone()).collect(),
        renamed: renamed(&to.template, &from.template),
        contract: Address { method: None, ..to.clone() },
        code: Address { method: None, ..from.clone() },
    })
}

/// An operation that has a free place in the code where the contract has it, and the other way round.
fn operation(contract: &Contract, code: &Value) -> Option<Move> {
    let document = contract.document();
    let theirs = operations(code);
    promised(document).into_iter().find_map(|(id, to)| {
        let from = theirs.get(&id)?;
        let is_free =
            pointer::find(code, &to.pointer()).is_none() && pointer::find(document, &from.pointer()).is_none();
        let renamed = renamed(&to.template, &from.template);
        (to != *from && is_free).then(|| Move { ids: vec![id], renamed, contract: to, code: from.clone() })
    })
}

/// The parameters of two templates that are as many, by their order.
fn renamed(ours: &str, theirs: &str) -> Vec<(String, String)> {
    let names = |template: &str| -> Vec<String> {
        template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
    };
    let (ours, theirs) = (names(ours), names(theirs));
    if ours.len() != theirs.len() {
        return Vec::new();
    }
    ours.into_iter().zip(theirs).filter(|(mine, other)| mine != other).collect()
}

/// The operations of a document by their id.
fn operations(document: &Value) -> BTreeMap<String, Address> {
    all(document, |_| true)
}

/// Those that the code has to have.
fn promised(document: &Value) -> BTreeMap<String, Address> {
    all(document, |operation| !is_planned(operation))
}

fn all(document: &Value, counts: impl Fn(&Value) -> bool) -> BTreeMap<String, Address> {
    let mut found = BTreeMap::new();
    for path in paths::paths(document) {
        for endpoint in path.endpoints().filter(|endpoint| counts(endpoint.operation)) {
            if let Some(id) = endpoint.operation.get("operationId").and_then(Value::as_str) {
                let address = Address { template: path.template.to_owned(), method: Some(endpoint.method) };
                found.insert(id.to_owned(), address);
            }
        }
    }
    found
}

/// Has it where the contract has it.
fn settle(code: &mut Value, one: &Move) -> Option<()> {
    let paths = code.get_mut("paths")?.as_object_mut()?;
    let mut moved = match one.code.method {
        None => paths.remove(&one.code.template)?,
        Some(method) => paths.get_mut(&one.code.template)?.as_object_mut()?.remove(method.key())?,
    };
    if paths.get(&one.code.template).and_then(Value::as_object).is_some_and(|item| item.is_empty()) {
        paths.remove(&one.code.template);
    }
    rename(&mut moved, &one.renamed);
    match one.contract.method {
        None => drop(paths.insert(one.contract.template.clone(), moved)),
        Some(method) => {
            let item = paths.entry(one.contract.template.clone()).or_insert_with(|| json!({}));
            item.as_object_mut()?.insert(method.key().to_owned(), moved);
        }
    }
    Some(())
}

/// The parameters of a path, of it or of its operations, under their other names.
fn rename(node: &mut Value, renamed: &[(String, String)]) {
    let Some(members) = node.as_object_mut() else { return };
    for parameter in members.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str);
        let known = renamed.iter().find(|(_, old)| Some(old.as_str()) == name);
        if let Some((new, _)) = known.filter(|_| parameter.get("in").is_some_and(|place| place == "path"))
            && let Some(name) = parameter.get_mut("name")
        {
            *name = Value::from(new.as_str());
        }
    }
    for method in Method::ALL {
        if let Some(operation) = members.get_mut(method.key()) {
            rename(operation, renamed);
        }
    }
}
