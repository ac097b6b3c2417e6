//! The engine of a comparison of two documents: pairs of nodes, each compared once, and every path that leads to them.
//!
//! A *unit* is a pair of nodes that is compared as a whole: for example a component of one document and its counterpart
//! in the other. Units are queued while other units are compared. A unit that is found again is not compared again; only
//! the way it was found is recorded, as a [`Trail`]. So recursive schemas end, a shared component is compared once, and
//! the recursion is as deep as the text, not as the references.
//!
//! The caller defines what a unit is, how two nodes are compared and what a finding is. This module keeps the queue, the
//! place of the comparison and the findings.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use indexmap::{IndexMap, IndexSet};

/// Labels of a place for people: property names, media types, keywords.
pub type Steps<'a> = Vec<Cow<'a, str>>;

/// How a unit was found.
#[derive(Debug, Clone)]
pub struct Trail<'a, L> {
    /// The unit that was being compared; `None` for the document itself.
    pub from: Option<usize>,
    /// The steps from there.
    pub steps: Steps<'a>,
    /// What the caller records of the transition, such as the reference that was followed.
    pub link: L,
}

/// A finding and the place inside its unit.
#[derive(Debug)]
pub struct Found<'a, F> {
    /// The unit that was being compared; `None` for the document itself.
    pub unit: Option<usize>,
    /// The steps from there.
    pub steps: Steps<'a>,
    /// What the caller reported.
    pub finding: F,
}

/// A queue of units of type `U`, identified by keys of type `K`, with links of type `L` and findings of type `F`.
#[derive(Debug)]
pub struct PairWalk<'a, K, U, L, F> {
    units: Vec<(U, Vec<Trail<'a, L>>)>,
    known: HashMap<K, usize>,
    limit: usize,
    current: Option<usize>,
    next: usize,
    steps: Steps<'a>,
    found: Vec<Found<'a, F>>,
}

impl<'a, K: Hash + Eq, U: Clone, L, F> PairWalk<'a, K, U, L, F> {
    /// The most places that are listed for a finding.
    pub const MAX_PLACES: usize = 40;

    /// An empty queue that takes at most `limit` units; further units are dropped.
    pub fn new(limit: usize) -> Self {
        let (units, known, steps, found) = (Vec::new(), HashMap::new(), Vec::new(), Vec::new());
        PairWalk { units, known, limit, current: None, next: 0, steps, found }
    }

    /// Queues a unit unless one with this key is known, and records how it was found.
    pub fn queue(&mut self, key: K, unit: U, link: L) {
        let trail = Trail { from: self.current, steps: self.steps.clone(), link };
        let fresh = self.units.len();
        let index = *self.known.entry(key).or_insert(fresh);
        match self.units.get_mut(index) {
            Some((_, trails)) => trails.push(trail),
            None if fresh < self.limit => self.units.push((unit, vec![trail])),
            None => {}
        }
    }

    /// Makes the next queued unit the current one. After the last one, the document itself is current again.
    pub fn advance(&mut self) -> Option<U> {
        let unit = self.units.get(self.next).map(|(unit, _)| unit.clone());
        self.current = unit.is_some().then_some(self.next);
        self.next += usize::from(unit.is_some());
        unit
    }

    /// Adds a step to the place inside the current unit. A name may be empty.
    pub fn enter(&mut self, label: Cow<'a, str>) {
        self.steps.push(if label.is_empty() { "''".into() } else { label });
    }

    /// Removes the last step.
    pub fn leave(&mut self) {
        self.steps.pop();
    }

    /// Records a finding at the current place.
    pub fn report(&mut self, finding: F) {
        self.found.push(Found { unit: self.current, steps: self.steps.clone(), finding });
    }

    /// Every finding, in the order of the comparison.
    pub fn found(&self) -> &[Found<'a, F>] {
        &self.found
    }

    /// Every unit with the trails to it, in the order of the comparison. The first trail comes from an earlier unit.
    pub fn units(&self) -> &[(U, Vec<Trail<'a, L>>)] {
        &self.units
    }

    /// The first trail to a unit and to each unit on the way, outermost first.
    pub fn first_trails(&self, unit: Option<usize>) -> Vec<&Trail<'a, L>> {
        let first = |unit: usize| self.units.get(unit)?.1.first();
        let mut trails: Vec<_> =
            std::iter::successors(unit.and_then(first), |trail| trail.from.and_then(first)).collect();
        trails.reverse();
        trails
    }

    /// Findings that `key` makes the same, together, in the order of the first of each group.
    pub fn groups<G: Hash + Eq>(&self, key: impl Fn(&Found<'a, F>) -> Option<G>) -> Vec<Vec<&Found<'a, F>>> {
        let mut groups: IndexMap<G, Vec<&Found<'a, F>>> = IndexMap::new();
        for (found, key) in self.found.iter().filter_map(|found| Some((found, key(found)?))) {
            groups.entry(key).or_default().push(found);
        }
        groups.into_values().collect()
    }

    /// Every place of these findings, at most [`PairWalk::MAX_PLACES`].
    pub fn places(&self, group: &[&Found<'a, F>]) -> Vec<String> {
        let mut places = IndexSet::new();
        for path in group.iter().flat_map(|found| self.paths(found)) {
            if places.len() < Self::MAX_PLACES {
                places.insert(place(path));
            }
        }
        places.into_iter().collect()
    }

    /// One place for each trail to the unit of each finding: of several paths to the beginning of a trail, only the first.
    pub fn direct_places(&self, group: &[&Found<'a, F>]) -> Vec<String> {
        let places = group.iter().flat_map(|found| {
            let trails = found.unit.and_then(|unit| self.units.get(unit)).map(|(_, trails)| trails.iter().map(Some));
            let trails = trails.map_or_else(|| vec![None], Iterator::collect);
            trails.into_iter().map(|trail| {
                let first = self.first_trails(trail.and_then(|trail| trail.from));
                place(first.into_iter().chain(trail).map(|trail| &trail.steps).chain([&found.steps]).collect())
            })
        });
        places.collect::<IndexSet<_>>().into_iter().collect()
    }

    /// Every path from the document to a finding, those across the fewest units first. No unit is entered twice.
    fn paths<'s>(&'s self, found: &'s Found<'a, F>) -> Vec<Vec<&'s Steps<'a>>> {
        /// The most partial paths that are extended: documents can have more paths than any program can follow.
        const MAX_EXTENDED: usize = 2_000;
        let mut paths = Vec::new();
        // The unit reached, the parts of the path from the finding up, and the units passed.
        let mut next = VecDeque::from([(found.unit, vec![&found.steps], Vec::new())]);
        for _ in 0..MAX_EXTENDED {
            let Some((unit, parts, passed)) = next.pop_front().filter(|_| paths.len() < Self::MAX_PLACES) else {
                break;
            };
            let Some(index) = unit else {
                paths.push(parts.into_iter().rev().collect());
                continue;
            };
            let trails = self.units.get(index).into_iter().flat_map(|(_, trails)| trails);
            for trail in trails.filter(|trail| trail.from.is_none_or(|from| from != index && !passed.contains(&from))) {
                let (mut parts, mut passed) = (parts.clone(), passed.clone());
                parts.push(&trail.steps);
                passed.push(index);
                next.push_back((trail.from, parts, passed));
            }
        }
        paths
    }
}

/// The steps of a path, joined by arrows.
fn place(parts: Vec<&Steps<'_>>) -> String {
    /// The most steps to a unit that are listed: a chain of components may be longer than anybody reads.
    const MAX_STEPS: usize = 64;
    let (own, outer) = parts.split_last().map_or((&[][..], &[][..]), |(own, outer)| (own.as_slice(), outer));
    let outer = outer.iter().copied().flatten().take(MAX_STEPS);
    outer.chain(own).map(AsRef::as_ref).collect::<Vec<&str>>().join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` and `b` both refer to `c`, which refers to itself.
    fn walk() -> PairWalk<'static, &'static str, &'static str, (), &'static str> {
        let mut walk = PairWalk::new(10);
        for name in ["a", "b"] {
            walk.enter(name.into());
            walk.queue(name, name, ());
            walk.leave();
        }
        while let Some(unit) = walk.advance() {
            walk.enter("inner".into());
            walk.queue("c", "c", ());
            if unit == "c" {
                walk.report("error");
            }
            walk.leave();
        }
        walk
    }

    #[test]
    fn a_shared_unit_is_compared_once_and_found_at_every_place() {
        let walk = walk();
        assert_eq!(walk.units().len(), 3);
        let groups = walk.groups(|found| Some(found.finding));
        assert_eq!(walk.places(&groups[0]), ["a → inner → inner", "b → inner → inner"]);
        assert_eq!(walk.direct_places(&groups[0]).len(), 3);
        assert_eq!(walk.first_trails(Some(2)).len(), 2);
    }

    #[test]
    fn units_beyond_the_limit_are_dropped() {
        let mut walk: PairWalk<'_, u8, u8, (), ()> = PairWalk::new(1);
        walk.queue(1, 1, ());
        walk.queue(2, 2, ());
        assert_eq!((walk.advance(), walk.advance()), (Some(1), None));
    }
}
