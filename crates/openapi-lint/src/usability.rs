//! What some clients, or the generators of clients, cannot use. Each alone is valid OpenAPI.
//!
//! - Patterns of requests that need backtracking: the server could match them, but not in linear time, and clients in
//!   languages with RE2 cannot match them at all.
//! - Patterns of requests without `x-pattern-description`, which the response to a violation contains.
//!
//! Requests of planned operations are not checked.

use std::collections::HashSet;

use openapi_contract::fields::{members, text};
use openapi_contract::nodes::Node;
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
    findings.finish()
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
            let here = join(&at, "pattern");
            // An invalid pattern is an inconsistency.
            if let Err(PatternError::Backtracking(how)) = pattern::parse(pattern) {
                findings.add(here.clone(), format!("the pattern uses {how}, which RE2 does not support"));
            }
            if value.get("x-pattern-description").is_none() {
                let reason = "the response to a violation of the pattern describes it; add `x-pattern-description`, such as \
                              `must begin with a letter`";
                findings.add(here, reason);
            }
        }
        Node { kind, value, at }.children(Profile::Supported, &mut next);
    }
}

fn schema_of<'a>(owner: &'a Value, at: &str) -> Option<Node<'a>> {
    owner.get("schema").map(|value| Node { kind: Kind::Schema, value, at: join(at, "schema") })
}
