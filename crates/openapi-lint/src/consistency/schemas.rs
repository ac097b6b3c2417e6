//! Each schema by itself: keywords without effect on its type, and keywords that leave no valid value.

use std::cmp::Ordering;

use openapi_contract::equivalence::compare;
use openapi_contract::fields::{flag, text};
use openapi_contract::nodes::Node;
use openapi_contract::pointer::join;
use openapi_contract::suggestions::did_you_mean;
use serde_json::Value;

use crate::findings::Findings;
use crate::pattern::{self, PatternError};

/// Keywords by the types that they apply to.
const KEYWORDS: Table = &[
    (&["string"], "minLength maxLength pattern"),
    (&["integer", "number"], "minimum maximum multipleOf"),
    (&["array"], "items minItems maxItems uniqueItems"),
    (&["object"], "properties required additionalProperties minProperties maxProperties"),
];

/// The formats of the OpenAPI registry by the types that they apply to.
const FORMATS: Table = &[
    (&["integer", "number"], "int8 int16 int32 int64 uint8 uint16 uint32 uint64 double-int"),
    (&["number", "integer"], "float double"),
    (&["string", "number"], "decimal decimal128 unixtime"),
    (
        &["string"],
        "base64url binary byte char commonmark date date-time date-time-local duration email hostname html http-date \
         idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer media-range password regex \
         relative-json-pointer sf-binary sf-boolean sf-decimal sf-integer sf-string sf-token time time-local uri \
         uri-reference uri-template uuid",
    ),
];

/// Types, and words that apply to them.
type Table = &'static [(&'static [&'static str], &'static str)];

/// The types that a word applies to; none if the table does not have the word.
fn types_of(table: Table, word: &str) -> Vec<&'static str> {
    let rows = table.iter().filter(|(_, words)| words.split(' ').any(|known| known == word));
    rows.flat_map(|(types, _)| *types).copied().collect()
}

/// Lower and upper bounds of the same quantity.
const BOUNDS: [[&str; 2]; 4] =
    [["minimum", "maximum"], ["minLength", "maxLength"], ["minItems", "maxItems"], ["minProperties", "maxProperties"]];

pub(super) fn check(findings: &mut Findings<'_>, Node { value: schema, at, .. }: &Node<'_>) {
    let declared = text(schema, "type");
    for key in schema.as_object().into_iter().flat_map(|members| members.keys()) {
        let types = types_of(KEYWORDS, key);
        if let Some(declared) = declared.filter(|declared| !types.is_empty() && !types.contains(declared)) {
            let types = types.join(" or ");
            let message = format!("`{key}` has no effect on `type: {declared}`: it applies to `type: {types}`");
            findings.add(join(at, key), message);
        }
    }
    if let Some(message) = text(schema, "format").and_then(|format| wrong_format(format, declared)) {
        findings.add(join(at, "format"), message);
    }
    bounds(findings, schema, at);
    for key in ["enum", "allOf", "anyOf", "oneOf"] {
        if schema.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            findings.add(join(at, key), format!("`{key}` is empty: list at least one item, or remove it"));
        }
    }
    if let Some(step) = schema.get("multipleOf").filter(|step| step.as_f64().is_some_and(|step| step <= 0.0)) {
        findings.add(join(at, "multipleOf"), format!("`multipleOf` must be greater than 0, not {step}"));
    }
    if let Some(Err(PatternError::Invalid(why))) = text(schema, "pattern").map(pattern::parse) {
        findings.add(join(at, "pattern"), format!("invalid pattern: {why}"));
    }
    if flag(schema, "readOnly") && flag(schema, "writeOnly") {
        let message = "`readOnly` and `writeOnly` together: no request and no response may contain the property";
        findings.add(findings.errors.later(at, ["readOnly", "writeOnly"]), message);
    }
}

/// Any format is allowed, but a misspelt one would be ignored, and so is one for another type.
fn wrong_format(format: &str, declared: Option<&str>) -> Option<String> {
    let types = types_of(FORMATS, format);
    if types.is_empty() {
        let near = did_you_mean(format, FORMATS.iter().flat_map(|(_, names)| names.split(' ')));
        return (!near.is_empty()).then(|| format!("unknown format `{format}`{near}"));
    }
    let declared = declared.filter(|declared| !types.contains(declared))?;
    let types = types.join(" or ");
    Some(format!("the format `{format}` has no effect on `type: {declared}`: it applies to `type: {types}`"))
}

fn bounds(findings: &mut Findings<'_>, schema: &Value, at: &str) {
    for keys in BOUNDS {
        if let [Some(least @ Value::Number(low)), Some(most @ Value::Number(high))] = keys.map(|key| schema.get(key))
            && compare(low, high) == Ordering::Greater
        {
            let [lower, upper] = keys;
            let message = format!("no value is valid: `{lower}: {least}` is greater than `{upper}: {most}`");
            findings.add(findings.errors.later(at, keys), message);
        }
    }
}
