//! OpenAPI 3.0 → 3.1, for comparing releases.
//!
//! Only keywords whose meaning changed are rewritten, each in its place, so that the positions of the file still apply.

use serde_json::{Map, Value};

use crate::fields::text;
use crate::grammar::Kind;
use crate::nodes::nodes;
use crate::profile::Profile;

/// Rewrites an OpenAPI 3.0 document as 3.1. Any other document is left as it is.
pub(crate) fn upgrade(document: &mut Value) {
    if !is_version(document, "3.0.") {
        return;
    }
    document["openapi"] = "3.1.0".into();
    let nodes = nodes(document, Profile::Standard).into_iter();
    let places: Vec<_> = nodes.map(|node| (node.kind, node.is_reference(), node.at)).collect();
    for (kind, is_reference, at) in places {
        match document.pointer_mut(&at).and_then(Value::as_object_mut) {
            // Only path items may have members beside a reference (3.0.3, Reference Object).
            Some(object) if is_reference && kind != Kind::PathItem => object.retain(|key, _| key == "$ref"),
            Some(schema) if kind == Kind::Schema => {
                nullable(schema);
                exclusive(schema, "exclusiveMinimum", "minimum");
                exclusive(schema, "exclusiveMaximum", "maximum");
            }
            _ => {}
        }
    }
}

/// Whether a document declares a patch of this minor version of OpenAPI.
pub(crate) fn is_version(document: &Value, minor: &str) -> bool {
    let patch = text(document, "openapi").and_then(|version| version.strip_prefix(minor));
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `nullable: true` adds null to the `type` beside it, and has no effect without one (3.0.3, Schema Object).
fn nullable(schema: &mut Map<String, Value>) {
    match schema.get("nullable") {
        Some(Value::Bool(true)) => {
            if let Some(name @ Value::String(_)) = schema.get_mut("type") {
                *name = Value::Array(vec![name.take(), "null".into()]);
            }
        }
        Some(Value::Bool(false)) => {}
        // Absent, or not a flag: an error to report.
        _ => return,
    }
    schema.remove("nullable");
}

/// In 3.0 an exclusive bound is a flag beside the bound, in 3.1 it is the bound.
fn exclusive(schema: &mut Map<String, Value>, flag: &str, bound: &str) {
    match schema.get(flag) {
        Some(Value::Bool(true)) => match schema.remove(bound) {
            Some(value) => schema.insert(flag.to_owned(), value),
            None => schema.remove(flag),
        },
        Some(Value::Bool(false)) => schema.remove(flag),
        _ => None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn upgraded(schema: Value) -> Value {
        let mut document = json!({"openapi": "3.0.3", "components": {"schemas": {"S": schema}}});
        upgrade(&mut document);
        assert_eq!(document["openapi"], "3.1.0");
        document["components"]["schemas"]["S"].take()
    }

    #[test]
    fn keywords_with_another_meaning_are_rewritten() {
        for (old, new) in [
            (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
            (json!({"type": "string", "nullable": false}), json!({"type": "string"})),
            (json!({"allOf": [{}], "nullable": true}), json!({"allOf": [{}]})),
            (json!({"minimum": 1, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 1})),
            (json!({"maximum": 1, "exclusiveMaximum": false}), json!({"maximum": 1})),
            (json!({"exclusiveMaximum": true}), json!({})),
            (
                json!({"example": {"nullable": true}, "items": {"properties": {"nullable": {"type": "object", "nullable": true}}}}),
                json!({"example": {"nullable": true}, "items": {"properties": {"nullable": {"type": ["object", "null"]}}}}),
            ),
            (json!({"nullable": "yes"}), json!({"nullable": "yes"})),
            (json!({"$ref": "#/components/schemas/S", "nullable": true}), json!({"$ref": "#/components/schemas/S"})),
        ] {
            assert_eq!(upgraded(old.clone()), new, "{old}");
        }
    }

    #[test]
    fn other_versions_are_left_as_they_are() {
        for version in ["3.1.0", "3.0", "2.0"] {
            let document = json!({"openapi": version, "components": {"schemas": {"S": {"nullable": true}}}});
            let mut same = document.clone();
            upgrade(&mut same);
            assert_eq!(same, document);
        }
    }
}
