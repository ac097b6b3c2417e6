//! What stands beside the operations: information, servers, tags, security schemes, components that nobody uses.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::operations::items;
use crate::rules;
use crate::walk::{Walk, referred};
use openapi_contract::equivalence::same;
use openapi_contract::operation::is_planned;
use openapi_contract::paths;
use openapi_contract::pointer::join;
use openapi_contract::reachability;

/// Members of the document that only people read, or tools before anything else.
const PROSE: &[&str] = &["openapi", "tags", "externalDocs", "jsonSchemaDialect"];

/// What `components` holds.
const SECTIONS: &[&str] = &[
    "schemas",
    "responses",
    "parameters",
    "examples",
    "requestBodies",
    "headers",
    "securitySchemes",
    "links",
    "callbacks",
    "pathItems",
];

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
        let members = |key: &str| [old, new].map(|document| document.get(key).unwrap_or(nothing));
        let [mine, others] = members("components");
        self.step("components", |walk| walk.rest(SECTIONS, (mine, "/components"), (others, "/components")));
        let [mine, others] = members("paths");
        let templates: Vec<&str> = items(old).chain(items(new)).map(|path| path.template).collect();
        self.step("paths", |walk| walk.rest(&templates, (mine, "/paths"), (others, "/paths")));
        self.step("info", |walk| walk.prose(&keys, (info(old), "/info"), (info(new), "/info")));
        let extensions: BTreeSet<&str> = names(old).chain(names(new)).filter(|key| key.starts_with("x-")).collect();
        let extensions: Vec<&str> = extensions.into_iter().collect();
        self.prose(&extensions, (old, ""), (new, ""));
        let webhooks = [old.get("webhooks"), new.get("webhooks")];
        self.step("webhooks", |walk| {
            walk.not_judged("webhooks", ["/webhooks".to_owned(), "/webhooks".to_owned()], webhooks)
        });
        self.security_schemes();
        self.security_by_default();
        self.servers_by_default();
    }

    /// What is sent to clients of its own accord. Not compared further: the house's grammar has none, and who receives it
    /// has a contract of its own.
    pub(super) fn not_judged(&mut self, key: &str, at: [String; 2], values: [Option<&'a Value>; 2]) {
        let rule = rules::CONSTRAINT_CHANGED.response;
        if values[0] != values[1] {
            self.report_values(rule, at, format!("{key} are not judged"), values);
        }
        self.behind(rule, key, values.map(|value| value.into_iter().collect()));
    }

    /// Components that nobody looked into, once everything else is compared.
    pub(super) fn unused_components(&mut self) {
        let [old, new] = [self.old.document(), self.new.document()];
        let used = [old, new].map(|document| used(&built(document)));
        // Whether or not they are there.
        let named =
            [old, new].map(|document| referred(document, &document.get("paths").into_iter().collect::<Vec<_>>()));
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
                ([Some(_), None], "securitySchemes") if used[1].contains(at) => {
                    (rules::SECURITY_SCHEME_CHANGED, "how credentials are carried is no longer said")
                }
                ([None, Some(_)], "securitySchemes") if used[0].contains(at) => {
                    (rules::PROSE_CHANGED, "it is now said how credentials are carried")
                }
                // Compared already, whoever uses them.
                ([Some(_), Some(_)], "securitySchemes") => continue,
                // Whoever refers to one says the same as before.
                ([Some(_), Some(_)], "examples") if is_used => (rules::PROSE_CHANGED, "the example reads differently"),
                (_, "examples") if named.iter().all(|named| named.contains(at)) => {
                    (rules::PROSE_CHANGED, "the example is no longer there, or is now")
                }
                ([Some(_), Some(_)], _) if is_used && self.is_visited(at) => continue,
                ([Some(_), Some(_)], _) if is_used => {
                    (rules::UNUSED_COMPONENT_CHANGED, "it changes, and only what is not compared refers to it")
                }
                _ if is_used => continue,
                ([Some(_), Some(_)], _) => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses changes"),
                ([Some(_), None], _) => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses is gone"),
                _ => (rules::UNUSED_COMPONENT_CHANGED, "a component that nothing uses is added"),
            };
            let at = [at.clone(), at.clone()];
            self.step(format!("{section} {name}"), |walk| walk.report_values(rule, at, sentence, values));
        }
    }
}

/// The components that operations use, security schemes among them.
fn used(document: &Value) -> HashSet<String> {
    let paths = paths::paths(document);
    let operations = paths.flat_map(|path| path.endpoints().map(|endpoint| endpoint.operation).collect::<Vec<_>>());
    let required = operations.chain([document]).filter_map(|owner| owner.get("security")?.as_array()).flatten();
    let schemes = required.filter_map(Value::as_object).flat_map(|schemes| schemes.keys());
    let schemes: HashSet<String> = schemes.map(|name| join("/components/securitySchemes", name)).collect();
    schemes.into_iter().chain(reachability::from_paths(document, |_, key| !key.starts_with("x-"))).collect()
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
