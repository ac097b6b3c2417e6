//! Holds an answer against the contract. Written apart from the server's own validation, so that the two cannot share
//! a mistake: it reads the document that the server serves, not the operation table.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use super::Answer;

/// What may be answered without being an operation.
const DOCUMENTS: [&str; 5] = ["/swagger-ui", "/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/problems/"];

const PROBLEM: &str = "application/problem+json";

/// The contract as JSON.
pub struct Document(Value);

impl Document {
    pub fn of_the_contract() -> &'static Self {
        static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
            let json = web_server::app::contract().expect("the contract loads").to_json();
            Document(serde_json::from_str(&json).expect("the document is JSON"))
        });
        &DOCUMENT
    }

    /// Path templates and their items.
    pub fn paths(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0["paths"].as_object().into_iter().flatten()
    }

    /// What a reference leads to; anything else stands for itself.
    pub fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.0.pointer(pointer).expect("references lead somewhere"),
            None => node,
        }
    }
}

pub struct Conformance {
    document: &'static Document,
    validators: std::sync::Mutex<HashMap<String, std::sync::Arc<Validator>>>,
}

impl Conformance {
    pub fn of_the_contract() -> Self {
        Self { document: Document::of_the_contract(), validators: Default::default() }
    }

    /// Panics, with what is wrong, if the contract does not document this answer. Returns the id of the operation that
    /// was answered, if it was one.
    pub fn check(&self, method: &Method, target: &str, answer: &Answer) -> Option<&str> {
        let place = format!("{method} {target} → {}", answer.status);
        match self.answer(method, target, answer) {
            Ok(operation) => operation,
            Err(wrong) => panic!(
                "{place} breaks the contract: {wrong}\n{:?}\n{}",
                answer.headers,
                String::from_utf8_lossy(&answer.body)
            ),
        }
    }

    fn answer(&self, method: &Method, target: &str, answer: &Answer) -> Result<Option<&str>, String> {
        let head = *method == Method::HEAD;
        if answer.header("x-request-id").is_none() {
            return Err("there is no X-Request-Id".into());
        }
        let path = target.split('?').next().unwrap_or_default();
        let lookup = if head { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
        let operation = self.item(path).and_then(|item| item.get(&lookup));

        // The fixed rules, for what no operation answers.
        let Some(operation) = operation.filter(|_| answer.status != 421) else {
            return match answer.status {
                400.. if head => Ok(None),
                _ if *method == Method::OPTIONS => Ok(None),
                200..400 if !DOCUMENTS.iter().any(|document| path.starts_with(document)) && path != "/" => {
                    Err("a method or path that the contract does not hold succeeds".into())
                }
                400.. => {
                    let problem = json!({ "$ref": "#/components/schemas/Problem" });
                    self.body("the fixed rules", PROBLEM, &problem, answer).map(|()| None)
                }
                _ => Ok(None),
            };
        };

        let response = operation["responses"].get(answer.status.to_string()).ok_or("the status is not documented")?;
        let response = self.document.resolve(response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            self.header(name, self.document.resolve(header), answer)?;
        }
        match response["content"].as_object() {
            // It has what GET has, apart from the body, which is what most of the documented answer is.
            _ if head => return Ok(None),
            None if answer.body.is_empty() => {}
            None => return Err("there is a body where none is documented".into()),
            Some(content) => {
                let media = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
                let documented = content.get(media).ok_or(format!("the media type {media:?} is not documented"))?;
                self.body(media, media, &documented["schema"], answer)?;
            }
        }
        Ok(operation["operationId"].as_str())
    }

    /// The item of the template that a path matches; one without parameters before one with.
    fn item(&self, path: &str) -> Option<&Value> {
        let matches = |template: &str| {
            let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
            loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => return true,
                    (Some(part), Some(value)) if part == value || (part.starts_with('{') && !value.is_empty()) => {}
                    _ => return false,
                }
            }
        };
        let items = self.document.paths().filter(|(template, _)| matches(template));
        items.min_by_key(|(template, _)| template.matches('{').count()).map(|(_, item)| item)
    }

    fn header(&self, name: &str, header: &Value, answer: &Answer) -> Result<(), String> {
        if answer.headers.get_all(name).iter().count() > 1 {
            return Err(format!("the header {name} is sent twice"));
        }
        let Some(text) = answer.header(name) else {
            return if header["required"] == true { Err(format!("the header {name} is missing")) } else { Ok(()) };
        };
        let is_integer = header["schema"]["type"] == "integer";
        let value = if is_integer { text.parse::<i64>().map_or(json!(text), Value::from) } else { json!(text) };
        self.valid(&format!("the header {name}"), &header["schema"], &value)
    }

    fn body(&self, what: &str, media: &str, schema: &Value, answer: &Answer) -> Result<(), String> {
        let sent = answer.header("content-type").unwrap_or_default();
        if !sent.starts_with(media) {
            return Err(format!("the media type is {sent:?}, where {what} ask for {media}"));
        }
        let value = if media.ends_with("json") {
            serde_json::from_slice(&answer.body).map_err(|error| format!("the body is not JSON: {error}"))?
        } else {
            Value::String(String::from_utf8(answer.body.clone()).map_err(|error| error.to_string())?)
        };
        if media == PROBLEM && value["status"] != answer.status {
            return Err("the problem's status is not the answer's".into());
        }
        self.valid("the body", schema, &value)
    }

    fn valid(&self, what: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let key = schema.to_string();
        let known = self.validators.lock().expect("no test panics in here").get(&key).cloned();
        let validator = known.unwrap_or_else(|| {
            let standalone = json!({ "allOf": [schema], "components": self.document.0["components"] });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            let validator = std::sync::Arc::new(options.build(&standalone).expect("the schema compiles"));
            self.validators.lock().expect("no test panics in here").insert(key, validator.clone());
            validator
        });
        let errors: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{what} breaks its schema: {}", errors.join("; "))) }
    }
}
