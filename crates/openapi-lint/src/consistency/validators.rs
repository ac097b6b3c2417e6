//! Validates the values of a contract by its schemas.

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternCache, PatternOptions, Registry, RegistryBuilder, ValidationError, Validator};
use openapi_contract::fields::flag;
use openapi_contract::nodes::Node;
use openapi_contract::pointer::{self, join};
use openapi_contract::suggestions::nearest;
use openapi_contract::{Contract, Kind};
use serde_json::{Map, Value, json};

/// The URI of the document that contains the components.
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

/// The validators of a contract's schemas, each compiled when it is first used.
pub(super) struct Validators {
    /// The document with adapted schemas.
    document: Value,
    /// `components/schemas`, to which references lead.
    components: Registry<'static>,
    compiled: HashMap<String, Option<Validator>>,
}

impl Validators {
    /// Adapts the schemas for values that are a request, a response or neither: a required property that is `readOnly`
    /// or `writeOnly` may be missing. `None` if references to them do not resolve.
    pub(super) fn new(contract: &Contract, nodes: &[Node<'_>]) -> Option<Validators> {
        let mut document = contract.document().clone();
        for node in nodes.iter().filter(|node| node.kind == Kind::Schema) {
            if let Some(schema) = document.pointer_mut(&node.at).and_then(Value::as_object_mut) {
                adapt(contract, node.value, schema);
            }
        }
        let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
        let components = json!({ "components": { "schemas": schemas } });
        let registry = Registry::new().draft(Draft::Draft202012).add(BASE, components);
        let components = registry.and_then(RegistryBuilder::prepare).ok()?;
        Some(Validators { document, components, compiled: HashMap::new() })
    }

    /// Every reason why `value` does not match the schema at this pointer; none if the schema is invalid, which is another
    /// finding.
    pub(super) fn mismatches(&mut self, schema: &str, value: &Value) -> Vec<Mismatch> {
        let Validators { document, components, compiled } = self;
        let validator = compiled.entry(schema.to_owned()).or_insert_with(|| {
            let options = jsonschema::draft202012::options()
                .with_registry(components)
                // Linear time. Patterns that need backtracking are another finding.
                .with_pattern_options(PatternOptions::regex())
                .with_pattern_cache(PATTERNS.clone())
                .should_validate_formats(true);
            options.build(document.pointer(schema)?).ok()
        });
        validator.iter().flat_map(|validator| validator.iter_errors(value)).flat_map(|error| describe(&error)).collect()
    }
}

fn adapt(contract: &Contract, original: &Value, schema: &mut Map<String, Value>) {
    if let Some(target) = pointer::reference(original) {
        schema.insert("$ref".to_owned(), format!("{BASE}{target}").into());
    }
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
        Some(found) => ["readOnly", "writeOnly"].iter().any(|key| flag(found, key)),
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
