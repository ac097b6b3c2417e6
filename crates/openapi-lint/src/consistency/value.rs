//! Whether a value fits a schema: JSON Schema's rules, as far as the grammar lets contracts use them.
//!
//! A validator's library would pull a hundred crates into every build script, and it knows nothing of lines. The tests
//! hold this one against it. What is not decided here counts as fitting: formats other than those below, and what
//! would take too long to tell.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::{pattern, readable};
use openapi_contract::date::unix_seconds;
use openapi_contract::equivalence::{canonical, compare, set, whole};
use openapi_contract::pointer::{self, join};
use openapi_contract::spelling::nearest;

/// Why a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// What of the value: a pointer below it.
    pub(super) inside: String,
    /// As in "does not fit its schema: …".
    pub(super) why: String,
}

/// So many schemas are asked about one value, and so deep: only references that lead back have more.
const MOST_STEPS: usize = 20_000;
const MOST_DEPTH: usize = 250;

/// Every reason why `value` does not fit `schema`.
pub(super) fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<Misfit> {
    let mut fitting = Fitting { document, steps: 0, depth: 0, found: Vec::new() };
    fitting.schema(schema, value, "");
    fitting.found
}

struct Fitting<'d> {
    document: &'d Value,
    steps: usize,
    depth: usize,
    found: Vec<Misfit>,
}

impl<'d> Fitting<'d> {
    fn add(&mut self, inside: &str, why: impl Into<String>) {
        self.found.push(Misfit { inside: inside.to_owned(), why: why.into() });
    }

    fn schema(&mut self, schema: &'d Value, value: &Value, inside: &str) {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.depth > MOST_DEPTH {
            return;
        }
        let Some((schema, _)) = pointer::resolve(self.document, schema, String::new()) else { return };
        match schema {
            Value::Bool(false) => self.add(inside, "nothing is admitted here"),
            Value::Object(schema) => {
                self.depth += 1;
                self.keywords(schema, value, inside);
                self.depth -= 1;
            }
            _ => {}
        }
    }

    fn keywords(&mut self, schema: &'d Map<String, Value>, value: &Value, inside: &str) {
        if let Some(declared) = schema.get("type").filter(|declared| !is_of(value, declared)) {
            // What is said of another type says nothing more of this value.
            return self.add(inside, format!("`type: {}`", bare(declared)));
        }
        if let Some(list) =
            schema.get("enum").and_then(Value::as_array).filter(|list| !set(list).contains(&canonical(value)))
        {
            let listed: Vec<String> = list.iter().take(6).map(Value::to_string).collect();
            let more = if list.len() > listed.len() { ", …" } else { "" };
            self.add(inside, format!("`enum: [{}{more}]`", listed.join(", ")));
        }
        match value {
            Value::Number(number) => self.number(schema, number, inside),
            Value::String(text) => self.text(schema, text, inside),
            Value::Array(items) => self.items(schema, items, inside),
            Value::Object(members) => self.members(schema, members, inside),
            Value::Null | Value::Bool(_) => {}
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.schema(part, value, inside);
        }
        self.alternatives(schema, value, inside);
    }

    /// `anyOf`, `oneOf` and `not`.
    fn alternatives(&mut self, schema: &'d Map<String, Value>, value: &Value, inside: &str) {
        let all = |key: &str| schema.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        if let Some(list) = all("anyOf")
            && !list.iter().any(|one| self.fits(one, value))
        {
            self.add(inside, "it fits no part of `anyOf`");
        }
        if let Some(list) = all("oneOf") {
            match list.iter().filter(|one| self.fits(one, value)).count() {
                0 => self.add(inside, "it fits no part of `oneOf`"),
                1 => {}
                many => self.add(inside, format!("it fits {many} parts of `oneOf`, and may fit only one")),
            }
        }
        if let Some(refused) = schema.get("not")
            && self.fits(refused, value)
        {
            self.add(inside, "it fits what `not` refuses");
        }
    }

    /// Whether `value` fits, told to nobody.
    fn fits(&mut self, schema: &'d Value, value: &Value) -> bool {
        let told = std::mem::take(&mut self.found);
        self.schema(schema, value, "");
        let fits = self.found.is_empty();
        self.found = told;
        fits
    }

    fn number(&mut self, schema: &Map<String, Value>, number: &Number, inside: &str) {
        for (key, wrong) in [("minimum", Ordering::Less), ("maximum", Ordering::Greater)] {
            if let Some(Value::Number(bound)) = schema.get(key)
                && compare(number, bound) == wrong
            {
                self.add(inside, format!("`{key}: {bound}`"));
            }
        }
        if let Some(step) = schema.get("multipleOf")
            && let (Some(step), Some(value)) = (step.as_f64().filter(|step| *step > 0.0), number.as_f64())
        {
            let ratio = value / step;
            if (ratio - ratio.round()).abs() > 1e-9 * ratio.abs().max(1.0) {
                self.add(inside, format!("`multipleOf: {step}`"));
            }
        }
        // What has a fraction is not the format's to judge.
        let whole = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
        let fits = match schema.get("format").and_then(Value::as_str) {
            Some("int32") => whole.is_none_or(|whole| i32::try_from(whole).is_ok()),
            Some("int64") => whole.is_none_or(|whole| i64::try_from(whole).is_ok()),
            _ => true,
        };
        self.format(schema, fits, inside);
    }

    fn text(&mut self, schema: &Map<String, Value>, text: &str, inside: &str) {
        self.count(schema, ["minLength", "maxLength"], text.chars().count(), "its length is", inside);
        if let Some(source) = schema.get("pattern").and_then(Value::as_str)
            && let Ok(tree) = readable(source)
            && !pattern::matches(&tree, text)
        {
            self.add(inside, format!("`pattern: {source}`"));
        }
        let fits = match schema.get("format").and_then(Value::as_str) {
            Some("date") => text.len() == 10 && unix_seconds(text).is_some(),
            Some("date-time") => text.len() > 10 && unix_seconds(text).is_some(),
            Some("uuid") => is_uuid(text),
            Some("ipv4") => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Some("ipv6") => text.parse::<std::net::Ipv6Addr>().is_ok(),
            _ => true,
        };
        self.format(schema, fits, inside);
    }

    fn format(&mut self, schema: &Map<String, Value>, fits: bool, inside: &str) {
        if let Some(format) = schema.get("format").and_then(Value::as_str).filter(|_| !fits) {
            self.add(inside, format!("`format: {format}`"));
        }
    }

    fn items(&mut self, schema: &'d Map<String, Value>, items: &[Value], inside: &str) {
        self.count(schema, ["minItems", "maxItems"], items.len(), "it holds", inside);
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && set(items).len() < items.len() {
            self.add(inside, "`uniqueItems: true`");
        }
        if let Some(of) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.schema(of, item, &join(inside, &index.to_string()));
            }
        }
    }

    fn members(&mut self, schema: &'d Map<String, Value>, members: &Map<String, Value>, inside: &str) {
        self.count(schema, ["minProperties", "maxProperties"], members.len(), "it holds", inside);
        let properties = schema.get("properties").and_then(Value::as_object);
        let property = |name: &str| properties.and_then(|properties| properties.get(name));
        for (name, member) in members {
            let here = join(inside, name);
            match (property(name), schema.get("additionalProperties")) {
                (Some(property), _) => self.schema(property, member, &here),
                (None, Some(Value::Bool(false))) => {
                    self.add(
                        &here,
                        format!("there is no property `{name}`, and `additionalProperties: false` admits no others"),
                    );
                }
                (None, Some(others)) => self.schema(others, member, &here),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !members.contains_key(*name)) {
            // Only one way carries it (OpenAPI 3.0 §4.7.24.1), and an example may be of the other.
            let one_way = |property: &Value| {
                let (found, _) = pointer::resolve(self.document, property, String::new())?;
                ["readOnly", "writeOnly"].iter().any(|key| found.get(key) == Some(&Value::Bool(true))).then_some(())
            };
            // What nobody may give is told where it is required.
            let impossible =
                property(name).is_none() && schema.get("additionalProperties") == Some(&Value::Bool(false));
            if !impossible && property(name).and_then(one_way).is_none() {
                let unknown = members.keys().filter(|member| property(member).is_none());
                match unknown.into_iter().find(|member| nearest(member, [name]).is_some()) {
                    Some(near) => {
                        self.add(&join(inside, near), format!("`{name}` is required: is `{near}` meant to be it?"))
                    }
                    None => self.add(inside, format!("`{name}` is required, and missing")),
                }
            }
        }
    }

    fn count(&mut self, schema: &Map<String, Value>, keys: [&str; 2], count: usize, what: &str, inside: &str) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let [least, most] = keys.map(|key| schema.get(key).and_then(whole));
        for (key, bound, wrong) in [
            (keys[0], least, least.is_some_and(|least| count < least)),
            (keys[1], most, most.is_some_and(|most| count > most)),
        ] {
            if let Some(bound) = bound.filter(|_| wrong) {
                self.add(inside, format!("`{key}: {bound}`, and {what} {count}"));
            }
        }
    }
}

/// Whether a value is of the `type`, or of one of the types.
fn is_of(value: &Value, declared: &Value) -> bool {
    match declared {
        Value::Array(types) => types.iter().any(|one| is_of(value, one)),
        Value::String(name) => match name.as_str() {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            // `1.0` is whole (JSON Schema 2020-12 core §4.2.3).
            "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            _ => true,
        },
        _ => true,
    }
}

/// A word without its quotes.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every value against every schema, here and by the validator that the server uses.
    #[test]
    fn fits_what_the_validator_admits() {
        let document = json!({"components": {"schemas": {
            "Name": {"type": "string", "minLength": 2, "maxLength": 3},
            "Tree": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Tree"}}, "additionalProperties": false},
            "Loop": {"allOf": [{"$ref": "#/components/schemas/Name"}]},
        }}});
        let schemas = [
            json!({}),
            json!({"type": "integer"}),
            json!({"type": "number", "minimum": 1, "maximum": 2.5}),
            json!({"type": "integer", "minimum": 2, "multipleOf": 2}),
            json!({"multipleOf": 0.1}),
            json!({"type": "boolean"}),
            json!({"type": "string", "minLength": 2}),
            json!({"maxLength": 2, "minLength": 1}),
            json!({"pattern": "^[a-b]+$"}),
            json!({"enum": [1.0, "ab", {"a": 1}, [1], true]}),
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2, "uniqueItems": true}),
            json!({"properties": {"a": {"type": "integer"}}, "required": ["a"]}),
            json!({"properties": {"a": {}}, "additionalProperties": false}),
            json!({"additionalProperties": {"type": "string"}, "minProperties": 1, "maxProperties": 1}),
            json!({"anyOf": [{"type": "string"}, {"minimum": 2}]}),
            json!({"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "string"}]}),
            json!({"allOf": [{"type": "object"}, {"required": ["a"]}], "not": {"required": ["b"]}}),
            json!({"not": {"type": "string"}}),
            json!({"$ref": "#/components/schemas/Name"}),
            json!({"$ref": "#/components/schemas/Tree"}),
            json!({"$ref": "#/components/schemas/Loop"}),
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string", "format": "date"}),
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "ipv4"}),
            json!({"type": "string", "format": "ipv6"}),
        ];
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(2),
            json!(1.0),
            json!(2.5),
            json!(0.3),
            json!(-4),
            json!(1e30),
            json!(""),
            json!("a"),
            json!("ab"),
            json!("éé"),
            json!("abcd"),
            json!([]),
            json!([1]),
            json!([1, 1.0]),
            json!([1, 2]),
            json!([1, 2, 3]),
            json!(["a"]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "x"}),
            json!({"a": 1.0, "b": 2}),
            json!({"next": {"next": {}}}),
            json!({"next": {"last": {}}}),
            json!("2026-02-29"),
            json!("2024-02-29"),
            json!("2026-01-31T10:00:00Z"),
            json!("2026-01-31T10:00:00"),
            json!("018f2f6e-0000-7000-8000-00000000000a"),
            json!("018f2f6e00007000800000000000000a"),
            json!("127.0.0.1"),
            json!("127.0.0.256"),
            json!("::1"),
        ];
        for schema in &schemas {
            let whole = json!({"allOf": [schema], "components": document["components"]});
            let theirs = jsonschema::options().should_validate_formats(true).build(&whole).expect("a schema");
            for value in &values {
                let found = misfits(&document, schema, value);
                assert_eq!(found.is_empty(), theirs.is_valid(value), "{value} by {schema}: {found:?}");
            }
        }
    }

    #[test]
    fn each_misfit_names_its_place() {
        let schema = json!({"type": "object", "required": ["b"], "properties": {
            "a": {"type": "array", "items": {"type": "string", "maxLength": 1}},
            "b": {"type": "string"}, "id": {"type": "string", "readOnly": true},
        }, "additionalProperties": false});
        let found = misfits(&Value::Null, &schema, &json!({"a": ["x", "yy"], "c/d": 1}));
        let told: Vec<_> = found.iter().map(|misfit| (misfit.inside.as_str(), misfit.why.as_str())).collect();
        assert_eq!(
            told,
            [
                ("/a/1", "`maxLength: 1`, and its length is 2"),
                ("/c~1d", "there is no property `c/d`, and `additionalProperties: false` admits no others"),
                ("", "`b` is required, and missing"),
            ]
        );
        let both = json!({"required": ["id"], "properties": {"id": {"readOnly": true}}});
        assert_eq!(misfits(&Value::Null, &both, &json!({})), []);
    }

    #[test]
    fn circles_come_to_an_end() {
        let document = json!({"components": {"schemas": {
            "A": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
            "B": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]},
        }}});
        let _ = misfits(&document, &json!({"$ref": "#/components/schemas/A"}), &json!(1));
    }
}
