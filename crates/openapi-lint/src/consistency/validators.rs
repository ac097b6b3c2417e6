//! Validates the values of a contract by its schemas.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternCache, PatternOptions, Registry, ValidationError, Validator};
use openapi_contract::nodes::Node;
use openapi_contract::pointer::{self, join};
use openapi_contract::suggestions::nearest;
use openapi_contract::{Contract, Kind};
use serde_json::{Map, Value, json};

/// The URI of the document that contains all schemas.
const BASE: &str = "urn:contract";

/// Compiling patterns takes longer than everything else, and schemas share them.
static PATTERNS: LazyLock<PatternCache> = LazyLock::new(PatternCache::new);

/// Why a value does not match its schema.
pub(super) struct Mismatch {
    /// The pointer inside the value.
    pub(super) inside: String,
    /// The reason, to complete "does not match its schema: …".
    pub(super) reason: String,
}

/// A schema to validate by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SchemaAt {
    /// Its pointer in the contract.
    pub(super) at: String,
    /// Without its `enum`, which is what is validated.
    pub(super) without_enum: bool,
}

/// A document of schemas, for one compilation per schema.
pub(super) struct Schemas(Value);

impl Schemas {
    /// The schemas of a contract, adapted for values that are a request, a response or neither: a required property that
    /// is `readOnly` or `writeOnly` may be missing.
    pub(super) fn new(contract: &Contract, nodes: &[Node<'_>]) -> Schemas {
        let mut document = contract.document().clone();
        for node in nodes.iter().filter(|node| node.kind == Kind::Schema) {
            if let Some(schema) = document.pointer_mut(&node.at).and_then(Value::as_object_mut) {
                adapt(contract, node.value, schema);
            }
        }
        Schemas(document)
    }

    /// A validator for each schema; `None` if the schema is invalid, which is another finding.
    pub(super) fn compile(&self, schemas: &[SchemaAt]) -> Vec<Option<Validator>> {
        let standalone = schemas.iter().map(|schema| {
            let mut value = self.0.pointer(&schema.at).cloned().unwrap_or(Value::Bool(true));
            if let Some(members) = value.as_object_mut().filter(|_| schema.without_enum) {
                members.remove("enum");
            }
            value
        });
        let document =
            json!({ "schemas": standalone.collect::<Value>(), "components": { "schemas": self.components() } });
        let registry = Registry::new().draft(jsonschema::Draft::Draft202012).add(BASE, &document);
        let Ok(registry) = registry.and_then(jsonschema::RegistryBuilder::prepare) else { return Vec::new() };
        let compile = |index: usize| {
            jsonschema::draft202012::options()
                .with_registry(&registry)
                // Linear time. Patterns that need backtracking are another finding.
                .with_pattern_options(PatternOptions::regex())
                .with_pattern_cache(PATTERNS.clone())
                .should_validate_formats(true)
                .build(&json!({ "$ref": format!("{BASE}#/schemas/{index}") }))
                .ok()
        };
        (0..schemas.len()).map(compile).collect()
    }

    fn components(&self) -> &Value {
        self.0.pointer("/components/schemas").unwrap_or(&Value::Null)
    }
}

fn adapt(contract: &Contract, original: &Value, schema: &mut Map<String, Value>) {
    // These are values, not schemas.
    for key in ["example", "examples", "default"] {
        schema.remove(key);
    }
    // Another finding.
    if schema.get("multipleOf").and_then(Value::as_f64).is_some_and(|step| step <= 0.0) {
        schema.remove("multipleOf");
    }
    let property = |name: &str| original.get("properties").and_then(|properties| properties.get(name));
    let is_closed = original.get("additionalProperties") == Some(&Value::Bool(false));
    let may_be_missing = |name: &str| match property(name).map(|property| contract.resolve(property)) {
        Some(found) => ["readOnly", "writeOnly"].iter().any(|key| found.get(key) == Some(&Value::Bool(true))),
        // No object matches: a finding at the required name.
        None => is_closed,
    };
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !name.as_str().is_some_and(may_be_missing));
    }
    // Formats of JSON Schema apply to strings only.
    let range = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => json!({ "minimum": i32::MIN, "maximum": i32::MAX }),
        Some("int64") => json!({ "minimum": i64::MIN, "maximum": i64::MAX }),
        _ => return,
    };
    if let Some(parts) = schema.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
        parts.push(range);
    }
}

/// Every reason why `value` does not match the schema.
pub(super) fn mismatches(validator: &Validator, value: &Value) -> Vec<Mismatch> {
    validator.iter_errors(value).flat_map(|error| describe(&error)).collect()
}

fn describe(error: &ValidationError<'_>) -> Vec<Mismatch> {
    let inside = error.instance_path().as_str().to_owned();
    let members = || error.instance().as_object().into_iter().flat_map(|members| members.keys().map(String::as_str));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unknown = unexpected.iter().map(|name| Mismatch {
                inside: join(&inside, name),
                reason: format!("unknown property `{name}`, and `additionalProperties` is false"),
            });
            unknown.collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let (inside, hint) = match members().find(|member| nearest(member, [name]).is_some()) {
                Some(near) => (join(&inside, near), format!(": is `{near}` a typo?")),
                None => (inside, String::new()),
            };
            vec![Mismatch { inside, reason: format!("the required property `{name}` is missing{hint}") }]
        }
        _ => vec![Mismatch { inside, reason: error.masked_with("it").to_string() }],
    }
}

/// The part of a value at a pointer inside it.
pub(super) fn part<'v>(value: &'v Value, inside: &str) -> Option<&'v Value> {
    pointer::find(value, inside)
}
