//! Keywords that hold schemas for parts of a value, and keywords of which only the presence is judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::node::{Schema, together};
use crate::rules;
use crate::view::{PROSE, Unlisted, View};
use crate::walk::{Pair, Walk};
use openapi_contract::equivalence::canonical;
use openapi_contract::pointer::join;

/// Keywords that are compared elsewhere, together with others.
const JUDGED: &[&str] = &[
    "$ref",
    "allOf",
    "oneOf",
    "anyOf",
    "type",
    "enum",
    "const",
    "format",
    "default",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "discriminator",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords whose presence restricts what is valid. Of any other keyword only the fact that it changed is known.
const RESTRICTS: &[&str] = &[
    "not",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "if",
    "then",
    "else",
    "contentSchema",
];

impl<'a> Walk<'a> {
    /// Every keyword that is not compared elsewhere, so that no change passes unreported.
    pub(super) fn other_keywords(&mut self, pair: &Pair<'_, 'a>) {
        let keys: BTreeSet<&str> = [pair.old, pair.new]
            .into_iter()
            .flat_map(|view| &view.parts)
            .flat_map(|part| part.value.as_object().into_iter().flat_map(|members| members.keys()))
            .map(String::as_str)
            .filter(|key| !PROSE.contains(key) && !JUDGED.contains(key))
            .collect();
        let count = |view: &View<'a>, key: &str| view.values(key).count();
        for key in keys {
            let both = count(pair.old, key) > 0 && count(pair.new, key) > 0;
            match key {
                "minContains" | "maxContains" if pair.bounds_contains() => {}
                "prefixItems" if both => self.prefix_items(pair),
                "patternProperties" | "dependentSchemas" if both => self.named_schemas(pair, key),
                "dependentRequired" if both && [pair.old, pair.new].iter().all(|view| has_lists(view)) => {
                    self.dependent_required(pair)
                }
                "propertyNames" if both => self.subschema(pair, key),
                "then" | "else" if both && pair.same_condition() => self.subschema(pair, key),
                _ => self.as_written(pair, key),
            }
        }
    }

    fn subschema(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        let [old, new] = [pair.old, pair.new].map(|view| view.under(key));
        self.step(key.to_owned(), |walk| walk.schema(pair.direction, old, new));
    }

    /// An item beyond the shorter list is compared with the schema of all further items.
    fn prefix_items(&mut self, pair: &Pair<'_, 'a>) {
        const KEY: &str = "prefixItems";
        let lists = [pair.old, pair.new].map(|view| {
            let mut items: Vec<Schema<'a>> = Vec::new();
            for (list, at) in view.values(KEY) {
                for (index, value) in list.as_array().into_iter().flatten().enumerate() {
                    let item = Schema::of(value, join(&at, &index.to_string()));
                    match items.get_mut(index) {
                        Some(schema) => schema.nodes.extend(item.nodes),
                        None => items.push(item),
                    }
                }
            }
            items
        });
        for index in 0..lists[0].len().max(lists[1].len()) {
            let item = |side: usize, view: &View<'a>| {
                let at = join(&view.place(KEY), &index.to_string());
                let further = || Schema { nodes: view.under("items").nodes, at };
                lists[side].get(index).cloned().unwrap_or_else(further)
            };
            let (old, new) = (item(0, pair.old), item(1, pair.new));
            self.step(KEY, |walk| walk.step(index.to_string(), |walk| walk.schema(pair.direction, old, new)));
        }
    }

    /// `patternProperties` and `dependentSchemas`: a schema by name.
    fn named_schemas(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        let [mut old, mut new] = [pair.old, pair.new].map(|view| view.named(key));
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        // In an object that excludes other properties, one more pattern allows properties.
        let is_open = |view: &View<'a>| key != "patternProperties" || view.unlisted() == Unlisted::Anything;
        let is_open = is_open(pair.old) && is_open(pair.new);
        for name in names {
            let sides = (old.remove(name), new.remove(name));
            let at = [pair.old, pair.new].map(|view| join(&view.place(key), name));
            self.step(key.to_owned(), |walk| {
                walk.step(name.to_owned(), |walk| {
                    let (rule, sentence, value) = match sides {
                        (Some(old), Some(new)) => return walk.schema(pair.direction, old, new),
                        (None, Some(new)) => (rules::CONSTRAINT_ADDED, format!("a schema in `{key}` is added"), new),
                        (Some(old), None) => {
                            (rules::CONSTRAINT_REMOVED, format!("a schema in `{key}` is removed"), old)
                        }
                        (None, None) => return,
                    };
                    let is_added = rule.request.id == rules::CONSTRAINT_ADDED.request.id;
                    let rule = if is_open { rule } else { rules::CONSTRAINT_CHANGED };
                    let value = value.value();
                    let values = if is_added { [None, Some(&value)] } else { [Some(&value), None] };
                    walk.report_values(rule.on(pair.direction), at, sentence, values);
                });
            });
        }
    }

    fn dependent_required(&mut self, pair: &Pair<'_, 'a>) {
        const KEY: &str = "dependentRequired";
        let [old, new] = [pair.old, pair.new].map(|view| {
            let mut required: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
            for (members, _) in view.values(KEY) {
                for (name, list) in members.as_object().into_iter().flatten() {
                    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
                    required.entry(name).or_default().extend(names);
                }
            }
            required
        });
        let nothing = BTreeSet::new();
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let lists = [old.get(name).unwrap_or(&nothing), new.get(name).unwrap_or(&nothing)];
            let values = lists.map(|list| list.iter().copied().collect::<Value>());
            let at = [pair.old, pair.new].map(|view| join(&view.place(KEY), name));
            for (rule, sides, verb) in [
                (rules::CONSTRAINT_ADDED, [1, 0], "requires"),
                (rules::CONSTRAINT_REMOVED, [0, 1], "no longer requires"),
            ] {
                let [mine, others] = sides.map(|side| lists[side]);
                let names: Vec<String> = mine.difference(others).map(|name| format!("`{name}`")).collect();
                if !names.is_empty() {
                    let sentence = format!("`{name}` {verb} {}", names.join(", "));
                    let (at, values) = (at.clone(), [Some(&values[0]), Some(&values[1])]);
                    self.step(KEY, |walk| walk.report_values(rule.on(pair.direction), at, sentence, values));
                }
            }
        }
    }

    /// A keyword that is compared as it is written.
    fn as_written(&mut self, pair: &Pair<'_, 'a>, key: &str) {
        let written = |view: &View<'a>, key: &str| view.values(key).map(|(value, _)| value).collect::<Vec<_>>();
        let values = [written(pair.old, key), written(pair.new, key)];
        self.step(key.to_owned(), |walk| walk.behind(rules::CONSTRAINT_CHANGED.on(pair.direction), key, values));
        let all = |view: &View<'a>| {
            let values = view.values(key).map(|(value, _)| canonical(value));
            values.filter(|value| !(key == "uniqueItems" && *value == Value::Bool(false))).collect::<Vec<_>>()
        };
        let (old, new) = (all(pair.old), all(pair.new));
        if old.len() == new.len() && old.iter().all(|value| new.contains(value)) {
            return;
        }
        // `nullable` is a keyword of OpenAPI 3.0. It has no effect in JSON Schema 2020-12, nor have the bounds of `contains`
        // without `contains`.
        let is_unused_bound = matches!(key, "minContains" | "maxContains")
            && written(pair.old, "contains").is_empty()
            && written(pair.new, "contains").is_empty();
        if key.starts_with("x-") || key == "nullable" || is_unused_bound {
            return self.schema_prose_of(pair, key, format!("`{key}` changed"), [old, new]);
        }
        let (rule, sentence) = match (old.is_empty(), new.is_empty(), RESTRICTS.contains(&key)) {
            (true, false, true) => (rules::CONSTRAINT_ADDED, format!("`{key}` is added")),
            (false, true, true) => (rules::CONSTRAINT_REMOVED, format!("`{key}` is removed")),
            _ => (rules::CONSTRAINT_CHANGED, format!("`{key}` changed")),
        };
        let values = [together(old), together(new)];
        self.keyword(pair, key, rule, sentence, [values[0].as_ref(), values[1].as_ref()]);
    }
}

/// Whether `dependentRequired` has a list for every name, as JSON Schema requires.
fn has_lists(view: &View<'_>) -> bool {
    view.values("dependentRequired")
        .all(|(value, _)| value.as_object().is_some_and(|members| members.values().all(|list| list.is_array())))
}

impl<'a> Pair<'_, 'a> {
    /// Whether `minContains` and `maxContains` bound the same count on both sides.
    pub(super) fn bounds_contains(&self) -> bool {
        [self.old, self.new].iter().all(|view| {
            view.value("contains").is_some()
                && view.value("minContains").is_none_or(|(value, _)| value.as_f64().is_some_and(|limit| limit >= 0.0))
                && view.value("maxContains").is_none_or(|(value, _)| value.is_number())
        })
    }

    /// Whether both sides have one `if`, and the same, so that `then` and `else` apply to the same values.
    fn same_condition(&self) -> bool {
        let conditions = [self.old, self.new].map(|view| {
            let mut all = view.values("if").map(|(value, _)| canonical(value));
            all.next().filter(|_| all.next().is_none())
        });
        let single =
            [self.old, self.new].iter().all(|view| ["then", "else"].iter().all(|key| view.values(key).count() < 2));
        single && conditions[0].is_some() && conditions[0] == conditions[1]
    }
}
