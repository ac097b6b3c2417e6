//! What some clients, or the generators of clients, cannot use. Each alone is valid OpenAPI.
//!
//! - Patterns of requests that need backtracking: the server could match them, but not in linear time, and clients in
//!   languages with RE2 cannot match them at all.
//! - Patterns of requests without `x-pattern-description`, which the response to a violation contains.
//! - Patterns with escapes, classes and groups that not all of ECMA-262, PCRE, RE2 and Rust read, or that they read in different
//!   ways, such as `\uXXXX`: PCRE refuses the pattern, and with it every value.
//! - `pattern`, `minLength` and `maxLength` beside a format that generated clients parse, such as `date-time`: they compare
//!   the constraint with their own form of the parsed value, and fail to read a valid response.
//! - Schemas whose names are those of other declarations of a client in Go: `NewUser` beside `User` is declared twice.
//! - The content of a successful response behind a `$ref`, which swagger-typescript-api reads as no content.
//!
//! The first two do not apply to requests of planned operations.

use std::collections::HashSet;

use openapi_contract::fields::{members, text};
use openapi_contract::nodes::{Node, nodes};
use openapi_contract::operation;
use openapi_contract::paths;
use openapi_contract::pointer::join;
use openapi_contract::{Code, Contract, Kind, LoadError, Profile};
use serde_json::Value;

use crate::findings::Findings;
use crate::pattern::{self, PatternError};

/// Every construct that some clients cannot use, in the order of the file.
pub fn unusable(contract: &Contract) -> Vec<LoadError> {
    let mut findings = Findings::new(contract, Code::Unusable, "not usable by every client: ");
    request_patterns(&mut findings);
    for node in nodes(contract.document(), Profile::Supported) {
        match node.kind {
            Kind::Schema => schema(&mut findings, &node),
            Kind::Response => response(&mut findings, &node),
            Kind::Components => schema_names(&mut findings, node.value),
            _ => {}
        }
    }
    findings.finish()
}

fn schema(findings: &mut Findings<'_>, node: &Node<'_>) {
    if let Some(what) = text(node.value, "pattern").and_then(pattern::unportable) {
        let reason =
            format!("the pattern has {what}; write the characters themselves, or an escape such as `\\x00` or `\\d`");
        findings.add(join(&node.at, "pattern"), reason);
    }
    let Some(format) = text(node.value, "format").filter(|format| PARSED.contains(format)) else { return };
    for key in ["pattern", "minLength", "maxLength"].into_iter().filter(|key| node.value.get(key).is_some()) {
        let reason = format!(
            "`{key}` beside `format: {format}`: clients that parse the value compare `{key}` with another form of it; \
             describe it in prose"
        );
        findings.add(join(&node.at, key), reason);
    }
}

/// Formats of strings for which generated clients have types of their own.
const PARSED: [&str; 6] = ["date", "date-time", "uuid", "uri", "byte", "binary"];

fn response(findings: &mut Findings<'_>, node: &Node<'_>) {
    let is_success = node.at.rsplit_once("/responses/2").is_some_and(|(owner, _)| owner != "/components");
    if node.is_reference() && is_success && findings.contract.resolve(node.value).get("content").is_some() {
        let reason =
            "generators may read a successful response behind a `$ref` as one without content; write it inline";
        findings.add(node.at.clone(), reason);
    }
}

/// The generator for Go declares `NewX`, `NewXWithDefaults` and `NullableX` with every schema `X`.
fn schema_names(findings: &mut Findings<'_>, components: &Value) {
    for (name, _) in members(components, "schemas") {
        let constructed = name.strip_prefix("New").map(|rest| rest.strip_suffix("WithDefaults").unwrap_or(rest));
        let declared = constructed.into_iter().chain(name.strip_prefix("Nullable"));
        for of in declared.filter(|of| components.pointer(&join("/schemas", of)).is_some()) {
            let reason =
                format!("a client in Go declares `{name}` with `{of}`; choose another name, such as `{of}Input`");
            findings.add(join("/components/schemas", name), reason);
        }
    }
}

/// Checks the patterns that the server validates requests with.
fn request_patterns(findings: &mut Findings<'_>) {
    let contract = findings.contract;
    let mut next = Vec::new();
    for path in paths::paths(contract.document()) {
        for endpoint in path.endpoints().filter(|endpoint| !operation::is_planned(endpoint.operation)) {
            for declared in path.parameters(contract.document(), &endpoint) {
                let (parameter, at) = contract.follow(declared.listed, declared.site.clone());
                next.extend(schema_of(parameter, &at));
            }
            let Some(body) = endpoint.operation.get("requestBody") else { continue };
            let (body, at) = contract.follow(body, join(&endpoint.pointer, "requestBody"));
            for (media, value) in members(body, "content") {
                next.extend(schema_of(value, &join(&join(&at, "content"), media)));
            }
        }
    }
    let mut seen = HashSet::new();
    // A work list, not recursion: chains of references may be long.
    while let Some(Node { kind, value, at }) = next.pop() {
        let (value, at) = contract.follow(value, at);
        if kind != Kind::Schema || !seen.insert(at.clone()) {
            continue;
        }
        if let Some(pattern) = text(value, "pattern") {
            // An invalid pattern is an inconsistency.
            if let Err(PatternError::Backtracking(how)) = pattern::parse(pattern) {
                findings.add(join(&at, "pattern"), format!("the pattern uses {how}, which RE2 does not support"));
            }
            if value.get("x-pattern-description").is_none() {
                let reason = "the response to a violation of the pattern describes it; add `x-pattern-description`, such as \
                              `must begin with a letter`";
                findings.add(at.clone(), reason);
            }
        }
        Node { kind, value, at }.children(Profile::Supported, &mut next);
    }
}

fn schema_of<'a>(owner: &'a Value, at: &str) -> Option<Node<'a>> {
    owner.get("schema").map(|value| Node { kind: Kind::Schema, value, at: join(at, "schema") })
}
