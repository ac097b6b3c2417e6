//! Which values of a keyword are equal in meaning, and which mean the same as leaving it out.

use serde_json::Value;

use super::exclusions::not_compared;
use openapi_contract::Kind;
use openapi_contract::equivalence::{folded, same, set};

/// Whether two lists hold the same members, in whatever order.
pub(super) fn same_set(a: &[Value], b: &[Value]) -> bool {
    a == b || set(a) == set(b)
}

/// Whether two `type`s mean the same: a list of one type is that type, and the order of a list does not count.
pub(super) fn same_type(a: &Value, b: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    same_set(&list(a), &list(b))
}

/// Whether two strings under one keyword mean the same though they differ: names of headers and media types are the
/// same in any case. `owner` is the object of the contract that has the keyword.
pub(super) fn same_in_any_case(kind: Kind, key: &str, owner: &Value, a: &Value, b: &Value) -> bool {
    let named = match (kind, key) {
        (Kind::Parameter, "name") if owner.get("in").is_some_and(|location| location == "header") => Kind::Header,
        (Kind::Encoding, "contentType") => Kind::MediaType,
        _ => return false,
    };
    matches!((a, b), (Value::String(a), Value::String(b)) if folded(named, a) == folded(named, b))
}

/// Whether a schema admits anything: `true`, or nothing in it but prose.
pub(super) fn admits_anything(schema: &Value) -> bool {
    match schema {
        Value::Bool(admits) => *admits,
        Value::Object(members) => members.keys().all(|key| not_compared(Kind::Schema, key)),
        _ => false,
    }
}

/// The only part of a schema that is `allOf` of one part, with nothing but prose beside it.
pub(crate) fn only_part(schema: &Value) -> Option<&Value> {
    let members = schema.as_object()?;
    let [part] = members.get("allOf")?.as_array()?.as_slice() else { return None };
    members.keys().all(|key| key == "allOf" || not_compared(Kind::Schema, key)).then_some(part)
}

/// Whether `value` under `key` means the same as leaving it out.
///
/// `sibling` gives the other members of the object that has it, since some defaults depend on them.
pub(crate) fn is_default<'a>(
    kind: Kind,
    key: &str,
    value: &Value,
    sibling: impl Fn(&str) -> Option<&'a Value>,
) -> bool {
    let text = |key: &str| sibling(key).and_then(Value::as_str);
    // OpenAPI 3.1 §4.8.12.2: the style follows the location; only `form` explodes by itself (§4.8.12.2, §4.8.15).
    let style = || match (kind, text("in")) {
        (Kind::Header, _) | (Kind::Parameter, Some("path" | "header")) => "simple",
        _ => "form",
    };
    match (kind, key) {
        (Kind::Operation | Kind::PathItem, "parameters")
        | (Kind::Operation, "tags")
        | (Kind::Response | Kind::MediaType | Kind::Encoding, "headers" | "encoding")
        | (Kind::Response | Kind::Parameter | Kind::Header, "content")
        | (Kind::Schema, "required" | "properties") => is_empty(value),
        (Kind::Parameter | Kind::RequestBody, "required")
        | (Kind::Parameter | Kind::Header | Kind::Schema, "deprecated")
        | (Kind::Parameter, "allowEmptyValue")
        | (Kind::Parameter | Kind::Encoding, "allowReserved")
        | (Kind::Schema, "readOnly" | "writeOnly" | "uniqueItems") => *value == Value::Bool(false),
        (Kind::Parameter | Kind::Header | Kind::Encoding, "style") => value.as_str() == Some(style()),
        (Kind::Parameter | Kind::Header | Kind::Encoding, "explode") => {
            let style = text("style").unwrap_or_else(style);
            *value == Value::Bool(style == "form")
        }
        // The name of a member is always a string; utoipa writes this for every map.
        (Kind::Schema, "propertyNames") => *value == serde_json::json!({ "type": "string" }),
        (Kind::Schema, "additionalProperties") => admits_anything(value),
        (Kind::Schema, "minLength" | "minItems" | "minProperties") => same(value, &Value::from(0)),
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn explode_follows_style_and_style_follows_location() {
        let header = json!({"in": "header"});
        let query = json!({"in": "query"});
        let deep = json!({"in": "query", "style": "deepObject"});
        for (object, key, value, expected) in [
            (&header, "style", json!("simple"), true),
            (&header, "explode", json!(false), true),
            (&query, "style", json!("form"), true),
            (&query, "explode", json!(true), true),
            (&query, "explode", json!(false), false),
            (&deep, "explode", json!(false), true),
        ] {
            let found = is_default(Kind::Parameter, key, &value, |key| object.get(key));
            assert_eq!(found, expected, "{object} {key}: {value}");
        }
    }
}
