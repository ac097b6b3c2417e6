//! Which way the values of a type travel: what they derive goes by it.

use std::collections::HashSet;

use serde_json::Value;

use crate::fixes::Context;
use openapi_contract::pointer::{self, join};

/// Which way the values of a type travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::fixes) struct Way {
    pub(in crate::fixes) request: bool,
    pub(in crate::fixes) response: bool,
}

/// Which way the values of a component travel.
pub(in crate::fixes) fn way_of(context: &Context<'_>, name: &str) -> Way {
    let document = context.contract.document();
    let target = format!("#{}", join("/components/schemas", name));
    let mut way = Way::default();
    let operations = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (_, item) in operations {
        for (key, part) in item.as_object().into_iter().flatten() {
            let of = |key: &str| part.get(key);
            let requests = if key == "parameters" { Some(part) } else { of("requestBody") };
            way.request |=
                [requests, of("parameters")].into_iter().flatten().any(|one| leads_to(document, one, &target));
            way.response |= of("responses").is_some_and(|one| leads_to(document, one, &target));
        }
    }
    way
}

fn leads_to(document: &Value, from: &Value, target: &str) -> bool {
    let mut seen = HashSet::new();
    let mut next = vec![from];
    while let Some(value) = next.pop() {
        if let Some(reference) = pointer::reference(value) {
            if reference == target {
                return true;
            }
            if seen.insert(reference) {
                next.extend(pointer::local(reference).and_then(|at| document.pointer(&at)));
            }
        }
        match value {
            Value::Object(members) => next.extend(members.values()),
            Value::Array(items) => next.extend(items),
            _ => {}
        }
    }
    false
}
