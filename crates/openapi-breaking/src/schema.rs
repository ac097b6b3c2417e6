//! Holds two schemas against each other, keyword by keyword.

use serde_json::Value;

use crate::Direction;
use crate::rules::{self, Twofold};
use crate::types::Types;
use crate::unions::prose_of_alternatives;
use crate::view::{PROSE, Schema, View};
use crate::walk::Walk;
use openapi_contract::equivalence::{canonical, same, set};

/// Two views that stand for each other, and the way on which they travel.
pub(super) struct Pair<'v, 'a> {
    pub(super) direction: Direction,
    pub(super) old: &'v View<'a>,
    pub(super) new: &'v View<'a>,
}

impl Pair<'_, '_> {
    /// Where a keyword stands on both sides.
    pub(super) fn at(&self, key: &str) -> [String; 2] {
        [self.old.place(key), self.new.place(key)]
    }
}

/// Keywords that are compared by what they mean together with others, or elsewhere.
pub(super) const JUDGED: &[&str] = &[
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

/// Keywords beside those whose presence restricts what is valid. Of any other, nothing is known but that it changed.
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
    /// Compares two schemas by what they mean.
    pub(super) fn compare(&mut self, direction: Direction, old: &Schema<'a>, new: &Schema<'a>) {
        let views = [View::of(self.old.document(), old), View::of(self.new.document(), new)];
        let [old_view, new_view] = &views;
        let pair = Pair { direction, old: old_view, new: new_view };
        old_view.read.iter().for_each(|at| self.visit(true, at));
        new_view.read.iter().for_each(|at| self.visit(false, at));
        self.schema_prose(&pair);
        self.null(&pair);
        if old_view.foreign != new_view.foreign {
            let sentence = "the reference leads elsewhere, out of the document";
            let values = [old_view, new_view].map(|view| view.foreign.iter().copied().collect::<Value>());
            self.keyword(&pair, "$ref", rules::CONSTRAINT_CHANGED, sentence, [Some(&values[0]), Some(&values[1])]);
        }
        if self.wrapped(&pair, [old, new]) {
            return;
        }
        let types = [old_view.types(), new_view.types()];
        let listed = [old_view.enumeration(), new_view.enumeration()];
        // Lists that differ say what there is to say of the types of their values.
        let lists_differ = match &listed {
            [Some(old), Some(new)] => set(old) != set(new),
            _ => false,
        };
        if types[0] != types[1] && !lists_differ {
            let (rule, verb) = if types[1].within(types[0]) {
                (rules::TYPE_NARROWED, "narrowed")
            } else if types[0].within(types[1]) {
                (rules::TYPE_WIDENED, "widened")
            } else {
                (rules::TYPE_CHANGED, "changed")
            };
            let values = [Value::from(types[0].to_string()), Value::from(types[1].to_string())];
            let sentence = format!("the type is {verb} from {} to {}", types[0], types[1]);
            self.keyword(&pair, "type", rule, sentence, [Some(&values[0]), Some(&values[1])]);
            if !types[0].meets(types[1]) || old_view.is_free() || new_view.is_free() {
                // One fault, not one for each keyword that only one of them can have.
                return;
            }
        } else {
            self.format(&pair);
        }
        // Where only `null` is valid, however that is said, no other value is listed or not.
        if types.iter().any(|types| *types != Types::NONE) {
            self.enumerations(&pair, listed);
        }
        self.bounds(&pair);
        self.pattern(&pair);
        self.default(&pair);
        self.properties(&pair);
        self.additional(&pair);
        let under = |view: &View<'a>| view.under("items");
        let [old_items, new_items] = [under(old_view), under(new_view)];
        self.step("items", |walk| walk.schema_unless_free(direction, old_items, new_items));
        self.unions(&pair);
        self.discriminators(&pair);
        self.further(&pair);
        self.others(&pair);
    }

    /// [`Walk::schema`], unless neither side says anything.
    pub(super) fn schema_unless_free(&mut self, direction: Direction, old: Schema<'a>, new: Schema<'a>) {
        if !(old.nodes.is_empty() && new.nodes.is_empty()) {
            self.schema(direction, old, new);
        }
    }

    pub(super) fn keyword(
        &mut self,
        pair: &Pair<'_, 'a>,
        key: &str,
        rule: Twofold,
        sentence: impl Into<String>,
        values: [Option<&Value>; 2],
    ) {
        let at = pair.at(key);
        self.step(key, |walk| walk.report_values(rule.on(pair.direction), at, sentence, values));
    }

    fn schema_prose(&mut self, pair: &Pair<'_, 'a>) {
        for key in PROSE {
            let all = |view: &View<'a>| view.values(key).map(|(value, _)| canonical(value)).collect::<Vec<_>>();
            if all(pair.old) != all(pair.new) {
                let at = pair.at(key);
                let sentence = format!("`{key}` reads differently");
                let values = [together(all(pair.old)), together(all(pair.new))];
                self.step(*key, |walk| {
                    walk.report_values(rules::PROSE_CHANGED, at, sentence, [values[0].as_ref(), values[1].as_ref()]);
                });
            }
        }
        let [old, new] = [pair.old, pair.new].map(prose_of_alternatives);
        if old != new {
            let key = |view: &View<'a>| ["oneOf", "anyOf"].into_iter().find(|key| view.value(key).is_some());
            let key = key(pair.new).or(key(pair.old)).unwrap_or("oneOf");
            let values = [together(old), together(new)];
            let values = [values[0].as_ref(), values[1].as_ref()];
            let at = pair.at(key);
            self.step(key, |walk| {
                walk.report_values(rules::PROSE_CHANGED, at, "its alternatives read differently", values);
            });
        }
        // Of a property that is left out of what travels, or no longer is, more is told than this.
        for key in ["readOnly", "writeOnly"] {
            if pair.old.says(key) != pair.new.says(key) {
                let at = pair.at(key);
                self.step(key, |walk| walk.report(rules::PROSE_CHANGED, at, format!("`{key}` says something else")));
            }
        }
        let (rule, sentence) = match (pair.old.says("deprecated"), pair.new.says("deprecated")) {
            (false, true) => (rules::PART_DEPRECATED, "deprecated"),
            (true, false) => (rules::PART_REVIVED, "no longer deprecated"),
            _ => return,
        };
        let at = pair.at("deprecated");
        self.step("deprecated", |walk| walk.report(rule, at, sentence));
    }

    fn null(&mut self, pair: &Pair<'_, 'a>) {
        let free = |view: &View<'a>| view.types().is_any() && view.open_unions().is_empty();
        if pair.old.null == pair.new.null || free(pair.old) || free(pair.new) {
            return;
        }
        let (rule, sentence) = if pair.new.null {
            (rules::NULL_ALLOWED, "`null` is valid")
        } else {
            (rules::NULL_REFUSED, "`null` is no longer valid")
        };
        self.keyword(pair, "type", rule, sentence, [None, None]);
    }

    fn format(&mut self, pair: &Pair<'_, 'a>) {
        let text = |view: &View<'a>| view.values("format").find_map(|(value, _)| value.as_str()).map(str::to_owned);
        let (rule, sentence) = match (text(pair.old), text(pair.new)) {
            (None, Some(new)) => (rules::FORMAT_ADDED, format!("the format `{new}` is asked for")),
            (Some(old), None) => (rules::FORMAT_REMOVED, format!("the format `{old}` is taken away")),
            (Some(old), Some(new)) if old != new => {
                let rule = match (old.as_str(), new.as_str()) {
                    ("int32", "int64") | ("float", "double") => rules::FORMAT_WIDENED,
                    ("int64", "int32") | ("double", "float") => rules::FORMAT_NARROWED,
                    _ => rules::FORMAT_CHANGED,
                };
                (rule, format!("the format changes from `{old}` to `{new}`"))
            }
            _ => return,
        };
        let values = [pair.old.value("format"), pair.new.value("format")].map(|value| value.map(|(value, _)| value));
        self.keyword(pair, "format", rule, sentence, values);
    }

    fn enumerations(&mut self, pair: &Pair<'_, 'a>, listed: [Option<Vec<Value>>; 2]) {
        let key =
            |view: &View<'a>| ["enum", "const", "oneOf", "anyOf"].into_iter().find(|key| view.value(key).is_some());
        let [old_key, new_key] = [key(pair.old), key(pair.new)].map(|key| key.unwrap_or("enum"));
        let at = [pair.old.place(old_key), pair.new.place(new_key)];
        let on = |rule: Twofold| rule.on(pair.direction);
        match listed {
            [None, Some(new)] => {
                let (sentence, list) = ("only listed values are valid", sorted(new));
                let values = [None, Some(&list)];
                self.step(new_key, |walk| walk.report_values(on(rules::ENUM_INTRODUCED), at, sentence, values));
            }
            [Some(old), None] => {
                let (sentence, list) = ("values need not be listed any more", sorted(old));
                let values = [Some(&list), None];
                self.step(old_key, |walk| walk.report_values(on(rules::ENUM_LIFTED), at, sentence, values));
            }
            [Some(old), Some(new)] => self.step(new_key, |walk| {
                let (known, named) = (set(&old), set(&new));
                for value in old.iter().filter(|value| !named.contains(*value)) {
                    let sentence = format!("{value} is no longer valid");
                    walk.report_values(on(rules::ENUM_VALUE_REMOVED), at.clone(), sentence, [Some(value), None]);
                }
                for value in new.iter().filter(|value| !known.contains(*value)) {
                    let sentence = format!("{value} is valid as well");
                    walk.report_values(on(rules::ENUM_VALUE_ADDED), at.clone(), sentence, [None, Some(value)]);
                }
            }),
            [None, None] => {}
        }
    }

    fn pattern(&mut self, pair: &Pair<'_, 'a>) {
        let all = |view: &View<'a>| view.values("pattern").map(|(value, _)| value.clone()).collect::<Vec<_>>();
        let (old, new) = (all(pair.old), all(pair.new));
        let (gone, come) = (old.iter().any(|value| !new.contains(value)), new.iter().any(|value| !old.contains(value)));
        let (rule, sentence) = match (gone, come) {
            (false, false) => return,
            (false, true) => (rules::PATTERN_ADDED, "a pattern is asked for"),
            (true, false) => (rules::PATTERN_REMOVED, "a pattern is taken away"),
            (true, true) => (rules::PATTERN_CHANGED, "the pattern changes"),
        };
        let values = [together(old), together(new)];
        self.keyword(pair, "pattern", rule, sentence, [values[0].as_ref(), values[1].as_ref()]);
    }

    fn default(&mut self, pair: &Pair<'_, 'a>) {
        let values = [pair.old.value("default"), pair.new.value("default")].map(|value| value.map(|(value, _)| value));
        let (rule, sentence) = match values {
            [None, Some(new)] => (rules::DEFAULT_ADDED, format!("the default is {new}")),
            [Some(old), None] => (rules::DEFAULT_REMOVED, format!("the default {old} is taken away")),
            [Some(old), Some(new)] if !same(old, new) => {
                (rules::DEFAULT_CHANGED, format!("the default changes from {old} to {new}"))
            }
            _ => return,
        };
        self.keyword(pair, "default", rule, sentence, values);
    }

    /// Keywords of which one is judged, where several schemas of `allOf` say one each.
    fn further(&mut self, pair: &Pair<'_, 'a>) {
        for key in ["format", "multipleOf", "default", "discriminator"] {
            let all = |view: &View<'a>| view.values(key).map(|(value, _)| canonical(value)).collect::<Vec<_>>();
            let (old, new) = (all(pair.old), all(pair.new));
            let is_told = old.len() < 2 && new.len() < 2 || old.first() != new.first() || set(&old) == set(&new);
            if !is_told {
                let sentence = format!("`{key}` says something else in one schema of `allOf`");
                let values = [together(old), together(new)];
                self.keyword(pair, key, rules::CONSTRAINT_CHANGED, sentence, [values[0].as_ref(), values[1].as_ref()]);
            }
        }
    }

    /// Keywords that are only known to restrict, or not known at all: nothing passes unread.
    fn others(&mut self, pair: &Pair<'_, 'a>) {
        let mut keys: Vec<&str> = [pair.old, pair.new]
            .into_iter()
            .flat_map(|view| &view.parts)
            .flat_map(|part| part.value.as_object().into_iter().flat_map(|members| members.keys()))
            .map(String::as_str)
            .filter(|key| !PROSE.contains(key) && !JUDGED.contains(key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let written = |view: &View<'a>| view.values(key).map(|(value, _)| value).collect::<Vec<_>>();
            let values = [written(pair.old), written(pair.new)];
            self.step(key, |walk| walk.behind(rules::CONSTRAINT_CHANGED.on(pair.direction), key, values));
            let all = |view: &View<'a>| {
                let values = view.values(key).map(|(value, _)| canonical(value));
                values.filter(|value| !(key == "uniqueItems" && *value == Value::Bool(false))).collect::<Vec<_>>()
            };
            let (old, new) = (all(pair.old), all(pair.new));
            let same = old.len() == new.len() && old.iter().all(|value| new.contains(value));
            if same {
                continue;
            }
            // `nullable` is a word of OpenAPI 3.0; to JSON Schema 2020-12 it says nothing.
            if key.starts_with("x-") || key == "nullable" {
                let at = pair.at(key);
                let sentence = format!("`{key}` says something else");
                let values = [together(old), together(new)];
                self.step(key, |walk| {
                    walk.report_values(rules::PROSE_CHANGED, at, sentence, [values[0].as_ref(), values[1].as_ref()]);
                });
                continue;
            }
            let (rule, sentence) = match (old.is_empty(), new.is_empty(), RESTRICTS.contains(&key)) {
                (true, false, true) => (rules::CONSTRAINT_ADDED, format!("`{key}` is added")),
                (false, true, true) => (rules::CONSTRAINT_REMOVED, format!("`{key}` is taken away")),
                _ => (rules::CONSTRAINT_CHANGED, format!("`{key}` says something else")),
            };
            let values = [together(old), together(new)];
            self.keyword(pair, key, rule, sentence, [values[0].as_ref(), values[1].as_ref()]);
        }
    }
}

/// What a keyword says, all parts of `allOf` together: as it is written where only one says it.
fn together(mut values: Vec<Value>) -> Option<Value> {
    match values.len() {
        0 | 1 => values.pop(),
        _ => Some(sorted(values)),
    }
}

/// A list whose order means nothing, in an order of its own.
fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_cached_key(Value::to_string);
    Value::Array(values)
}
