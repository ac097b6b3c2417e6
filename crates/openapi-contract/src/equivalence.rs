//! Equality of values and names, for all checks and comparisons: `1` equals `1.0`, sets have no order, and some names are
//! compared without regard to case.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::grammar::Kind;

/// 2^63. Larger floats are not converted to integers.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Whether two JSON values are equal, without regard to the order of members and the spelling of numbers.
pub fn same(a: &Value, b: &Value) -> bool {
    a == b || canonical(a) == canonical(b)
}

/// The same representation for all values that are [`same`], so that they can be hashed.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(canonical_number(number)),
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), canonical(value))).collect())
        }
        scalar => scalar.clone(),
    }
}

fn canonical_number(number: &Number) -> Number {
    let float = number.as_f64().unwrap_or(f64::NAN);
    if number.is_f64() && float.fract() == 0.0 && float.abs() < LIMIT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and in range, as just checked")]
        return Number::from(float as i64);
    }
    number.clone()
}

/// Compares numbers by value: exactly if both are integers, as floats otherwise.
pub fn compare(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let float = |number: &Number| number.as_f64().unwrap_or_default();
            // No number of JSON is NaN, and `-0.0` is `0`.
            float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal)
        }
    }
}

/// The items of a list as a set of [`canonical`] values.
pub fn set(items: &[Value]) -> HashSet<Value> {
    items.iter().map(canonical).collect()
}

/// `value` as a whole number, also if written `1e2` or `100.0` (JSON Schema 2020-12 core §4.2.3). Saturates at
/// `u64::MAX`.
pub fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, not negative, and it saturates")]
    value.as_u64().or_else(|| float().map(|float| float as u64))
}

/// The name of a member for comparison: header names and media types are compared without regard to case (RFC 9110 §5.1,
/// §8.3.1), except for the parameters of a media type.
pub fn folded(kind: Kind, name: &str) -> Cow<'_, str> {
    let folds = match kind {
        Kind::Header => name.len(),
        Kind::MediaType => name.find(';').unwrap_or(name.len()),
        _ => 0,
    };
    match name.split_at_checked(folds) {
        Some((head, tail)) if head.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Cow::Owned(head.to_ascii_lowercase() + tail)
        }
        _ => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(same(&json!(1), &json!(1.0)));
        assert!(same(&json!(0), &json!(-0.0)));
        assert!(same(&json!({"a": [1.0]}), &json!({"a": [1]})));
        assert!(!same(&json!(1), &json!(1.5)));
        assert!(!same(&json!(1), &json!("1")));
        assert!(!same(&json!(9007199254740993_u64), &json!(9007199254740992_u64)));
        assert!(!same(&json!(u64::MAX), &json!(-1)));
        assert!(same(&json!(1e300), &json!(1e300)));
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        for (value, expected) in [
            (json!(100), Some(100)),
            (json!(100.0), Some(100)),
            (json!(-0.0), Some(0)),
            (json!(1e30), Some(u64::MAX)),
            (json!(1.5), None),
            (json!(-1), None),
            (json!(-1.0), None),
            (json!("1"), None),
        ] {
            assert_eq!(whole(&value), expected, "{value}");
        }
    }

    #[test]
    fn only_header_names_and_media_types_are_folded() {
        assert_eq!(folded(Kind::Header, "ETag"), "etag");
        assert_eq!(folded(Kind::MediaType, "Text/CSV; header=Absent"), "text/csv; header=Absent");
        assert_eq!(folded(Kind::Schema, "User"), "User");
    }
}
