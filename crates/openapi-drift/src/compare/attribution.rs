//! Attributes a drift inside a component to the reference that led there, if the component agrees with the code elsewhere.
//!
//! Then either the reference should lead to another component, or the code of this one use differs from all others. Both
//! are corrected at the reference. Of several references the outermost is used: a wrong response has drifts in everything
//! that it refers to.

use std::collections::HashSet;

use super::walk::{Pair, Walk};
use openapi_contract::pointer::{self, join};

impl Walk<'_> {
    /// For each pair, the pointer of the `$ref` to which the drifts inside it are attributed, if there is one.
    pub(super) fn attributions(&self) -> Vec<Option<String>> {
        let drifted = self.drifted();
        let pairs = self.pairs.units();
        let agree = pairs.iter().enumerate().filter(|(index, _)| !drifted.contains(index));
        let agree: HashSet<_> = agree.map(|(_, (pair, _))| (pair.kind, pair.pointer.as_str())).collect();
        let mut attributed: Vec<Option<String>> = Vec::with_capacity(pairs.len());
        for (index, (pair, trails)) in pairs.iter().enumerate() {
            // The first trail comes from an earlier pair.
            let outer = trails.first().and_then(|trail| attributed.get(trail.from?)).cloned().flatten();
            let agrees_elsewhere = drifted.contains(&index) && agree.contains(&(pair.kind, pair.pointer.as_str()));
            attributed.push(outer.or_else(|| agrees_elsewhere.then(|| self.reference_to(index, pair)).flatten()));
        }
        attributed
    }

    /// The pairs that hold a drift, or lead to one that does.
    fn drifted(&self) -> HashSet<usize> {
        let mut drifted = HashSet::new();
        let mut next: Vec<_> = self.pairs.found().iter().filter_map(|found| found.unit).collect();
        while let Some(index) = next.pop() {
            if drifted.insert(index) {
                let trails = self.pairs.units().get(index).into_iter().flat_map(|(_, trails)| trails);
                next.extend(trails.filter_map(|trail| trail.from));
            }
        }
        drifted
    }

    /// The innermost reference of the contract on the first trail to a pair; `None` if it does not lead to the pair itself.
    fn reference_to(&self, index: usize, pair: &Pair<'_>) -> Option<String> {
        let site = self.pairs.first_trails(Some(index)).into_iter().rev().find_map(|trail| trail.link.as_ref())?;
        let (_, target) = pointer::resolve(self.contract, pointer::find(self.contract, site)?, site.clone())?;
        (target == pair.pointer).then(|| join(site, "$ref"))
    }
}
