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
    let of = |drift: &Drift, side| drift.fixes.iter().find(|fix| fix.side == side).cloned();
    let (Some(mine), Some(other)) = (of(a, Side::Code), of(b, Side::Code)) else { return false };
    if mine != other {
        return false;
    }
    let alike = (a.kind, &a.contract, &a.code) == (b.kind, &b.contract, &b.code);
    let by_rule = mine.edits.is_empty() && alike && mine.note.starts_with(BY_RULE);
    let edits = |drift| of(drift, Side::Contract).map(|fix| fix.edits).unwrap_or_default();
    // Two edits of one line cannot both be followed: then each is told for itself.
    let apart = edits(a).iter().all(|one| edits(b).iter().all(|other| one == other || !one.touches(other)));
    apart && (by_rule || !mine.edits.is_empty())
}

/// How the note begins where a rule is at fault.
pub(super) const BY_RULE: &str = "it is said by rule";

/// Tells `other` along with `known`. The contract has to change at the places of both.
pub(super) fn join(known: &mut Drift, other: Drift) {
    known.also.push(format!("{} ({}:{})", other.message(), other.file, other.position));
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
