//! Drifts of one cause are told once.

use std::collections::HashSet;

use serde_json::Value;

use super::{Code, Context, Edit, Fix, Side, contract_side, fixes, merged, shared, sources::Sources};
use crate::diff::Followed;
use crate::{Drift, DriftKind};
use openapi_contract::Contract;
use openapi_contract::equivalence::canonical;
use openapi_contract::pointer::{self, join as below, tokens};

/// Leaves out what only follows from another drift.
pub(super) fn without_what_follows(context: &Context<'_>, drifts: Vec<Drift>) -> Vec<Drift> {
    without_keywords_beside_parts(context, without_required_of(drifts))
}

/// A property that one side lacks is not among its `required` either.
fn without_required_of(drifts: Vec<Drift>) -> Vec<Drift> {
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

/// A schema that is put together of others on one side alone differs as a whole: what its other keywords say is no news.
fn without_keywords_beside_parts(context: &Context<'_>, mut drifts: Vec<Drift>) -> Vec<Drift> {
    let put_together = |drift: &Drift| {
        let (owner, key) = drift.pointer.rsplit_once('/')?;
        let missing = matches!(drift.kind, DriftKind::MissingInCode | DriftKind::MissingInContract);
        let listed = [&drift.contract, &drift.code].into_iter().flatten().all(Value::is_array);
        (missing && listed && matches!(key, "allOf" | "anyOf" | "oneOf") && !owner.ends_with("/properties"))
            .then(|| owner.to_owned())
    };
    let owners: Vec<String> = drifts.iter().filter_map(put_together).collect();
    for owner in owners {
        let is_beside = |drift: &Drift| drift.pointer.rsplit_once('/').is_some_and(|(of, _)| of == owner);
        let Some(index) = drifts.iter().position(|drift| put_together(drift).as_ref() == Some(&owner)) else {
            continue;
        };
        let Some(drift) = drifts.get_mut(index) else { continue };
        let at = drift.code_pointer.as_deref().and_then(|at| at.rsplit_once('/')).map(|(at, _)| at.to_owned());
        // The code refers to a type where the contract writes something out: that use differs, not the type.
        let used = context
            .generated
            .pointer(&owner)
            .filter(|used| pointer::reference(used).and_then(pointer::local).is_some_and(|target| Some(target) == at));
        let at = if used.is_some() { Some(owner.clone()) } else { at };
        let code = at.as_deref().and_then(|at| context.generated.pointer(at)).cloned();
        let (Some(contract), Some(code)) = (context.contract.document().pointer(&owner).cloned(), code) else {
            continue;
        };
        drift.kind = DriftKind::Differs;
        drift.position = context.contract.nearest_position(&owner);
        drift.place = drift.place.rsplit_once(" → ").map(|(place, _)| place.to_owned()).unwrap_or_default();
        for place in &mut drift.also {
            *place = place.rsplit_once(" → ").map(|(place, _)| place.to_owned()).unwrap_or_default();
        }
        (drift.contract, drift.code, drift.code_pointer) = (Some(contract), Some(code), at);
        drift.pointer.clone_from(&owner);
        drifts.retain(|drift| !is_beside(drift) || drift.pointer == owner);
    }
    drifts
}

/// What is told once.
#[derive(Clone)]
pub(super) struct Cause {
    pub(super) drift: Drift,
    /// Every drift of it as it would be told for itself, with the place that differs where it does as a whole.
    parts: Vec<(Drift, Option<Followed>)>,
}

/// Tells a drift, along with those that one change mends too, or whose fix-its could not be followed besides.
pub(super) fn tell(context: &Context<'_>, causes: &mut Vec<Cause>, drift: Drift, place: Option<Followed>) {
    let mut cause = Cause { parts: vec![(drift.clone(), place)], drift };
    // What has become one may meet with others only now.
    while let Some((at, both)) =
        causes.iter().enumerate().find_map(|(at, known)| Some((at, known.with(context, &cause)?)))
    {
        causes.remove(at);
        cause = both;
    }
    causes.push(cause);
}

impl Cause {
    /// Both, if they are to be told as one.
    fn with(&self, context: &Context<'_>, other: &Cause) -> Option<Cause> {
        if !meet(&self.drift, &other.drift) {
            return None;
        }
        let mut both = self.clone();
        for (drift, place) in &other.parts {
            let is_same_place = |one: &(Drift, Option<Followed>)| one.1 == *place;
            let whole = place.as_ref().filter(|_| self.parts.iter().any(is_same_place));
            // The same of the code cannot say two things.
            let at_odds = both.parts.iter().any(|(one, _)| {
                one.code_pointer.is_some() && one.code_pointer == drift.code_pointer && one.contract != drift.contract
            });
            both.drift.fixes = together(context, &both.drift, drift, whole, at_odds)?;
            join(&mut both.drift, drift);
            both.parts.push((drift.clone(), place.clone()));
        }
        Some(both)
    }
}

/// Whether the fix-its of two drifts change the code at one place, or the contract.
fn meet(a: &Drift, b: &Drift) -> bool {
    // A new operation is a message of its own, though its route stands in a line with that of another.
    if [a, b].into_iter().any(is_operation) {
        return false;
    }
    let in_code = match (fix_of(a, Side::Code), fix_of(b, Side::Code)) {
        (Some(mine), Some(other)) => {
            let alike = (a.kind, &a.contract, &a.code) == (b.kind, &b.contract, &b.code);
            let by_rule = mine == other && alike && mine.note.starts_with(BY_RULE);
            by_rule || mine.edits.iter().any(|one| other.edits.iter().any(|other| one.touches(other) || one == other))
        }
        _ => false,
    };
    let in_contract = match (fix_of(a, Side::Contract), fix_of(b, Side::Contract)) {
        (Some(mine), Some(other)) => mine.edits.iter().any(|one| other.edits.iter().any(|other| one.clashes(other))),
        _ => false,
    };
    in_code || in_contract
}

/// The fix-its for both. Of a place that differs as a `whole` the contract can write the whole.
fn together(context: &Context<'_>, a: &Drift, b: &Drift, whole: Option<&Followed>, at_odds: bool) -> Option<Vec<Fix>> {
    let code = match (fix_of(a, Side::Code), fix_of(b, Side::Code)) {
        (Some(mine), Some(other)) => match merged::all(context.code.files, &mine.edits, &other.edits) {
            Some(edits) => Some(Fix { edits, note: noted(&mine.note, &other.note), ..mine.clone() }),
            None if at_odds => return None,
            None => Some(code_after(context, mine, b)?),
        },
        (one, another) => one.or(another).cloned(),
    };
    let contract = match (fix_of(a, Side::Contract), fix_of(b, Side::Contract)) {
        (Some(mine), Some(other)) => {
            let all = merged::all(std::slice::from_ref(&context.yaml), &mine.edits, &other.edits);
            let all = all.or_else(|| contract_side::whole(context, whole?));
            Some(Fix { edits: all.or_else(|| contract_after(context, mine, b))?, ..mine.clone() })
        }
        (one, another) => one.or(another).cloned(),
    };
    Some(contract.into_iter().chain(code).collect())
}

/// What `fix` and then the fix-it of another drift make of the code.
fn code_after(context: &Context<'_>, fix: &Fix, next: &Drift) -> Option<Fix> {
    let mut note = String::new();
    let has_edits = fix_of(next, Side::Code).is_some_and(|fix| !fix.edits.is_empty());
    let edits = merged::in_turn(context.code.files, &fix.edits, |files| {
        let context = Context {
            sources: Sources::read(files),
            code: Code { files, ..context.code },
            yaml: context.yaml.clone(),
            known: context.known.clone(),
            ..*context
        };
        let next = fixes(&context, next, &shared::scope(&context, next)).into_iter().find(|fix| fix.side == Side::Code);
        let next = next?;
        // What there is nothing left to do for has been done along with the first.
        let is_done = next.edits.is_empty() && has_edits;
        note = if is_done { String::new() } else { next.note };
        Some(next.edits)
    })?;
    Some(Fix { edits, note: noted(&fix.note, &note), ..fix.clone() })
}

/// What `fix` and then the fix-it of another drift make of the contract.
fn contract_after(context: &Context<'_>, fix: &Fix, next: &Drift) -> Option<Vec<Edit>> {
    merged::in_turn(std::slice::from_ref(&context.yaml), &fix.edits, |files| {
        let yaml = files.first()?.clone();
        let contract = Contract::load(&yaml.path, &yaml.text).ok()?;
        let (sources, known) = (Sources::read(context.code.files), context.known.clone());
        let context = Context { contract: &contract, yaml, sources, known, ..*context };
        let next =
            fixes(&context, next, &shared::scope(&context, next)).into_iter().find(|fix| fix.side == Side::Contract);
        Some(next?.edits)
    })
}

/// Two notes, each said once.
pub(super) fn noted(one: &str, other: &str) -> String {
    match (one, other) {
        (one, other) if one.contains(other) => one.to_owned(),
        ("", other) => other.to_owned(),
        (one, other) => format!("{one}; {other}"),
    }
}

/// Whether it is about a path or an operation as a whole.
fn is_operation(drift: &Drift) -> bool {
    drift.pointer.starts_with("/paths/") && tokens(&drift.pointer).count() <= 3
}

fn fix_of(drift: &Drift, side: Side) -> Option<&Fix> {
    drift.fixes.iter().find(|fix| fix.side == side)
}

/// How the note begins where a rule is at fault.
pub(super) const BY_RULE: &str = "it is said by rule";

/// Tells `other` along with `known`.
fn join(known: &mut Drift, other: &Drift) {
    let places = match other.also.len() {
        0 => String::new(),
        1 => " (and in 1 more place)".to_owned(),
        more => format!(" (and in {more} more places)"),
    };
    known.likewise.push(format!("{}:{}: {}{places}", other.file, other.position, other.message()));
}
