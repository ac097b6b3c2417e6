//! What stands beside the operations: information, servers, tags, security schemes, components that nobody uses.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::operations::SamePath;
use super::rules;
use super::walk::Walk;
use crate::diff::reach;
use crate::meaning::same;
use crate::operation::is_planned;
use crate::paths::{self, Endpoint};
use crate::pointer::join;

/// Members of the document that only people read, or tools before anything else.
const PROSE: &[&str] = &["openapi", "tags", "externalDocs", "jsonSchemaDialect"];

impl<'a> Walk<'a> {
    pub(super) fn leftovers(&mut self) {
        let [old, new] = [self.old.document(), self.new.document()];
        self.prose(PROSE, (old, ""), (new, ""));
        let nothing = &Value::Null;
        let info = |document: &'a Value| document.get("info").unwrap_or(nothing);
        let names =
            |value: &'a Value| value.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str);
        // The version follows from the changes: it is none itself.
        let keys: BTreeSet<&str> = names(info(old)).chain(names(info(new))).filter(|key| *key != "version").collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        self.step("info", |walk| walk.prose(&keys, (info(old), "/info"), (info(new), "/info")));
        let extensions: BTreeSet<&str> = names(old).chain(names(new)).filter(|key| key.starts_with("x-")).collect();
        let extensions: Vec<&str> = extensions.into_iter().collect();
        self.prose(&extensions, (old, ""), (new, ""));
        self.webhooks(old, new);
        self.security_schemes();
        self.unused_components(old, new);
    }

    /// Not compared further: the house's grammar has none, and who receives them has a contract of its own.
    fn webhooks(&mut self, old: &'a Value, new: &'a Value) {
        let values = [old.get("webhooks"), new.get("webhooks")];
        if values[0] != values[1] {
            let at = ["/webhooks".to_owned(), "/webhooks".to_owned()];
            let rule = rules::CONSTRAINT_CHANGED.response;
            self.step("webhooks", |walk| walk.report_values(rule, at, "webhooks are not judged", values));
        }
    }

    fn unused_components(&mut self, old: &'a Value, new: &'a Value) {
        let used = [old, new].map(|document| used(&built(document)));
        let all = |document: &'a Value| {
            let sections = document.get("components").and_then(Value::as_object).into_iter().flatten();
            let mut all: BTreeMap<String, (&'a str, &'a str, &'a Value)> = BTreeMap::new();
            for (section, members) in sections {
                for (name, value) in members.as_object().into_iter().flatten() {
                    all.insert(join(&join("/components", section), name), (section, name, value));
                }
            }
            all
        };
        let (mine, others) = (all(old), all(new));
        for at in mine.keys().chain(others.keys()).collect::<BTreeSet<_>>() {
            let (before, after) = (mine.get(at), others.get(at));
            let Some((section, name, _)) = before.or(after) else { continue };
            let is_used = used.iter().any(|used| used.contains(at));
            let values = [before, after].map(|component| component.map(|(_, _, value)| *value));
            let (rule, sentence) = match (values, *section) {
                ([Some(a), Some(b)], _) if same(a, b) => continue,
                // Compared already, whoever uses them.
                ([Some(_), Some(_)], "securitySchemes") => continue,
                // Whoever refers to one says the same as before.
                ([Some(_), Some(_)], "examples") if is_used => (rules::PROSE_CHANGED, "the example reads differently"),
                _ if is_used => continue,
                ([Some(_), Some(_)], _) => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses changes"),
                ([Some(_), None], _) => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses is gone"),
                _ => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses is added"),
            };
            let label = format!("{section} {name}");
            self.step(label, |walk| walk.report_values(rule, [at.clone(), at.clone()], sentence, values));
        }
    }

    /// The servers of an operation: its own, else its path's, else the document's.
    pub(super) fn servers_of(&mut self, path: &SamePath<'_, 'a>, old: &Endpoint<'a>, new: &Endpoint<'a>) {
        let of = |document: &'a Value, item: &'a Value, item_at: &str, endpoint: &Endpoint<'a>| {
            let levels = [(endpoint.operation, endpoint.pointer.as_str()), (item, item_at), (document, "")];
            let level = levels.into_iter().find(|(owner, _)| owner.get("servers").is_some());
            let (owner, at) = level.unwrap_or((document, ""));
            (owner.get("servers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(), join(at, "servers"))
        };
        let (mine, old_at) = of(self.old.document(), path.old.item, &path.old.pointer, old);
        let (others, new_at) = of(self.new.document(), path.new.item, &path.new.pointer, new);
        // An address is the same with and without the slash at its end; none named is `/`.
        let url =
            |server: &'a Value| server.get("url").and_then(Value::as_str).unwrap_or_default().trim_end_matches('/');
        let urls = |servers: &'a [Value]| if servers.is_empty() { vec![""] } else { servers.iter().map(url).collect() };
        let (known, named) = (urls(mine), urls(others));
        let at = |list: &str, index: usize| join(list, &index.to_string());
        self.step("servers", |walk| {
            for (index, one) in known.iter().enumerate() {
                let would_be = join(&new_at, one);
                match named.iter().position(|other| other == one) {
                    None => {
                        let sentence = format!("the server `{one}/` is gone");
                        walk.report(rules::SERVER_REMOVED, [at(&old_at, index), would_be], sentence);
                    }
                    Some(place) => {
                        let [Some(old), Some(new)] = [mine.get(index), others.get(place)] else { continue };
                        let at = [at(&old_at, index), at(&new_at, place)];
                        walk.prose(&["description"], (old, &at[0]), (new, &at[1]));
                        let variables = [old.get("variables"), new.get("variables")];
                        if variables[0] != variables[1] {
                            let sentence = format!("the variables of `{one}/` are others");
                            walk.report_values(rules::SERVER_CHANGED, at, sentence, variables);
                        }
                    }
                }
            }
            for (index, other) in named.iter().enumerate().filter(|(_, other)| !known.contains(other)) {
                let sentence = format!("the server `{other}/` is added");
                walk.report(rules::SERVER_ADDED, [join(&old_at, other), at(&new_at, index)], sentence);
            }
        });
    }
}

/// The components that operations use, security schemes among them.
fn used(document: &Value) -> HashSet<String> {
    let paths = paths::paths(document);
    let operations = paths.flat_map(|path| path.endpoints().map(|endpoint| endpoint.operation).collect::<Vec<_>>());
    let required = operations.chain([document]).filter_map(|owner| owner.get("security")?.as_array()).flatten();
    let schemes = required.filter_map(Value::as_object).flat_map(|schemes| schemes.keys());
    let schemes: HashSet<String> = schemes.map(|name| join("/components/securitySchemes", name)).collect();
    schemes.into_iter().chain(reach::by_any_way(document)).collect()
}

/// A document without the operations that are only planned: what they alone use, nobody uses yet.
fn built(document: &Value) -> Value {
    let mut built = document.clone();
    let items = ["/paths", "/components/pathItems"];
    for item in items {
        let paths =
            built.pointer_mut(item).and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut());
        for operations in paths.filter_map(Value::as_object_mut) {
            operations.retain(|_, operation| !is_planned(operation));
        }
    }
    built
}
