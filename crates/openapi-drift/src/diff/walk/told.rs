//! What a walk found, as it is told: each drift once, with every place that shows it.

use std::collections::HashMap;

use serde_json::Value;

use super::Walk;
use crate::diff::Drift;
use openapi_contract::Contract;
use openapi_contract::pointer::join;

impl Walk<'_> {
    /// What was found, each drift once, in the order of the contract.
    pub(super) fn told(self, contract: &Contract) -> Vec<Drift> {
        let blamed = self.blamed();
        let mut drifts: Vec<Drift> = Vec::new();
        let mut at: HashMap<String, Vec<usize>> = HashMap::new();
        let origins = if self.found.is_empty() { HashMap::new() } else { origins(self.code) };
        for found in self.found {
            let Some(pair) = self.pairs.get(found.pair) else { continue };
            let mut places = pair.trails.iter().map(|trail| {
                let steps: Vec<_> = trail.place.iter().chain(&found.place).map(String::as_str).collect();
                steps.join(" → ")
            });
            let place = places.next().unwrap_or_default();
            let also: Vec<_> = places.collect();
            let position =
                contract.nearest_position(blamed.get(found.pair).and_then(Option::as_deref).unwrap_or(&found.pointer));
            let (node, below) = found.origin;
            let code_pointer = origins.get(&node).map(|at| format!("{at}{below}"));
            let told = at.entry(found.pointer.clone()).or_default();
            let again = told.iter().copied().find(|index| {
                drifts.get(*index).is_some_and(|drift| {
                    (drift.kind, &drift.contract, &drift.code, drift.position)
                        == (found.kind, &found.contract, &found.code, position)
                })
            });
            if let Some(drift) = again.and_then(|index| drifts.get_mut(index)) {
                drift.also.extend([place].into_iter().chain(also));
                drift.code_pointers.extend(code_pointer);
                continue;
            }
            told.push(drifts.len());
            let crossed = pair.trails.first().map_or(&[][..], |trail| &trail.crossed);
            drifts.push(Drift {
                kind: found.kind,
                code_pointer,
                code_pointers: Vec::new(),
                file: contract.file_name().to_owned(),
                position,
                pointer: found.pointer,
                place,
                also,
                via: crossed.iter().filter(|one| one.is_contracts).map(|one| one.site.clone()).collect(),
                contract: found.contract,
                code: found.code,
            });
        }
        for drift in &mut drifts {
            drift.also.sort();
            drift.also.dedup();
            drift.also.retain(|place| *place != drift.place);
        }
        drifts.sort_by(|a, b| (a.position, &a.pointer, &a.place).cmp(&(b.position, &b.pointer, &b.place)));
        drifts
    }
}

/// The JSON pointer of every node.
fn origins(document: &Value) -> HashMap<*const Value, String> {
    let mut origins = HashMap::new();
    let mut next = vec![(document, String::new())];
    while let Some((node, at)) = next.pop() {
        match node {
            Value::Object(members) => next.extend(members.iter().map(|(name, member)| (member, join(&at, name)))),
            Value::Array(items) => {
                next.extend(items.iter().enumerate().map(|(index, item)| (item, join(&at, &index.to_string()))));
            }
            _ => {}
        }
        origins.insert(std::ptr::from_ref(node), at);
    }
    origins
}
