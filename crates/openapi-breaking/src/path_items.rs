//! Path items: which exist, and which operations they have. Also those of webhooks and callbacks.
//!
//! Webhooks and callbacks are operations that the server sends and to which clients respond. They are compared like all
//! operations, with the directions swapped: what the server sends is received by clients, so it is judged like a response,
//! and the response to it like a request. A callback inside a webhook is swapped again.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::fingerprint::without_names;
use crate::release::Day;
use crate::rules;
use crate::sides::{Side, Sides, paired};
use crate::walk::{Walk, sentence};
use openapi_contract::Kind;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::Path;
use openapi_contract::pointer::join;

impl<'a> Walk<'a> {
    /// Compares what is inside as operations that the server sends; inside of those, as operations that clients send.
    pub(super) fn swapped(&mut self, inside: impl FnOnce(&mut Self)) {
        self.sent_by_server = !self.sent_by_server;
        inside(self);
        self.sent_by_server = !self.sent_by_server;
    }

    pub(super) fn callbacks(&mut self, operation: &Sides<'a>) {
        /// How many callbacks may contain each other.
        const MAX_DEPTH: usize = 4;
        self.members(
            (Kind::PathItem, "callbacks", "callback"),
            operation,
            |walk, callback| {
                let at = callback.map(|side| side.at.clone());
                if !walk.callbacks.contains(&at) && walk.callbacks.len() < MAX_DEPTH {
                    walk.callbacks.push(at);
                    walk.swapped(|walk| walk.path_items(callback));
                    walk.callbacks.pop();
                }
            },
            |_, _, is_added| if is_added { rules::OPERATION_ADDED } else { rules::OPERATION_REMOVED },
        );
    }

    /// Compares two maps of path items, such as `paths`.
    pub(super) fn path_items(&mut self, maps: &Sides<'a>) {
        let is_listed = |key: &str| !key.starts_with("x-");
        self.rest(is_listed, maps);
        let items = maps.map(|map| {
            let members = map.value.as_object().into_iter().flatten().map(|(key, item)| (key.as_str(), item));
            members.filter(|(key, _)| is_listed(key)).collect::<Vec<_>>()
        });
        let mut pairs: Vec<_> = Vec::new();
        // Where only one side has the template, path parameters may have been renamed.
        let mut renamed: BTreeMap<String, Vec<(&'a str, &'a Value)>> = BTreeMap::new();
        let mut removed = Vec::new();
        for (template, values) in paired(items) {
            match values {
                [Some(old), Some(new)] => pairs.push([Some((template, old)), Some((template, new))]),
                [Some(old), None] => removed.push((template, old)),
                [None, Some(new)] if self.sent_by_server => pairs.push([None, Some((template, new))]),
                [_, new] => renamed.entry(without_names(template)).or_default().extend(new.map(|new| (template, new))),
            }
        }
        pairs.extend(removed.into_iter().map(|old| {
            let new = renamed.get_mut(&without_names(old.0)).and_then(Vec::pop);
            [Some(old), new]
        }));
        pairs.extend(renamed.into_values().flatten().map(|new| [None, Some(new)]));
        for pair in pairs {
            self.path_item(maps, pair);
        }
    }

    fn path_item(&mut self, maps: &Sides<'a>, pair: [Option<(&'a str, &'a Value)>; 2]) {
        let Some(template) = pair[1].or(pair[0]).map(|(template, _)| template) else { return };
        let at = |side: usize| join(&maps.0[side].at, pair[side].map_or(template, |(template, _)| template));
        let item = match pair {
            [Some((_, old)), Some((_, new))] => self.follow([(old, at(0)), (new, at(1))]),
            // The operations of one side are added or removed; the references to them are.
            _ => Sides([0, 1].map(|side| {
                let document = self.documents()[side];
                pair[side].map_or(Side::plain(None, at(side)), |(_, item)| Side::follow(document, item, at(side)))
            })),
        };
        let both = pair.iter().all(Option::is_some);
        let names = pair.map(|one| one.map_or(Vec::new(), |(template, _)| names(template)));
        let renamed: HashMap<&str, &str> =
            names[1].iter().copied().zip(names[0].iter().copied()).filter(|(new, old)| both && new != old).collect();
        self.step(template, |walk| {
            if !renamed.is_empty() {
                let templates = pair.map(|one| one.map(|(template, _)| Value::from(template)));
                let values = [templates[0].as_ref(), templates[1].as_ref()];
                let sites = item.map(|side| side.site.clone());
                walk.report_values(rules::PATH_PARAMETER_RENAMED, sites, sentence("the path", values), values);
            }
            if both {
                let is_method = |key: &str| Method::ALL.iter().any(|method| method.key() == key);
                let inherited = if walk.sent_by_server { &["parameters"][..] } else { &["parameters", "servers"] };
                walk.rest(|key| is_method(key) || inherited.contains(&key), &item);
                walk.overridden(&item, inherited);
            } else if !Method::ALL.iter().any(|method| item.keys().any(|key| key == method.key())) {
                let sites = item.map(|side| side.site.clone());
                walk.report(rules::PROSE_CHANGED, sites, "a path without an operation is added or removed");
            }
        });
        for method in Method::ALL {
            let operation = item.member(method.key());
            let exists = operation.map(|side| !side.value.is_null());
            self.step(format!("{method} {template}"), |walk| match exists {
                [true, true] => walk.operation(&item, &operation, &renamed),
                [false, false] => {}
                [false, true] => walk.added(&operation),
                [true, false] => walk.removed(&operation),
            });
        }
    }

    fn added(&mut self, operation: &Sides<'a>) {
        let is_planned = is_planned(operation.0[1].value);
        let rule = if is_planned { rules::PLANNED_CHANGED } else { rules::OPERATION_ADDED };
        self.report(rule, operation.map(|side| side.at.clone()), "the operation is added");
    }

    fn removed(&mut self, operation: &Sides<'a>) {
        let old = &operation.0[0];
        let rule = match (old.flag("deprecated"), sunset(old.value)) {
            _ if is_planned(old.value) => rules::PLANNED_CHANGED,
            (false, _) => rules::OPERATION_REMOVED,
            (true, None) => rules::OPERATION_REMOVED_WITHOUT_SUNSET,
            (true, Some(day)) if day > self.today => rules::OPERATION_REMOVED_BEFORE_SUNSET,
            (true, Some(_)) => rules::OPERATION_REMOVED_AFTER_SUNSET,
        };
        self.report(rule, operation.map(|side| side.at.clone()), "the operation is removed");
    }
}

/// The day of the sunset of an operation.
pub(super) fn sunset(operation: &Value) -> Option<Day> {
    Day::parse(operation.get("x-sunset")?.as_str()?)
}

/// The names of the path parameters of a template.
fn names(template: &str) -> Vec<&str> {
    let path = Path { template, site: String::new(), item: &Value::Null, pointer: String::new() };
    path.template_names().unwrap_or_default()
}
