//! What a contract documents and this server does not implement.
//!
//! Each rule is a limit of the server, not of OpenAPI, so the loader does not apply it: releases with such constructs can
//! be compared. Planned operations are not checked.
//!
//! - `security` that is not empty: the server does not check credentials.
//! - HEAD, OPTIONS and TRACE: the server answers them by fixed rules.
//! - `deprecated` without the date that the `Deprecation` header contains (RFC 9745 §2.1), a date without `deprecated`,
//!   and a sunset before the deprecation (forbidden by RFC 9745 §4).
//! - A link to a planned operation, which is not in the served documents.
//! - Parameters that are not one scalar in the default style of their location, in a cookie, or without a `type` by which
//!   to parse their text.
//! - Request bodies that are not JSON. Media types are compared by name, so ranges and parameters never match.
//!
//! `schemas` has the rules for the schemas of requests.

mod schemas;

use std::collections::HashSet;

use openapi_contract::date::unix_seconds;
use openapi_contract::equivalence::folded;
use openapi_contract::operation;
use openapi_contract::paths::{self, Declared, Endpoint};
use openapi_contract::pointer::{self, join};
use openapi_contract::{Code, Contract, Kind, LoadError, Method};
use serde_json::Value;

use crate::findings::{Findings, items};

/// Every construct that the server does not implement, in the order of the file.
pub fn unenforceable(contract: &Contract) -> Vec<LoadError> {
    let mut findings = Findings::new(contract, Code::Unenforceable);
    let mut seen = HashSet::new();
    for path in paths::paths(contract.document()) {
        for endpoint in path.endpoints().filter(|endpoint| !operation::is_planned(endpoint.operation)) {
            check_operation(&mut findings, &endpoint);
            for declared in path.parameters(contract.document(), &endpoint) {
                parameter(&mut findings, &declared, &mut seen);
            }
            body(&mut findings, &endpoint, &mut seen);
        }
    }
    findings.finish()
}

fn add(findings: &mut Findings<'_>, pointer: String, reason: &str) {
    findings.add(pointer, format!("not enforced by the server: {reason}"));
}

fn check_operation(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let rule = match endpoint.method {
        Method::Head => Some("the server responds to HEAD as to GET, without content; remove the operation"),
        Method::Options => Some("the server responds to OPTIONS on every path with its methods; remove the operation"),
        Method::Trace => Some("TRACE is never accepted; remove the operation"),
        _ => None,
    };
    if let Some(rule) = rule {
        add(findings, endpoint.pointer.clone(), rule);
    }
    let own = endpoint.operation.get("security");
    let at = if own.is_some() { &endpoint.pointer } else { "" };
    let security = own.or_else(|| findings.contract.document().get("security"));
    if security.and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        add(findings, join(at, "security"), "credentials are not checked yet, so any client could call the operation");
    }
    deprecation(findings, endpoint);
    links(findings, endpoint);
}

fn deprecation(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let date = |key: &str| endpoint.operation.get(key).and_then(Value::as_str).and_then(unix_seconds);
    let is_deprecated = endpoint.operation.get("deprecated") == Some(&Value::Bool(true));
    let (key, reason) = match (date("x-deprecated-since"), date("x-sunset")) {
        (None, _) if is_deprecated => {
            ("deprecated", "the `Deprecation` header contains a date; add `x-deprecated-since`")
        }
        (Some(_), _) if !is_deprecated => {
            ("x-deprecated-since", "the operation is not deprecated; add `deprecated: true`")
        }
        (None, Some(_)) => {
            ("x-sunset", "the operation is not deprecated; add `deprecated: true` and `x-deprecated-since`")
        }
        (Some(since), Some(sunset)) if sunset < since => ("x-sunset", "the sunset is before the deprecation"),
        _ => return,
    };
    add(findings, join(&endpoint.pointer, key), reason);
}

fn links(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let contract = findings.contract;
    let responses = join(&endpoint.pointer, "responses");
    let listed = endpoint.operation.get("responses").and_then(Value::as_object);
    for (status, response) in listed.into_iter().flatten() {
        let (response, at) = contract.follow(response, join(&responses, status));
        let at = join(&at, "links");
        for (name, link) in response.get("links").and_then(Value::as_object).into_iter().flatten() {
            let (link, at) = contract.follow(link, join(&at, name));
            let text = |key: &str| link.get(key).and_then(Value::as_str);
            let (id, pointer) = (text("operationId"), text("operationRef").and_then(pointer::local));
            let is_target = |other: &&openapi_contract::Operation| {
                other.planned && (id == Some(&other.id) || pointer.as_ref() == Some(&other.pointer))
            };
            if let Some(planned) = contract.operations().iter().find(is_target) {
                add(findings, at, &format!("`{}` is planned and not in the served documents", planned.id));
            }
        }
    }
}

fn parameter(findings: &mut Findings<'_>, declared: &Declared<'_>, seen: &mut HashSet<String>) {
    let (parameter, at) = findings.contract.follow(declared.listed, declared.site.clone());
    if declared.location == "cookie" {
        add(findings, join(&at, "in"), "cookies are not read; use a header");
    }
    let default = if matches!(declared.location, "path" | "header") { "simple" } else { "form" };
    if let Some(style) = parameter.get("style").and_then(Value::as_str).filter(|style| *style != default) {
        let reason =
            format!("the style `{style}` is not supported; a {} parameter must be `{default}`", declared.location);
        add(findings, join(&at, "style"), &reason);
    }
    for (key, reason) in [
        ("allowReserved", "a query is split at every `&`, and `+` is a space"),
        ("allowEmptyValue", "an empty value is validated by the schema like any other"),
    ] {
        if parameter.get(key) == Some(&Value::Bool(true)) {
            add(findings, join(&at, key), reason);
        }
    }
    if parameter.get("content").is_some() {
        add(findings, join(&at, "content"), "a parameter is read as one scalar; use `schema`");
    }
    if let Some(schema) = parameter.get("schema") {
        let (schema, at) = findings.contract.follow(schema, join(&at, "schema"));
        scalar(findings, schema, &at);
        if let Some((default, reason)) = schema.get("default").and_then(|value| Some((value, misread(schema, value)?)))
        {
            add(findings, join(&at, "default"), &format!("the default {default} {reason}"));
        }
        schemas::check(findings, schema, at, seen);
    }
}

/// The text of a parameter is parsed by the `type` of its schema.
fn scalar(findings: &mut Findings<'_>, schema: &Value, at: &str) {
    match schema.get("type").and_then(Value::as_str) {
        Some(list @ ("array" | "object")) => {
            add(findings, join(at, "type"), &format!("a parameter is read as one scalar, not as an {list}"));
        }
        Some(_) => {}
        None => inner_types(findings, schema, at),
    }
}

/// The types inside a schema that has no `type` itself.
fn inner_types(findings: &mut Findings<'_>, schema: &Value, at: &str) {
    let mut parts = vec![(schema, at.to_owned())];
    let mut seen = HashSet::new();
    while let Some((part, at)) = parts.pop() {
        if !seen.insert(at.clone()) {
            continue;
        }
        if let Some(name) = part.get("type").and_then(Value::as_str).filter(|name| *name != "string") {
            let reason = format!(
                "a parameter is parsed by the `type` of its schema, which has none, so a string would be validated as \
                 `{name}`"
            );
            add(findings, join(&at, "type"), &reason);
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            let inner = items(part, key).map(|(index, part)| (part, join(&join(&at, key), &index)));
            parts.extend(inner.map(|(part, at)| findings.contract.follow(part, at)));
        }
    }
}

/// Why the handler would get another value than this default, if it would.
fn misread(schema: &Value, default: &Value) -> Option<&'static str> {
    match (schema.get("type").and_then(Value::as_str), default) {
        // A schema accepts `5.0` as an integer, the handler does not.
        (Some("integer"), Value::Number(number)) if number.is_f64() => Some("is written with a fraction"),
        (None, default) if !default.is_string() => Some("is not a string, as a parameter without `type` is"),
        _ => None,
    }
}

fn body(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>, seen: &mut HashSet<String>) {
    let Some(body) = endpoint.operation.get("requestBody") else { return };
    let (body, at) = findings.contract.follow(body, join(&endpoint.pointer, "requestBody"));
    let at = join(&at, "content");
    for (media, value) in body.get("content").and_then(Value::as_object).into_iter().flatten() {
        let here = join(&at, media);
        let name = folded(Kind::MediaType, media);
        let is_json = name == "application/json" || name.ends_with("+json");
        if !is_json || name.contains([';', '*', ' ']) {
            let reason = format!("a body of `{media}` is not supported, only `application/json` and `…+json`");
            add(findings, here.clone(), &reason);
        }
        if let Some(schema) = value.get("schema") {
            schemas::check(findings, schema, join(&here, "schema"), seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_that_the_handler_would_not_get() {
        for (schema, expected) in [
            (json!({"type": "integer", "default": 9}), None),
            (json!({"type": "integer", "default": 9.0}), Some("is written with a fraction")),
            (json!({"type": "number", "default": 9.0}), None),
            (json!({"default": "1"}), None),
            (json!({"default": 1}), Some("is not a string, as a parameter without `type` is")),
        ] {
            assert_eq!(misread(&schema, &schema["default"]), expected, "{schema}");
        }
    }
}
