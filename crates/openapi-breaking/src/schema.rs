//! Compares two schemas keyword by keyword.

use serde_json::Value;

use crate::change::Direction;
use crate::node::{Schema, sorted, together};
use crate::rule::Twofold;
use crate::rules;
use crate::types::Types;
use crate::view::{PROSE, View};
use crate::walk::{Pair, Walk};
use openapi_contract::equivalence::{canonical, same, set};

/// Patterns that match every string.
const MATCH_ALL: &[&str] = &["", "^", "$", ".*", "^.*", ".*$", "[\\s\\S]*", "^[\\s\\S]*$", "^[\\s\\S]*"];

impl<'a> Walk<'a> {
    /// Compares two schemas by what they accept.
    pub(super) fn compare(&mut self, direction: Direction, old: &Schema<'a>, new: &Schema<'a>) {
        let views = [View::of(self.old.document(), old), View::of(self.new.document(), new)];
        let [old_view, new_view] = &views;
        old_view.read.iter().for_each(|at| self.visit(true, at));
        new_view.read.iter().for_each(|at| self.visit(false, at));
        let types = [old_view.types(), new_view.types()];
        // Written as text, every number and boolean is a string too.
        let is_text = self.context.text && direction == Direction::Request;
        let respelled = is_text && types[0] != types[1] && types[0].within(types[1].as_text());
        let pair = Pair { direction, respelled, types, old: old_view, new: new_view };
        self.schema_prose(&pair);
        self.null(&pair);
        if old_view.foreign != new_view.foreign {
            let sentence = "the reference to another document changed";
            let values = [old_view, new_view].map(|view| view.foreign.iter().copied().collect::<Value>());
            self.keyword(&pair, "$ref", rules::CONSTRAINT_CHANGED, sentence, [Some(&values[0]), Some(&values[1])]);
        }
        if self.single_and_alternatives(&pair, [old, new]) {
            return;
        }
        let mut listed = [old_view.enumeration(), new_view.enumeration()];
        if respelled {
            listed = listed.map(|list| list.map(|values| values.iter().map(text).collect()));
        }
        // Lists that differ imply the types of their values.
        let lists_differ = matches!(&listed, [Some(old), Some(new)] if set(old) != set(new));
        if types[0] != types[1] && !lists_differ {
            let (rule, verb) = if types[1].within(types[0]) {
                (rules::TYPE_NARROWED, "narrowed")
            } else if types[0].within(types[1]) || respelled {
                (rules::TYPE_WIDENED, "widened")
            } else {
                (rules::TYPE_CHANGED, "changed")
            };
            let values = [Value::from(types[0].to_string()), Value::from(types[1].to_string())];
            let sentence = format!("the type is {verb} from {} to {}", types[0], types[1]);
            self.keyword(&pair, "type", rule, sentence, [Some(&values[0]), Some(&values[1])]);
            let comparable = types[0].meets(types[1]) || respelled;
            if !comparable || old_view.is_free() || new_view.is_free() {
                // One finding, not one for each keyword that only one of the types can have.
                return;
            }
        } else {
            self.format(&pair);
        }
        // Where only `null` is valid, an enumeration of other values has no effect.
        if types.iter().any(|types| *types != Types::NONE) {
            self.enumerations(&pair, listed);
        }
        self.bounds(&pair);
        self.pattern(&pair);
        self.default(&pair);
        self.properties(&pair);
        self.additional(&pair);
        let [old_items, new_items] = [old_view, new_view].map(|view| view.under("items"));
        self.step("items", |walk| walk.schema_unless_free(direction, old_items, new_items));
        self.unions(&pair);
        self.discriminators(&pair);
        self.further(&pair);
        self.other_keywords(&pair);
    }

    fn schema_prose(&mut self, pair: &Pair<'_, 'a>) {
        for key in PROSE {
            let all = |view: &View<'a>| view.values(key).map(|(value, _)| canonical(value)).collect();
            self.schema_prose_of(pair, key, format!("`{key}` changed"), [all(pair.old), all(pair.new)]);
        }
        let key = |view: &View<'a>| ["oneOf", "anyOf"].into_iter().find(|key| view.value(key).is_some());
        let key = key(pair.new).or(key(pair.old)).unwrap_or("oneOf");
        let prose = [pair.old, pair.new].map(View::prose_of_alternatives);
        self.schema_prose_of(pair, key, "the prose of its alternatives changed".to_owned(), prose);
        // For a property that is hidden from one direction, `properties` reports more than this.
        for key in ["readOnly", "writeOnly"] {
            if pair.old.flag(key) != pair.new.flag(key) {
                let at = pair.at(key);
                self.step(key, |walk| walk.report(rules::PROSE_CHANGED, at, format!("`{key}` changed")));
            }
        }
        let (rule, sentence) = match (pair.old.flag("deprecated"), pair.new.flag("deprecated")) {
            (false, true) => (rules::PART_DEPRECATED, "deprecated"),
            (true, false) => (rules::PART_REVIVED, "no longer deprecated"),
            _ => return,
        };
        let at = pair.at("deprecated");
        self.step("deprecated", |walk| walk.report(rule, at, sentence));
    }

    /// Reports lists of values that differ as prose.
    pub(super) fn schema_prose_of(&mut self, pair: &Pair<'_, 'a>, key: &str, sentence: String, lists: [Vec<Value>; 2]) {
        if lists[0] == lists[1] {
            return;
        }
        let at = pair.at(key);
        let values = lists.map(together);
        self.step(key.to_owned(), |walk| {
            walk.report_values(rules::PROSE_CHANGED, at, sentence, [values[0].as_ref(), values[1].as_ref()]);
        });
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
            (None, Some(new)) => (rules::FORMAT_ADDED, format!("the format `{new}` is added")),
            (Some(old), None) => (rules::FORMAT_REMOVED, format!("the format `{old}` is removed")),
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
        let values = [pair.old, pair.new].map(|view| view.value("format").map(|(value, _)| value));
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
                let (sentence, list) = ("values that are not listed are valid", sorted(old));
                let values = [Some(&list), None];
                self.step(old_key, |walk| walk.report_values(on(rules::ENUM_LIFTED), at, sentence, values));
            }
            [Some(old), Some(new)] => self.step(new_key, |walk| {
                let (known, named) = (set(&old), set(&new));
                let replaced = !old.is_empty() && !new.is_empty() && known.is_disjoint(&named);
                if replaced && pair.direction == Direction::Response {
                    let sentence = "every listed value is replaced by another";
                    let lists = [sorted(old), sorted(new)];
                    return walk.report_values(rules::ENUM_REPLACED, at, sentence, [Some(&lists[0]), Some(&lists[1])]);
                }
                for value in old.iter().filter(|value| !named.contains(*value)) {
                    let sentence = format!("{value} is no longer valid");
                    walk.report_values(on(rules::ENUM_VALUE_REMOVED), at.clone(), sentence, [Some(value), None]);
                }
                for value in new.iter().filter(|value| !known.contains(*value)) {
                    let sentence = format!("{value} is valid too");
                    walk.report_values(on(rules::ENUM_VALUE_ADDED), at.clone(), sentence, [None, Some(value)]);
                }
            }),
            [None, None] => {}
        }
    }

    fn pattern(&mut self, pair: &Pair<'_, 'a>) {
        let restricts = |value: &&'a Value| value.as_str().is_none_or(|pattern| !MATCH_ALL.contains(&pattern));
        let all = |view: &View<'a>| {
            view.values("pattern").map(|(value, _)| value).filter(restricts).cloned().collect::<Vec<_>>()
        };
        let (old, new) = (all(pair.old), all(pair.new));
        let (rule, sentence) =
            match (old.iter().any(|value| !new.contains(value)), new.iter().any(|value| !old.contains(value))) {
                (false, false) => return,
                (false, true) => (rules::PATTERN_ADDED, "a pattern is added"),
                (true, false) => (rules::PATTERN_REMOVED, "a pattern is removed"),
                (true, true) => (rules::PATTERN_CHANGED, "the pattern changes"),
            };
        let values = [together(old), together(new)];
        self.keyword(pair, "pattern", rule, sentence, [values[0].as_ref(), values[1].as_ref()]);
    }

    fn default(&mut self, pair: &Pair<'_, 'a>) {
        let values = [pair.old, pair.new].map(|view| view.value("default").map(|(value, _)| value));
        let (rule, sentence) = match values {
            [None, Some(new)] => (rules::DEFAULT_ADDED, format!("the default {new} is added")),
            [Some(old), None] => (rules::DEFAULT_REMOVED, format!("the default {old} is removed")),
            [Some(old), Some(new)] if !(same(old, new) || pair.respelled && text(old) == text(new)) => {
                (rules::DEFAULT_CHANGED, format!("the default changes from {old} to {new}"))
            }
            _ => return,
        };
        self.keyword(pair, "default", rule, sentence, values);
    }

    /// Keywords of which the first value is judged, where several schemas of `allOf` have one each.
    fn further(&mut self, pair: &Pair<'_, 'a>) {
        for key in ["format", "multipleOf", "default", "discriminator"] {
            let all = |view: &View<'a>| view.values(key).map(|(value, _)| canonical(value)).collect::<Vec<_>>();
            let (old, new) = (all(pair.old), all(pair.new));
            let is_judged = old.len() < 2 && new.len() < 2 || old.first() != new.first() || set(&old) == set(&new);
            if !is_judged {
                let sentence = format!("`{key}` changed in one schema of `allOf`");
                let values = [together(old), together(new)];
                self.keyword(pair, key, rules::CONSTRAINT_CHANGED, sentence, [values[0].as_ref(), values[1].as_ref()]);
            }
        }
    }
}

/// A scalar as it is written in a query.
fn text(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(canonical(value).to_string()),
        other => other.clone(),
    }
}
