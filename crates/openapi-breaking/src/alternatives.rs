//! Alternatives: `oneOf`, `anyOf` and their discriminator.

use serde_json::Value;

use crate::constraint::{CONSTRAINT, Pair};
use crate::effective_schema::{EffectiveSchema, PROSE, Union, Unlisted};
use crate::rule::Direction;
use crate::rules::*;
use crate::sides::{Side, Sides, paired};
use crate::subschema::Subschema;
use crate::types::Types;
use crate::walk::Walk;
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::pointer::join;

impl<'a> Walk<'a> {
    /// Compares a single schema with alternatives: `Cat` with `oneOf: [Cat, Dog]`. Returns whether that was the case.
    pub(super) fn single_and_alternatives(&mut self, pair: &Pair<'_, 'a>, schemas: &[Subschema<'a>; 2]) -> bool {
        let keys = [&["oneOf", "anyOf", "discriminator", "allOf"], PROSE].concat();
        let only_union = |side: &EffectiveSchema<'a>| match (side.unions.as_slice(), side.open_unions().as_slice()) {
            ([_], [union]) if side.has_only(&keys) => Some((*union).clone()),
            _ => None,
        };
        let single = |side: usize, keyword: &'static str| Union {
            keyword,
            at: schemas[side].at.clone(),
            variants: vec![schemas[side].clone()],
        };
        let is_single = pair.each(|side| side.unions.is_empty() && !side.is_free());
        let unions = match pair.each(only_union) {
            [None, Some(union)] if is_single[0] => [single(0, union.keyword), union],
            [Some(union), None] if is_single[1] => [union.clone(), single(1, union.keyword)],
            _ => return false,
        };
        self.step(unions[0].keyword, |walk| walk.variants(pair, &unions));
        true
    }

    pub(super) fn unions(&mut self, pair: &Pair<'_, 'a>) {
        let open = pair.each(EffectiveSchema::open_unions);
        // Alternatives that only list types correspond to those that restrict more.
        let is_only =
            pair.each(|side| side.unions.len() == 1) == [true, true] && open.iter().any(|all| !all.is_empty());
        let unions = if is_only { pair.each(|side| side.unions.iter().collect()) } else { open };
        let unions = unions.map(|unions| unions.into_iter().cloned().enumerate());
        for unions in paired(unions).into_values() {
            if let [Some(old), Some(new)] = unions {
                if old.keyword != new.keyword {
                    let sentence = format!("`{}` becomes `{}`", old.keyword, new.keyword);
                    let rule = UNION_CHANGED.on(pair.direction);
                    self.report(rule, [old.at.clone(), new.at.clone()], sentence);
                }
                self.step(new.keyword, |walk| walk.variants(pair, &[old, new]));
                continue;
            }
            let Some(keyword) = unions.iter().flatten().map(|union| union.keyword).next() else { continue };
            let at = [0, 1].map(|side: usize| match &unions[side] {
                Some(union) => union.at.clone(),
                None => join(&pair.sides[side].at, keyword),
            });
            let values = unions.map(|union| union.map(|union| union.value()));
            let [old, new] = [&values[0], &values[1]].map(Option::as_slice);
            if let Some(rule) = CONSTRAINT.of(old, new, |a, b| a == b) {
                let what = format!("`{keyword}`");
                self.step(keyword, |walk| walk.report_value(rule.on(pair.direction), at, &what, values));
            }
        }
    }

    fn variants(&mut self, pair: &Pair<'_, 'a>, [old, new]: &[Union<'a>; 2]) {
        let must_be_distinct = pair.direction == Direction::Request && new.keyword == "oneOf";
        let twice = if must_be_distinct { self.matched_twice([old, new]) } else { None };
        let (pairs, [removed, added]) = correspondence(&old.variants, &new.variants);
        for variants in pairs {
            self.step(label(&variants[1]), |walk| walk.schema(pair.direction, variants));
        }
        for variant in removed {
            let (label, value) = (label(&variant), variant.value());
            let at = [variant.at.clone(), join(&new.at, &label)];
            let rule = VARIANT_REMOVED.on(pair.direction);
            self.step(label, |walk| walk.report_value(rule, at, "the alternative", [Some(value), None]));
        }
        for variant in added {
            let (label, value) = (label(&variant), variant.value());
            let at = [join(&old.at, &label), variant.at.clone()];
            let is_distinct =
                !must_be_distinct || twice.is_some() || old.variants.iter().all(|known| is_disjoint(known, &variant));
            let rule = if is_distinct { VARIANT_ADDED.on(pair.direction) } else { VARIANT_OVERLAPS };
            self.step(label, |walk| walk.report_value(rule, at, "the alternative", [None, Some(value)]));
        }
        if let Some(what) = twice {
            let at = [old.at.clone(), new.at.clone()];
            self.report_value(MATCHES_TWICE, at, &what, [Some(old.value()), Some(new.value())]);
        }
    }

    /// `oneOf`, with an old alternative of which every value now matches several alternatives.
    fn matched_twice(&mut self, [old, new]: [&Union<'a>; 2]) -> Option<String> {
        /// The most pairs of alternatives that are compared.
        const MAX_COMPARED: usize = 200;
        if old.variants.len().saturating_mul(new.variants.len()) > MAX_COMPARED {
            return None;
        }
        let mut matching = |known: &Subschema<'a>, union: &Union<'a>| {
            let matching = union.variants.iter().filter(|variant| self.accepts_all(known, variant));
            matching.map(label).collect::<Vec<_>>()
        };
        old.variants.iter().find_map(|known| {
            let matches = matching(known, new);
            // What matched two alternatives before was rejected before.
            let is_broken = matches.len() > 1 && !(old.keyword == "oneOf" && matching(known, old).len() > 1);
            is_broken.then(|| format!("`oneOf`, with {} in {},", label(known), matches.join(" and ")))
        })
    }

    /// Whether `new` accepts every value that `old` accepts, in requests; `false` if that is not certain.
    fn accepts_all(&mut self, old: &Subschema<'a>, new: &Subschema<'a>) -> bool {
        if differ(&EffectiveSchema::of(old), &EffectiveSchema::of(new)) {
            return false;
        }
        let Some(mut trial) = self.trial() else { return false };
        trial.schema(Direction::Request, [old.clone(), new.clone()]);
        trial.units();
        trial.is_safe()
    }

    pub(super) fn discriminators(&mut self, pair: &Pair<'_, 'a>) {
        let [Some(old), Some(new)] = pair.each(|side| side.value("discriminator")) else {
            let values = pair.first("discriminator");
            if values != [None, None] {
                self.keyword(pair, "discriminator", DISCRIMINATOR_SET.on(pair.direction), values);
            }
            return;
        };
        let discriminator = Sides([old, new]);
        self.step("discriminator", |walk| {
            let names = discriminator.get("propertyName");
            if names[0] != names[1] {
                walk.changed(DISCRIMINATOR_CHANGED.on(pair.direction), &discriminator, "propertyName");
            }
            walk.rest(|key| matches!(key, "propertyName" | "mapping"), &discriminator);
            let mapping = discriminator.member("mapping");
            for (value, targets) in paired(mapping.map(targets)) {
                let rule = match targets {
                    [old, new] if old == new => continue,
                    [Some(_), Some(_)] => DISCRIMINATOR_CHANGED,
                    [Some(_), None] => MAPPING_REMOVED,
                    [None, _] => MAPPING_ADDED,
                };
                let targets = targets.map(|target| target.map(Value::from));
                walk.report_value(rule.on(pair.direction), mapping.at(value), &format!("`{value}`"), targets);
            }
        });
        let lists = pair.lists("discriminator");
        // Several schemas of `allOf` have one each.
        if lists.iter().any(|all| all.len() > 1) && lists[0].first() == lists[1].first() {
            self.constraint(pair, "discriminator", &CONSTRAINT, lists, |a, b| a == b);
        }
    }
}

/// Pairs alternatives: those of one component, then those with the same meaning, then those that may have values in common.
/// Also returns those that only one side has.
fn correspondence<'a>(
    old: &[Subschema<'a>],
    new: &[Subschema<'a>],
) -> (Vec<[Subschema<'a>; 2]>, [Vec<Subschema<'a>>; 2]) {
    /// The most pairs for which common values are looked for: alternatives without names are few.
    const MAX_COMPARED: usize = 10_000;
    let with_form = |all: &[Subschema<'a>]| {
        let form = |schema: &Subschema<'a>| {
            let parts = EffectiveSchema::of(schema).parts;
            parts.iter().map(|part| canonical(part.value).to_string()).collect::<String>()
        };
        all.iter().map(|schema| (form(schema), schema.clone())).collect::<Vec<_>>()
    };
    let (mut removed, mut added, mut pairs) = (with_form(old), with_form(new), Vec::new());
    for criterion in 0..3 {
        if criterion == 2 && removed.len().saturating_mul(added.len()) > MAX_COMPARED {
            break;
        }
        removed.retain(|(form, old)| {
            let found = added.iter().position(|(other, new)| match (criterion, old.component(), new.component()) {
                (0, one, another) => one.is_some() && one == another,
                (1, ..) => form == other,
                // Components of different names are different alternatives.
                (_, Some(_), Some(_)) => false,
                _ => !is_disjoint(old, new) && is_similar(old, new),
            });
            pairs.extend(found.map(|index| [old.clone(), added.remove(index).1]));
            found.is_none()
        });
    }
    (pairs, [removed, added].map(|rest| rest.into_iter().map(|(_, schema)| schema).collect()))
}

/// Whether the alternatives have a property in common, if they have any.
fn is_similar(old: &Subschema<'_>, new: &Subschema<'_>) -> bool {
    let [mine, other] = [old, new].map(|schema| EffectiveSchema::of(schema).properties());
    mine.is_empty() && other.is_empty() || mine.keys().any(|name| other.contains_key(name))
}

/// Whether no value matches both: their types or values differ, or one object requires a property that the other
/// excludes.
fn is_disjoint(old: &Subschema<'_>, new: &Subschema<'_>) -> bool {
    let [mine, other] = [old, new].map(EffectiveSchema::of);
    if differ(&mine, &other) {
        return true;
    }
    if mine.null && other.null || !(mine.types() == Types::OBJECT || other.types() == Types::OBJECT) {
        return false;
    }
    let properties = [mine.properties(), other.properties()];
    let distinguishes = |name: &&str| match (properties[0].get(*name), properties[1].get(*name)) {
        (Some(a), Some(b)) => differ(&EffectiveSchema::of(a), &EffectiveSchema::of(b)),
        (Some(_), None) => is_closed(&other),
        (None, Some(_)) => is_closed(&mine),
        (None, None) => false,
    };
    // A value that matches both has every property that either requires.
    mine.required().union(&other.required()).any(distinguishes)
}

/// Whether types or listed values alone exclude that a value, `null` included, matches both.
fn differ(a: &EffectiveSchema<'_>, b: &EffectiveSchema<'_>) -> bool {
    let is_disjoint = a.enumeration().zip(b.enumeration()).is_some_and(|(a, b)| set(&a).is_disjoint(&set(&b)));
    !(a.null && b.null) && (is_disjoint || !a.types().meets(b.types()))
}

/// Whether an object excludes properties that it does not list.
fn is_closed(schema: &EffectiveSchema<'_>) -> bool {
    schema.unlisted() == Unlisted::Nothing && schema.value("patternProperties").is_none()
}

/// The values of a mapping, each with the name of its component: a mapping may have the name alone or a whole reference.
fn targets<'a>(mapping: &Side<'a>) -> Vec<(&'a str, &'a str)> {
    mapping.members().filter_map(|(value, target)| Some((value, target.value.as_str()?.rsplit('/').next()?))).collect()
}

/// The name of an alternative: its component, else its title, else its index.
fn label(schema: &Subschema<'_>) -> String {
    let last = |pointer: &str| pointer.rsplit_once('/').map_or(pointer, |(_, last)| last).to_owned();
    let title = || schema.nodes.first().and_then(|node| node.value.get("title")).and_then(Value::as_str);
    match (schema.component(), title()) {
        (Some(component), _) => last(component),
        (None, Some(title)) => title.to_owned(),
        (None, None) => last(&schema.at),
    }
}
