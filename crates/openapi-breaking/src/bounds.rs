//! Bounds: limits of numbers, lengths and counts.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::rules;
use crate::types::Types;
use crate::view::View;
use crate::walk::{Pair, Walk};
use openapi_contract::equivalence::compare;

/// A keyword that bounds values from one side, and the keyword that also excludes the bound itself.
struct Bound {
    key: &'static str,
    exclusive: Option<&'static str>,
    upper: bool,
    /// The types that it restricts.
    types: Types,
}

const BOUNDS: [Bound; 10] = [
    Bound { key: "minimum", exclusive: Some("exclusiveMinimum"), upper: false, types: Types::NUMBER },
    Bound { key: "maximum", exclusive: Some("exclusiveMaximum"), upper: true, types: Types::NUMBER },
    Bound { key: "minLength", exclusive: None, upper: false, types: Types::STRING },
    Bound { key: "maxLength", exclusive: None, upper: true, types: Types::STRING },
    Bound { key: "minItems", exclusive: None, upper: false, types: Types::ARRAY },
    Bound { key: "maxItems", exclusive: None, upper: true, types: Types::ARRAY },
    Bound { key: "minProperties", exclusive: None, upper: false, types: Types::OBJECT },
    Bound { key: "maxProperties", exclusive: None, upper: true, types: Types::OBJECT },
    Bound { key: "minContains", exclusive: None, upper: false, types: Types::ARRAY },
    Bound { key: "maxContains", exclusive: None, upper: true, types: Types::ARRAY },
];

/// The tightest value of one bound in all parts of a view.
struct Limit<'a> {
    limit: Number,
    exclusive: bool,
    key: &'static str,
    value: &'a Value,
    at: String,
}

impl Bound {
    fn tightest<'a>(&self, view: &View<'a>) -> Option<Limit<'a>> {
        let keys = [(Some(self.key), false), (self.exclusive, true)];
        let mut tightest: Option<Limit<'a>> = None;
        for (key, exclusive) in keys.into_iter().filter_map(|(key, exclusive)| Some((key?, exclusive))) {
            for (value, at) in view.values(key) {
                let Value::Number(limit) = value else { continue };
                let found = self.normalized(view, Limit { limit: limit.clone(), exclusive, key, value, at });
                if tightest.as_ref().is_none_or(|tightest| self.tighter(&found, tightest) == Ordering::Greater) {
                    tightest = Some(found);
                }
            }
        }
        // No count is below zero, and `contains` alone requires one item.
        let is_trivial = |limit: f64| if self.key == "minContains" { limit == 1.0 } else { limit <= 0.0 };
        let counts = self.exclusive.is_none();
        tightest.filter(|found| !(counts && !self.upper && found.limit.as_f64().is_some_and(is_trivial)))
    }

    /// Whether a limit allows more than no limit: `minContains: 0` lifts `contains`.
    fn lifts(&self, limit: &Limit<'_>) -> bool {
        self.key == "minContains" && limit.limit.as_f64().is_some_and(|limit| limit < 1.0)
    }

    /// For whole numbers, `exclusiveMinimum: 0` is `minimum: 1`, and so is `minimum: 0.5`.
    fn normalized<'a>(&self, view: &View<'a>, mut found: Limit<'a>) -> Limit<'a> {
        let step = if self.upper { -1 } else { 1 };
        if view.types().is_integer()
            && let Some(limit) = found.limit.as_f64().filter(|limit| limit.fract() != 0.0)
        {
            // So small that no digit is lost: a greater number has no fraction.
            #[allow(clippy::cast_possible_truncation, reason = "whole, and far less than 2^63, or it had no fraction")]
            let whole = (if self.upper { limit.floor() } else { limit.ceil() }) as i64;
            found.limit = whole.into();
            found.exclusive = false;
        }
        if found.exclusive
            && view.types().is_integer()
            && let Some(limit) = found.limit.as_i64().and_then(|limit| limit.checked_add(step))
        {
            found.limit = limit.into();
            found.exclusive = false;
        }
        found
    }

    /// `Greater` if `a` allows less than `b`.
    fn tighter(&self, a: &Limit<'_>, b: &Limit<'_>) -> Ordering {
        let order = compare(&a.limit, &b.limit);
        let order = if self.upper { order.reverse() } else { order };
        order.then(a.exclusive.cmp(&b.exclusive))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn bounds(&mut self, pair: &Pair<'_, 'a>) {
        for bound in BOUNDS.iter().filter(|bound| !bound.key.ends_with("Contains") || pair.bounds_contains()) {
            // A bound has no effect on values of other types.
            let types = pair.types[0].both(pair.types[1]);
            if !pair.respelled && !types.meets(bound.types) && types != Types::NONE {
                continue;
            }
            let [old, mut new] = [bound.tightest(pair.old), bound.tightest(pair.new)];
            // No number or boolean is written with less than one character.
            if pair.respelled && bound.key == "minLength" {
                new = new.filter(|new| new.limit.as_f64().is_some_and(|limit| limit > 1.0));
            }
            let (rule, sentence) = match (&old, &new) {
                (None, None) => continue,
                (None, Some(new)) => {
                    let rule = if bound.lifts(new) { rules::BOUND_LOOSENED } else { rules::BOUND_TIGHTENED };
                    (rule, format!("`{}` is set to {}", new.key, new.value))
                }
                (Some(old), None) => {
                    let rule = if bound.lifts(old) { rules::BOUND_TIGHTENED } else { rules::BOUND_LOOSENED };
                    (rule, format!("`{}` is removed, it was {}", old.key, old.value))
                }
                (Some(old), Some(new)) => {
                    let (rule, verb) = match bound.tighter(new, old) {
                        Ordering::Equal => continue,
                        Ordering::Greater => (rules::BOUND_TIGHTENED, "tightened"),
                        Ordering::Less => (rules::BOUND_LOOSENED, "loosened"),
                    };
                    let key = |key: &str| if old.key == new.key { String::new() } else { format!("`{key}` ") };
                    let (from, to) = (key(old.key), key(new.key));
                    (rule, format!("`{}` is {verb} from {from}{} to {to}{}", bound.key, old.value, new.value))
                }
            };
            let at = |limit: &Option<Limit<'a>>, view: &View<'a>| {
                limit.as_ref().map_or_else(|| view.place(bound.key), |limit| limit.at.clone())
            };
            let at = [at(&old, pair.old), at(&new, pair.new)];
            let values = [old.as_ref().map(|limit| limit.value), new.as_ref().map(|limit| limit.value)];
            self.step(bound.key, |walk| walk.report_values(rule.on(pair.direction), at, sentence, values));
        }
        self.multiple_of(pair);
    }

    /// Every multiple of six is a multiple of three: a multiple of the old number narrows, a divisor widens.
    fn multiple_of(&mut self, pair: &Pair<'_, 'a>) {
        let divisor = |view: &View<'a>| {
            let (value, _) = view.value("multipleOf")?;
            // Every whole number is a multiple of one.
            let step = value.as_f64().filter(|step| *step > 0.0 && !(*step == 1.0 && view.types().is_integer()))?;
            Some((step, value))
        };
        let [old, new] = [divisor(pair.old), divisor(pair.new)];
        let divides = |step: f64, of: f64| {
            let ratio = of / step;
            (ratio - ratio.round()).abs() < 1e-9 * ratio.abs().max(1.0)
        };
        let (rule, sentence) = match (old, new) {
            (None, None) => return,
            (None, Some((_, new))) => (rules::BOUND_TIGHTENED, format!("`multipleOf` is set to {new}")),
            (Some((_, old)), None) => (rules::BOUND_LOOSENED, format!("`multipleOf` is removed, it was {old}")),
            (Some((from, old)), Some((to, new))) => {
                let rule = match (divides(from, to), divides(to, from)) {
                    (true, true) => return,
                    (true, false) => rules::BOUND_TIGHTENED,
                    (false, true) => rules::BOUND_LOOSENED,
                    (false, false) => rules::MULTIPLE_CHANGED,
                };
                (rule, format!("`multipleOf` changes from {old} to {new}"))
            }
        };
        let values = [old.map(|(_, value)| value), new.map(|(_, value)| value)];
        self.keyword(pair, "multipleOf", rule, sentence, values);
    }
}
