//! What both sides have under different addresses or names: one drift instead of two.
//!
//! An operation is recognised by its `operationId`. Everything else in it is compared as if the code had it at the address in
//! the contract. A property, parameter, status, media type or header is recognised by its value.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::diff::{Drift, DriftKind, means_the_same};
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::pointer::{self, join};
use openapi_contract::{Contract, Kind, paths};

/// The address of an operation; without a method, of all operations of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    template: String,
    method: Option<Method>,
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

    fn is_in(&self, document: &Value) -> bool {
        pointer::find(document, &self.pointer()).is_some()
    }
}

/// The drifts of moved operations, and the generated spec with each operation at its address in the contract.
pub(crate) fn operations(contract: &Contract, generated: &Value) -> (Vec<Drift>, Value) {
    let mut moved = generated.clone();
    let mut drifts = Vec::new();
    while let Some((ids, ours, theirs)) = next(contract.document(), &moved) {
        if relocate(&mut moved, &ours, &theirs).is_none() {
            break;
        }
        drifts.push(Drift {
            kind: DriftKind::Moved,
            file: contract.file_name().to_owned(),
            position: contract.nearest_position(&ours.pointer()),
            pointer: ours.pointer(),
            place: ids.join(", "),
            also: Vec::new(),
            via: Vec::new(),
            contract: Some(ours.to_string().into()),
            code: Some(theirs.to_string().into()),
            code_pointer: Some(theirs.pointer()),
            code_pointers: Vec::new(),
        });
    }
    (drifts, moved)
}

/// The next operation, or path with all its operations, with another address in the code.
fn next(document: &Value, code: &Value) -> Option<(Vec<String>, Address, Address)> {
    let ours = addresses(document, |operation| !is_planned(operation));
    let theirs = addresses(code, |_| true);
    let pairs =
        || ours.iter().filter_map(|(id, to)| Some((id, to, theirs.get(id)?))).filter(|(_, to, from)| to != from);
    let is_free = |to: &Address, from: &Address| !to.is_in(code) && !from.is_in(document);
    for (_, to, from) in pairs() {
        let [to, from] = [to, from].map(|one| Address { method: None, ..one.clone() });
        if is_free(&to, &from) {
            let ids = pairs().filter(|(_, other, from_other)| {
                (&other.template, &from_other.template) == (&to.template, &from.template)
            });
            return Some((ids.map(|(id, ..)| id.clone()).collect(), to, from));
        }
    }
    let (id, to, from) = pairs().find(|(_, to, from)| is_free(to, from))?;
    Some((vec![id.clone()], to.clone(), from.clone()))
}

fn addresses(document: &Value, counts: impl Fn(&Value) -> bool) -> BTreeMap<String, Address> {
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

fn relocate(code: &mut Value, to: &Address, from: &Address) -> Option<()> {
    let paths = code.get_mut("paths")?.as_object_mut()?;
    let mut moved = match from.method {
        None => paths.remove(&from.template)?,
        Some(method) => paths.get_mut(&from.template)?.as_object_mut()?.remove(method.key())?,
    };
    if paths.get(&from.template).and_then(Value::as_object).is_some_and(|item| item.is_empty()) {
        paths.remove(&from.template);
    }
    let names = |template: &str| -> Vec<String> {
        template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect()
    };
    let (ours, theirs) = (names(&to.template), names(&from.template));
    if ours.len() == theirs.len() {
        rename_parameters(&mut moved, &theirs.into_iter().zip(ours).collect());
    }
    match to.method {
        None => drop(paths.insert(to.template.clone(), moved)),
        Some(method) => {
            let item = paths.entry(to.template.clone()).or_insert_with(|| json!({}));
            item.as_object_mut()?.insert(method.key().to_owned(), moved);
        }
    }
    Some(())
}

/// Renames the path parameters of a path item or operation.
fn rename_parameters(node: &mut Value, names: &BTreeMap<String, String>) {
    let Some(members) = node.as_object_mut() else { return };
    for parameter in members.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_in_path = parameter.get("in").is_some_and(|place| place == "path");
        let new = parameter.get("name").and_then(Value::as_str).and_then(|name| names.get(name));
        if let (Some(new), Some(name)) = (new.filter(|_| is_in_path), parameter.get_mut("name")) {
            *name = Value::from(new.as_str());
        }
    }
    for method in Method::ALL {
        if let Some(operation) = members.get_mut(method.key()) {
            rename_parameters(operation, names);
        }
    }
}

/// Makes one drift of two where the contract and the code have the same node under two names.
pub(crate) fn renamed(document: &Value, generated: &Value, mut drifts: Vec<Drift>) -> Vec<Drift> {
    let mut index = 0;
    while let Some(drift) = drifts.get(index) {
        let partners: Vec<usize> = (0..drifts.len())
            .filter(|other| drifts.get(*other).is_some_and(|other| is_renamed(document, generated, drift, other)))
            .collect();
        // With two candidates it is not known which was meant.
        if let [partner] = partners.as_slice()
            && let Some(other) = drifts.get(*partner).cloned()
            && let Some(drift) = drifts.get_mut(index)
        {
            let names = [name_of(drift, drift.contract.as_ref()), name_of(&other, other.code.as_ref())];
            [drift.contract, drift.code] = names.map(|name| Some(Value::from(name)));
            drift.kind = DriftKind::Moved;
            drift.code_pointer = other.code_pointer;
            drifts.remove(*partner);
            if *partner < index {
                continue;
            }
        }
        index += 1;
    }
    drifts
}

/// Whether only the contract has one, only the code has the other, in the same object, and both mean the same.
fn is_renamed(document: &Value, generated: &Value, ours: &Drift, theirs: &Drift) -> bool {
    if (ours.kind, theirs.kind) != (DriftKind::MissingInCode, DriftKind::MissingInContract) {
        return false;
    }
    let (Some(mine), Some(other)) = (&ours.contract, &theirs.code) else { return false };
    let owner = |drift: &Drift| drift.pointer.rsplit_once('/').map(|(owner, _)| owner.to_owned());
    let Some(at) = owner(ours).filter(|at| Some(at) == owner(theirs).as_ref()) else { return false };
    match crate::fixes::shape_at(&at) {
        Some(Shape::List(Kind::Parameter)) => {
            let mut other = other.clone();
            if let (Some(members), Some(name)) = (other.as_object_mut(), mine.get("name")) {
                members.insert("name".to_owned(), name.clone());
            }
            means_the_same(document, generated, Kind::Parameter, mine, &other)
        }
        Some(Shape::Map(Kind::Schema))
            if at.ends_with("/properties") && !at.starts_with("/components/schemas/properties") =>
        {
            is_required(document, &ours.pointer)
                == is_required(generated, theirs.code_pointer.as_deref().unwrap_or_default())
                && means_the_same(document, generated, Kind::Schema, mine, other)
        }
        Some(Shape::Statuses) => means_the_same(document, generated, Kind::Response, mine, other),
        Some(Shape::Map(kind @ (Kind::MediaType | Kind::Header))) => {
            means_the_same(document, generated, kind, mine, other)
        }
        _ => false,
    }
}

fn is_required(document: &Value, at: &str) -> bool {
    let Some((owner, _)) = at.rsplit_once("/properties/") else { return false };
    let names = document.pointer(owner).and_then(|owner| owner.get("required")?.as_array());
    names.is_some_and(|names| names.iter().any(|name| pointer::tokens(at).last().as_deref() == name.as_str()))
}

/// The name of a node: its `name` for a parameter, its key otherwise.
fn name_of(drift: &Drift, node: Option<&Value>) -> String {
    let is_listed = drift.pointer.rsplit_once('/').is_some_and(|(owner, _)| owner.ends_with("/parameters"));
    let name = node.filter(|_| is_listed).and_then(|node| node.get("name")?.as_str()).map(str::to_owned);
    name.unwrap_or_else(|| pointer::tokens(&drift.pointer).last().unwrap_or_default())
}
