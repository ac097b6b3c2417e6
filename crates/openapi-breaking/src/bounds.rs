//! Bounds: numbers that values, or what is counted in them, may not pass.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::rules;
use crate::schema::Pair;
use crate::view::View;
use crate::walk::Walk;
use openapi_contract::equivalence::compare;

/// A keyword that bounds, from which side, and its twin that excludes the bound itself.
struct Bound {
    key: &'static str,
    exclusive: Option<&'static str>,
    upper: bool,
}

const BOUNDS: [Bound; 8] = [
    Bound { key: "minimum", exclusive: Some("exclusiveMinimum"), upper: false },
    Bound { key: "maximum", exclusive: Some("exclusiveMaximum"), upper: true },
    Bound { key: "minLength", exclusive: None, upper: false },
    Bound { key: "maxLength", exclusive: None, upper: true },
    Bound { key: "minItems", exclusive: None, upper: false },
    Bound { key: "maxItems", exclusive: None, upper: true },
    Bound { key: "minProperties", exclusive: None, upper: false },
    Bound { key: "maxProperties", exclusive: None, upper: true },
];

/// What a view says of one bound: the tightest of all its parts.
struct Said<'a> {
    limit: Number,
    exclusive: bool,
    key: &'static str,
    value: &'a Value,
    at: String,
}

impl Bound {
    fn said<'a>(&self, view: &View<'a>) -> Option<Said<'a>> {
        let keys = [(Some(self.key), false), (self.exclusive, true)];
        let mut tightest: Option<Said<'a>> = None;
        for (key, exclusive) in keys.into_iter().filter_map(|(key, exclusive)| Some((key?, exclusive))) {
            for (value, at) in view.values(key) {
                let Value::Number(limit) = value else { continue };
                let said = self.plain(view, Said { limit: limit.clone(), exclusive, key, value, at });
                if tightest.as_ref().is_none_or(|tightest| self.tighter(&said, tightest) == Ordering::Greater) {
                    tightest = Some(said);
                }
            }
        }
        // Nothing has a length below zero.
        let counts = self.exclusive.is_none();
        tightest.filter(|said| !(counts && !self.upper && said.limit.as_f64().is_some_and(|limit| limit <= 0.0)))
    }

    /// For whole numbers, `exclusiveMinimum: 0` is `minimum: 1`, and so is `minimum: 0.5`.
    fn plain<'a>(&self, view: &View<'a>, mut said: Said<'a>) -> Said<'a> {
        let step = if self.upper { -1 } else { 1 };
        if view.types().is_integer()
            && let Some(limit) = said.limit.as_f64().filter(|limit| limit.fract() != 0.0)
        {
            // So small that no digit is lost: a greater number has no fraction.
            #[allow(clippy::cast_possible_truncation, reason = "whole, and far less than 2^63, or it had no fraction")]
            let whole = (if self.upper { limit.floor() } else { limit.ceil() }) as i64;
            said.limit = whole.into();
            said.exclusive = false;
        }
        if said.exclusive
            && view.types().is_integer()
            && let Some(limit) = said.limit.as_i64().and_then(|limit| limit.checked_add(step))
        {
            said.limit = limit.into();
            said.exclusive = false;
        }
        said
    }

    /// `Greater` if `a` admits less than `b`.
    fn tighter(&self, a: &Said<'_>, b: &Said<'_>) -> Ordering {
        let order = compare(&a.limit, &b.limit);
        let order = if self.upper { order.reverse() } else { order };
        order.then(a.exclusive.cmp(&b.exclusive))
    }
}

impl<'a> Walk<'a> {
    pub(super) fn bounds(&mut self, pair: &Pair<'_, 'a>) {
        for bound in &BOUNDS {
            let [old, new] = [bound.said(pair.old), bound.said(pair.new)];
            let (rule, sentence) = match (&old, &new) {
                (None, None) => continue,
                (None, Some(new)) => (rules::BOUND_TIGHTENED, format!("`{}` is set to {}", new.key, new.value)),
                (Some(old), None) => (rules::BOUND_LOOSENED, format!("`{}` is lifted, it was {}", old.key, old.value)),
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
            let at = |said: &Option<Said<'a>>, view: &View<'a>| {
                said.as_ref().map_or_else(|| view.place(bound.key), |said| said.at.clone())
            };
            let at = [at(&old, pair.old), at(&new, pair.new)];
            let values = [old.as_ref().map(|said| said.value), new.as_ref().map(|said| said.value)];
            self.step(bound.key, |walk| walk.report_values(rule.on(pair.direction), at, sentence, values));
        }
        self.multiple_of(pair);
    }

    /// Every multiple of six is one of three: a multiple of the old step narrows, a divisor widens.
    fn multiple_of(&mut self, pair: &Pair<'_, 'a>) {
        let said = |view: &View<'a>| {
            let (value, _) = view.value("multipleOf")?;
            // Every whole number is a multiple of one.
            let step = value.as_f64().filter(|step| *step > 0.0 && !(*step == 1.0 && view.types().is_integer()))?;
            Some((step, value))
        };
        let [old, new] = [said(pair.old), said(pair.new)];
        let divides = |step: f64, of: f64| {
            let ratio = of / step;
            (ratio - ratio.round()).abs() < 1e-9 * ratio.abs().max(1.0)
        };
        let (rule, sentence) = match (old, new) {
            (None, None) => return,
            (None, Some((_, new))) => (rules::BOUND_TIGHTENED, format!("`multipleOf` is set to {new}")),
            (Some((_, old)), None) => (rules::BOUND_LOOSENED, format!("`multipleOf` is lifted, it was {old}")),
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
