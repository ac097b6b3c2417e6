//! Which reference is to blame for a drift inside a component.
//!
//! A component that keeps its word wherever else it is used is not at fault: either the reference at hand should lead to
//! another component, or the code behind this one use differs from all the others. Both are found at the reference. Of
//! several on the way, the outermost is meant: what is wrong with a response shows in all that the response refers to.

use std::collections::HashSet;

use super::walk::{Pair, Walk};
use openapi_contract::pointer::{self, join};

impl Walk<'_> {
    /// For each pair, the pointer of the `$ref` to blame for the drifts inside it, if there is one.
    pub(super) fn blamed(&self) -> Vec<Option<String>> {
        let strayed = self.strayed();
        let is_kept = |index: &usize| !strayed.contains(index);
        let kept = self.pairs.iter().enumerate().filter(|(index, _)| is_kept(index));
        let kept: HashSet<_> = kept.map(|(_, pair)| (pair.kind, pair.pointer.as_str())).collect();
        let mut blamed: Vec<Option<String>> = Vec::with_capacity(self.pairs.len());
        for (index, pair) in self.pairs.iter().enumerate() {
            // Whoever came upon this pair did so before it was there.
            let outer = pair.trails.first().and_then(|trail| blamed.get(trail.from)).cloned().flatten();
            let is_suspect = !is_kept(&index) && kept.contains(&(pair.kind, pair.pointer.as_str()));
            blamed.push(outer.or_else(|| if is_suspect { self.reference_to(pair) } else { None }));
        }
        blamed
    }

    /// The pairs that hold a drift, or lead to one that does.
    fn strayed(&self) -> HashSet<usize> {
        let mut strayed = HashSet::new();
        let mut next: Vec<_> = self.found.iter().map(|found| found.pair).collect();
        while let Some(index) = next.pop() {
            if strayed.insert(index) {
                let trails = self.pairs.get(index).into_iter().flat_map(|pair| &pair.trails);
                next.extend(trails.map(|trail| trail.from));
            }
        }
        strayed
    }

    /// The first reference of the contract that led to a pair; `None` if its node stands where it was come upon.
    fn reference_to(&self, pair: &Pair<'_>) -> Option<String> {
        let site = &pair.trails.first()?.crossed.iter().rfind(|one| one.is_contracts)?.site;
        let (_, target) = pointer::resolve(self.contract, pointer::find(self.contract, site)?, site.clone())?;
        (target == pair.pointer).then(|| join(site, "$ref"))
    }
}
