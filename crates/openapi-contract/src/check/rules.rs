//! What no grammar expresses: how the parts of a document depend on each other.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::errors::Errors;
use super::structure::Structure;
use crate::equivalence::folded;
use crate::grammar::Shape;
use crate::kind::Kind;
use crate::paths::{self, Declared, Endpoint, Path};
use crate::pointer::join;

/// Whether the document declares OpenAPI 3.1.
pub(super) fn version(document: &Value, errors: &mut Errors<'_>) -> bool {
    let version = document.get("openapi");
    let patch = version.and_then(Value::as_str).and_then(|version| version.strip_prefix("3.1."));
    let supported = patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()));
    match version {
        _ if supported => {}
        None => errors.invalid("", "not an OpenAPI document: `openapi: 3.1.0` is missing"),
        Some(other) => {
            errors
                .invalid("/openapi", format!("not an OpenAPI 3.1 document: `openapi` is {other}; expected \"3.1.0\""));
        }
    }
    supported
}

/// The rules of OpenAPI 3.1.
pub(super) fn valid(document: &Value, structure: &Structure<'_>, errors: &mut Errors<'_>) {
    for (at, (kind, value)) in &structure.nodes {
        distinct_names(at, *kind, value, errors);
    }
    requirements(document, "", document, errors);
    let (mut shapes, mut ids) = (HashMap::new(), HashMap::new());
    for path in &in_order(paths::paths(document), errors, |path| &path.site) {
        template(path, &mut shapes, errors);
        duplicates(&paths::declared(document, path.item, &path.pointer), errors);
        for endpoint in &in_order(path.endpoints(), errors, |endpoint| &endpoint.pointer) {
            operation_id(endpoint, &mut ids, errors);
            requirements(document, &endpoint.pointer, endpoint.operation, errors);
            duplicates(&paths::declared(document, endpoint.operation, &endpoint.pointer), errors);
        }
    }
}

/// The rules of the supported subset, and those that a comparison of releases does not need.
pub(super) fn supported(document: &Value, structure: &Structure<'_>, errors: &mut Errors<'_>) {
    for (at, (kind, value)) in &structure.nodes {
        match kind {
            Kind::Schema if value.get("type").is_some_and(|name| name == "array") && value.get("items").is_none() => {
                let here = join(at, "type");
                errors.unsupported(
                    &here,
                    "`items` is missing: 3.0 requires it on every array (`items: {}` accepts any item)",
                );
            }
            Kind::Parameter => parameter(at, value, errors),
            Kind::Header => described_once(at, value, *kind, errors),
            Kind::Components => component_names(at, value, errors),
            _ => {}
        }
    }
    for path in paths::paths(document) {
        if !path.template.starts_with('/') {
            errors.invalid(&path.site, format!("the path `{}` must start with `/`", path.template));
        }
        let endpoints = in_order(path.endpoints(), errors, |endpoint| &endpoint.pointer);
        for endpoint in &endpoints {
            security(document, endpoint, errors);
        }
        path_parameters(document, &path, &endpoints, errors);
    }
    links(document, structure, errors);
}

/// In the order of the file, so that an error about a duplicate is at the second one.
fn in_order<T>(all: impl Iterator<Item = T>, errors: &Errors<'_>, pointer: impl Fn(&T) -> &str) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by_key(|one| errors.source.nearest(pointer(one)));
    all
}

/// A parameter has a schema or a media type, and a path parameter is required.
fn parameter(at: &str, value: &Value, errors: &mut Errors<'_>) {
    if value.get("$ref").is_some() {
        return;
    }
    described_once(at, value, Kind::Parameter, errors);
    let in_path = value.get("in").is_some_and(|location| location == "path");
    if in_path && value.get("required") != Some(&Value::Bool(true)) {
        errors.invalid(&join(at, "required"), "a path parameter must have `required: true`");
    }
}

fn described_once(at: &str, value: &Value, kind: Kind, errors: &mut Errors<'_>) {
    if value.get("$ref").is_some() {
        return;
    }
    match (value.get("schema"), value.get("content").and_then(Value::as_object)) {
        (Some(_), None) => {}
        (None, Some(content)) if content.len() == 1 => {}
        (None, Some(_)) => errors.invalid(&join(at, "content"), format!("{kind} must have exactly one media type")),
        (Some(_), Some(_)) => {
            let [schema, content] = ["schema", "content"].map(|key| join(at, key));
            let later = if errors.source.nearest(&schema) > errors.source.nearest(&content) { schema } else { content };
            errors.invalid(&later, format!("{kind} must have either `schema` or `content`, not both"));
        }
        _ => errors.invalid(at, format!("{kind} must have either `schema` or `content`")),
    }
}

/// Header names and media types are compared without regard to case.
fn distinct_names(at: &str, kind: Kind, value: &Value, errors: &mut Errors<'_>) {
    for (key, shape) in kind.keywords() {
        let Shape::Map(named @ (Kind::Header | Kind::MediaType)) = *shape else { continue };
        // The name of a header component is an identifier, not a header name.
        let Some(members) = value.get(key).and_then(Value::as_object).filter(|_| kind != Kind::Components) else {
            continue;
        };
        let site = join(at, key);
        let mut names: Vec<_> = members.keys().map(|name| (folded(named, name), join(&site, name), name)).collect();
        names.sort_by_cached_key(|(folded, here, _)| (folded.clone(), errors.source.nearest(here)));
        for pair in names.windows(2) {
            if let [(folded, _, first), (other, here, name)] = pair
                && folded == other
            {
                errors.invalid(
                    here,
                    format!("`{name}` and `{first}` are the same name: names are compared without regard to case here"),
                );
            }
        }
    }
}

/// The names allowed by OpenAPI 3.1 §4.8.7.
fn component_names(at: &str, value: &Value, errors: &mut Errors<'_>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    for (section, members) in value.as_object().into_iter().flatten() {
        for name in members.as_object().into_iter().flat_map(|members| members.keys()) {
            if name.is_empty() || !name.bytes().all(good) {
                let here = join(&join(at, section), name);
                errors.invalid(
                    &here,
                    format!("`{name}` is not a component name: only letters, digits, `.`, `-` and `_` are allowed"),
                );
            }
        }
    }
}

/// The braces of a path template are paired, and no other template matches the same paths.
fn template(path: &Path<'_>, shapes: &mut HashMap<String, String>, errors: &mut Errors<'_>) {
    let Some(names) = path.template_names() else {
        errors
            .invalid(&path.site, format!("unpaired braces in `{}`: write each parameter as `{{name}}`", path.template));
        return;
    };
    let mut known = HashSet::new();
    for name in &names {
        if !known.insert(name) {
            errors.invalid(&path.site, format!("`{{{name}}}` occurs twice in `{}`", path.template));
        }
    }
    let mut parts = path.template.split('{');
    let before = parts.next().unwrap_or_default();
    let after = parts.map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    let shape = [before].into_iter().chain(after).collect::<Vec<_>>().join("{}");
    if let Some(other) = shapes.insert(shape, path.template.to_owned()) {
        errors.invalid(&path.site, format!("`{}` and `{other}` match the same paths", path.template));
    }
}

fn operation_id(endpoint: &Endpoint<'_>, ids: &mut HashMap<String, String>, errors: &mut Errors<'_>) {
    let Some(id) = endpoint.operation.get("operationId").and_then(Value::as_str) else {
        return;
    };
    let here = join(&endpoint.pointer, "operationId");
    match ids.get(id) {
        Some(first) => {
            let first = errors.source.nearest(first);
            errors.invalid(&here, format!("duplicate operationId `{id}`: first defined at {first}"));
        }
        None => {
            ids.insert(id.to_owned(), here);
        }
    }
}

/// `security` is stated, so that an operation is not open to any client by omission.
fn security(document: &Value, endpoint: &Endpoint<'_>, errors: &mut Errors<'_>) {
    if endpoint.operation.get("security").is_none() && document.get("security").is_none() {
        errors.unsupported(
            &endpoint.pointer,
            "`security` is missing, here and at the top level: write `security: []` if any client may call",
        );
    }
}

/// Every scheme that `owner` requires is declared.
fn requirements(document: &Value, at: &str, owner: &Value, errors: &mut Errors<'_>) {
    let declared = document.pointer("/components/securitySchemes");
    let list = owner.get("security").and_then(Value::as_array);
    for (index, requirement) in list.into_iter().flatten().enumerate() {
        for scheme in requirement.as_object().into_iter().flat_map(|schemes| schemes.keys()) {
            if declared.is_none_or(|declared| declared.get(scheme).is_none()) {
                let here = join(&join(&join(at, "security"), &index.to_string()), scheme);
                errors.invalid(
                    &here,
                    format!("the security scheme `{scheme}` is not declared in `components/securitySchemes`"),
                );
            }
        }
    }
}

fn duplicates(list: &[Declared<'_>], errors: &mut Errors<'_>) {
    let mut known = HashSet::new();
    for one in list {
        if !known.insert(one.key()) {
            errors.invalid(&one.site, format!("the {} parameter `{}` is declared twice", one.location, one.name));
        }
    }
}

/// The path template and the path parameters have the same names.
fn path_parameters(document: &Value, path: &Path<'_>, endpoints: &[Endpoint<'_>], errors: &mut Errors<'_>) {
    let Some(names) = path.template_names() else { return };
    let lists: Vec<_> = endpoints.iter().map(|endpoint| (endpoint, path.parameters(document, endpoint))).collect();
    for name in &names {
        let declares = |one: &Declared<'_>| one.location == "path" && one.name == *name;
        let lacking: Vec<_> = lists.iter().filter(|(_, list)| !list.iter().any(declares)).collect();
        let message = format!("the path parameter `{name}` of `{}` is not declared", path.template);
        for (endpoint, list) in &lacking {
            if let Some(one) = list.iter().find(|one| one.name == *name) {
                let message = format!("`{name}` is in the path `{}`: it must have `in: path`", path.template);
                errors.invalid(&join(&one.site, "in"), message);
            } else if lacking.len() == lists.len() {
                // No operation declares it: one error at the template.
                errors.invalid(&path.site, message.clone());
            } else {
                errors.invalid(&endpoint.pointer, message.clone());
            }
        }
    }
    for one in lists.iter().flat_map(|(_, list)| list).filter(|one| one.location == "path") {
        if !names.contains(&one.name) {
            errors.invalid(&one.site, format!("the path parameter `{}` is not in `{}`", one.name, path.template));
        }
    }
}

/// The operation of a link exists.
fn links(document: &Value, structure: &Structure<'_>, errors: &mut Errors<'_>) {
    let all = paths::paths(document).flat_map(|path| path.endpoints().collect::<Vec<_>>());
    let ids: HashSet<&Value> = all.filter_map(|endpoint| endpoint.operation.get("operationId")).collect();
    for (at, (kind, value)) in &structure.nodes {
        let Some(id) = value.get("operationId").filter(|id| *kind == Kind::Link && !ids.contains(id)) else { continue };
        let id = id.as_str().unwrap_or_default();
        errors.invalid(&join(at, "operationId"), format!("no operation has the id `{id}`"));
    }
}
