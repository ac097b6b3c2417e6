//! Alternatives: `oneOf`, `anyOf` and the discriminator that tells them apart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use crate::Direction;
use crate::rules;
use crate::schema::Pair;
use crate::view::{PROSE, Schema, Union, View};
use crate::walk::Walk;
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::join;

/// Alternatives of both sides that stand for each other, and those that only one side has.
struct Matched<'a> {
    pairs: Vec<(Schema<'a>, Schema<'a>)>,
    gone: Vec<Schema<'a>>,
    come: Vec<Schema<'a>>,
}

impl<'a> Matched<'a> {
    /// Pairs what has the same key; those without a key stay.
    fn pair_by(&mut self, key: impl Fn(&Schema<'a>, bool) -> Option<String>) {
        let mut by_key: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (index, other) in self.come.iter().enumerate() {
            if let Some(key) = key(other, false) {
                by_key.entry(key).or_default().push_back(index);
            }
        }
        let mut taken = HashSet::new();
        let mut rest = Vec::new();
        for mine in self.gone.drain(..) {
            let index = key(&mine, true).and_then(|key| by_key.get_mut(&key)?.pop_front());
            match index.and_then(|index| Some((index, self.come.get(index)?.clone()))) {
                Some((index, other)) => {
                    taken.insert(index);
                    self.pairs.push((mine, other));
                }
                None => rest.push(mine),
            }
        }
        self.gone = rest;
        let come = self.come.drain(..).enumerate().filter(|(index, _)| !taken.contains(index));
        self.come = come.map(|(_, other)| other).collect();
    }

    /// Pairs each with the one most like it, if any is.
    fn pair_best(&mut self, likeness: impl Fn(&Schema<'a>, &Schema<'a>) -> usize) {
        let mut rest = Vec::new();
        for mine in self.gone.drain(..) {
            let scores = self.come.iter().enumerate().map(|(index, other)| (likeness(&mine, other), Reverse(index)));
            match scores.max() {
                Some((score, Reverse(index))) if score > 0 => self.pairs.push((mine, self.come.remove(index))),
                _ => rest.push(mine),
            }
        }
        self.gone = rest;
    }
}

/// What a schema says, in one spelling.
fn said(document: &Value, schema: &Schema<'_>) -> String {
    let view = View::of(document, schema);
    let parts: Vec<String> = view.parts.iter().map(|part| canonical(part.value).to_string()).collect();
    parts.join(" ")
}

impl<'a> Walk<'a> {
    /// A schema against alternatives of which it may be one: `Cat` against `oneOf: [Cat, Dog]`. Whether it was that.
    pub(super) fn wrapped(&mut self, pair: &Pair<'_, 'a>, [old, new]: [&Schema<'a>; 2]) -> bool {
        let only_union = |view: &View<'a>| {
            let mut keys = vec!["oneOf", "anyOf", "discriminator", "allOf"];
            keys.extend(PROSE);
            match view.open_unions().as_slice() {
                [union] if view.unions.len() == 1 && view.says_only(&keys) => Some((*union).clone()),
                _ => None,
            }
        };
        let (keyword, unions) = match (only_union(pair.old), only_union(pair.new)) {
            (None, Some(union)) if pair.old.unions.is_empty() && !pair.old.is_free() => {
                let alone = Union { keyword: union.keyword, at: old.at.clone(), variants: vec![old.clone()] };
                (union.keyword, [alone, union])
            }
            (Some(union), None) if pair.new.unions.is_empty() && !pair.new.is_free() => {
                let alone = Union { keyword: union.keyword, at: new.at.clone(), variants: vec![new.clone()] };
                (union.keyword, [union, alone])
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
                    let sentence = format!("`{}` is taken away", old.keyword);
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
        let Matched { pairs, gone, come } = self.matched(&old.variants, &new.variants);
        for (mine, other) in pairs {
            let label = label(&other);
            self.step(label, |walk| walk.schema(pair.direction, mine, other));
        }
        for variant in gone {
            let label = label(&variant);
            let sentence = format!("the alternative {label} is gone");
            let at = [variant.at.clone(), join(&new.at, &label)];
            let (rule, value) = (rules::VARIANT_REMOVED.on(pair.direction), variant.value());
            self.step(label, |walk| walk.report_values(rule, at, sentence, [Some(&value), None]));
        }
        for variant in come {
            let label = label(&variant);
            let sentence = format!("the alternative {label} is added");
            let at = [join(&old.at, &label), variant.at.clone()];
            let overlaps = pair.direction == Direction::Request
                && new.keyword == "oneOf"
                && old.variants.iter().any(|known| !self.apart(known, &variant));
            let added = rules::VARIANT_ADDED.on(pair.direction);
            let (rule, value) = (if overlaps { rules::VARIANT_OVERLAPS } else { added }, variant.value());
            self.step(label, |walk| walk.report_values(rule, at, sentence, [None, Some(&value)]));
        }
    }

    /// Brings alternatives together: those of one name, then those that say the same, then those most alike.
    fn matched(&self, old: &[Schema<'a>], new: &[Schema<'a>]) -> Matched<'a> {
        /// More than so many possible pairs are not weighed: nobody writes so many alternatives without names.
        const MAX_WEIGHED: usize = 10_000;
        let mut matched = Matched { pairs: Vec::new(), gone: old.to_vec(), come: new.to_vec() };
        let [old, new] = [self.old.document(), self.new.document()];
        matched.pair_by(|schema, _| schema.component().map(str::to_owned));
        matched.pair_by(|schema, is_old| Some(said(if is_old { old } else { new }, schema)));
        if matched.gone.len().saturating_mul(matched.come.len()) <= MAX_WEIGHED {
            // Components of different names are different alternatives.
            matched.pair_best(|a, b| match (a.component(), b.component()) {
                (Some(_), Some(_)) => 0,
                _ => self.likeness(a, b),
            });
        }
        matched
    }

    /// Whether no value fits both: they are of other types or values, or of two objects one requires what the other
    /// cannot hold.
    fn apart(&self, old: &Schema<'a>, new: &Schema<'a>) -> bool {
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
        let told_apart = |name: &&str| match (properties[0].get(*name), properties[1].get(*name)) {
            (Some(a), Some(b)) => differ(&View::of(documents[0], a), &View::of(documents[1], b)),
            (Some(_), None) => is_closed(other),
            (None, Some(_)) => is_closed(mine),
            (None, None) => false,
        };
        // What only one of them requires must be there in a value that fits both.
        mine.required().union(&other.required()).any(told_apart)
    }

    /// How much two alternatives have in common: nothing, if they are of different types.
    fn likeness(&self, old: &Schema<'a>, new: &Schema<'a>) -> usize {
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
                let verb = if new.is_some() { "added" } else { "taken away" };
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
                let sentence = "another property tells the alternatives apart";
                walk.report_values(rules::DISCRIMINATOR_CHANGED.on(direction), at, sentence, names);
            }
            walk.rest(&["propertyName", "mapping"], (old, &at[0]), (new, &at[1]));
            let (mine, others) = (mapping(old), mapping(new));
            for (value, target) in &mine {
                let at = at.clone().map(|at| join(&join(&at, "mapping"), value));
                let (rule, sentence) = match others.get(value) {
                    None => (rules::MAPPING_REMOVED, format!("`{value}` is no longer a value of it")),
                    Some(other) if other != target => {
                        (rules::DISCRIMINATOR_CHANGED, format!("`{value}` stands for another alternative"))
                    }
                    Some(_) => continue,
                };
                let values = [Some(Value::from(*target)), others.get(value).copied().map(Value::from)];
                walk.report_values(rule.on(direction), at, sentence, [values[0].as_ref(), values[1].as_ref()]);
            }
            for (value, target) in others.iter().filter(|(value, _)| !mine.contains_key(*value)) {
                let at = at.clone().map(|at| join(&join(&at, "mapping"), value));
                let (rule, sentence) =
                    (rules::MAPPING_ADDED.on(direction), format!("`{value}` is a value of it as well"));
                walk.report_values(rule, at, sentence, [None, Some(&Value::from(*target))]);
            }
        });
    }
}

/// Whether types or lists alone tell that no value, `null` included, fits both.
fn differ(a: &View<'_>, b: &View<'_>) -> bool {
    let disjoint = a.enumeration().zip(b.enumeration()).is_some_and(|(a, b)| set(&a).is_disjoint(&set(&b)));
    !(a.null && b.null) && (disjoint || !a.types().meets(b.types()))
}

/// Whether there is nothing in an object but what it lists by name.
fn is_closed(view: &View<'_>) -> bool {
    view.values("additionalProperties").any(|(value, _)| *value == Value::Bool(false))
        && view.values("patternProperties").next().is_none()
}

/// Value → name of the component: a mapping may give the name alone or a whole reference.
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

/// What only people read of alternatives that are not compared by themselves: `null`, and those that only list types or
/// values.
pub(super) fn prose_of_alternatives(view: &View<'_>) -> Vec<Value> {
    let open: Vec<&str> = view.open_unions().iter().map(|union| union.at.as_str()).collect();
    let closed = |at: &str| !open.contains(&at) && view.unions.iter().any(|union| union.at == at);
    let lists = ["oneOf", "anyOf"].into_iter().flat_map(|key| view.values(key));
    let items = lists.flat_map(|(list, at)| {
        let items = list.as_array().into_iter().flatten();
        items.filter(|item| closed(&at) || says_null(item)).collect::<Vec<_>>()
    });
    let prose = items.filter_map(|item| {
        let members = item.as_object()?.iter().filter(|(key, _)| !["type", "const", "enum"].contains(&key.as_str()));
        let prose: Map<String, Value> = members.map(|(key, value)| (key.clone(), canonical(value))).collect();
        (!prose.is_empty()).then_some(Value::Object(prose))
    });
    let mut prose: Vec<Value> = prose.collect();
    prose.sort_by_cached_key(Value::to_string);
    prose
}

/// Whether an alternative that is written here is `null`.
fn says_null(item: &Value) -> bool {
    let null = |key: &str| item.get(key).is_some_and(|value| value == "null" || value.is_null());
    null("type") || null("const")
}

/// What an alternative is called: its component, else its title, else where it stands.
fn label(schema: &Schema<'_>) -> String {
    let last = |pointer: &str| pointer.rsplit_once('/').map_or(pointer, |(_, last)| last).to_owned();
    let title = || schema.nodes.first().and_then(|node| node.value.get("title")).and_then(Value::as_str);
    match (schema.component(), title()) {
        (Some(component), _) => last(component),
        (None, Some(title)) => title.to_owned(),
        (None, None) => last(&schema.at),
    }
}
