//! A contract as the JSON document that the server serves, for the checks of the harness. They do not use the operation
//! table, so that the harness and the server's own validation cannot share a mistake.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};

/// A contract as JSON.
pub struct Document {
    json: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    /// The contract inside the binary.
    pub fn of_the_contract() -> &'static Self {
        static DOCUMENT: LazyLock<Document> =
            LazyLock::new(|| Document::parse(&web_server::app::contract().expect("the contract is valid").to_json()));
        &DOCUMENT
    }

    pub fn parse(json: &str) -> Self {
        Self { json: serde_json::from_str(json).expect("the document is JSON"), validators: Mutex::default() }
    }

    /// The security requirements of the document, which an operation may replace.
    pub fn security(&self) -> &Value {
        &self.json["security"]
    }

    /// Path templates and their items.
    pub fn paths(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.json["paths"].as_object().into_iter().flatten()
    }

    /// The target of a reference, or the node itself.
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.json.pointer(pointer).expect("the target of the reference exists"),
            None => node,
        }
    }

    /// The JSON media types of a request body or a response, with their schemas.
    pub fn json_content<'a>(&'a self, node: &'a Value) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let content = node["content"].as_object().into_iter().flatten();
        content.filter(|(media_type, _)| media_type.ends_with("json")).map(|(name, media)| (name, &media["schema"]))
    }

    /// The properties of an object schema, with those of its `allOf`.
    pub fn properties<'a>(&'a self, schema: &'a Value) -> BTreeMap<&'a String, &'a Value> {
        let schema = self.resolve(schema);
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let mut properties: BTreeMap<_, _> = parts.flat_map(|part| self.properties(part)).collect();
        properties.extend(schema["properties"].as_object().into_iter().flatten());
        properties
    }

    /// Validates a value and returns every violation.
    pub fn violations(&self, schema: &Value, value: &Value) -> Vec<String> {
        let key = schema.to_string();
        let cached = self.validators.lock().expect("no test panics in here").get(&key).cloned();
        let validator = cached.unwrap_or_else(|| {
            let standalone = json!({ "allOf": [schema], "components": self.json["components"] });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            let validator = Arc::new(options.build(&standalone).expect("the schema compiles"));
            self.validators.lock().expect("no test panics in here").insert(key, validator.clone());
            validator
        });
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }
}
