//! What no grammar expresses: how the parts of a document depend on each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::equivalence::folded;
use crate::error::Errors;
use crate::fields::{flag, members, text};
use crate::grammar::{Kind, Shape};
use crate::nodes::Node;
use crate::paths::{self, Declared, Endpoint, Path};
use crate::pointer::join;
use crate::profile::Profile;
use crate::upgrade::is_version;

/// Whether the document declares OpenAPI 3.1, or was upgraded to it.
pub(crate) fn version(document: &Value, profile: Profile, errors: &mut Errors<'_>) -> bool {
    let supported = is_version(document, "3.1.");
    let expected = if profile == Profile::Supported { "3.1.x" } else { "3.0.x or 3.1.x" };
    match (document.get("openapi"), document.get("swagger")) {
        _ if supported => {}
        (Some(other), _) => {
            let message = format!("OpenAPI {other} is not supported: expected {expected}, such as \"3.1.0\"");
            errors.invalid("/openapi", message);
        }
        (None, Some(other)) => {
            errors
                .invalid("/swagger", format!("Swagger {other} is not supported: convert the document to OpenAPI 3.1"));
        }
        (None, None) => errors.invalid("", "not an OpenAPI document: `openapi: 3.1.0` is missing"),
    }
    supported
}

/// The rules of OpenAPI 3.1.
pub(super) fn valid(document: &Value, nodes: &[Node<'_>], errors: &mut Errors<'_>) {
    for node in nodes {
        distinct_names(node, errors);
    }
    let (mut shapes, mut ids) = (HashMap::new(), HashMap::new());
    for path in in_order(paths::paths(document), errors, |path| &path.site) {
        template(&path, &mut shapes, errors);
        duplicates(&paths::declared(document, path.item, &path.pointer), errors);
        for endpoint in in_order(path.endpoints(), errors, |endpoint| &endpoint.pointer) {
            operation_id(&endpoint, &mut ids, errors);
            duplicates(&paths::declared(document, endpoint.operation, &endpoint.pointer), errors);
        }
    }
}

/// The rules of the supported subset, and those that a comparison of releases does not need.
pub(super) fn supported(document: &Value, nodes: &[Node<'_>], errors: &mut Errors<'_>) {
    for node @ Node { kind, value, at } in nodes.iter().filter(|node| !node.is_reference()) {
        match kind {
            Kind::Schema if value.get("type").is_some_and(|name| name == "array") && value.get("items").is_none() => {
                let message =
                    "`items` is missing: OpenAPI 3.0 requires it on every array (`items: {}` accepts any item)";
                errors.unsupported(&join(at, "type"), message);
            }
            Kind::Parameter => {
                described_once(node, errors);
                let in_path = value.get("in").is_some_and(|location| location == "path");
                if in_path && !flag(value, "required") {
                    errors.invalid(&join(at, "required"), "a path parameter must have `required: true`");
                }
            }
            Kind::Header => described_once(node, errors),
            Kind::Components => component_names(value, errors),
            _ => {}
        }
    }
    let mut ids = HashSet::new();
    for path in paths::paths(document) {
        if !path.template.starts_with('/') {
            errors.invalid(&path.site, format!("the path `{}` must start with `/`", path.template));
        }
        let endpoints = in_order(path.endpoints(), errors, |endpoint| &endpoint.pointer);
        for Endpoint { operation, pointer, .. } in &endpoints {
            ids.extend(operation.get("operationId"));
            // So that an operation is not open to any client by omission.
            if operation.get("security").or(document.get("security")).is_none() {
                let message =
                    "`security` is missing, here and at the top level: write `security: []` if any client may call";
                errors.unsupported(pointer, message);
            }
        }
        path_parameters(document, &path, &endpoints, errors);
    }
    for Node { value, at, .. } in nodes.iter().filter(|node| node.kind == Kind::Link) {
        if let Some(id) = value.get("operationId").filter(|id| !ids.contains(id)) {
            let id = id.as_str().unwrap_or_default();
            errors.invalid(&join(at, "operationId"), format!("no operation has the id `{id}`"));
        }
    }
}

/// In the order of the file, so that an error about a duplicate is at the second one.
fn in_order<T>(all: impl Iterator<Item = T>, errors: &Errors<'_>, pointer: impl Fn(&T) -> &str) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| errors.position(pointer(one)));
    all
}

/// A parameter or header has a schema or one media type.
fn described_once(Node { kind, value, at }: &Node<'_>, errors: &mut Errors<'_>) {
    match (value.get("schema"), value.get("content").and_then(Value::as_object)) {
        (Some(_), None) => {}
        (None, Some(content)) if content.len() == 1 => {}
        (None, Some(_)) => errors.invalid(&join(at, "content"), format!("{kind} must have exactly one media type")),
        (Some(_), Some(_)) => {
            let later = errors.later(at, ["schema", "content"]);
            errors.invalid(&later, format!("{kind} must have either `schema` or `content`, not both"));
        }
        _ => errors.invalid(at, format!("{kind} must have either `schema` or `content`")),
    }
}

/// Header names and media types are compared without regard to case.
fn distinct_names(Node { kind, value, at }: &Node<'_>, errors: &mut Errors<'_>) {
    // The name of a header component is an identifier, not a header name.
    for (key, shape) in kind.keywords().iter().filter(|_| *kind != Kind::Components) {
        let Shape::Map(named @ (Kind::Header | Kind::MediaType)) = *shape else { continue };
        let site = join(at, key);
        let names = members(value, key).map(|(name, _)| (join(&site, name), name));
        let names = in_order(names, errors, |(here, _)| here);
        let mut known = HashMap::new();
        for (here, name) in &names {
            if let Some(first) = known.insert(folded(named, name), name) {
                let message =
                    format!("`{name}` and `{first}` are the same name: names are compared without regard to case here");
                errors.invalid(here, message);
            }
        }
    }
}

/// The names allowed by OpenAPI 3.1 §4.8.7.
fn component_names(components: &Value, errors: &mut Errors<'_>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    for (section, members) in components.as_object().into_iter().flatten() {
        let names = members.as_object().into_iter().flat_map(|members| members.keys());
        for name in names.filter(|name| name.is_empty() || !name.bytes().all(good)) {
            let message =
                format!("`{name}` is not a component name: only letters, digits, `.`, `-` and `_` are allowed");
            errors.invalid(&join(&join("/components", section), name), message);
        }
    }
}

/// The braces of a path template are paired, and no other template matches the same paths.
fn template<'a>(path: &Path<'a>, shapes: &mut HashMap<String, &'a str>, errors: &mut Errors<'_>) {
    let template = path.template;
    let Some(names) = path.template_names() else {
        let message = format!("unpaired braces in `{template}`: write each parameter as `{{name}}`");
        return errors.invalid(&path.site, message);
    };
    let mut shape = template.to_owned();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|before| before == name) {
            errors.invalid(&path.site, format!("`{{{name}}}` occurs twice in `{template}`"));
        }
        shape = shape.replace(&format!("{{{name}}}"), "{}");
    }
    if let Some(other) = shapes.insert(shape, template) {
        errors.invalid(&path.site, format!("`{template}` and `{other}` match the same paths"));
    }
}

fn operation_id<'a>(endpoint: &Endpoint<'a>, ids: &mut HashMap<&'a str, String>, errors: &mut Errors<'_>) {
    let Some(id) = text(endpoint.operation, "operationId") else { return };
    let here = join(&endpoint.pointer, "operationId");
    match ids.get(id) {
        Some(first) => {
            let first = errors.position(first);
            errors.invalid(&here, format!("duplicate operationId `{id}`: first defined at {first}"));
        }
        None => drop(ids.insert(id, here)),
    }
}

fn duplicates(list: &[Declared<'_>], errors: &mut Errors<'_>) {
    let mut known = HashSet::new();
    for one in list.iter().filter(|one| !known.insert(one.key())) {
        errors.invalid(&one.site, format!("the {} parameter `{}` is declared twice", one.location, one.name));
    }
}

/// The path template and the path parameters have the same names.
fn path_parameters(document: &Value, path: &Path<'_>, endpoints: &[Endpoint<'_>], errors: &mut Errors<'_>) {
    let Some(names) = path.template_names() else { return };
    let template = path.template;
    let lists: Vec<_> = endpoints.iter().map(|endpoint| (endpoint, path.parameters(document, endpoint))).collect();
    for name in &names {
        let declares = |one: &Declared<'_>| one.location == "path" && one.name == *name;
        let lacking: Vec<_> = lists.iter().filter(|(_, list)| !list.iter().any(declares)).collect();
        for (endpoint, list) in &lacking {
            if let Some(one) = list.iter().find(|one| one.name == *name) {
                let message = format!("`{name}` is in the path `{template}`: it must have `in: path`");
                errors.invalid(&join(&one.site, "in"), message);
                continue;
            }
            // If no operation declares it, there is one error, at the template.
            let at = if lacking.len() == lists.len() { &path.site } else { &endpoint.pointer };
            errors.invalid(at, format!("the path parameter `{name}` of `{template}` is not declared"));
        }
    }
    for one in lists.iter().flat_map(|(_, list)| list).filter(|one| one.location == "path") {
        if !names.contains(&one.name) {
            errors.invalid(&one.site, format!("the path parameter `{}` is not in `{template}`", one.name));
        }
    }
}
