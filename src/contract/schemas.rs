//! The contract's schemas, compiled: that of a body twice, as it is and reduced to its bounds of size.
//!
//! jsonschema collects all violations of a value before it returns the first, so an array of a hundred thousand invalid
//! elements would occupy a thread for long. What exceeds a bound of size therefore has this one violation, and its elements
//! and members are not judged.

use api::problem::Violation;
use jsonschema::Validator;
use openapi_contract::OperationTable;
use serde_json::{Map, Value};

use super::violations::{MAX_VIOLATIONS, PatternDescriptions, at_members, most_telling};

/// Compiles a schema.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).map_err(|error| error.to_string())
}

/// The compiled schema of a body.
pub(crate) struct BodySchema {
    whole: Validator,
    sizes: Validator,
    patterns: PatternDescriptions,
}

impl BodySchema {
    /// Compiles a schema that can refer to the contract's schemas.
    ///
    /// # Errors
    /// The schema is invalid.
    pub(crate) fn compile(table: &OperationTable, schema: &Value) -> Result<Self, String> {
        let document = table.standalone_schema(schema);
        let patterns = PatternDescriptions::of(&document);
        Ok(Self { whole: compile(&document)?, sizes: compile(&sizes(&document))?, patterns })
    }

    /// Returns the violations in a value, one for each place and at most one more than are listed: for a missing or unknown
    /// member at the member's own location.
    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        // A valid body, the common case, allocates nothing.
        if self.whole.is_valid(value) {
            return Vec::new();
        }
        if let Err(error) = self.sizes.validate(value) {
            return at_members(&error, &self.patterns);
        }
        most_telling(self.whole.iter_errors(value).flat_map(|error| at_members(&error, &self.patterns)))
    }
}

/// Returns the part of a schema that bounds the number of elements and members. It accepts every value that the schema accepts.
fn sizes(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut kept = Map::new();
    for (key, value) in schema {
        let value = match (key.as_str(), value) {
            ("$ref" | "maxItems" | "maxProperties", value) => value.clone(),
            ("items" | "additionalProperties" | "components", Value::Object(_)) => sizes(value),
            ("allOf", Value::Array(schemas)) => schemas.iter().map(sizes).collect(),
            ("properties" | "schemas", Value::Object(schemas)) => {
                schemas.iter().map(|(name, schema)| (name.clone(), sizes(schema))).collect()
            }
            _ => continue,
        };
        kept.insert(key.clone(), value);
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        // Unknown members that could all be listed are reported by their names.
        let known = schema.get("properties").and_then(Value::as_object).map_or(0, Map::len);
        let stated = schema.get("maxProperties").and_then(Value::as_u64);
        let most = (known + MAX_VIOLATIONS) as u64;
        kept.insert("maxProperties".to_owned(), stated.map_or(most, |stated| stated.min(most)).into());
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_bounds_of_size_are_kept() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["list"],
            "properties": {
                "list": { "type": "array", "minItems": 1, "maxItems": 9, "items": { "$ref": "#/components/schemas/A" } },
                "map": { "maxProperties": 5, "additionalProperties": { "allOf": [{ "maxItems": 3, "pattern": "x" }] } },
                "maxItems": { "type": "integer" },
            },
        });
        let expected = json!({
            "maxProperties": 3 + MAX_VIOLATIONS,
            "properties": {
                "list": { "maxItems": 9, "items": { "$ref": "#/components/schemas/A" } },
                "map": { "maxProperties": 5, "additionalProperties": { "allOf": [{ "maxItems": 3 }] } },
                "maxItems": {},
            },
        });
        assert_eq!(sizes(&schema), expected);
        let closed = json!({ "additionalProperties": false, "maxProperties": 2 });
        assert_eq!(sizes(&closed), json!({ "maxProperties": 2 }));
    }
}
