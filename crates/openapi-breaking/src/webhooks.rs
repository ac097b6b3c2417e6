//! Webhooks and callbacks: operations that the server sends and clients answer.
//!
//! They are compared like all operations, with the directions swapped: what the server sends is received by clients, so
//! it is judged like a response, and the answer like a request. A callback inside a webhook is swapped again.

use serde_json::Value;

use crate::messages::Followed;
use crate::operations::path_items;
use crate::rules;
use crate::walk::Walk;
use openapi_contract::Kind;
use openapi_contract::equivalence::same;
use openapi_contract::paths::Endpoint;
use openapi_contract::pointer::join;

impl<'a> Walk<'a> {
    pub(super) fn webhooks(&mut self) {
        const AT: &str = "/webhooks";
        let [old, new] = [self.old, self.new].map(|release| (release.document(), release.document().get("webhooks")));
        let maps = [old, new].map(|(document, map)| path_items(document, map, AT));
        self.step("webhooks", |walk| {
            walk.unlisted_members([old.1, new.1], [AT, AT]);
            let [old, new] = maps;
            walk.swapped(|walk| walk.paths(old, new, [AT, AT]));
        });
    }

    pub(super) fn callbacks(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let [old, new] = [old, new].map(|endpoint| Followed::of(endpoint.operation, &endpoint.pointer));
        let rules =
            [(rules::OPERATION_REMOVED, "the callback is removed"), (rules::OPERATION_ADDED, "the callback is added")];
        self.each((Kind::PathItem, "callbacks"), [&old, &new], Walk::callback, |_, _| rules[0], |_, _| rules[1]);
    }

    fn callback(&mut self, old: &Followed<'a>, new: &Followed<'a>) {
        /// How many callbacks may contain each other.
        const MAX_DEPTH: usize = 4;
        let at = [old.at.clone(), new.at.clone()];
        if self.callbacks.contains(&at) || self.callbacks.len() >= MAX_DEPTH {
            return;
        }
        let maps = [(self.old, old), (self.new, new)]
            .map(|(release, side)| path_items(release.document(), Some(side.value), &side.at));
        self.unlisted_members([Some(old.value), Some(new.value)], [&at[0], &at[1]]);
        self.beside_references(old, new);
        self.callbacks.push(at.clone());
        let [old, new] = maps;
        self.swapped(|walk| walk.paths(old, new, [&at[0], &at[1]]));
        self.callbacks.pop();
    }

    /// Members of a map of path items that are none.
    fn unlisted_members(&mut self, maps: [Option<&'a Value>; 2], at: [&str; 2]) {
        let documents = [self.old.document(), self.new.document()];
        let items = [0, 1].map(|side| path_items(documents[side], maps[side], at[side]));
        let listed: Vec<&str> = items.iter().flatten().map(|path| path.template).collect();
        let [old, new] = maps.map(|map| map.unwrap_or(&Value::Null));
        self.rest(&listed, (old, at[0]), (new, at[1]));
    }

    fn swapped(&mut self, inside: impl FnOnce(&mut Self)) {
        self.sent_by_server = !self.sent_by_server;
        inside(self);
        self.sent_by_server = !self.sent_by_server;
    }

    /// What is judged of operations that the server sends in place of servers, body limit and credentials of clients.
    pub(super) fn sent_operation(&mut self, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        self.prose(&["servers", "x-max-body-bytes"], (old.operation, &old.pointer), (new.operation, &new.pointer));
        let values = [old.operation.get("security"), new.operation.get("security")];
        let nothing = Value::Null;
        if !same(values[0].unwrap_or(&nothing), values[1].unwrap_or(&nothing)) {
            let at = [join(&old.pointer, "security"), join(&new.pointer, "security")];
            self.step("security", |walk| {
                walk.report_values(rules::WEBHOOK_SECURITY_CHANGED, at, "the credentials change", values);
            });
        }
    }
}
