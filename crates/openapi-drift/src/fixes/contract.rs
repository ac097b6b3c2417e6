//! Edits of the contract's text, after which it describes what the code does.

use serde_json::Value;

use super::form::{Form, shape_at};
use super::yaml_edit::{self, Change};
use crate::compare::{is_default, not_compared};
use crate::context::Context;
use crate::fix::Applicability::{self, MachineApplicable, NeedsReview};
use crate::fix::{Fix, Side};
use crate::{Drift, DriftKind};
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::grammar::Shape;
use openapi_contract::pointer::{self, join};

/// The fix of the contract for a drift.
pub(crate) fn fix(context: &Context<'_>, drift: &Drift) -> Option<Fix> {
    let words = |words: &str| Some(Fix::words(Side::Contract, words));
    let by_hand = |why: &str| words(&format!("edit {} by hand, {why}", drift.node()));
    if context.yaml.text.trim_start().starts_with('{') {
        return by_hand("since the contract is JSON: edits are written for YAML only");
    }
    let (applicability, changes) = match drift.kind {
        DriftKind::Dangling => return None,
        DriftKind::Moved => {
            let [old, new] = drift.names();
            return words(&format!("rename `{old}` to `{new}` in the contract"));
        }
        DriftKind::NotPlanned => (NeedsReview, vec![(drift.pointer.clone(), None)]),
        DriftKind::MissingInCode => {
            let mut changes = vec![(drift.pointer.clone(), None)];
            changes.extend(required(context, drift));
            (is_safe(drift.contract.as_ref()), changes)
        }
        DriftKind::SetDiffers => {
            let (ours, theirs) = (drift.contract.as_ref()?.as_array()?, drift.code.as_ref()?.as_array()?);
            let [mine, others] = [set(ours), set(theirs)];
            let kept = ours.iter().filter(|item| others.contains(&canonical(item)));
            let new = theirs.iter().filter(|item| !mine.contains(&canonical(item)));
            (MachineApplicable, vec![(drift.pointer.clone(), Some(kept.chain(new).cloned().collect()))])
        }
        DriftKind::MissingInContract | DriftKind::Differs => {
            let mut form = Form::new(context);
            let value = form.of_member(&drift.pointer, drift.code.as_ref()?);
            let value = with_prose(context, &drift.pointer, value);
            // A new response or operation has a placeholder for its description.
            let is_property =
                drift.pointer.rsplit('/').nth(1).is_some_and(|one| one == "properties" || one == "parameters");
            let is_new = drift.kind == DriftKind::MissingInContract;
            let safe = if is_new && is_property { MachineApplicable } else { is_safe(Some(&value)) };
            let value = Some(value).filter(|value| is_new || !is_redundant(context, &drift.pointer, value));
            let mut changes = vec![(drift.pointer.clone(), value)];
            changes.extend(required(context, drift));
            let extra = form.extra.into_iter();
            changes.extend(extra.map(|(name, schema)| (join("/components/schemas", &name), Some(schema))));
            (safe, changes)
        }
    };
    match yaml_edit::edits(context, &changes) {
        Some(edits) => Some(Fix::new(Side::Contract, applicability, edits, "")),
        None => by_hand("since its lines cannot be replaced"),
    }
}

/// Scalars and lists can be changed without review; an object holds prose.
fn is_safe(value: Option<&Value>) -> Applicability {
    if value.is_some_and(Value::is_object) { NeedsReview } else { MachineApplicable }
}

/// The value, with what only the contract has at this place.
fn with_prose(context: &Context<'_>, at: &str, mut value: Value) -> Value {
    let listed = context.contract.document().pointer(at).and_then(Value::as_object);
    if let (Some(Shape::One(kind)), Some(members), Some(listed)) = (shape_at(at), value.as_object_mut(), listed)
        && !members.contains_key("$ref")
    {
        let prose = listed.iter().filter(|(key, _)| not_compared(kind, key));
        members.extend(prose.map(|(key, value)| (key.clone(), value.clone())));
    }
    value
}

/// Whether leaving the member out means the same as this value.
fn is_redundant(context: &Context<'_>, at: &str, value: &Value) -> bool {
    let Some((owner, key)) = at.rsplit_once('/') else { return false };
    let siblings = context.contract.document().pointer(owner);
    matches!(shape_at(owner), Some(Shape::One(kind)) if is_default(kind, key, value, |key| siblings?.get(key)))
}

/// The change of `required` that goes with a property that is added or removed.
fn required(context: &Context<'_>, drift: &Drift) -> Option<Change> {
    let (properties, name) = drift.pointer.rsplit_once('/')?;
    let owner = properties.strip_suffix("/properties")?;
    let name = Value::from(pointer::tokens(&format!("/{name}")).next()?);
    let listed = context.contract.document().pointer(owner)?.get("required").and_then(Value::as_array);
    let mut names = listed.cloned().unwrap_or_default();
    let count = names.len();
    match drift.kind {
        DriftKind::MissingInCode => names.retain(|one| *one != name),
        DriftKind::MissingInContract => {
            let code = drift.code_pointer.as_deref()?.rsplit_once("/properties/")?.0;
            let theirs = context.generated.pointer(code)?.get("required")?.as_array()?;
            names.extend(Some(name).filter(|name| theirs.contains(name) && !names.contains(name)));
        }
        _ => {}
    }
    let value = Some(Value::from(names.clone())).filter(|_| !names.is_empty());
    (names.len() != count).then(|| (join(owner, "required"), value))
}
