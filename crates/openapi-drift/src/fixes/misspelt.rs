//! A name in `required` that is no property, and almost is one: a slip of the fingers, and no wish for other code.

use serde_json::Value;

use super::{Context, Drift};
use crate::DriftKind;
use openapi_contract::spelling::nearest;

/// What the contract means by a list of `required`: its names as they are spelt under `properties`, and what to say of it.
pub(super) fn meant(context: &Context<'_>, drift: &Drift) -> Option<(Drift, String)> {
    let owner = drift.pointer.strip_suffix("/required").filter(|_| drift.kind == DriftKind::SetDiffers)?;
    let properties = context.contract.document().pointer(owner)?.get("properties")?.as_object()?;
    let mut listed = drift.contract.as_ref()?.as_array()?.clone();
    let mut said = Vec::new();
    for at in 0..listed.len() {
        let Some(name) = listed.get(at).and_then(Value::as_str).filter(|name| !properties.contains_key(*name)) else {
            continue;
        };
        let unlisted = properties.keys().filter(|known| !listed.iter().any(|one| one == known.as_str()));
        let Some(near) = nearest(name, unlisted.map(String::as_str)) else { continue };
        said.push(format!("there is no property `{name}`: `{near}` is meant"));
        if let Some(name) = listed.get_mut(at) {
            *name = Value::from(near);
        }
    }
    let meant = Drift { contract: Some(Value::from(listed)), ..drift.clone() };
    (!said.is_empty()).then(|| (meant, said.join("; ")))
}
