//! Bounds: limits of numbers, lengths and counts.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::constraint::{BOUND, Pair};
use crate::effective_schema::EffectiveSchema;
use crate::sides::Side;
use crate::types::Types;
use crate::walk::Walk;
use openapi_contract::equivalence::compare;

/// A keyword that bounds values from one side.
struct Bound {
    key: &'static str,
    /// The keyword that also excludes the bound itself.
    exclusive: Option<&'static str>,
    is_upper: bool,
    /// The types that it restricts.
    types: Types,
    /// The limit where there is none: no count is below zero, and `contains` alone requires one item.
    default: Option<u8>,
}

const BOUNDS: [Bound; 10] = [
    Bound { exclusive: Some("exclusiveMinimum"), ..Bound::lower("minimum", Types::NUMBER, None) },
    Bound { exclusive: Some("exclusiveMaximum"), ..Bound::upper("maximum", Types::NUMBER) },
    Bound::lower("minLength", Types::STRING, Some(0)),
    Bound::upper("maxLength", Types::STRING),
    Bound::lower("minItems", Types::ARRAY, Some(0)),
    Bound::upper("maxItems", Types::ARRAY),
    Bound::lower("minProperties", Types::OBJECT, Some(0)),
    Bound::upper("maxProperties", Types::OBJECT),
    Bound::lower("minContains", Types::ARRAY, Some(1)),
    Bound::upper("maxContains", Types::ARRAY),
];

/// The tightest value of one bound in all parts of a schema.
struct Limit<'a> {
    limit: Number,
    is_exclusive: bool,
    key: &'static str,
    /// As it is written, and where; `None` for the default.
    written: Option<Side<'a>>,
}

impl Bound {
    const fn lower(key: &'static str, types: Types, default: Option<u8>) -> Bound {
        Bound { key, exclusive: None, is_upper: false, types, default }
    }

    const fn upper(key: &'static str, types: Types) -> Bound {
        Bound { key, exclusive: None, is_upper: true, types, default: None }
    }

    fn tightest<'a>(&self, schema: &EffectiveSchema<'a>) -> Option<Limit<'a>> {
        let keys = [Some((self.key, false)), self.exclusive.map(|key| (key, true))];
        let limits = keys.into_iter().flatten().flat_map(|(key, is_exclusive)| {
            schema.values(key).filter_map(move |written| {
                let Value::Number(limit) = written.value else { return None };
                Some(Limit { limit: limit.clone(), is_exclusive, key, written: Some(written) })
            })
        });
        let is_integer = schema.types() == Types::INTEGER;
        let limits = limits.map(|limit| if is_integer { self.of_integers(limit) } else { limit });
        let tightest = limits.max_by(|a, b| self.tighter(a, b));
        let default = |default: u8| Limit { limit: default.into(), is_exclusive: false, key: self.key, written: None };
        tightest.or(self.default.map(default))
    }

    /// For whole numbers, `exclusiveMinimum: 0` is `minimum: 1`, and so is `minimum: 0.5`.
    fn of_integers<'a>(&self, found: Limit<'a>) -> Limit<'a> {
        let step = if self.is_upper { -1 } else { 1 };
        let whole = match found.limit.as_f64().filter(|limit| limit.fract() != 0.0) {
            // So small that no digit is lost: a greater number has no fraction.
            #[allow(clippy::cast_possible_truncation, reason = "whole, and far less than 2^63, or it had no fraction")]
            Some(limit) => Some((if self.is_upper { limit.floor() } else { limit.ceil() }) as i64),
            None if found.is_exclusive => found.limit.as_i64().and_then(|limit| limit.checked_add(step)),
            None => None,
        };
        match whole {
            Some(whole) => Limit { limit: whole.into(), is_exclusive: false, ..found },
            None => found,
        }
    }

    /// `Greater` if `a` allows less than `b`.
    fn tighter(&self, a: &Limit<'_>, b: &Limit<'_>) -> Ordering {
        let order = compare(&a.limit, &b.limit);
        let order = if self.is_upper { order.reverse() } else { order };
        order.then(a.is_exclusive.cmp(&b.is_exclusive))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn bounds(&mut self, pair: &Pair<'_, 'a>) {
        for bound in BOUNDS.iter().filter(|bound| !bound.key.ends_with("Contains") || pair.bounds_contains()) {
            // A bound has no effect on values of other types.
            let types = pair.types[0].both(pair.types[1]);
            if !pair.is_respelled() && !types.meets(bound.types) && types != Types::NONE {
                continue;
            }
            let [old, mut new] = pair.each(|side| bound.tightest(side));
            // No number or boolean is written with less than one character.
            if pair.is_respelled() && bound.key == "minLength" {
                new = new.filter(|new| new.limit.as_f64().is_some_and(|limit| limit > 1.0));
            }
            let is_tight = |a: &&Limit<'_>, b: &&Limit<'_>| bound.tighter(a, b) != Ordering::Less;
            let Some(rule) = BOUND.of(old.as_ref().as_slice(), new.as_ref().as_slice(), is_tight) else { continue };
            let written = [old, new].map(|limit| limit.and_then(|limit| Some((limit.key, limit.written?))));
            let what = match written.each_ref().map(|written| written.as_ref().map(|(key, _)| *key)) {
                [Some(old), Some(new)] if old != new => format!("`{old}`, now `{new}`,"),
                [Some(key), _] | [None, Some(key)] => format!("`{key}`"),
                [None, None] => continue,
            };
            let [old, new] = written.map(|written| written.map(|(_, side)| side));
            let at = |side: &Option<Side<'a>>, schema: &EffectiveSchema<'a>| {
                side.as_ref().map_or_else(|| schema.place(bound.key), |side| side.at.clone())
            };
            let at = [at(&old, pair.sides[0]), at(&new, pair.sides[1])];
            let values = [old, new].map(|side| side.map(|side| side.value.clone()));
            self.step(bound.key, |walk| walk.report_value(rule.on(pair.direction), at, &what, values));
        }
        // Every multiple of six is a multiple of three.
        let is_multiple = |of: &Value, step: &Value| {
            let ratio = of.as_f64().unwrap_or_default() / step.as_f64().unwrap_or_default();
            (ratio - ratio.round()).abs() < 1e-9 * ratio.abs().max(1.0)
        };
        let [mut old, mut new] = pair.lists("multipleOf");
        for (values, side) in [&mut old, &mut new].into_iter().zip(pair.sides) {
            // Every whole number is a multiple of one.
            let restricts = |step: f64| step > 0.0 && !(step == 1.0 && side.types() == Types::INTEGER);
            values.retain(|value| value.as_f64().is_some_and(restricts));
        }
        self.constraint(pair, "multipleOf", &BOUND, [old, new], is_multiple);
    }
}
