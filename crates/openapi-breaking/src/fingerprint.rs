//! The fingerprint of a change: the same wherever the change moves in the files.

use serde_json::Value;
use sha2::{Digest, Sha256};

use openapi_contract::equivalence::canonical;
use openapi_contract::pointer::{join, local, reference, tokens};

/// Twelve hexadecimal digits: 48 bits are enough to distinguish the changes of one release.
pub(super) fn fingerprint(rule: &str, place: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    let value = |value: Option<&Value>| value.map_or_else(String::new, |value| canonical(value).to_string());
    let mut hash = Sha256::new();
    for part in [rule, place, &value(before), &value(after)] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A pointer with names instead of indices: a parameter by location and name, an alternative by its reference, a path
/// without the names of its parameters. So a change keeps its place when a neighbour is added or removed.
pub(super) fn logical_place(document: &Value, pointer: &str) -> String {
    let mut place = String::new();
    let mut node = Some(document);
    let mut parent = String::new();
    for token in tokens(pointer) {
        let child = node.and_then(|node| match node {
            Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(&token),
        });
        let listed = matches!(node, Some(Value::Array(_)));
        let name = match child {
            Some(item) if listed => name_of_item(document, item).unwrap_or_else(|| token.clone()),
            _ if parent == "paths" => without_names(&token),
            _ => token.clone(),
        };
        place = join(&place, &name);
        (node, parent) = (child, token);
    }
    place
}

fn name_of_item(document: &Value, item: &Value) -> Option<String> {
    if let Some(text) = item.as_str() {
        return Some(text.to_owned());
    }
    let target = reference(item);
    let resolved = target.and_then(local).and_then(|pointer| document.pointer(&pointer)).unwrap_or(item);
    let text = |key: &str| resolved.get(key).and_then(Value::as_str);
    match (text("in"), text("name"), text("url")) {
        (Some(location), Some(name), _) => Some(format!("{location} {name}")),
        (_, _, Some(url)) => Some(url.to_owned()),
        _ => target.map(str::to_owned),
    }
}

/// A path template without the names of its parameters: `/users/{id}` and `/users/{user}` are the same path.
pub(super) fn without_names(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str("{}");
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_use_names_instead_of_indices() {
        let document = json!({"paths": {"/a/{id}": {"get": {"parameters": [
            {"in": "query", "name": "x"}, {"$ref": "#/components/parameters/Y"},
        ]}}}, "components": {
            "parameters": {"Y": {"in": "header", "name": "y"}},
            "schemas": {"Z": {"oneOf": [{"$ref": "#/components/schemas/Z"}, {"type": "string"}]}},
        }});
        for (pointer, expected) in [
            ("/paths/~1a~1{id}/get/parameters/0/schema", "/paths/~1a~1{}/get/parameters/query x/schema"),
            ("/paths/~1a~1{id}/get/parameters/1", "/paths/~1a~1{}/get/parameters/header y"),
            ("/components/schemas/Z/oneOf/0", "/components/schemas/Z/oneOf/#~1components~1schemas~1Z"),
            ("/components/schemas/Z/oneOf/1", "/components/schemas/Z/oneOf/1"),
            ("/nowhere/at/all", "/nowhere/at/all"),
        ] {
            assert_eq!(logical_place(&document, pointer), expected);
        }
        assert_eq!(without_names("/a/{id}/b/{"), "/a/{}/b/{");
    }

    #[test]
    fn fingerprints_depend_on_values_but_not_on_their_spelling() {
        let print = |after| fingerprint("r", "/p", Some(&json!(5)), Some(&after));
        assert_eq!(print(json!(4)), print(json!(4.0)));
        assert_ne!(print(json!(4)), print(json!(3)));
        assert_eq!(print(json!(4)).len(), 12);
    }
}
