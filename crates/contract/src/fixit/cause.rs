//! Drifts of one cause are told once.

use std::collections::HashSet;

use serde_json::Value;

use super::Side;
use crate::meaning::canonical;
use crate::pointer::{join as below, tokens};
use crate::{Drift, DriftKind};

/// Leaves out what only follows: a property that one side lacks is not among its `required` either.
pub(super) fn without_required_of(drifts: Vec<Drift>) -> Vec<Drift> {
    let lacking: HashSet<String> = drifts
        .iter()
        .filter(|drift| matches!(drift.kind, DriftKind::MissingInCode | DriftKind::MissingInContract))
        .map(|drift| drift.pointer.clone())
        .collect();
    let follows = |drift: &Drift| {
        let Some(owner) = drift.pointer.strip_suffix("/required") else { return false };
        if drift.pointer.ends_with("/properties/required") || tokens(owner).count() < 2 {
            return false;
        }
        let names = |side: &Option<Value>| -> HashSet<Value> {
            side.as_ref().and_then(Value::as_array).into_iter().flatten().map(canonical).collect()
        };
        let mut changed =
            names(&drift.contract).symmetric_difference(&names(&drift.code)).cloned().collect::<Vec<_>>().into_iter();
        let properties = below(owner, "properties");
        changed.len() > 0
            && changed.all(|name| name.as_str().is_some_and(|name| lacking.contains(&below(&properties, name))))
    };
    let follows: Vec<bool> = drifts.iter().map(follows).collect();
    drifts.into_iter().zip(follows).filter(|(_, follows)| !follows).map(|(drift, _)| drift).collect()
}

/// Whether two drifts are gone by the same change of the code.
pub(super) fn is_one(a: &Drift, b: &Drift) -> bool {
    let code = |drift: &Drift| drift.fixes.iter().find(|fix| fix.side == Side::Code).cloned();
    let (Some(mine), Some(other)) = (code(a), code(b)) else { return false };
    let located = !mine.edits.is_empty() || mine.note.starts_with("it is said by rule");
    located && mine == other && (a.kind, &a.contract, &a.code) == (b.kind, &b.contract, &b.code)
}

/// Tells `other` along with `known`. The contract has to change at the places of both.
pub(super) fn join(known: &mut Drift, other: Drift) {
    known.also.push(format!("{} ({}:{})", other.place, other.file, other.position));
    known.also.extend(other.also);
    let edits = other.fixes.into_iter().filter(|fix| fix.side == Side::Contract).flat_map(|fix| fix.edits);
    if let Some(fix) = known.fixes.iter_mut().find(|fix| fix.side == Side::Contract) {
        for edit in edits {
            if !fix.edits.contains(&edit) {
                fix.edits.push(edit);
            }
        }
    }
}
