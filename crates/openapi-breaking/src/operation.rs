//! What an operation declares besides its messages.

use std::collections::HashMap;

use serde_json::Value;

use crate::path_items::sunset;
use crate::rules;
use crate::sides::{Side, Sides, both_same, paired};
use crate::walk::{Walk, sentence};
use openapi_contract::equivalence::whole;
use openapi_contract::operation::is_planned;
use openapi_contract::pointer::join;

/// Members of an operation that are compared; all others are prose.
const OPERATION: &str = "operationId tags deprecated x-sunset x-status x-max-body-bytes security servers parameters \
    requestBody responses callbacks";

impl<'a> Walk<'a> {
    /// Compares an operation of a path item. `renamed` has the new names of path parameters with the old ones.
    pub(super) fn operation(&mut self, item: &Sides<'a>, operation: &Sides<'a>, renamed: &HashMap<&str, &str>) {
        let rule = match operation.map(|side| is_planned(side.value)) {
            [true, true] if operation.0[0].value == operation.0[1].value => return,
            [true, true] => rules::PLANNED_CHANGED,
            [true, false] => rules::OPERATION_BUILT,
            [false, true] => rules::OPERATION_WITHDRAWN,
            [false, false] => {
                self.operation_id(operation);
                self.tags(operation);
                self.lifecycle(operation);
                self.rest(|key| OPERATION.split(' ').any(|compared| compared == key), operation);
                if self.sent_by_server {
                    // In place of what clients need to send a request.
                    self.prose(["servers", "x-max-body-bytes"], operation);
                    if !both_same(operation.get("security")) {
                        self.changed(rules::WEBHOOK_SECURITY_CHANGED, operation, "security");
                    }
                } else {
                    self.body_limit(operation);
                    self.security(operation);
                    self.servers(item, operation);
                }
                self.parameters(item, operation, renamed);
                self.body(operation);
                self.responses(operation);
                return self.callbacks(operation);
            }
        };
        let plans = operation.map(|side| Some(side.value).filter(|_| rule == rules::PLANNED_CHANGED));
        self.report_values(rule, operation.map(|side| side.at.clone()), sentence("the operation", plans), plans);
    }

    fn operation_id(&mut self, operation: &Sides<'a>) {
        let ids = operation.get("operationId");
        // Without an old id there is no old name that generated clients use.
        let rule = if ids[0].is_some() { rules::OPERATION_ID_CHANGED } else { rules::PROSE_CHANGED };
        if ids[0] != ids[1] {
            self.changed(rule, operation, "operationId");
        }
    }

    fn tags(&mut self, operation: &Sides<'a>) {
        let tags = operation.get("tags").map(|tags| tags.and_then(Value::as_array).into_iter().flatten());
        for (name, tag) in paired(tags.map(|tags| tags.map(|tag| (tag.to_string(), tag)))) {
            let rule = if tag[1].is_none() { rules::TAG_REMOVED } else { rules::TAG_ADDED };
            if tag.contains(&None) {
                let sentence = sentence(&format!("the tag {name}"), tag);
                self.step("tags", |walk| walk.report_values(rule, operation.at("tags"), sentence, tag));
            }
        }
    }

    /// Deprecation (RFC 9745) and sunset (RFC 8594).
    fn lifecycle(&mut self, operation: &Sides<'a>) {
        const SUNSET: &str = "x-sunset";
        let deprecated = operation.flags("deprecated");
        let days = operation.map(|side| sunset(side.value));
        let rule = match (deprecated, days[1]) {
            ([false, true], Some(_)) => Some(rules::OPERATION_DEPRECATED),
            ([false, true], None) => Some(rules::OPERATION_DEPRECATED_WITHOUT_SUNSET),
            ([true, false], _) => Some(rules::OPERATION_REVIVED),
            _ => None,
        };
        if let Some(rule) = rule {
            let (at, what, sunsets) = (operation.at("deprecated"), deprecation(deprecated[1]), operation.get(SUNSET));
            self.step("deprecated", |walk| walk.report_values(rule, at, what, sunsets));
        }
        let sunset_rule = match days {
            [None, Some(day)] if day <= self.today => Some(rules::SUNSET_IN_THE_PAST),
            [None, Some(_)] if deprecated != [false, true] => Some(rules::SUNSET_SET),
            [Some(_), None] if deprecated != [true, false] => Some(rules::SUNSET_REMOVED),
            [Some(before), Some(after)] if before < after => Some(rules::SUNSET_LATER),
            [Some(before), Some(after)] if before > after => Some(rules::SUNSET_EARLIER),
            _ => None,
        };
        match sunset_rule {
            Some(rule) => self.changed(rule, operation, SUNSET),
            // Another time of the same day, or a value that is no day.
            None if rule.is_none_or(|rule| rule == rules::OPERATION_DEPRECATED_WITHOUT_SUNSET) => {
                self.prose([SUNSET], operation);
            }
            None => {}
        }
    }

    fn body_limit(&mut self, operation: &Sides<'a>) {
        const KEY: &str = "x-max-body-bytes";
        match operation.get(KEY).map(|value| value.and_then(whole)) {
            // A value that is no number of bytes.
            [None, None] => self.prose([KEY], operation),
            [old, new] if old == new => {}
            [old, new] => {
                let is_lower = new.is_some_and(|new| old.is_none_or(|old| new < old));
                let rule = if is_lower { rules::MAX_BODY_LOWERED } else { rules::MAX_BODY_RAISED };
                self.changed(rule, operation, KEY);
            }
        }
    }

    /// The servers of an operation: its own, else its path's, else the document's.
    fn servers(&mut self, item: &Sides<'a>, operation: &Sides<'a>) {
        let root = self.root();
        let lists = Sides([0, 1].map(|side| {
            let levels = [operation, item, &root].map(|level| &level.0[side]);
            let owner = levels.into_iter().find(|owner| owner.value.get("servers").is_some());
            let owner = owner.unwrap_or(&root.0[side]);
            Side::plain(owner.value.get("servers"), join(&owner.at, "servers"))
        }));
        let urls = lists.map(|list| listed(list.value));
        let servers = paired(urls.clone());
        let is_same = servers.values().all(|servers| !servers.contains(&None));
        self.step("servers", |walk| {
            for (url, servers) in servers {
                let index = |side: usize| servers[side].map_or(url.to_owned(), |(index, _)| index.to_string());
                let at = [join(&lists.0[0].at, &index(0)), join(&lists.0[1].at, &index(1))];
                match servers {
                    [Some((_, Some(old))), Some((_, Some(new)))] => {
                        let [old_at, new_at] = at;
                        let server = Sides([Side::plain(Some(old), old_at), Side::plain(Some(new), new_at)]);
                        walk.rest(|key| matches!(key, "url" | "variables"), &server);
                        if !both_same(server.get("variables")) {
                            walk.changed(rules::SERVER_CHANGED, &server, "variables");
                        }
                    }
                    [Some(_), None] => {
                        walk.report(rules::SERVER_REMOVED, at, format!("the server `{url}/` is removed"));
                    }
                    [None, Some(_)] => walk.report(rules::SERVER_ADDED, at, format!("the server `{url}/` is added")),
                    _ => {}
                }
            }
        });
        let order = urls.map(|urls| urls.into_iter().map(|(url, _)| Value::from(url)).collect::<Value>());
        if is_same && order[0] != order[1] {
            let (at, values) = (lists.map(|list| list.at.clone()), [Some(&order[0]), Some(&order[1])]);
            let sentence = "the order of the servers changes: many clients use the first";
            self.step("servers", |walk| walk.report_values(rules::PROSE_CHANGED, at, sentence, values));
        }
    }
}

/// The URLs of a list of servers, each with its index and server. Without servers the URL is `/`; a slash at the end has no
/// effect.
fn listed(servers: &Value) -> Vec<(&str, (usize, Option<&Value>))> {
    let servers = servers.as_array().map(Vec::as_slice).unwrap_or_default();
    let listed = servers.iter().enumerate().map(|(index, server)| {
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        (url.trim_end_matches('/'), (index, Some(server)))
    });
    if servers.is_empty() { vec![("", (0, None))] } else { listed.collect() }
}

/// What happened to the flag `deprecated`.
pub(super) fn deprecation(is_deprecated: bool) -> &'static str {
    if is_deprecated { "deprecated" } else { "no longer deprecated" }
}
