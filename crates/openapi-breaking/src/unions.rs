//! Alternatives: `oneOf`, `anyOf` and their discriminator.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::change::Direction;
use crate::node::Schema;
use crate::rules;
use crate::view::{PROSE, Union, Unlisted, View};
use crate::walk::{Pair, Walk};
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::join;

/// Alternatives of both sides that correspond to each other, and those that only one side has.
struct Matched<'a> {
    pairs: Vec<(Schema<'a>, Schema<'a>)>,
    removed: Vec<Schema<'a>>,
    added: Vec<Schema<'a>>,
}

impl<'a> Matched<'a> {
    /// Pairs alternatives with the same key.
    fn pair_by(&mut self, key: impl Fn(&Schema<'a>, bool) -> Option<String>) {
        let mut by_key: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (index, other) in self.added.iter().enumerate() {
            if let Some(key) = key(other, false) {
                by_key.entry(key).or_default().push_back(index);
            }
        }
        let mut taken = HashSet::new();
        let mut rest = Vec::new();
        for mine in self.removed.drain(..) {
            let index = key(&mine, true).and_then(|key| by_key.get_mut(&key)?.pop_front());
            match index.and_then(|index| Some((index, self.added.get(index)?.clone()))) {
                Some((index, other)) => {
                    taken.insert(index);
                    self.pairs.push((mine, other));
                }
                None => rest.push(mine),
            }
        }
        self.removed = rest;
        let added = self.added.drain(..).enumerate().filter(|(index, _)| !taken.contains(index));
        self.added = added.map(|(_, other)| other).collect();
    }

    /// Pairs each alternative with the most similar one, if any is similar.
    fn pair_best(&mut self, similarity: impl Fn(&Schema<'a>, &Schema<'a>) -> usize) {
        let mut rest = Vec::new();
        for mine in self.removed.drain(..) {
            let scores = self.added.iter().enumerate().map(|(index, other)| (similarity(&mine, other), Reverse(index)));
            match scores.max() {
                Some((score, Reverse(index))) if score > 0 => self.pairs.push((mine, self.added.remove(index))),
                _ => rest.push(mine),
            }
        }
        self.removed = rest;
    }
}

/// A schema in a canonical form.
fn canonical_form(document: &Value, schema: &Schema<'_>) -> String {
    let view = View::of(document, schema);
    let parts: Vec<String> = view.parts.iter().map(|part| canonical(part.value).to_string()).collect();
    parts.join(" ")
}

impl<'a> Walk<'a> {
    /// Compares a single schema with alternatives: `Cat` with `oneOf: [Cat, Dog]`. Returns whether that was the case.
    pub(super) fn single_and_alternatives(&mut self, pair: &Pair<'_, 'a>, [old, new]: [&Schema<'a>; 2]) -> bool {
        let only_union = |view: &View<'a>| {
            let mut keys = vec!["oneOf", "anyOf", "discriminator", "allOf"];
            keys.extend(PROSE);
            match view.open_unions().as_slice() {
                [union] if view.unions.len() == 1 && view.has_only(&keys) => Some((*union).clone()),
                _ => None,
            }
        };
        let (keyword, unions) = match (only_union(pair.old), only_union(pair.new)) {
            (None, Some(union)) if pair.old.unions.is_empty() && !pair.old.is_free() => {
                let single = Union { keyword: union.keyword, at: old.at.clone(), variants: vec![old.clone()] };
                (union.keyword, [single, union])
            }
            (Some(union), None) if pair.new.unions.is_empty() && !pair.new.is_free() => {
                let single = Union { keyword: union.keyword, at: new.at.clone(), variants: vec![new.clone()] };
                (union.keyword, [union, single])
            }
            _ => return false,
        };
        self.step(keyword, |walk| walk.variants(pair, &unions));
        true
    }

    pub(super) fn unions(&mut self, pair: &Pair<'_, 'a>) {
        let (old, new) = (pair.old.open_unions(), pair.new.open_unions());
        for index in 0..old.len().max(new.len()) {
            match (old.get(index), new.get(index)) {
                (Some(old), Some(new)) => {
                    if old.keyword != new.keyword {
                        let sentence = format!("`{}` becomes `{}`", old.keyword, new.keyword);
                        let at = [old.at.clone(), new.at.clone()];
                        self.report(rules::UNION_CHANGED.on(pair.direction), at, sentence);
                    }
                    let unions = [(*old).clone(), (*new).clone()];
                    self.step(new.keyword, |walk| walk.variants(pair, &unions));
                }
                (Some(old), None) => {
                    let at = [old.at.clone(), join(&pair.new.at, old.keyword)];
                    let sentence = format!("`{}` is removed", old.keyword);
                    self.step(old.keyword, |walk| {
                        let variants = Some(old.value());
                        walk.report_values(
                            rules::CONSTRAINT_REMOVED.on(pair.direction),
                            at,
                            sentence,
                            [variants.as_ref(), None],
                        );
                    });
                }
                (None, Some(new)) => {
                    let at = [join(&pair.old.at, new.keyword), new.at.clone()];
                    let sentence = format!("`{}` is added", new.keyword);
                    self.step(new.keyword, |walk| {
                        let variants = Some(new.value());
                        walk.report_values(
                            rules::CONSTRAINT_ADDED.on(pair.direction),
                            at,
                            sentence,
                            [None, variants.as_ref()],
                        );
                    });
                }
                (None, None) => {}
            }
        }
    }

    fn variants(&mut self, pair: &Pair<'_, 'a>, [old, new]: &[Union<'a>; 2]) {
        let twice = if pair.direction == Direction::Request { self.matched_twice([old, new]) } else { None };
        let Matched { pairs, removed, added } = self.matched(&old.variants, &new.variants);
        for (mine, other) in pairs {
            self.step(label(&other), |walk| walk.schema(pair.direction, mine, other));
        }
        for variant in removed {
            let label = label(&variant);
            let sentence = format!("the alternative {label} is removed");
            let at = [variant.at.clone(), join(&new.at, &label)];
            let (rule, value) = (rules::VARIANT_REMOVED.on(pair.direction), variant.value());
            self.step(label, |walk| walk.report_values(rule, at, sentence, [Some(&value), None]));
        }
        for variant in added {
            let label = label(&variant);
            let sentence = format!("the alternative {label} is added");
            let at = [join(&old.at, &label), variant.at.clone()];
            let overlaps = pair.direction == Direction::Request
                && new.keyword == "oneOf"
                && twice.is_none()
                && old.variants.iter().any(|known| !self.is_disjoint(known, &variant));
            let added = rules::VARIANT_ADDED.on(pair.direction);
            let (rule, value) = (if overlaps { rules::VARIANT_OVERLAPS } else { added }, variant.value());
            self.step(label, |walk| walk.report_values(rule, at, sentence, [None, Some(&value)]));
        }
        if let Some((known, labels)) = twice {
            let sentence = format!("every value of the old alternative {known} matches {}", labels.join(" and "));
            let values = [old.value(), new.value()];
            let at = [old.at.clone(), new.at.clone()];
            self.report_values(rules::MATCHES_TWICE, at, sentence, [Some(&values[0]), Some(&values[1])]);
        }
    }

    /// An old alternative of which every value now matches several alternatives of `oneOf`, and these alternatives.
    fn matched_twice(&mut self, [old, new]: [&Union<'a>; 2]) -> Option<(String, Vec<String>)> {
        /// The most pairs of alternatives that are compared.
        const MAX_COMPARED: usize = 200;
        let count = old.variants.len().saturating_mul(new.variants.len());
        if new.keyword != "oneOf" || new.variants.len() < 2 || count > MAX_COMPARED {
            return None;
        }
        let documents = [self.old.document(), self.new.document()];
        for known in &old.variants {
            let view = View::of(documents[0], known);
            let mut matches = Vec::new();
            for variant in &new.variants {
                if !differ(&view, &View::of(documents[1], variant)) && self.accepts_all(known, variant) {
                    matches.push(label(variant));
                }
            }
            // What matched two alternatives before was rejected before.
            let was_valid = old.keyword != "oneOf" || !self.overlaps_another(known, old);
            if matches.len() > 1 && was_valid {
                return Some((label(known), matches));
            }
        }
        None
    }

    /// Whether another alternative accepts every value of this one, as far as its text shows.
    fn overlaps_another(&self, known: &Schema<'a>, union: &Union<'a>) -> bool {
        let form = |schema: &Schema<'a>| canonical_form(self.old.document(), schema);
        let same = union.variants.iter().filter(|variant| form(variant) == form(known));
        same.count() > 1 || union.variants.iter().any(|variant| View::of(self.old.document(), variant).is_free())
    }

    /// Pairs alternatives: those of one component, then those with the same meaning, then the most similar.
    fn matched(&self, old: &[Schema<'a>], new: &[Schema<'a>]) -> Matched<'a> {
        /// The most pairs for which the similarity is computed: alternatives without names are few.
        const MAX_COMPARED: usize = 10_000;
        let mut matched = Matched { pairs: Vec::new(), removed: old.to_vec(), added: new.to_vec() };
        let [old, new] = [self.old.document(), self.new.document()];
        matched.pair_by(|schema, _| schema.component().map(str::to_owned));
        matched.pair_by(|schema, is_old| Some(canonical_form(if is_old { old } else { new }, schema)));
        if matched.removed.len().saturating_mul(matched.added.len()) <= MAX_COMPARED {
            // Components of different names are different alternatives.
            matched.pair_best(|a, b| match (a.component(), b.component()) {
                (Some(_), Some(_)) => 0,
                _ => self.similarity(a, b),
            });
        }
        matched
    }

    /// Whether no value matches both: their types or values differ, or one object requires a property that the other
    /// excludes.
    fn is_disjoint(&self, old: &Schema<'a>, new: &Schema<'a>) -> bool {
        let documents = [self.old.document(), self.new.document()];
        let views = [View::of(documents[0], old), View::of(documents[1], new)];
        let [mine, other] = &views;
        if differ(mine, other) {
            return true;
        }
        if mine.null && other.null || !(mine.types().is_object() || other.types().is_object()) {
            return false;
        }
        let properties = [mine.properties(), other.properties()];
        let distinguishes = |name: &&str| match (properties[0].get(*name), properties[1].get(*name)) {
            (Some(a), Some(b)) => differ(&View::of(documents[0], a), &View::of(documents[1], b)),
            (Some(_), None) => is_closed(other),
            (None, Some(_)) => is_closed(mine),
            (None, None) => false,
        };
        // A value that matches both has every property that either requires.
        mine.required().union(&other.required()).any(distinguishes)
    }

    /// How many properties two alternatives have in common; none if their types differ.
    fn similarity(&self, old: &Schema<'a>, new: &Schema<'a>) -> usize {
        let views = [View::of(self.old.document(), old), View::of(self.new.document(), new)];
        if !views[0].types().meets(views[1].types()) {
            return 0;
        }
        let (mine, others) = (views[0].properties(), views[1].properties());
        if mine.is_empty() && others.is_empty() {
            return 1;
        }
        mine.keys().filter(|name| others.contains_key(*name)).count()
    }

    pub(super) fn discriminators(&mut self, pair: &Pair<'_, 'a>) {
        let at = pair.at("discriminator");
        let [old, new] = [pair.old, pair.new].map(|view| view.value("discriminator").map(|(value, _)| value));
        let direction = pair.direction;
        let (Some(old), Some(new)) = (old, new) else {
            if old.is_some() || new.is_some() {
                let verb = if new.is_some() { "added" } else { "removed" };
                let sentence = format!("the discriminator is {verb}");
                let rule = rules::DISCRIMINATOR_SET.on(direction);
                self.step("discriminator", |walk| walk.report_values(rule, at, sentence, [old, new]));
            }
            return;
        };
        self.step("discriminator", |walk| {
            let names = [old.get("propertyName"), new.get("propertyName")];
            if names[0] != names[1] {
                let at = at.clone().map(|at| join(&at, "propertyName"));
                let sentence = "another property selects the alternative";
                walk.report_values(rules::DISCRIMINATOR_CHANGED.on(direction), at, sentence, names);
            }
            walk.rest(&["propertyName", "mapping"], (old, &at[0]), (new, &at[1]));
            let (mine, others) = (mapping(old), mapping(new));
            for (value, target) in &mine {
                let at = at.clone().map(|at| join(&join(&at, "mapping"), value));
                let (rule, sentence) = match others.get(value) {
                    None => (rules::MAPPING_REMOVED, format!("`{value}` is no longer in the mapping")),
                    Some(other) if other != target => {
                        (rules::DISCRIMINATOR_CHANGED, format!("`{value}` selects another alternative"))
                    }
                    Some(_) => continue,
                };
                let values = [Some(Value::from(*target)), others.get(value).copied().map(Value::from)];
                walk.report_values(rule.on(direction), at, sentence, [values[0].as_ref(), values[1].as_ref()]);
            }
            for (value, target) in others.iter().filter(|(value, _)| !mine.contains_key(*value)) {
                let at = at.clone().map(|at| join(&join(&at, "mapping"), value));
                let (rule, sentence) =
                    (rules::MAPPING_ADDED.on(direction), format!("`{value}` is added to the mapping"));
                walk.report_values(rule, at, sentence, [None, Some(&Value::from(*target))]);
            }
        });
    }
}

/// Whether types or listed values alone exclude that a value, `null` included, matches both.
fn differ(a: &View<'_>, b: &View<'_>) -> bool {
    let disjoint = a.enumeration().zip(b.enumeration()).is_some_and(|(a, b)| set(&a).is_disjoint(&set(&b)));
    !(a.null && b.null) && (disjoint || !a.types().meets(b.types()))
}

/// Whether an object excludes properties that it does not list.
fn is_closed(view: &View<'_>) -> bool {
    view.unlisted() == Unlisted::Nothing && view.values("patternProperties").next().is_none()
}

/// Value → name of the component: a mapping may have the name alone or a whole reference.
fn mapping(discriminator: &Value) -> BTreeMap<&str, &str> {
    let members = discriminator.get("mapping").and_then(Value::as_object).into_iter().flatten();
    let name = |target: &'_ str| target.rsplit_once('/').map_or(target.len(), |(_, name)| name.len());
    members
        .filter_map(|(value, target)| {
            let target = target.as_str()?;
            Some((value.as_str(), target.get(target.len() - name(target)..)?))
        })
        .collect()
}

/// The name of an alternative: its component, else its title, else its index.
fn label(schema: &Schema<'_>) -> String {
    let last = |pointer: &str| pointer.rsplit_once('/').map_or(pointer, |(_, last)| last).to_owned();
    let title = || schema.nodes.first().and_then(|node| node.value.get("title")).and_then(Value::as_str);
    match (schema.component(), title()) {
        (Some(component), _) => last(component),
        (None, Some(title)) => title.to_owned(),
        (None, None) => last(&schema.at),
    }
}
