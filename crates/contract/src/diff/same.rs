//! Which values mean the same.

use serde_json::{Number, Value};

use super::not_compared;
use crate::Kind;

/// Whether two JSON values mean the same: the order of members does not count, nor does the spelling of numbers.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => canonical(a) == canonical(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether two lists hold the same members, in whatever order.
pub(super) fn same_set(a: &[Value], b: &[Value]) -> bool {
    let within = |a: &[Value], b: &[Value]| a.iter().all(|a| b.iter().any(|b| same(a, b)));
    within(a, b) && within(b, a)
}

/// Whether two `type`s mean the same: a list of one type is that type, and the order of a list does not count.
pub(super) fn same_type(a: &Value, b: &Value) -> bool {
    let list = |value: &Value| match value {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    same_set(&list(a), &list(b))
}

#[derive(PartialEq)]
enum Canonical {
    Whole(i128),
    Fraction(f64),
}

fn canonical(number: &Number) -> Canonical {
    if let Some(whole) = number.as_i128() {
        return Canonical::Whole(whole);
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    // Beyond 2^63 a float stands for many integers: let it be equal to floats only.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.fract() == 0.0 && float.abs() < LIMIT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and in range, as just checked")]
        return Canonical::Whole(float as i128);
    }
    Canonical::Fraction(float)
}

/// Whether a schema admits anything: `true`, or nothing in it but prose.
pub(super) fn admits_anything(schema: &Value) -> bool {
    match schema {
        Value::Bool(admits) => *admits,
        Value::Object(members) => members.keys().all(|key| not_compared(Kind::Schema, key)),
        _ => false,
    }
}

/// Whether writing `value` under `key` says no more than leaving it out.
///
/// `sibling` gives the other members of the object that has it, since some defaults depend on them.
pub(super) fn is_default<'a>(
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
    fn numbers_are_compared_by_value() {
        assert!(same(&json!(1), &json!(1.0)));
        assert!(same(&json!({"a": [1.0]}), &json!({"a": [1]})));
        assert!(!same(&json!(1), &json!(1.5)));
        assert!(!same(&json!(1), &json!("1")));
        assert!(!same(&json!(9007199254740993_u64), &json!(9007199254740992_u64)));
        assert!(same(&json!(1e300), &json!(1e300)));
    }

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
