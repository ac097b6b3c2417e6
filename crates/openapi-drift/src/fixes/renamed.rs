//! What both sides have under one owner, alike but for its name: a property, a parameter, a status, a media type, a header.
//!
//! Told as it is found it would be two drifts, and following one of them would leave the other.

use serde_json::Value;

use super::contract_side::kind_at;
use super::{Context, Drift};
use crate::DriftKind;
use crate::diff::means_the_same_by_name;
use openapi_contract::Kind;
use openapi_contract::grammar::Shape;
use openapi_contract::pointer::{self, tokens};

/// Makes one drift of two where the contract and the code call the same thing by two names.
pub(super) fn paired(context: &Context<'_>, mut drifts: Vec<Drift>) -> Vec<Drift> {
    let mut index = 0;
    while let Some(drift) = drifts.get(index) {
        let partners: Vec<usize> = (0..drifts.len())
            .filter(|other| drifts.get(*other).is_some_and(|other| is_renamed(context, drift, other)))
            .collect();
        // With two candidates nobody knows which was meant.
        if let [partner] = partners.as_slice()
            && let Some(other) = drifts.get(*partner).cloned()
            && let Some(drift) = drifts.get_mut(index)
        {
            let names = [name_of(&drift.pointer, drift.contract.as_ref()), name_in_code(&other)];
            let [ours, theirs] = names.map(|name| Some(Value::from(name)));
            (drift.contract, drift.code) = (ours, theirs);
            drift.kind = DriftKind::Moved;
            drift.code_pointer = other.code_pointer;
            drift.who = other.who;
            drifts.remove(*partner);
            if *partner < index {
                continue;
            }
        }
        index += 1;
    }
    drifts
}

/// Whether only the contract has one, only the code has the other, in the same place, and both mean the same.
fn is_renamed(context: &Context<'_>, ours: &Drift, theirs: &Drift) -> bool {
    if (ours.kind, theirs.kind) != (DriftKind::MissingInCode, DriftKind::MissingInContract) {
        return false;
    }
    let (Some(mine), Some(other)) = (&ours.contract, &theirs.code) else { return false };
    let owner = |drift: &Drift| drift.pointer.rsplit_once('/').map(|(owner, _)| owner.to_owned());
    let Some(at) = owner(ours).filter(|at| Some(at) == owner(theirs).as_ref()) else { return false };
    let (document, generated) = (context.contract.document(), context.generated);
    match kind_at(&at) {
        Some(Shape::List(Kind::Parameter)) => {
            let mut other = other.clone();
            if let (Some(members), Some(name)) = (other.as_object_mut(), mine.get("name")) {
                members.insert("name".to_owned(), name.clone());
            }
            means_the_same_by_name(document, generated, Kind::Parameter, mine, &other)
        }
        Some(Shape::Map(Kind::Schema))
            if at.ends_with("/properties") && !at.starts_with("/components/schemas/properties") =>
        {
            let required = |document: &Value, drift: &Drift, at: Option<&str>| {
                let owner = at.and_then(|at| at.rsplit_once("/properties/")).map(|(owner, _)| owner.to_owned());
                let names = owner.and_then(|owner| document.pointer(&owner)?.get("required")?.as_array().cloned());
                names.is_some_and(|names| {
                    names.iter().any(|name| tokens(&drift.pointer).last().as_deref() == name.as_str())
                })
            };
            required(document, ours, Some(&ours.pointer)) == required(generated, theirs, theirs.code_pointer.as_deref())
                && means_the_same_by_name(document, generated, Kind::Schema, mine, other)
        }
        Some(Shape::Statuses) => means_the_same_by_name(document, generated, Kind::Response, mine, other),
        Some(Shape::Map(kind @ (Kind::MediaType | Kind::Header))) => {
            means_the_same_by_name(document, generated, kind, mine, other)
        }
        _ => false,
    }
}

/// What a node is called: a parameter says so itself.
fn name_of(at: &str, node: Option<&Value>) -> String {
    let last = tokens(at).last().unwrap_or_default();
    let named = matches!(kind_at(at.rsplit_once('/').map_or("", |(owner, _)| owner)), Some(Shape::List(_)));
    node.filter(|_| named).and_then(|node| node.get("name")?.as_str()).map_or(last, str::to_owned)
}

fn name_in_code(drift: &Drift) -> String {
    name_of(&drift.pointer, drift.code.as_ref())
}

/// The two names: the contract's, and the code's.
pub(super) fn names(drift: &Drift) -> Option<(&str, &str)> {
    Some((drift.contract.as_ref()?.as_str()?, drift.code.as_ref()?.as_str()?))
}

/// Where the contract writes the name of a parameter, if the drift is about one.
pub(super) fn parameter(context: &Context<'_>, drift: &Drift) -> Option<String> {
    let document = context.contract.document();
    let (owner, _) = drift.pointer.rsplit_once('/')?;
    matches!(kind_at(owner), Some(Shape::List(Kind::Parameter))).then_some(())?;
    let (_, found) = pointer::resolve(document, document.pointer(&drift.pointer)?, drift.pointer.clone())?;
    Some(pointer::join(&found, "name"))
}
