//! A reference of the contract that leads to the wrong component, where it has one that says what the code says.
//!
//! utoipa refers to schemas alone: a header or a response stands inline in its spec, and what was found are the keywords in
//! which it differs from the wrong component. The fault is the reference, and so it is told, once.

use serde_json::Value;

use super::contract_side::reference_for;
use super::{Context, Drift};
use crate::DriftKind;
use crate::diff::{Followed, who};
use openapi_contract::Contract;
use openapi_contract::pointer::{self, join};

/// Puts the reference in the place of all the drifts that it is to blame for.
pub(super) fn told(context: &Context<'_>, drifts: Vec<Drift>) -> Vec<Drift> {
    let mut told: Vec<Drift> = Vec::new();
    for drift in drifts {
        let misled = blamed(context.contract, &drift).and_then(|at| Some((at.clone(), reference_for(context, at)?)));
        let Some((at, right)) = misled else {
            told.push(drift);
            continue;
        };
        let drift = of_the_reference(context, drift, &at, &right);
        match told.iter_mut().find(|known| known.pointer == drift.pointer) {
            Some(known) => {
                let new: Vec<String> = drift.also.into_iter().filter(|place| !known.also.contains(place)).collect();
                known.also.extend(new);
            }
            None => told.push(drift),
        }
    }
    told
}

/// The reference that is to blame: the one at which the drift is told.
pub(super) fn blamed<'d>(contract: &Contract, drift: &'d Drift) -> Option<&'d Followed> {
    drift.followed.iter().find(|one| contract.position(&join(&one.contract, "$ref")) == Some(drift.position))
}

fn of_the_reference(context: &Context<'_>, drift: Drift, at: &Followed, right: &str) -> Drift {
    let node = context.contract.document().pointer(&at.contract);
    let steps: Vec<&str> = drift.place.split(STEP).collect();
    let below = steps.len().saturating_sub(at.steps);
    let up_to_it = |place: &String| {
        let steps: Vec<&str> = place.split(STEP).collect();
        steps.get(..steps.len().saturating_sub(below)).unwrap_or_default().join(STEP)
    };
    Drift {
        kind: DriftKind::Differs,
        pointer: join(&at.contract, "$ref"),
        place: up_to_it(&drift.place),
        also: drift.also.iter().map(up_to_it).collect(),
        contract: node.and_then(pointer::reference).map(Value::from),
        code: Some(Value::from(right)),
        who: who(context.generated, &at.code),
        code_pointer: Some(at.code.clone()),
        ..drift
    }
}

/// What stands between the steps of a place.
const STEP: &str = " → ";
