//! What a contract documents and this server does not implement.
//!
//! Each rule is a limit of the server, not of OpenAPI, so the loader does not apply it: releases with such constructs can
//! be compared. Planned operations are not checked.
//!
//! - `security` with other schemes than bearer tokens, or with several at once.
//! - 401, 403 and 429 missing where `security` requires credentials, and 401 or 403 where it does not.
//! - HEAD, OPTIONS and TRACE: the server answers them by fixed rules.
//! - `deprecated` without the date that the `Deprecation` header contains (RFC 9745 §2.1), a date without `deprecated`,
//!   and a sunset before the deprecation (forbidden by RFC 9745 §4).
//! - A link to a planned operation, which is not in the served documents.
//! - Parameters that are not one scalar in the default style of their location, in a cookie, or without a `type` by which
//!   to parse their text.
//! - Request bodies that are not JSON. Media types are compared by name, so ranges and parameters never match.
//! - Request bodies without `x-max-body-bytes`: the limit for all operations is that of the largest body.

use std::collections::HashSet;

use openapi_contract::date::unix_seconds;
use openapi_contract::fields::{flag, members, text};
use openapi_contract::operation;
use openapi_contract::paths::{self, Declared, Endpoint};
use openapi_contract::pointer::join;
use openapi_contract::{Code, Contract, LoadError, Method};
use serde_json::Value;

use crate::composition::parts;
use crate::findings::{Findings, is_json_media_type};

/// Every construct that the server does not implement, in the order of the file.
pub fn unenforceable(contract: &Contract) -> Vec<LoadError> {
    let mut findings = Findings::new(contract, Code::Unenforceable, "not enforced by the server: ");
    let mut seen = HashSet::new();
    for path in paths::paths(contract.document()) {
        for endpoint in path.endpoints().filter(|endpoint| !operation::is_planned(endpoint.operation)) {
            method(&mut findings, &endpoint);
            security(&mut findings, &endpoint, &mut seen);
            deprecation(&mut findings, &endpoint);
            links(&mut findings, &endpoint);
            for declared in path.parameters(contract.document(), &endpoint) {
                parameter(&mut findings, &declared);
            }
            body(&mut findings, &endpoint);
        }
    }
    findings.finish()
}

fn method(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let reason = match endpoint.method {
        Method::Head => "the server responds to HEAD as to GET, without content; remove the operation",
        Method::Options => "the server responds to OPTIONS on every path with its methods; remove the operation",
        Method::Trace => "TRACE is never accepted; remove the operation",
        _ => return,
    };
    findings.add(endpoint.pointer.clone(), reason);
}

fn security(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>, seen: &mut HashSet<String>) {
    let document = findings.contract.document();
    let owners = [(endpoint.operation, endpoint.pointer.as_str()), (document, "")];
    let stated = owners.into_iter().find_map(|(owner, at)| Some((owner.get("security")?.as_array()?, at)));
    let Some((alternatives, owner)) = stated else { return };
    let list = join(owner, "security");
    for (index, alternative) in alternatives.iter().enumerate() {
        let schemes: Vec<&String> = alternative.as_object().into_iter().flat_map(|schemes| schemes.keys()).collect();
        if schemes.len() > 1 {
            findings.add(join(&list, &index.to_string()), "a request has one bearer token; use one scheme");
        }
        for scheme in schemes {
            scheme_is_bearer(findings, scheme, seen);
        }
    }
    let responses = join(&endpoint.pointer, "responses");
    let statuses = |of: &[&'static str], documented: bool| {
        let is_documented = |status: &&str| document.pointer(&join(&responses, status)).is_some() == documented;
        of.iter().copied().filter(is_documented).collect::<Vec<_>>().join(" and ")
    };
    // 429: tokens cannot be tried without limit. An operation without credentials can have a limit too.
    let (documented, missing) = (statuses(&["401", "403"], true), statuses(&["401", "403", "429"], false));
    if alternatives.is_empty() && !documented.is_empty() {
        let reason = format!("no credentials are required, so the response is never {documented}; remove it");
        findings.add(list, reason);
    } else if !(alternatives.is_empty() || missing.is_empty()) {
        let reason = format!("credentials are required by `security`; document the responses {missing}");
        findings.add(endpoint.pointer.clone(), reason);
    }
}

fn scheme_is_bearer(findings: &mut Findings<'_>, name: &str, seen: &mut HashSet<String>) {
    let at = join("/components/securitySchemes", name);
    // The loader reports a scheme that is not declared.
    let Some(listed) = findings.contract.document().pointer(&at) else { return };
    let (scheme, at) = findings.contract.follow(listed, at);
    let is_bearer = text(scheme, "scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    let key = match text(scheme, "type") {
        Some("http") if is_bearer => return,
        Some("http") => "scheme",
        _ => "type",
    };
    let at = if scheme.get(key).is_some() { join(&at, key) } else { at };
    if seen.insert(at.clone()) {
        findings.add(at, "credentials are bearer tokens; use `type: http` and `scheme: bearer`");
    }
}

fn deprecation(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let date = |key: &str| text(endpoint.operation, key).and_then(unix_seconds);
    let is_deprecated = flag(endpoint.operation, "deprecated");
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
    findings.add(join(&endpoint.pointer, key), reason);
}

fn links(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let contract = findings.contract;
    let responses = join(&endpoint.pointer, "responses");
    for (status, response) in members(endpoint.operation, "responses") {
        let (response, at) = contract.follow(response, join(&responses, status));
        let at = join(&at, "links");
        for (name, link) in members(response, "links") {
            let (link, at) = contract.follow(link, join(&at, name));
            if let Some(planned) = findings.target_of(link).filter(|target| target.planned) {
                findings.add(at, format!("`{}` is planned and not in the served documents", planned.id));
            }
        }
    }
}

fn parameter(findings: &mut Findings<'_>, declared: &Declared<'_>) {
    let (parameter, at) = findings.contract.follow(declared.listed, declared.site.clone());
    let location = declared.location;
    if location == "cookie" {
        findings.add(join(&at, "in"), "cookies are not read; use a header");
    }
    let default = if matches!(location, "path" | "header") { "simple" } else { "form" };
    if let Some(style) = text(parameter, "style").filter(|style| *style != default) {
        let reason = format!("the style `{style}` is not supported; a {location} parameter must be `{default}`");
        findings.add(join(&at, "style"), reason);
    }
    for (key, reason) in [
        ("allowReserved", "a query is split at every `&`, and `+` is a space"),
        ("allowEmptyValue", "an empty value is validated by the schema like any other"),
    ] {
        if flag(parameter, key) {
            findings.add(join(&at, key), reason);
        }
    }
    if parameter.get("content").is_some() {
        findings.add(join(&at, "content"), "a parameter is read as one scalar; use `schema`");
    }
    if let Some(schema) = parameter.get("schema") {
        let (schema, at) = findings.contract.follow(schema, join(&at, "schema"));
        scalar(findings, schema, &at);
    }
}

/// The text of a parameter is parsed by the `type` of its schema, without regard to the schemas inside it.
fn scalar(findings: &mut Findings<'_>, schema: &Value, at: &str) {
    match text(schema, "type") {
        Some(list @ ("array" | "object")) => {
            findings.add(join(at, "type"), format!("a parameter is read as one scalar, not as an {list}"));
        }
        Some(_) => {}
        None => {
            let parts = parts(findings.contract, schema, at);
            let typed = parts.iter().filter_map(|part| Some((part, text(part.value, "type")?)));
            for (part, name) in typed.filter(|(_, name)| *name != "string") {
                let reason = format!(
                    "a parameter is parsed by the `type` of its schema, which has none, so a string would be validated \
                     as `{name}`"
                );
                findings.add(join(&part.at, "type"), reason);
            }
        }
    }
    if let Some((default, reason)) = schema.get("default").and_then(|value| Some((value, misread(schema, value)?))) {
        findings.add(join(at, "default"), format!("the default {default} {reason}"));
    }
}

/// Why the handler would get another value than this default, if it would.
fn misread(schema: &Value, default: &Value) -> Option<&'static str> {
    match (text(schema, "type"), default) {
        // A schema accepts `5.0` as an integer, the handler does not.
        (Some("integer"), Value::Number(number)) if number.is_f64() => Some("is written with a fraction"),
        (None, default) if !default.is_string() => Some("is not a string, as a parameter without `type` is"),
        _ => None,
    }
}

fn body(findings: &mut Findings<'_>, endpoint: &Endpoint<'_>) {
    let Some(body) = endpoint.operation.get("requestBody") else { return };
    if endpoint.operation.get("x-max-body-bytes").is_none() {
        findings.add(endpoint.pointer.clone(), "the size of the body has no limit; add `x-max-body-bytes`");
    }
    let (body, at) = findings.contract.follow(body, join(&endpoint.pointer, "requestBody"));
    let at = join(&at, "content");
    for (media, _) in members(body, "content") {
        if !is_json_media_type(media) || media.contains([';', '*', ' ']) {
            let reason = format!("a body of `{media}` is not supported, only `application/json` and `…+json`");
            findings.add(join(&at, media), reason);
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
