//! Patterns of request schemas that need backtracking. The server could match them, but not in linear time, and clients
//! in languages with RE2 cannot match them at all.

use std::collections::HashSet;

use openapi_contract::nodes::Node;
use openapi_contract::pointer::join;
use openapi_contract::{Kind, Profile};
use serde_json::Value;

use crate::findings::Findings;
use crate::pattern::{self, PatternError};

/// Checks a schema and all that it contains or refers to, except the schemas already `seen`.
pub(super) fn check(findings: &mut Findings<'_>, schema: &Value, at: String, seen: &mut HashSet<String>) {
    let mut next = vec![Node { kind: Kind::Schema, value: schema, at }];
    // A work list, not recursion: chains of references may be long.
    while let Some(Node { kind, value, at }) = next.pop() {
        let (value, at) = findings.contract.follow(value, at);
        if kind != Kind::Schema || !seen.insert(at.clone()) {
            continue;
        }
        // An invalid pattern is an inconsistency.
        if let Some(Err(PatternError::Backtracking(how))) =
            value.get("pattern").and_then(Value::as_str).map(pattern::parse)
        {
            let reason = format!("not enforced by the server: the pattern uses {how}, which RE2 does not support");
            findings.add(join(&at, "pattern"), reason);
        }
        Node { kind, value, at }.children(Profile::Supported, &mut next);
    }
}
