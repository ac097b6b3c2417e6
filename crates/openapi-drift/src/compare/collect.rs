//! The result of a walk: each drift once, with every place that has it.

use std::collections::HashMap;

use serde_json::Value;

use super::drift::Drift;
use super::walk::Walk;
use openapi_contract::Contract;
use openapi_contract::pointer::join;

impl Walk<'_> {
    /// Every drift, once, in the order of the contract.
    pub(super) fn collect(self, contract: &Contract) -> Vec<Drift> {
        let attributions = self.attributions();
        let origins = if self.pairs.found().is_empty() { HashMap::new() } else { origins(self.code) };
        let groups = self.pairs.groups(|found| {
            let attributed = found.unit.and_then(|unit| attributions.get(unit)?.as_deref());
            let position = contract.nearest_position(attributed.unwrap_or(&found.finding.pointer));
            let [ours, theirs] = [&found.finding.contract, &found.finding.code].map(|side| side.clone());
            Some((found.finding.pointer.clone(), found.finding.kind, ours, theirs, position))
        });
        let mut drifts: Vec<Drift> = Vec::with_capacity(groups.len());
        for group in groups {
            let Some(first) = group.first() else { continue };
            let finding = &first.finding;
            let attributed = first.unit.and_then(|unit| attributions.get(unit)?.as_deref());
            let mut places = self.pairs.direct_places(&group).into_iter();
            let place = places.next().unwrap_or_default();
            let mut also: Vec<String> = places.collect();
            also.sort();
            let mut code_pointers = group.iter().filter_map(|found| {
                let (node, below) = &found.finding.origin;
                origins.get(node).map(|at| format!("{at}{below}"))
            });
            let code_pointer = code_pointers.next();
            drifts.push(Drift {
                kind: finding.kind,
                code_pointers: code_pointers.collect(),
                code_pointer,
                file: contract.file_name().to_owned(),
                position: contract.nearest_position(attributed.unwrap_or(&finding.pointer)),
                pointer: finding.pointer.clone(),
                place,
                also,
                reference: attributed.map(str::to_owned),
                contract: finding.contract.clone(),
                code: finding.code.clone(),
            });
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
