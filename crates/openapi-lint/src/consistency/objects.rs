//! Links, servers, and members that exclude each other.

use std::collections::BTreeSet;

use openapi_contract::fields::{items, members, text};
use openapi_contract::nodes::Node;
use openapi_contract::pointer::{self, join};
use openapi_contract::suggestions::did_you_mean;
use openapi_contract::{Kind, Operation};
use serde_json::Value;

use crate::findings::Findings;

/// Pairs of keywords of which an object has at most one (OpenAPI 3.1 §4.8.12, §4.8.14, §4.8.19, §4.8.20).
const ONE_OF_TWO: &[(Kind, [&str; 2])] = &[
    (Kind::Parameter, ["example", "examples"]),
    (Kind::Header, ["example", "examples"]),
    (Kind::MediaType, ["example", "examples"]),
    (Kind::Example, ["value", "externalValue"]),
    (Kind::Link, ["operationId", "operationRef"]),
    (Kind::License, ["identifier", "url"]),
];

pub(super) fn check(findings: &mut Findings<'_>, Node { kind, value, at }: &Node<'_>) {
    for (_, keys) in ONE_OF_TWO.iter().filter(|(of, _)| of == kind) {
        if keys.iter().all(|key| value.get(key).is_some()) {
            let [one, other] = keys;
            let message = format!("{kind} must have either `{one}` or `{other}`, not both");
            findings.add(findings.errors.later(at, *keys), message);
        }
    }
    match kind {
        Kind::Link => link(findings, value, at),
        Kind::Server => server(findings, value, at),
        Kind::ServerVariable => server_variable(findings, value, at),
        _ => {}
    }
}

/// A link refers to an operation, and sets parameters of that operation.
fn link(findings: &mut Findings<'_>, link: &Value, at: &str) {
    match (findings.target_of(link), text(link, "operationId"), text(link, "operationRef")) {
        (Some(operation), _, _) => link_parameters(findings, link, at, operation),
        (None, None, None) => findings.add(at.to_owned(), "a link must have an `operationId`"),
        (None, _, Some(target)) if pointer::local(target).is_some() => {
            findings.add(join(at, "operationRef"), format!("`{target}` is not an operation"));
        }
        // The loader reports unknown ids, and an operation of another document is not checked.
        _ => {}
    }
}

fn link_parameters(findings: &mut Findings<'_>, link: &Value, at: &str, to: &Operation) {
    let parameters = to.parameters.iter();
    let known: BTreeSet<String> =
        parameters.flat_map(|one| [one.name.clone(), format!("{}.{}", one.location, one.name)]).collect();
    for (name, _) in members(link, "parameters").filter(|(name, _)| !known.contains(*name)) {
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let message = format!("`{}` has no parameter `{name}`{near}", to.id);
        findings.add(join(&join(at, "parameters"), name), message);
    }
}

/// The URL and `variables` have the same names.
fn server(findings: &mut Findings<'_>, server: &Value, at: &str) {
    let url = text(server, "url").unwrap_or_default();
    let named: BTreeSet<&str> = url.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
    let described: BTreeSet<&str> = members(server, "variables").map(|(name, _)| name.as_str()).collect();
    for name in named.difference(&described) {
        findings.add(join(at, "url"), format!("`{{{name}}}` is missing in `variables`"));
    }
    for name in described.difference(&named) {
        findings.add(join(&join(at, "variables"), name), format!("`{{{name}}}` is not in the `url`"));
    }
}

fn server_variable(findings: &mut Findings<'_>, variable: &Value, at: &str) {
    if variable.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        findings.add(join(at, "enum"), "`enum` is empty: list at least one item, or remove it");
    } else if let (Some(default), true) = (variable.get("default"), variable.get("enum").is_some())
        && !items(variable, "enum").any(|(_, one)| one == default)
    {
        findings.add(join(at, "default"), format!("the default {default} is not in `enum`"));
    }
}
