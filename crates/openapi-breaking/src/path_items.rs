//! Path items: which exist, and which operations they have. Also those of webhooks and callbacks.
//!
//! Webhooks and callbacks are operations that the server sends and to which clients respond. They are compared like all
//! operations, with the directions swapped: what the server sends is received by clients, so it is classified like a response,
//! and the response to it like a request. A callback inside a webhook is swapped again.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::day::Day;
use crate::fingerprint::without_names;
use crate::rule::Rule;
use crate::rules::*;
use crate::sides::{Side, Sides, paired};
use crate::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;

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
            |_, _, is_added| if is_added { OPERATION_ADDED } else { OPERATION_REMOVED },
        );
    }

    /// Compares two maps of path items, such as `paths`.
    pub(super) fn path_items(&mut self, maps: &Sides<'a>) {
        let is_listed = |key: &str| !key.starts_with("x-");
        self.rest(is_listed, maps);
        let items = maps.map(|map| map.members().filter(|(key, _)| is_listed(key)));
        // Where only one side has the template, path parameters may have been renamed.
        let mut added: BTreeMap<String, Vec<(&'a str, Side<'a>)>> = BTreeMap::new();
        let mut rest = Vec::new();
        for (template, values) in paired(items) {
            match values.map(|value| value.map(|item| (template, item))) {
                [None, Some(new)] if !self.sent_by_server => {
                    added.entry(without_names(template)).or_default().push(new);
                }
                [Some(old), None] if !self.sent_by_server => rest.push(old),
                pair => self.path_item(maps, pair),
            }
        }
        for old in rest {
            let new = added.get_mut(&without_names(old.0)).and_then(Vec::pop);
            self.path_item(maps, [Some(old), new]);
        }
        for new in added.into_values().flatten() {
            self.path_item(maps, [None, Some(new)]);
        }
    }

    fn path_item(&mut self, maps: &Sides<'a>, pair: [Option<(&'a str, Side<'a>)>; 2]) {
        let templates = pair.each_ref().map(|one| one.as_ref().map(|(template, _)| *template));
        let Some(template) = templates[1].or(templates[0]) else { return };
        let templates = templates.map(|one| one.unwrap_or(template));
        let item = Sides::of(pair.map(|one| one.map(|(_, item)| item)), maps, template).followed();
        let is_method = |key: &str| Method::ALL.iter().any(|method| method.key() == key);
        self.step(template, |walk| {
            if item.exist() != [true, true] {
                if !item.keys().any(is_method) {
                    walk.report(PROSE_CHANGED, item.sites(), "a path without an operation is added or removed");
                }
                return;
            }
            if templates[0] != templates[1] {
                let values = templates.map(|template| Some(Value::from(template)));
                walk.report_value(PATH_PARAMETER_RENAMED, item.sites(), "the path", values);
            }
            let inherited = if walk.sent_by_server { &["parameters"][..] } else { &["parameters", "servers"] };
            walk.rest(|key| is_method(key) || inherited.contains(&key), &item);
            walk.overridden(&item, inherited);
        });
        for method in Method::ALL {
            let operation = item.member(method.key());
            self.step(format!("{method} {template}"), |walk| match operation.exist() {
                [true, true] => walk.operation(&item, &operation, templates),
                [false, false] => {}
                [false, true] => walk.report(added(&operation), operation.sites(), "the operation is added"),
                [true, false] => {
                    let rule = removed(&operation.0[0], walk.today);
                    walk.report(rule, operation.sites(), "the operation is removed");
                }
            });
        }
    }
}

fn added(operation: &Sides<'_>) -> &'static Rule {
    if is_planned(operation.0[1].value) { PLANNED_CHANGED } else { OPERATION_ADDED }
}

fn removed(operation: &Side<'_>, today: Day) -> &'static Rule {
    match (operation.flag("deprecated"), sunset(operation.value)) {
        _ if is_planned(operation.value) => PLANNED_CHANGED,
        (false, _) => OPERATION_REMOVED,
        (true, None) => OPERATION_REMOVED_WITHOUT_SUNSET,
        (true, Some(day)) if day > today => OPERATION_REMOVED_BEFORE_SUNSET,
        (true, Some(_)) => OPERATION_REMOVED_AFTER_SUNSET,
    }
}

/// The day of the sunset of an operation.
pub(super) fn sunset(operation: &Value) -> Option<Day> {
    Day::parse(operation.get("x-sunset")?.as_str()?)
}
