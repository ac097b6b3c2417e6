//! The members of a JSON object by type. A member that is absent or of another type is empty: in an invalid document it is
//! an error of its own.

use serde_json::Value;

/// The string under `key`.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Whether `key` is `true`.
pub fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

/// The members of the object under `key`.
pub fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The items of the list under `key`, each with its index as a pointer token.
pub fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(|(index, item)| (index.to_string(), item))
}
