//! The document: paths, webhooks, everything beside them, and components that no operation uses.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::operations::path_items;
use crate::rules;
use crate::walk::{Walk, referred};
use openapi_contract::equivalence::same;
use openapi_contract::nodes::reached_from_paths;
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Path};
use openapi_contract::pointer::join;

/// Members of the document that have no effect on messages.
const PROSE: &[&str] = &["openapi", "tags", "externalDocs", "jsonSchemaDialect"];

/// The sections of `components`.
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
    pub(super) fn document(&mut self) {
        let [old, new] = [self.old.document(), self.new.document()];
        self.prose(PROSE, (old, ""), (new, ""));
        let nothing = &Value::Null;
        let info = |document: &'a Value| document.get("info").unwrap_or(nothing);
        let names =
            |value: &'a Value| value.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str);
        // The version is judged by the changes.
        let keys: BTreeSet<&str> = names(info(old)).chain(names(info(new))).filter(|key| *key != "version").collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let members = |key: &str| [old, new].map(|document| document.get(key).unwrap_or(nothing));
        let [mine, others] = members("components");
        self.step("components", |walk| walk.rest(SECTIONS, (mine, "/components"), (others, "/components")));
        let [mine, others] = members("paths");
        let items = |document: &'a Value| -> Vec<Path<'a>> { path_items(document, document.get("paths"), "/paths") };
        let items = [items(old), items(new)];
        let templates: Vec<&str> = items.iter().flatten().map(|path| path.template).collect();
        self.step("paths", |walk| walk.rest(&templates, (mine, "/paths"), (others, "/paths")));
        self.step("info", |walk| walk.prose(&keys, (info(old), "/info"), (info(new), "/info")));
        let extensions: BTreeSet<&str> = names(old).chain(names(new)).filter(|key| key.starts_with("x-")).collect();
        let extensions: Vec<&str> = extensions.into_iter().collect();
        self.prose(&extensions, (old, ""), (new, ""));
        self.security_schemes();
        self.default_security();
        self.default_servers();
        let [old, new] = items;
        self.paths(old, new, ["/paths", "/paths"]);
        self.webhooks();
    }

    /// Components that were not compared with any operation.
    pub(super) fn unused_components(&mut self) {
        let [old, new] = [self.old.document(), self.new.document()];
        let used = [old, new].map(|document| used(&implemented(document)));
        // Referred to, whether or not they exist.
        let named = [old, new].map(|document| {
            referred(document, &["paths", "webhooks"].iter().filter_map(|key| document.get(*key)).collect::<Vec<_>>())
        });
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
                    (rules::SECURITY_SCHEME_CHANGED, "the definition of a scheme in use is removed")
                }
                ([None, Some(_)], "securitySchemes") if used[0].contains(at) => {
                    (rules::PROSE_CHANGED, "the definition of a scheme in use is added")
                }
                // Compared by `security`.
                ([Some(_), Some(_)], "securitySchemes") => continue,
                // The references to it did not change.
                ([Some(_), Some(_)], "examples") if is_used => (rules::PROSE_CHANGED, "the example changed"),
                (_, "examples") if named.iter().all(|named| named.contains(at)) => {
                    (rules::PROSE_CHANGED, "the example is added or removed")
                }
                ([Some(_), Some(_)], _) if is_used && self.is_visited(at) => continue,
                ([Some(_), Some(_)], _) if is_used => {
                    (rules::UNUSED_COMPONENT_CHANGED, "it changes, and only keywords that are not compared refer to it")
                }
                _ if is_used => continue,
                ([Some(_), Some(_)], _) => (rules::UNUSED_COMPONENT_CHANGED, "the unused component changes"),
                ([Some(_), None], _) => (rules::UNUSED_COMPONENT_CHANGED, "the unused component is removed"),
                _ => (rules::UNUSED_COMPONENT_CHANGED, "the unused component is added"),
            };
            let at = [at.clone(), at.clone()];
            self.step(format!("{section} {name}"), |walk| walk.report_values(rule, at, sentence, values));
        }
    }
}

/// The components that operations use, security schemes included.
fn used(document: &Value) -> HashSet<String> {
    let paths = paths::paths(document);
    let operations = paths.flat_map(|path| path.endpoints().map(|endpoint| endpoint.operation).collect::<Vec<_>>());
    let required = operations.chain([document]).filter_map(|owner| owner.get("security")?.as_array()).flatten();
    let schemes = required.filter_map(Value::as_object).flat_map(|schemes| schemes.keys());
    let schemes: HashSet<String> = schemes.map(|name| join("/components/securitySchemes", name)).collect();
    schemes.into_iter().chain(reached_from_paths(document, |_, key| !key.starts_with("x-"))).collect()
}

/// A document with its webhooks among the paths, and without planned operations: what only they use is not in use yet.
fn implemented(document: &Value) -> Value {
    let mut implemented = document.clone();
    let webhooks = document.get("webhooks").and_then(Value::as_object).cloned().unwrap_or_default();
    if !webhooks.is_empty()
        && let Some(root) = implemented.as_object_mut()
    {
        let paths = root.entry("paths").or_insert_with(|| Value::Object(Map::new()));
        let webhooks = webhooks.into_iter().map(|(name, item)| (format!("webhook {name}"), item));
        if let Some(paths) = paths.as_object_mut() {
            paths.extend(webhooks);
        }
    }
    for items in ["/paths", "/components/pathItems"] {
        let items = implemented.pointer_mut(items).and_then(Value::as_object_mut);
        for item in items.into_iter().flat_map(|items| items.values_mut()).filter_map(Value::as_object_mut) {
            item.retain(|_, operation| !is_planned(operation));
        }
    }
    implemented
}
