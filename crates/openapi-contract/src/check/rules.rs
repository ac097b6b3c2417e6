//! What no grammar can say: how the parts of a contract depend on each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Faults;
use super::structure::Structure;
use crate::Kind;
use crate::equivalence::folded;
use crate::grammar::Shape;
use crate::paths::{self, Declared, Endpoint, Path};
use crate::pointer::join;

/// Whether this is an OpenAPI 3.1 document at all.
pub(super) fn version(document: &Value, faults: &mut Faults<'_>) -> bool {
    let version = document.get("openapi");
    let patch = version.and_then(Value::as_str).and_then(|version| version.strip_prefix("3.1."));
    let supported = patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()));
    match version {
        _ if supported => {}
        None => faults.add("", "not an OpenAPI document: it has no `openapi: 3.1.0`"),
        Some(other) => {
            faults.add("/openapi", format!("not an OpenAPI 3.1 document: `openapi` says {other}, not \"3.1.0\""));
        }
    }
    supported
}

/// What must be so for operations, parameters and headers to be told apart, in any document.
pub(super) fn names(document: &Value, structure: &Structure<'_>, faults: &mut Faults<'_>) {
    for (at, (kind, value)) in &structure.nodes {
        distinct_names(at, *kind, value, faults);
    }
    requirements(document, "", document, faults);
    let (mut shapes, mut ids) = (HashMap::new(), HashMap::new());
    for path in &in_order(paths::paths(document), faults, |path| &path.site) {
        template(path, &mut shapes, faults);
        duplicates(&paths::declared(document, path.item, &path.pointer), faults);
        for endpoint in &in_order(path.endpoints(), faults, |endpoint| &endpoint.pointer) {
            operation_id(endpoint, &mut ids, faults);
            requirements(document, &endpoint.pointer, endpoint.operation, faults);
            duplicates(&paths::declared(document, endpoint.operation, &endpoint.pointer), faults);
        }
    }
}

/// What a contract must say beside, so that it can be held against code, and enforced.
pub(super) fn supported_subset(document: &Value, structure: &Structure<'_>, faults: &mut Faults<'_>) {
    for (at, (kind, value)) in &structure.nodes {
        match kind {
            Kind::Schema if value.get("type").is_some_and(|name| name == "array") && value.get("items").is_none() => {
                let here = join(at, "type");
                faults.add(&here, "`items` is missing: 3.0 wants it on every array (`items: {}` admits anything)");
            }
            Kind::Parameter => parameter(at, value, faults),
            Kind::Header => described_once(at, value, *kind, faults),
            Kind::Components => component_names(at, value, faults),
            _ => {}
        }
    }
    for path in paths::paths(document) {
        if !path.template.starts_with('/') {
            faults.add(&path.site, format!("the path `{}` must start with `/`", path.template));
        }
        let endpoints = in_order(path.endpoints(), faults, |endpoint| &endpoint.pointer);
        for endpoint in &endpoints {
            security(document, endpoint, faults);
        }
        path_parameters(document, &path, &endpoints, faults);
    }
    links(document, structure, faults);
}

/// In the order of the file, so that of two the second is the one too many.
fn in_order<T>(all: impl Iterator<Item = T>, faults: &Faults<'_>, pointer: impl Fn(&T) -> &str) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| faults.source.nearest(pointer(one)));
    all
}

/// A parameter or a header has a schema or a media type, and a path parameter is always there.
fn parameter(at: &str, value: &Value, faults: &mut Faults<'_>) {
    if value.get("$ref").is_some() {
        return;
    }
    described_once(at, value, Kind::Parameter, faults);
    let in_path = value.get("in").is_some_and(|location| location == "path");
    if in_path && value.get("required") != Some(&Value::Bool(true)) {
        faults.add(&join(at, "required"), "a path parameter must say `required: true`");
    }
}

fn described_once(at: &str, value: &Value, kind: Kind, faults: &mut Faults<'_>) {
    if value.get("$ref").is_some() {
        return;
    }
    match (value.get("schema"), value.get("content").and_then(Value::as_object)) {
        (Some(_), None) => {}
        (None, Some(content)) if content.len() == 1 => {}
        (None, Some(_)) => faults.add(&join(at, "content"), format!("{kind} has exactly one media type")),
        (Some(_), Some(_)) => {
            // The second of the two is the one too many.
            let [schema, content] = ["schema", "content"].map(|key| join(at, key));
            let later = if faults.source.nearest(&schema) > faults.source.nearest(&content) { schema } else { content };
            faults.add(&later, format!("{kind} has either `schema` or `content`, not both"));
        }
        _ => faults.add(at, format!("{kind} must have either `schema` or `content`")),
    }
}

/// Header names and media types that differ only in case are one, said twice.
fn distinct_names(at: &str, kind: Kind, value: &Value, faults: &mut Faults<'_>) {
    for (key, shape) in kind.keywords() {
        let Shape::Map(named @ (Kind::Header | Kind::MediaType)) = *shape else { continue };
        // A component's name is only a name, whatever it is of.
        let Some(members) = value.get(key).and_then(Value::as_object).filter(|_| kind != Kind::Components) else {
            continue;
        };
        let site = join(at, key);
        let mut names: Vec<_> = members.keys().map(|name| (folded(named, name), join(&site, name), name)).collect();
        names.sort_by_cached_key(|(folded, here, _)| (folded.clone(), faults.source.nearest(here)));
        for pair in names.windows(2) {
            if let [(folded, _, first), (other, here, name)] = pair
                && folded == other
            {
                faults.add(here, format!("`{name}` and `{first}` are the same name: case does not count here"));
            }
        }
    }
}

/// OpenAPI 3.1 §4.8.7: names are made of letters, digits, `.`, `-` and `_`.
fn component_names(at: &str, value: &Value, faults: &mut Faults<'_>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    for (section, members) in value.as_object().into_iter().flatten() {
        for name in members.as_object().into_iter().flat_map(|members| members.keys()) {
            if name.is_empty() || !name.bytes().all(good) {
                let here = join(&join(at, section), name);
                faults.add(&here, format!("`{name}` is no name for a component: letters, digits, `.`, `-`, `_`"));
            }
        }
    }
}

/// The braces of a path pair up, and no other path answers for the same requests.
fn template(path: &Path<'_>, shapes: &mut HashMap<String, String>, faults: &mut Faults<'_>) {
    let Some(names) = path.template_names() else {
        faults.add(&path.site, format!("the braces of `{}` do not enclose one name each", path.template));
        return;
    };
    let mut known = HashSet::new();
    for name in &names {
        if !known.insert(name) {
            faults.add(&path.site, format!("`{{{name}}}` stands twice in `{}`", path.template));
        }
    }
    // Between one brace that opens and the next there is a name, and what follows it.
    let mut parts = path.template.split('{');
    let before = parts.next().unwrap_or_default();
    let after = parts.map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    let shape = [before].into_iter().chain(after).collect::<Vec<_>>().join("{}");
    if let Some(other) = shapes.insert(shape, path.template.to_owned()) {
        faults.add(&path.site, format!("`{}` and `{other}` answer for the same requests", path.template));
    }
}

fn operation_id(endpoint: &Endpoint<'_>, ids: &mut HashMap<String, String>, faults: &mut Faults<'_>) {
    let Some(id) = endpoint.operation.get("operationId").and_then(Value::as_str) else {
        return;
    };
    let here = join(&endpoint.pointer, "operationId");
    match ids.get(id) {
        Some(first) => {
            let first = faults.source.nearest(first);
            faults.add(&here, format!("duplicate operationId `{id}`: it is already at {first}"));
        }
        None => {
            ids.insert(id.to_owned(), here);
        }
    }
}

/// Who may call is said, so that forgetting it cannot open an operation to everybody.
fn security(document: &Value, endpoint: &Endpoint<'_>, faults: &mut Faults<'_>) {
    if endpoint.operation.get("security").is_none() && document.get("security").is_none() {
        faults.add(
            &endpoint.pointer,
            "`security` is not stated, here or for the whole document: `security: []` lets everybody in",
        );
    }
}

/// Every scheme that `owner` requires is declared.
fn requirements(document: &Value, at: &str, owner: &Value, faults: &mut Faults<'_>) {
    let declared = document.pointer("/components/securitySchemes");
    let list = owner.get("security").and_then(Value::as_array);
    for (index, requirement) in list.into_iter().flatten().enumerate() {
        for scheme in requirement.as_object().into_iter().flat_map(|schemes| schemes.keys()) {
            if declared.is_none_or(|declared| declared.get(scheme).is_none()) {
                let here = join(&join(&join(at, "security"), &index.to_string()), scheme);
                faults.add(&here, format!("the security scheme `{scheme}` is not declared under `components`"));
            }
        }
    }
}

fn duplicates(list: &[Declared<'_>], faults: &mut Faults<'_>) {
    let mut known = HashSet::new();
    for one in list {
        if !known.insert(one.key()) {
            faults.add(&one.site, format!("the {} parameter `{}` is declared twice", one.location, one.name));
        }
    }
}

/// The template and the path parameters name the same things.
fn path_parameters(document: &Value, path: &Path<'_>, endpoints: &[Endpoint<'_>], faults: &mut Faults<'_>) {
    let Some(names) = path.template_names() else { return };
    let lists: Vec<_> = endpoints.iter().map(|endpoint| (endpoint, path.parameters(document, endpoint))).collect();
    for name in &names {
        let declares = |one: &Declared<'_>| one.location == "path" && one.name == *name;
        let lacking: Vec<_> = lists.iter().filter(|(_, list)| !list.iter().any(declares)).collect();
        let message = format!("the path parameter `{name}` of `{}` is not declared", path.template);
        for (endpoint, list) in &lacking {
            if let Some(one) = list.iter().find(|one| one.name == *name) {
                let message = format!("`{name}` is in `{}`: it must say `in: path`", path.template);
                faults.add(&join(&one.site, "in"), message);
            } else if lacking.len() == lists.len() {
                // Nobody declares it, so it is told once, where it is named.
                faults.add(&path.site, message.clone());
            } else {
                faults.add(&endpoint.pointer, message.clone());
            }
        }
    }
    for one in lists.iter().flat_map(|(_, list)| list).filter(|one| one.location == "path") {
        if !names.contains(&one.name) {
            faults.add(&one.site, format!("the path parameter `{}` is not in `{}`", one.name, path.template));
        }
    }
}

/// A link leads to an operation of this contract.
fn links(document: &Value, structure: &Structure<'_>, faults: &mut Faults<'_>) {
    let all = paths::paths(document).flat_map(|path| path.endpoints().collect::<Vec<_>>());
    let ids: HashSet<&Value> = all.filter_map(|endpoint| endpoint.operation.get("operationId")).collect();
    for (at, (kind, value)) in &structure.nodes {
        let Some(id) = value.get("operationId").filter(|id| *kind == Kind::Link && !ids.contains(id)) else { continue };
        let id = id.as_str().unwrap_or_default();
        faults.add(&join(at, "operationId"), format!("there is no operation `{id}`"));
    }
}
