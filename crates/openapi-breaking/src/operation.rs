//! What an operation declares besides its messages.

use serde_json::Value;

use crate::path_items::sunset;
use crate::rules::*;
use crate::sides::{Side, Sides, both_same, paired};
use crate::walk::Walk;
use openapi_contract::equivalence::whole;
use openapi_contract::operation::is_planned;

/// Members of an operation that are compared; all others are prose.
const OPERATION: &str = "operationId tags deprecated x-sunset x-status x-max-body-bytes security servers parameters \
    requestBody responses callbacks";

impl<'a> Walk<'a> {
    /// Compares an operation of a path item that has these templates.
    pub(super) fn operation(&mut self, item: &Sides<'a>, operation: &Sides<'a>, templates: [&str; 2]) {
        let rule = match operation.map(|side| is_planned(side.value)) {
            [true, true] if operation.0[0].value == operation.0[1].value => return,
            [true, true] => PLANNED_CHANGED,
            [true, false] => OPERATION_BUILT,
            [false, true] => OPERATION_WITHDRAWN,
            [false, false] => {
                self.operation_id(operation);
                self.tags(operation);
                self.lifecycle(operation);
                self.rest(|key| OPERATION.split(' ').any(|compared| compared == key), operation);
                if self.sent_by_server {
                    // In place of what clients need to send a request.
                    self.prose(["servers", "x-max-body-bytes"], operation);
                    if !both_same(operation.get("security")) {
                        self.changed(WEBHOOK_SECURITY_CHANGED, operation, "security");
                    }
                } else {
                    self.body_limit(operation);
                    self.security(operation);
                    self.servers(item, operation);
                }
                self.parameters(item, operation, templates);
                self.body(operation);
                self.responses(operation);
                return self.callbacks(operation);
            }
        };
        let plans = operation.map(|side| Some(side.value.clone()).filter(|_| rule == PLANNED_CHANGED));
        self.report_value(rule, operation.sites(), "the operation", plans);
    }

    fn operation_id(&mut self, operation: &Sides<'a>) {
        let ids = operation.get("operationId");
        // Without an old id there is no old name that generated clients use.
        let rule = if ids[0].is_some() { OPERATION_ID_CHANGED } else { PROSE_CHANGED };
        if ids[0] != ids[1] {
            self.changed(rule, operation, "operationId");
        }
    }

    fn tags(&mut self, operation: &Sides<'a>) {
        let tags = operation.get("tags").map(|tags| tags.and_then(Value::as_array).into_iter().flatten());
        for tag in paired(tags.map(|tags| tags.map(|tag| (tag.to_string(), tag)))).into_values() {
            let rule = if tag[1].is_none() { TAG_REMOVED } else { TAG_ADDED };
            if tag.contains(&None) {
                let values = tag.map(|tag| tag.cloned());
                self.step("tags", |walk| walk.report_value(rule, operation.at("tags"), "a tag", values));
            }
        }
    }

    /// Deprecation (RFC 9745) and sunset (RFC 8594).
    fn lifecycle(&mut self, operation: &Sides<'a>) {
        const SUNSET: &str = "x-sunset";
        let deprecated = operation.flags("deprecated");
        let days = operation.map(|side| sunset(side.value));
        let rule = match (deprecated, days[1]) {
            ([false, true], Some(_)) => Some(OPERATION_DEPRECATED),
            ([false, true], None) => Some(OPERATION_DEPRECATED_WITHOUT_SUNSET),
            ([true, false], _) => Some(OPERATION_REVIVED),
            _ => None,
        };
        if let Some(rule) = rule {
            self.changed(rule, operation, "deprecated");
        }
        let sunset_rule = match days {
            [None, Some(day)] if day <= self.today => Some(SUNSET_IN_THE_PAST),
            [None, Some(_)] if deprecated != [false, true] => Some(SUNSET_SET),
            [Some(_), None] if deprecated != [true, false] => Some(SUNSET_REMOVED),
            [Some(before), Some(after)] if before < after => Some(SUNSET_LATER),
            [Some(before), Some(after)] if before > after => Some(SUNSET_EARLIER),
            _ => None,
        };
        match sunset_rule {
            Some(rule) => self.changed(rule, operation, SUNSET),
            // Another time of the same day, or a value that is no day.
            None if rule.is_none_or(|rule| rule == OPERATION_DEPRECATED_WITHOUT_SUNSET) => {
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
                let rule = if is_lower { MAX_BODY_LOWERED } else { MAX_BODY_RAISED };
                self.changed(rule, operation, KEY);
            }
        }
    }

    /// The servers of an operation: its own, else its path's, else the document's.
    fn servers(&mut self, item: &Sides<'a>, operation: &Sides<'a>) {
        let root = self.root();
        let lists = Sides([0, 1].map(|side| {
            let levels = [operation, item].map(|level| &level.0[side]);
            levels.into_iter().find_map(|level| level.get("servers")).unwrap_or(root.0[side].member("servers"))
        }));
        let urls = lists.map(listed);
        let order =
            urls.each_ref().map(|urls| urls.iter().map(|(url, _)| Value::from(url.as_str())).collect::<Value>());
        let servers = paired(urls);
        self.step("servers", |walk| {
            let is_same = servers.values().flatten().all(Option::is_some);
            if is_same && order[0] != order[1] {
                // Many clients use the first.
                let at = lists.map(|list| list.at.clone());
                walk.report_value(PROSE_CHANGED, at, "the order of the servers", order.map(Some));
            }
            for (url, servers) in servers {
                let server = Sides::of(servers, &lists, &url);
                match server.exist() {
                    [true, false] => walk.report(SERVER_REMOVED, server.sites(), "the server is removed"),
                    [false, true] => walk.report(SERVER_ADDED, server.sites(), "the server is added"),
                    _ => {
                        walk.rest(|key| matches!(key, "url" | "variables"), &server);
                        if !both_same(server.get("variables")) {
                            walk.changed(SERVER_CHANGED, &server, "variables");
                        }
                    }
                }
            }
        });
    }
}

/// The URLs of a list of servers, each with its server. Without servers the URL is `/`; a slash at the end has no effect.
fn listed<'a>(list: &Side<'a>) -> Vec<(String, Side<'a>)> {
    let url = |server: &Side<'a>| server.value.get("url").and_then(Value::as_str).unwrap_or_default();
    let listed = list.items().map(|server| (url(&server).trim_end_matches('/').to_owned() + "/", server));
    let listed: Vec<_> = listed.collect();
    if listed.is_empty() { vec![("/".to_owned(), Side::root(&DEFAULT_SERVER))] } else { listed }
}

/// The server that there is without a list: its `url` is `/`.
static DEFAULT_SERVER: Value = Value::Bool(true);
