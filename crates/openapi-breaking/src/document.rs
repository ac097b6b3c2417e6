//! The document: paths, webhooks, everything beside them, and components that no operation uses.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rules::*;
use crate::sides::{Side, Sides, paired};
use crate::walk::{Walk, referred};
use openapi_contract::method::Method;
use openapi_contract::operation::is_planned;
use openapi_contract::pointer::{self, join};

/// The sections of `components`.
const SECTIONS: &str =
    "schemas responses parameters examples requestBodies headers securitySchemes links callbacks pathItems";

impl<'a> Walk<'a> {
    pub(super) fn document(&mut self) {
        let root = self.root();
        let compared = ["info", "paths", "webhooks", "components", "security", "servers"];
        self.rest(|key| compared.contains(&key), &root);
        // The changes determine the step of the version.
        self.step("info", |walk| walk.rest(|key| key == "version", &root.member("info")));
        self.step("components", |walk| {
            walk.rest(|key| SECTIONS.split(' ').any(|section| section == key), &root.member("components"))
        });
        self.security_schemes();
        self.overridden(&root, &["security", "servers"]);
        self.path_items(&root.member("paths"));
        self.step("webhooks", |walk| walk.swapped(|walk| walk.path_items(&root.member("webhooks"))));
        self.units();
        self.unused_components();
    }

    pub(super) fn root(&self) -> Sides<'a> {
        Sides(self.documents().map(Side::root))
    }

    /// What operations can inherit, if no operation does.
    pub(super) fn overridden(&mut self, owner: &Sides<'a>, keys: &[&str]) {
        for key in keys {
            self.report_unnoticed(OVERRIDDEN_CHANGED, owner.at(key), &format!("`{key}`"), owner.get(key));
        }
    }

    /// Components of which no operation notices the change.
    fn unused_components(&mut self) {
        let used = self.documents().map(used);
        let all = self.root().member("components").map(|components| {
            let sections = components.members();
            sections.flat_map(|(section, members)| {
                members.members().map(move |(name, component)| ((section, name), component.value))
            })
        });
        for ((section, name), values) in paired(all) {
            let at = join(&join("/components", section), name);
            let is_used = [0, 1].map(|side| used[side].contains(&at));
            let rule = match (section, values.map(|value| value.is_some())) {
                ("securitySchemes", [true, false]) if is_used[1] => SECURITY_SCHEME_CHANGED,
                ("securitySchemes", [false, true]) if is_used[0] => PROSE_CHANGED,
                ("examples", _) if is_used == [true, true] => PROSE_CHANGED,
                // Added or removed with what refers to it.
                (_, [true, false] | [false, true]) if is_used[0] != is_used[1] => continue,
                _ => UNUSED_COMPONENT_CHANGED,
            };
            let at = [at.clone(), at];
            self.step(format!("{section} {name}"), |walk| walk.report_unnoticed(rule, at, "the component", values));
        }
    }
}

/// The components that implemented operations and webhooks use, security schemes included.
fn used(document: &Value) -> BTreeSet<String> {
    let items = ["paths", "webhooks"].map(|key| document.get(key).and_then(Value::as_object));
    let items: Vec<&Value> = items.into_iter().flatten().flat_map(|items| items.values()).collect();
    let mut used = referred(document, &items);
    let followed = items.iter().filter_map(|item| pointer::resolve(document, item, String::new()));
    let operations = followed.flat_map(|(item, _)| Method::ALL.iter().filter_map(|method| item.get(method.key())));
    let owners = operations.filter(|operation| !is_planned(operation)).chain([document]);
    let required = owners.filter_map(|owner| owner.get("security")?.as_array()).flatten();
    let schemes = required.filter_map(Value::as_object).flat_map(|schemes| schemes.keys());
    used.extend(schemes.map(|name| join("/components/securitySchemes", name)));
    used
}
