//! What both sides have under different addresses or names: one drift instead of two.
//!
//! An operation is recognised by its `operationId`; a property, parameter, status, media type or header by its value. What
//! else differs in a moved operation is compared once both sides have it at the same address.

use serde_json::Value;

use crate::compare::{Drift, DriftKind, means_the_same};
use openapi_contract::Kind;
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::pointer::tokens;

/// Makes one drift of two where the contract and the code have the same node at two places.
pub(crate) fn moved(document: &Value, generated: &Value, mut drifts: Vec<Drift>) -> Vec<Drift> {
    let mut index = 0;
    while let Some(ours) = drifts.get(index) {
        let is_pair = |theirs: &Drift| is_pair(document, generated, ours, theirs);
        let partners: Vec<usize> =
            drifts.iter().enumerate().filter(|(_, one)| is_pair(one)).map(|(at, _)| at).collect();
        index += 1;
        // With two candidates it is not known which was meant.
        if let [partner] = partners.as_slice() {
            let theirs = drifts.remove(*partner);
            index -= usize::from(*partner < index);
            if let Some(drift) = index.checked_sub(1).and_then(|index| drifts.get_mut(index)) {
                let ids = operation_ids(drift.contract.as_ref());
                drift.place = if ids.is_empty() { std::mem::take(&mut drift.place) } else { ids.join(", ") };
                drift.contract = Some(name_of(drift, drift.contract.as_ref()).into());
                drift.code = Some(name_of(&theirs, theirs.code.as_ref()).into());
                drift.kind = DriftKind::Moved;
                drift.code_pointer = theirs.code_pointer;
            }
        }
    }
    drifts
}

/// Whether only the contract has the one, only the code has the other, and both are the same node.
fn is_pair(document: &Value, generated: &Value, ours: &Drift, theirs: &Drift) -> bool {
    let (DriftKind::MissingInCode, DriftKind::MissingInContract) = (ours.kind, theirs.kind) else { return false };
    let (Some(mine), Some(other)) = (&ours.contract, &theirs.code) else { return false };
    let ids = operation_ids(Some(mine));
    if is_address(&ours.pointer) && is_address(&theirs.pointer) {
        return !ids.is_empty() && ids == operation_ids(Some(other));
    }
    let owner = |drift: &Drift| drift.pointer.rsplit_once('/').map(|(owner, _)| owner.to_owned());
    let Some(at) = owner(ours).filter(|at| Some(at) == owner(theirs).as_ref()) else { return false };
    let kind = match crate::fixes::shape_at(&at) {
        Some(Shape::List(Kind::Parameter)) => Kind::Parameter,
        Some(Shape::Map(Kind::Schema)) if at.ends_with("/properties") => Kind::Schema,
        Some(Shape::Statuses) => Kind::Response,
        Some(Shape::Map(kind @ (Kind::MediaType | Kind::Header))) => kind,
        _ => return false,
    };
    let mut other = other.clone();
    if let (Kind::Parameter, Some(members), Some(name)) = (kind, other.as_object_mut(), mine.get("name")) {
        members.insert("name".to_owned(), name.clone());
    }
    means_the_same(document, generated, kind, mine, &other)
}

/// Whether this is the pointer of a path or of an operation.
fn is_address(at: &str) -> bool {
    let methods = || Method::ALL.iter().map(|method| method.key());
    match tokens(at).collect::<Vec<_>>().as_slice() {
        [paths, _] => paths == "paths",
        [paths, _, method] => paths == "paths" && methods().any(|key| key == method),
        _ => false,
    }
}

/// The ids of an operation, or of those of a path.
fn operation_ids(node: Option<&Value>) -> Vec<&str> {
    let of_path = Method::ALL.iter().filter_map(|method| node?.get(method.key()));
    let all = of_path.chain(node).filter(|operation| !is_planned(operation));
    let mut ids: Vec<&str> = all.filter_map(|operation| operation.get("operationId")?.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// The address of a path or operation, the `name` of a parameter, the key of any other node.
fn name_of(drift: &Drift, node: Option<&Value>) -> String {
    let tokens: Vec<String> = tokens(&drift.pointer).collect();
    match tokens.as_slice() {
        [_, template, method] if is_address(&drift.pointer) => format!("{} {template}", method.to_uppercase()),
        [.., list, _] if list == "parameters" => {
            node.and_then(|node| node.get("name")?.as_str()).unwrap_or_default().to_owned()
        }
        all => all.last().filter(|name| !name.is_empty()).map_or_else(|| "''".to_owned(), Clone::clone),
    }
}
