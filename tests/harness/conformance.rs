//! Checks a response against the contract.

use reqwest::Method;
use serde_json::{Value, json};

use super::{document::Document, response::Response};

/// The paths that are served and are not operations.
const DOCUMENTS: [&str; 6] =
    ["/docs", "/swagger-ui", "/openapi.yaml", "/openapi.json", "/openapi-3.0.json", "/problems/"];

const PROBLEM: &str = "application/problem+json";

/// Panics with a description if the contract does not document this response. Returns the id of the operation, if the
/// request was for one.
pub fn check(method: &Method, target: &str, response: &Response) -> Option<&'static str> {
    match Conformance(Document::of_the_contract()).operation_of(method, target, response) {
        Ok(operation) => operation,
        Err(violation) => panic!(
            "{method} {target} → {}: the response violates the contract: {violation}\n{:?}\n{}",
            response.status,
            response.headers,
            String::from_utf8_lossy(&response.body)
        ),
    }
}

struct Conformance(&'static Document);

impl Conformance {
    fn operation_of(&self, method: &Method, target: &str, response: &Response) -> Result<Option<&'static str>, String> {
        let head = *method == Method::HEAD;
        if response.header("x-request-id").is_none() {
            return Err("X-Request-Id is missing".into());
        }
        let path = target.split('?').next().unwrap_or_default();
        let lookup = if head { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
        let operation = self.item(path).and_then(|item| item.get(&lookup));

        // The fixed rules for requests that are for no operation.
        let Some(operation) = operation.filter(|_| response.status != 421) else {
            return match response.status {
                400.. if head => Ok(None),
                _ if *method == Method::OPTIONS => Ok(None),
                200..400 if !DOCUMENTS.iter().any(|document| path.starts_with(document)) && path != "/" => {
                    Err("a method or path that is not in the contract succeeds".into())
                }
                400.. => {
                    let problem = json!({ "$ref": "#/components/schemas/Problem" });
                    self.check_body(PROBLEM, &problem, response).map(|()| None)
                }
                _ => Ok(None),
            };
        };

        let documented =
            operation["responses"].get(response.status.to_string()).ok_or("the status is not documented")?;
        let documented = self.0.resolve(documented);
        for (name, header) in documented["headers"].as_object().into_iter().flatten() {
            self.check_header(name, self.0.resolve(header), response)?;
        }
        match documented["content"].as_object() {
            // A response to HEAD has the headers of GET and no body.
            _ if head => return Ok(None),
            None if response.body.is_empty() => {}
            None => return Err("the response has a body, the contract documents none".into()),
            Some(content) => {
                let media = response.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
                let content = content.get(media).ok_or(format!("the media type {media:?} is not documented"))?;
                self.check_body(media, &content["schema"], response)?;
                // Other characters may be encoded.
                let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
                if media == PROBLEM
                    && is_plain
                    && !response.json()["instance"].as_str().unwrap_or_default().ends_with(path)
                {
                    return Err("`instance` in the problem is not the path of the request".into());
                }
            }
        }
        Ok(operation["operationId"].as_str())
    }

    /// The item of the template that matches a path. A template without parameters takes precedence.
    fn item(&self, path: &str) -> Option<&'static Value> {
        let matches = |template: &str| {
            let (mut segments, mut values) = (template.split('/'), path.split('/'));
            loop {
                match (segments.next(), values.next()) {
                    (None, None) => return true,
                    (Some(segment), Some(value)) if segment == value => {}
                    (Some(segment), Some(value)) if segment.starts_with('{') && !value.is_empty() => {}
                    _ => return false,
                }
            }
        };
        let items = self.0.paths().filter(|(template, _)| matches(template));
        items.min_by_key(|(template, _)| template.matches('{').count()).map(|(_, item)| item)
    }

    fn check_header(&self, name: &str, header: &Value, response: &Response) -> Result<(), String> {
        if response.headers.get_all(name).iter().count() > 1 {
            return Err(format!("the header {name} is present twice"));
        }
        let Some(text) = response.header(name) else {
            return if header["required"] == true { Err(format!("the header {name} is missing")) } else { Ok(()) };
        };
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or(json!(text), Value::from),
            Some("boolean") => text.parse::<bool>().map_or(json!(text), Value::from),
            _ => json!(text),
        };
        self.check_value(&format!("the header {name}"), &header["schema"], &value)
    }

    fn check_body(&self, media: &str, schema: &Value, response: &Response) -> Result<(), String> {
        let sent = response.header("content-type").unwrap_or_default();
        if !sent.starts_with(media) {
            return Err(format!("the media type is {sent:?}, expected {media}"));
        }
        let value = if media.ends_with("json") {
            serde_json::from_slice(&response.body).map_err(|error| format!("the body is not JSON: {error}"))?
        } else {
            Value::String(String::from_utf8(response.body.clone()).map_err(|error| error.to_string())?)
        };
        if media == PROBLEM && value["status"] != response.status {
            return Err("`status` in the problem differs from the status of the response".into());
        }
        self.check_value("the body", schema, &value)
    }

    fn check_value(&self, what: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let violations = self.0.violations(schema, value);
        if violations.is_empty() {
            Ok(())
        } else {
            Err(format!("{what} violates its schema: {}", violations.join("; ")))
        }
    }
}
