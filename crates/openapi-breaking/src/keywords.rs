//! Keywords that hold schemas for parts of a value, and keywords that are compared as they are written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::constraint::{CONSTRAINT, NAMES, Pair, UNKNOWN};
use crate::effective_schema::{EffectiveSchema, PROSE, Unlisted};
use crate::rules::*;
use crate::sides::{Side, paired};
use crate::subschema::Subschema;
use crate::walk::Walk;
use openapi_contract::pointer::join;

/// Keywords that are compared elsewhere, together with others.
const COMPARED: &str = "$ref allOf oneOf anyOf type enum const format default pattern multipleOf minimum maximum \
    exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems minProperties maxProperties required \
    properties additionalProperties items discriminator deprecated readOnly writeOnly";

/// Keywords whose presence restricts what is valid. Of any other keyword only the fact that it changed is known.
const RESTRICTS: &str = "not uniqueItems contains minContains maxContains propertyNames patternProperties \
    dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems prefixItems if then else contentSchema";

impl<'a> Walk<'a> {
    /// Every keyword that is not compared elsewhere, so that no change passes unreported.
    pub(super) fn other_keywords(&mut self, pair: &Pair<'_, 'a>) {
        let parts = pair.sides.iter().flat_map(|side| &side.parts);
        let keys =
            parts.filter_map(|part| part.value.as_object()).flat_map(|members| members.keys()).map(String::as_str);
        let keys: BTreeSet<&str> =
            keys.filter(|key| !PROSE.contains(key) && !COMPARED.split(' ').any(|compared| compared == *key)).collect();
        for key in keys {
            let both = pair.first(key).iter().all(Option::is_some);
            match key {
                "minContains" | "maxContains" if pair.bounds_contains() => {}
                "prefixItems" if both => self.prefix_items(pair),
                "patternProperties" | "dependentSchemas" if both => self.named_schemas(pair, key),
                "dependentRequired" if both && pair.each(has_lists) == [true, true] => self.dependent_required(pair),
                "propertyNames" if both => self.subschema(pair, key),
                "then" | "else" if both && pair.same_condition() => self.subschema(pair, key),
                _ => self.as_written(pair, key),
            }
        }
    }

    /// The schemas that are the values of a keyword.
    pub(super) fn subschema(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        self.step(key.to_owned(), |walk| walk.schema(pair.direction, pair.each(|side| side.under(key))));
    }

    /// An item beyond the shorter list is compared with the schema of all further items.
    fn prefix_items(&mut self, pair: &Pair<'_, 'a>) {
        const KEY: &str = "prefixItems";
        let lists = pair.each(|side| {
            let mut items: BTreeMap<usize, Subschema<'a>> = BTreeMap::new();
            for (index, item) in side.values(KEY).flat_map(|list| list.items().enumerate()) {
                let schema = items.entry(index).or_insert(Subschema { nodes: Vec::new(), at: item.at.clone() });
                schema.nodes.push(item);
            }
            items
        });
        for (index, [old, new]) in paired(lists) {
            let or_further = |item: Option<Subschema<'a>>, side: &EffectiveSchema<'a>| {
                let at = join(&side.place(KEY), &index.to_string());
                item.unwrap_or_else(|| Subschema { nodes: side.under("items").nodes, at })
            };
            let items = [or_further(old, pair.sides[0]), or_further(new, pair.sides[1])];
            self.step(KEY, |walk| walk.step(index.to_string(), |walk| walk.schema(pair.direction, items)));
        }
    }

    /// `patternProperties` and `dependentSchemas`: a schema by name.
    fn named_schemas(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        // In an object that excludes other properties, one more pattern allows properties.
        let is_open = key != "patternProperties"
            || pair.each(EffectiveSchema::unlisted).iter().all(|all| *all == Unlisted::Anything);
        for (name, schemas) in paired(pair.each(|side| side.named(key))) {
            let at = pair.at(key).map(|at| join(&at, name));
            self.step(key.to_owned(), |walk| {
                walk.step(name.to_owned(), |walk| match schemas {
                    [Some(old), Some(new)] => walk.schema(pair.direction, [old, new]),
                    schemas => {
                        let rule = match schemas {
                            _ if !is_open => CONSTRAINT_CHANGED,
                            [None, _] => CONSTRAINT_ADDED,
                            _ => CONSTRAINT_REMOVED,
                        };
                        let values = schemas.map(|schema| schema.map(|schema| schema.value()));
                        walk.report_value(rule.on(pair.direction), at, &format!("a schema in `{key}`"), values);
                    }
                });
            });
        }
    }

    fn dependent_required(&mut self, pair: &Pair<'_, 'a>) {
        const KEY: &str = "dependentRequired";
        let required = pair.each(|side| {
            let mut required: BTreeMap<&'a str, Vec<Value>> = BTreeMap::new();
            for (name, list) in side.values(KEY).flat_map(|found| found.members()) {
                required.entry(name).or_default().extend(list.items().map(|item| item.value.clone()));
            }
            required
        });
        for (name, lists) in paired(required) {
            let lists = lists.map(Option::unwrap_or_default);
            let at = pair.at(KEY).map(|at| join(&at, name));
            if let Some(rule) = NAMES.of(&lists[0], &lists[1], |a, b| a == b) {
                let what = format!("what `{name}` requires");
                let values = lists.map(|names| Some(Value::from(names)));
                self.step(KEY, |walk| walk.report_value(rule.on(pair.direction), at, &what, values));
            }
        }
    }

    /// A keyword that is compared as it is written.
    fn as_written(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        let written = pair.each(|side| side.values(key).map(|found| found.value).collect());
        let rule = CONSTRAINT_CHANGED.on(pair.direction);
        self.step(key.to_owned(), |walk| walk.referred_components(rule, key, written));
        let lists = pair.lists(key).map(|mut values| {
            values.retain(|value| !(key == "uniqueItems" && *value == Value::Bool(false)));
            values
        });
        // `nullable` is a keyword of OpenAPI 3.0. It has no effect in JSON Schema 2020-12, nor have the bounds of `contains`
        // without `contains`.
        let is_unused_bound = matches!(key, "minContains" | "maxContains") && pair.first("contains") == [None, None];
        if key.starts_with("x-") || key == "nullable" || is_unused_bound {
            return self.schema_prose(pair, key, lists);
        }
        let rules = if RESTRICTS.split(' ').any(|restricts| restricts == key) { &CONSTRAINT } else { &UNKNOWN };
        self.constraint(pair, key, rules, lists, |a, b| a == b);
    }
}

/// Whether `dependentRequired` has a list for every name, as JSON Schema requires.
fn has_lists(schema: &EffectiveSchema<'_>) -> bool {
    let mut all = schema.values("dependentRequired");
    all.all(|found| found.value.is_object() && found.members().all(|(_, list)| list.value.is_array()))
}

impl<'a> Pair<'_, 'a> {
    /// Whether `minContains` and `maxContains` bound the same count on both sides.
    pub(super) fn bounds_contains(&self) -> bool {
        let is_count = |found: Side<'a>| found.value.as_f64().is_some_and(|limit| limit >= 0.0);
        let bounds = |side: &EffectiveSchema<'a>| {
            side.value("contains").is_some()
                && ["minContains", "maxContains"].iter().all(|key| side.value(key).is_none_or(is_count))
        };
        self.each(bounds) == [true, true]
    }

    /// Whether both sides have one `if`, and the same, so that `then` and `else` apply to the same values.
    fn same_condition(&self) -> bool {
        let [old, new] = self.lists("if");
        let is_single = |key: &str| self.lists(key).iter().all(|values| values.len() < 2);
        old.len() == 1 && old == new && is_single("then") && is_single("else")
    }
}
