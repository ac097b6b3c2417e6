//! The result of a walk: each drift once, with every place that has it.

use std::collections::HashMap;

use serde_json::Value;

use super::drift::{Drift, Followed};
use super::walk::{Crossing, Walk};
use openapi_contract::Contract;
use openapi_contract::pointer::{self, join};

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
            let crossed = self.crossed(first.unit);
            let followed = crossed.iter().filter_map(|(one, steps)| {
                let code = origins.get(&one.node)?.clone();
                Some(Followed { contract: one.site.clone(), code, steps: *steps })
            });
            drifts.push(Drift {
                kind: finding.kind,
                who: code_pointer.as_deref().and_then(|at| owner(self.code, at)),
                code_pointers: code_pointers.collect(),
                code_pointer,
                fixes: Vec::new(),
                file: contract.file_name().to_owned(),
                position: contract.nearest_position(attributed.unwrap_or(&finding.pointer)),
                pointer: finding.pointer.clone(),
                place,
                also,
                likewise: Vec::new(),
                via: crossed.iter().filter(|(one, _)| one.is_contracts).map(|(one, _)| one.site.clone()).collect(),
                followed: followed.collect(),
                contract: finding.contract.clone(),
                code: finding.code.clone(),
            });
        }
        drifts.sort_by(|a, b| (a.position, &a.pointer, &a.place).cmp(&(b.position, &b.pointer, &b.place)));
        drifts
    }

    /// The references on the first trail to a pair, outermost first, each with the number of steps to it.
    pub(super) fn crossed(&self, unit: Option<usize>) -> Vec<(&Crossing, usize)> {
        /// A chain of components may be longer than anybody reads.
        const MAX_CROSSED: usize = 64;
        let mut steps = 0;
        let trails = self.pairs.first_trails(unit).into_iter().filter_map(|trail| {
            steps += trail.steps.len();
            Some((trail.link.as_ref()?, steps))
        });
        trails.take(MAX_CROSSED).collect()
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

/// The type or handler in the code that a node of the generated spec comes from, as far as the spec shows it.
pub(crate) fn owner(code: &Value, at: &str) -> Option<String> {
    let mut tokens = pointer::tokens(at);
    match (tokens.next()?.as_str(), tokens.next()?, tokens.next()) {
        ("components", section, Some(name)) if section == "schemas" => Some(format!("the type `{name}`")),
        ("paths", path, Some(method)) => {
            let id = code.get("paths")?.get(path)?.get(method)?.get("operationId")?.as_str()?;
            Some(format!("the handler of `{id}`"))
        }
        _ => None,
    }
}
