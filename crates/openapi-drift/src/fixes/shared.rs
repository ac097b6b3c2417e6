//! A type of the code that says the right thing in other places: there is one use of it to change, and not the type.
//!
//! Whether it is so is tried: the spec is changed as if the code had been, and compared again. Where another drift comes of
//! it, somebody else relies on what was changed.

use std::collections::HashSet;

use serde_json::Value;

use super::sources::schema_of;
use super::{Context, Drift};
use crate::DriftKind;
use crate::diff::{Followed, Stray, diff};
use openapi_contract::pointer::{self, join};

/// What has to change in the code, so that a drift goes and no other comes.
pub(super) enum Scope {
    /// What says it.
    Itself,
    /// One use of a type that is right in other places.
    Use { at: Followed, elsewhere: String },
    /// A type that is right in other places, and no use of it can change alone.
    Nothing { elsewhere: String },
}

impl Scope {
    /// The use that has to change.
    pub(super) fn used(&self) -> Option<&Followed> {
        match self {
            Scope::Use { at, .. } => Some(at),
            Scope::Itself | Scope::Nothing { .. } => None,
        }
    }
}

/// Which drifts there are, as far as this asks.
pub(super) type Known = HashSet<Stray>;

pub(super) fn known(drifts: &[Drift]) -> Known {
    drifts.iter().map(key).collect()
}

fn key(drift: &Drift) -> Stray {
    (drift.pointer.clone(), drift.code.as_ref().map(Value::to_string))
}

/// What has to change so that a drift inside a type goes away.
pub(super) fn scope(context: &Context<'_>, drift: &Drift) -> Scope {
    tried(context, drift).unwrap_or(Scope::Itself)
}

/// `None` where there is nothing to try.
fn tried(context: &Context<'_>, drift: &Drift) -> Option<Scope> {
    if matches!(drift.kind, DriftKind::Moved | DriftKind::NotPlanned | DriftKind::Dangling) {
        return None;
    }
    let at = drift.code_pointer.as_deref()?;
    let mut component = component_of(at)?;
    let below = at.strip_prefix(&component).filter(|below| !below.is_empty())?;
    // Of what nobody can edit it does not matter who uses it.
    context.sources.schema(&schema_of(at)?)?;
    let mut changed = context.generated.pointer(&component)?.clone();
    put(&mut changed, below, drift.contract.clone())?;
    let elsewhere = others(context, drift, &component, &changed)?;
    // From the innermost use outwards: a type that holds the type may be shared, too.
    for used in drift.followed.iter().rev() {
        let Some(target) = context.generated.pointer(&used.code).and_then(pointer::reference) else { continue };
        if pointer::local(target).as_ref() != Some(&component) {
            break;
        }
        if others(context, drift, &used.code, &changed).is_none() {
            return Some(Scope::Use { at: used.clone(), elsewhere });
        }
        let Some(owner) = component_of(&used.code) else { break };
        let mut whole = context.generated.pointer(&owner)?.clone();
        put(&mut whole, used.code.strip_prefix(&owner)?, Some(changed))?;
        (component, changed) = (owner, whole);
    }
    Some(Scope::Nothing { elsewhere })
}

/// Where else there would be a drift if the code said this here; `None` if nowhere.
fn others(context: &Context<'_>, drift: &Drift, at: &str, said: &Value) -> Option<String> {
    let mut generated = context.generated.clone();
    put(&mut generated, at, Some(said.clone()))?;
    let below = format!("{}/", drift.pointer);
    let mut new = diff(context.contract, &generated).into_iter().filter(|one| {
        one.pointer != drift.pointer && !one.pointer.starts_with(&below) && !context.known.contains(&key(one))
    });
    let first = new.next()?;
    let place = first.place.rsplit_once(" → ").map_or(first.place.as_str(), |(place, _)| place);
    Some(match new.count() + first.also.len() {
        0 => place.to_owned(),
        1 => format!("{place}, and in 1 more place"),
        more => format!("{place}, and in {more} more places"),
    })
}

fn component_of(at: &str) -> Option<String> {
    Some(join("/components/schemas", &schema_of(at)?))
}

/// Sets or removes a node; `None` where it has no place.
pub(super) fn put(document: &mut Value, at: &str, value: Option<Value>) -> Option<()> {
    let (owner, _) = at.rsplit_once('/')?;
    let name = pointer::tokens(at).last()?;
    match (document.pointer_mut(owner)?, value) {
        (Value::Object(members), Some(value)) => drop(members.insert(name, value)),
        (Value::Object(members), None) => drop(members.remove(&name)?),
        (Value::Array(items), Some(value)) => *items.get_mut(name.parse::<usize>().ok()?)? = value,
        _ => return None,
    }
    Some(())
}
