//! A schema against itself: keywords that say nothing of its type, and keywords that leave nothing to be valid.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Search, Unreadable, readable};
use openapi_contract::equivalence::compare;
use openapi_contract::pointer::join;
use openapi_contract::spelling::did_you_mean;

/// Which types a keyword says something about.
const SPEAKS_OF: &[(&str, &[&str])] = &[
    ("minLength", &["string"]),
    ("maxLength", &["string"]),
    ("pattern", &["string"]),
    ("minimum", &["integer", "number"]),
    ("maximum", &["integer", "number"]),
    ("multipleOf", &["integer", "number"]),
    ("items", &["array"]),
    ("minItems", &["array"]),
    ("maxItems", &["array"]),
    ("uniqueItems", &["array"]),
    ("properties", &["object"]),
    ("required", &["object"]),
    ("additionalProperties", &["object"]),
    ("minProperties", &["object"]),
    ("maxProperties", &["object"]),
];

/// The formats of OpenAPI's registry, by the types that they are for.
const FORMATS: &[(&[&str], &[&str])] = &[
    (&["integer", "number"], &["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "double-int"]),
    (&["number", "integer"], &["float", "double"]),
    (&["string", "number"], &["decimal", "decimal128", "unixtime"]),
    (
        &["string"],
        &[
            "base64url",
            "binary",
            "byte",
            "char",
            "commonmark",
            "date",
            "date-time",
            "date-time-local",
            "duration",
            "email",
            "hostname",
            "html",
            "http-date",
            "idn-email",
            "idn-hostname",
            "ipv4",
            "ipv6",
            "iri",
            "iri-reference",
            "json-pointer",
            "media-range",
            "password",
            "regex",
            "relative-json-pointer",
            "sf-binary",
            "sf-boolean",
            "sf-decimal",
            "sf-integer",
            "sf-string",
            "sf-token",
            "time",
            "time-local",
            "uri",
            "uri-reference",
            "uri-template",
            "uuid",
        ],
    ),
];

/// Lower and upper bounds of the same thing.
const BOUNDS: [[&str; 2]; 4] =
    [["minimum", "maximum"], ["minLength", "maxLength"], ["minItems", "maxItems"], ["minProperties", "maxProperties"]];

impl<'a> Search<'a> {
    pub(super) fn schema(&mut self, schema: &'a Value, at: &str) {
        let declared = schema.get("type").and_then(Value::as_str);
        if let Some(declared) = declared {
            self.foreign(schema, at, declared);
        }
        self.format(schema, at, declared);
        self.bounds(schema, at);
        for key in ["enum", "allOf", "anyOf", "oneOf"] {
            if schema.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
                self.add(join(at, key), format!("`{key}` is empty: list at least one, or leave it out"));
            }
        }
        if let Some(step) = schema.get("multipleOf").filter(|step| step.as_f64().is_some_and(|step| step <= 0.0)) {
            self.add(join(at, "multipleOf"), format!("`multipleOf` must be greater than 0, not {step}"));
        }
        if let Some(Err(Unreadable::Broken(why))) = schema.get("pattern").and_then(Value::as_str).map(readable) {
            self.add(join(at, "pattern"), format!("the pattern does not compile: {why}"));
        }
        let flag = |key: &str| schema.get(key) == Some(&Value::Bool(true));
        if flag("readOnly") && flag("writeOnly") {
            let message = "`readOnly` and `writeOnly` together: nobody could send it, and nobody would be sent it";
            self.add(self.later(at, ["readOnly", "writeOnly"]), message);
        }
    }

    /// Keywords that say nothing of values of this type.
    fn foreign(&mut self, schema: &Value, at: &str, declared: &str) {
        for (key, types) in
            SPEAKS_OF.iter().filter(|(key, types)| schema.get(key).is_some() && !types.contains(&declared))
        {
            let of = types.join(" or ");
            let message = format!("`{key}` says nothing of `type: {declared}`: it is for `type: {of}`");
            self.add(join(at, key), message);
        }
    }

    fn format(&mut self, schema: &Value, at: &str, declared: Option<&str>) {
        let Some(format) = schema.get("format").and_then(Value::as_str) else { return };
        let types: Vec<&str> = FORMATS
            .iter()
            .filter(|(_, names)| names.contains(&format))
            .flat_map(|(types, _)| *types)
            .copied()
            .collect();
        let message = match declared {
            // Any name is allowed, but one that is nearly known is a slip, and the limit that was meant would vanish.
            _ if types.is_empty() => {
                let known = FORMATS.iter().flat_map(|(_, names)| *names).copied();
                let near = did_you_mean(format, known);
                if near.is_empty() {
                    return;
                }
                format!("the format `{format}` is not known{near}")
            }
            Some(declared) if !types.contains(&declared) => {
                format!(
                    "the format `{format}` says nothing of `type: {declared}`: it is for `type: {}`",
                    types.join(" or ")
                )
            }
            _ => return,
        };
        self.add(join(at, "format"), message);
    }

    fn bounds(&mut self, schema: &Value, at: &str) {
        for keys in BOUNDS {
            if let [Some(least @ Value::Number(low)), Some(most @ Value::Number(high))] =
                keys.map(|key| schema.get(key))
                && compare(low, high) == Ordering::Greater
            {
                let [lower, upper] = keys;
                let message = format!("nothing fits: `{lower}: {least}` is more than `{upper}: {most}`");
                self.add(self.later(at, keys), message);
            }
        }
    }
}
