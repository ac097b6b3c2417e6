//! Holds an answer against the contract. Written apart from the server's own validation, so that the two cannot share
//! a mistake: it reads the document that the server serves, not the operation table.

use std::collections::HashMap;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use super::Answer;

/// What may be answered without being an operation.
const DOCUMENTS: [&str; 4] = ["/swagger-ui", "/openapi.yaml", "/openapi.json", "/problems/"];

const PROBLEM: &str = "application/problem+json";

pub struct Conformance {
    document: Value,
    validators: std::sync::Mutex<HashMap<String, std::sync::Arc<Validator>>>,
}

impl Conformance {
    pub fn of_the_contract() -> Self {
        let json = web_server::app::contract().expect("the contract loads").to_json();
        Self { document: serde_json::from_str(&json).expect("the document is JSON"), validators: Default::default() }
    }

    /// Panics, with what is wrong, if the contract does not document this answer.
    pub fn check(&self, method: &Method, target: &str, answer: &Answer) {
        let place = format!("{method} {target} → {}", answer.status);
        if let Err(wrong) = self.answer(method, target, answer) {
            panic!(
                "{place} breaks the contract: {wrong}\n{:?}\n{}",
                answer.headers,
                String::from_utf8_lossy(&answer.body)
            );
        }
    }

    fn answer(&self, method: &Method, target: &str, answer: &Answer) -> Result<(), String> {
        let head = *method == Method::HEAD;
        if answer.header("x-request-id").is_none() {
            return Err("there is no X-Request-Id".into());
        }
        let path = target.split('?').next().unwrap_or_default();
        let lookup = if head { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
        let operation = self.template(path).and_then(|template| self.document["paths"][template].get(&lookup));

        // The fixed rules, for what no operation answers.
        let Some(operation) = operation.filter(|_| answer.status != 421) else {
            return match answer.status {
                400.. if head => Ok(()),
                _ if *method == Method::OPTIONS => Ok(()),
                200..400 if !DOCUMENTS.iter().any(|document| path.starts_with(document)) && path != "/" => {
                    Err("a method or path that the contract does not hold succeeds".into())
                }
                400.. => {
                    self.body("the fixed rules", PROBLEM, &json!({ "$ref": "#/components/schemas/Problem" }), answer)
                }
                _ => Ok(()),
            };
        };

        let response = operation["responses"].get(answer.status.to_string()).ok_or("the status is not documented")?;
        let response = self.resolve(response);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            self.header(name, self.resolve(header), answer)?;
        }
        match response["content"].as_object() {
            _ if head => Ok(()),
            None if answer.body.is_empty() => Ok(()),
            None => Err("there is a body where none is documented".into()),
            Some(content) => {
                let media = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
                let documented = content.get(media).ok_or(format!("the media type {media:?} is not documented"))?;
                self.body(media, media, &documented["schema"], answer)
            }
        }
    }

    /// The template that a path matches; one without parameters before one with.
    fn template(&self, path: &str) -> Option<&str> {
        let matches = |template: &&String| {
            let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
            loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => return true,
                    (Some(part), Some(value)) if part == value || (part.starts_with('{') && !value.is_empty()) => {}
                    _ => return false,
                }
            }
        };
        let paths = self.document["paths"].as_object()?.keys().filter(matches);
        paths.min_by_key(|template| template.matches('{').count()).map(String::as_str)
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
            let standalone = json!({ "allOf": [schema], "components": self.document["components"] });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            let validator = std::sync::Arc::new(options.build(&standalone).expect("the schema compiles"));
            self.validators.lock().expect("no test panics in here").insert(key, validator.clone());
            validator
        });
        let errors: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{what} breaks its schema: {}", errors.join("; "))) }
    }

    fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.document.pointer(pointer).expect("references lead somewhere"),
            None => node,
        }
    }
}
