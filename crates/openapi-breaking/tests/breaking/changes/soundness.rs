//! A change that is reported as safe breaks no client: tested on random schemas with a JSON Schema validator.
//!
//! In a request, every value that was valid must still be valid; in a response, every value that is valid must have been
//! valid before. Otherwise the change must be reported as breaking or possibly breaking.

use openapi_breaking::{Change, Severity};
use serde_json::{Map, Value, json};

use super::{base, between, put, table};

/// Enough for every keyword to meet every other many times over.
const PAIRS: usize = 1_500;

/// How many of them are tried by default.
const SAMPLE: usize = 300;

/// Random enough, and the same in every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A member of `schema` in one of three cases.
    fn maybe(&mut self, schema: &mut Map<String, Value>, key: &str, values: &[Value]) {
        if self.below(3) == 0 {
            schema.insert(key.to_owned(), self.pick(values).clone());
        }
    }
}

fn numbers(from: i64, to: i64) -> Vec<Value> {
    (from..=to).map(Value::from).collect()
}

/// A schema of any kind, except `oneOf`: whether values match two alternatives is not computed in all cases.
fn schema(dice: &mut Dice, depth: usize) -> Value {
    let mut made = Map::new();
    match dice.below(if depth == 0 { 5 } else { 10 }) {
        0 | 1 => {
            made.insert("type".to_owned(), dice.pick(&[json!("string"), json!(["string", "null"])]).clone());
            dice.maybe(&mut made, "minLength", &numbers(0, 3));
            dice.maybe(&mut made, "maxLength", &numbers(1, 4));
            dice.maybe(&mut made, "pattern", &[json!("^a"), json!("b$")]);
            dice.maybe(
                &mut made,
                "enum",
                &[json!(["a"]), json!(["a", "bb"]), json!(["bb", null]), json!(["ccc", "a"])],
            );
            dice.maybe(&mut made, "const", &[json!("a"), json!("bb")]);
        }
        2 | 3 => {
            made.insert(
                "type".to_owned(),
                dice.pick(&[json!("integer"), json!("number"), json!(["integer", "string"])]).clone(),
            );
            dice.maybe(&mut made, "minimum", &numbers(-1, 4));
            dice.maybe(&mut made, "maximum", &numbers(1, 6));
            dice.maybe(&mut made, "exclusiveMinimum", &numbers(-1, 3));
            dice.maybe(&mut made, "exclusiveMaximum", &numbers(2, 6));
            dice.maybe(&mut made, "multipleOf", &numbers(1, 4));
            dice.maybe(&mut made, "not", &[json!({"const": 2}), json!({"minimum": 5})]);
        }
        4 => dice.maybe(&mut made, "type", &[json!("null"), json!("boolean"), json!(["object", "array"])]),
        5 => {
            made.insert("type".to_owned(), json!("array"));
            dice.maybe(&mut made, "minItems", &numbers(0, 2));
            dice.maybe(&mut made, "maxItems", &numbers(1, 3));
            dice.maybe(&mut made, "uniqueItems", &[json!(true), json!(false)]);
            if dice.below(2) == 0 {
                made.insert("items".to_owned(), schema(dice, depth - 1));
            }
        }
        6 | 7 => {
            made.insert("type".to_owned(), json!("object"));
            let mut properties = Map::new();
            for name in ["a", "b"] {
                if dice.below(2) == 0 {
                    properties.insert(name.to_owned(), schema(dice, depth - 1));
                }
            }
            made.insert("properties".to_owned(), Value::Object(properties));
            dice.maybe(&mut made, "required", &[json!(["a"]), json!(["b"]), json!(["a", "b"])]);
            dice.maybe(&mut made, "additionalProperties", &[json!(false), json!(true), json!({"type": "string"})]);
            dice.maybe(&mut made, "minProperties", &numbers(0, 2));
            dice.maybe(&mut made, "maxProperties", &numbers(1, 2));
        }
        kind => {
            let members: Vec<Value> = (0..=dice.below(2)).map(|_| schema(dice, depth - 1)).collect();
            made.insert(if kind == 8 { "anyOf" } else { "allOf" }.to_owned(), Value::Array(members));
        }
    }
    Value::Object(made)
}

/// The same schema with one thing about it changed, somewhere.
fn altered(dice: &mut Dice, schema_then: &Value) -> Value {
    let fresh = schema(dice, 1);
    let mut now = schema_then.clone();
    let nodes: Vec<String> = crate::support::pointers(&now);
    let inner: Vec<&String> = nodes.iter().filter(|at| now.pointer(at).is_some_and(Value::is_object)).collect();
    match dice.below(3) {
        0 if !inner.is_empty() => {
            let at = (*dice.pick(&inner)).clone();
            if !at.ends_with("/properties") {
                *now.pointer_mut(&at).expect("a node") = fresh;
            }
        }
        1 => {
            let members = now.as_object_mut().expect("an object");
            members.extend(fresh.as_object().cloned().into_iter().flatten().take(2));
        }
        _ => {
            let members = now.as_object_mut().expect("an object");
            let keys: Vec<String> = members.keys().cloned().collect();
            if !keys.is_empty() {
                members.remove(dice.pick(&keys));
            }
        }
    }
    now
}

fn values() -> Vec<Value> {
    let mut values = vec![json!(null), json!(true), json!(1.5), json!([]), json!({})];
    values.extend(numbers(-1, 8));
    values.extend(["", "a", "b", "bb", "ab", "ccc", "abcd", "xxxxx"].map(Value::from));
    let scalars = values.clone();
    for a in &scalars {
        values.push(json!([a]));
        values.push(json!({ "a": a }));
        values.push(json!({ "b": a }));
        values.push(json!({ "c": a }));
        for b in &scalars {
            values.push(json!([a, b]));
            values.push(json!({ "a": a, "b": b }));
        }
    }
    values.push(json!(["a", "bb", "ccc"]));
    values.push(json!([1, 2, 3]));
    values
}

/// Whether all changes are safe or prose.
fn is_safe(changes: &[Change]) -> bool {
    let is_safe = changes.iter().all(|change| matches!(change.rule.severity, Severity::Safe | Severity::Prose));
    // A new optional property gives a type to a member that was ignored: clients had no reason to send it.
    is_safe && changes.iter().all(|change| change.rule.id != "request-property-added-optional")
}

#[test]
fn a_change_reported_as_safe_breaks_no_client() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let values = values();
    let (mut checked, mut broken) = (0, String::new());
    let pairs = if crate::support::is_thorough() { PAIRS } else { SAMPLE };
    for _ in 0..pairs {
        let old = schema(&mut dice, 2);
        let new = if dice.below(4) == 0 { schema(&mut dice, 2) } else { altered(&mut dice, &old) };
        let (Ok(before), Ok(after)) = (jsonschema::validator_for(&old), jsonschema::validator_for(&new)) else {
            continue;
        };
        for at in ["request", "response"] {
            let place = table()["places"][at].as_str().expect("a place");
            let side = |schema: &Value| {
                let mut document = base();
                put(&mut document, place, schema);
                document
            };
            if !is_safe(&between(&side(&old), &side(&new))) {
                continue;
            }
            checked += 1;
            let (was, is) = if at == "request" { (&before, &after) } else { (&after, &before) };
            if let Some(value) = values.iter().find(|value| was.is_valid(value) && !is.is_valid(value)) {
                broken += &format!("{at} {value}\n  {old}\n  {new}\n");
            }
        }
    }
    println!("{checked} safe changes of {}", 2 * pairs);
    assert!(checked > pairs / 10, "only {checked} changes are safe");
    assert!(broken.is_empty(), "{broken}");
}
