//! Every operation of the contract with a valid request, made from the examples in the contract. Behaviour that is common to
//! every operation is tested with these, so a new operation is covered without a test of its own.

use std::{collections::BTreeSet, sync::LazyLock};

use reqwest::Method;
use serde_json::Value;

use super::{App, Request, document::Document};

/// An operation, as the contract documents it.
pub struct Operation {
    pub id: String,
    pub method: Method,
    /// The scopes that a caller needs.
    pub scopes: Vec<String>,
    /// The documented statuses.
    pub statuses: BTreeSet<u16>,
    /// Whether every request counts against the rate limits, not only those that fail to authenticate.
    pub limited: bool,
    /// `x-unknown-query: ignore`.
    pub ignores_unknown_query: bool,
    /// `x-max-body-bytes`.
    pub max_body_bytes: Option<usize>,
    /// The target of a valid request. An id in it does not exist.
    pub target: String,
    /// The media type and the body of a valid request.
    pub body: Option<(String, Value)>,
    parameters: Vec<Parameter>,
}

/// A parameter of an operation.
struct Parameter {
    /// `in`.
    location: String,
    name: String,
    required: bool,
    example: String,
}

impl Operation {
    /// Whether it documents this status.
    pub fn documents(&self, status: u16) -> bool {
        self.statuses.contains(&status)
    }

    /// A valid request.
    pub fn request<'a>(&self, app: &'a App) -> Request<'a> {
        let request = app.request(self.method.clone(), &self.target);
        match &self.body {
            Some((media, body)) => request.content_type(media).json(body),
            None => request,
        }
    }

    /// The examples of the path parameters.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let in_path = self.parameters.iter().filter(|parameter| parameter.location == "path");
        in_path.map(|parameter| &*parameter.example)
    }

    /// The request with the example of every parameter and of the body. Swagger UI leaves out optional parameters of the query.
    pub fn example<'a>(&'static self, app: &'a App) -> Request<'a> {
        let optional = self.parameters.iter().filter(|parameter| !parameter.required);
        optional.fold(self.request(app), |request, Parameter { location, name, example, .. }| match &**location {
            "query" => request.query(&format!("{name}={example}")),
            // The page sends a new key with each request.
            "header" if name == "Idempotency-Key" => request.header(name, &uuid::Uuid::new_v4().to_string()),
            "header" => request.header(name, example),
            _ => request,
        })
    }
}

/// Every operation that is not planned.
pub fn operations() -> &'static [Operation] {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| read(Document::of_the_contract()));
    &OPERATIONS
}

fn read(document: &Document) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (template, item) in document.paths() {
        for (method, node) in item.as_object().into_iter().flatten() {
            let Some(id) = node["operationId"].as_str().filter(|_| node["x-status"] != "planned") else { continue };
            let responses = node["responses"].as_object().expect("an operation has responses");
            let content = document.resolve(&node["requestBody"])["content"].as_object();
            let body = content.and_then(|content| content.iter().next());
            let parameters = parameters(document, template, &[&node["parameters"], &item["parameters"]]);
            operations.push(Operation {
                id: id.to_owned(),
                ignores_unknown_query: node["x-unknown-query"] == "ignore",
                scopes: scopes(document, node),
                method: method.to_ascii_uppercase().parse().expect("a method"),
                statuses: responses.keys().map(|status| status.parse().expect("a status")).collect(),
                limited: responses
                    .iter()
                    .filter(|(status, _)| status.starts_with('2'))
                    .any(|(_, response)| document.resolve(response)["headers"].get("RateLimit").is_some()),
                max_body_bytes: node["x-max-body-bytes"].as_u64().and_then(|bytes| bytes.try_into().ok()),
                target: target(template, &parameters),
                parameters,
                body: body.map(|(media, content)| (media.clone(), example(document, id, content))),
            });
        }
    }
    operations
}

fn scopes(document: &Document, operation: &Value) -> Vec<String> {
    let security = operation.get("security").unwrap_or(document.security());
    let requirements = security.as_array().expect("security is stated");
    let schemes = requirements.iter().filter_map(Value::as_object).flat_map(|schemes| schemes.values());
    let scopes = schemes.filter_map(Value::as_array).flatten();
    scopes.map(|scope| scope.as_str().expect("a scope").to_owned()).collect()
}

/// The parameters of an operation. Its own are listed before those of the path, which they replace.
fn parameters(document: &Document, template: &str, lists: &[&Value]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for node in lists.iter().filter_map(|list| list.as_array()).flatten() {
        let node = document.resolve(node);
        let text = |key: &str| node[key].as_str().expect("a text").to_owned();
        let (location, name, required) = (text("in"), text("name"), node["required"] == true);
        let example = match example_of(document, node) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => panic!("give the parameter {name} of {template} an `example` in openapi.yaml"),
        };
        if !parameters.iter().any(|other| (&other.location, &other.name) == (&location, &name)) {
            parameters.push(Parameter { location, name, required, example });
        }
    }
    parameters
}

/// The path with its parameters filled in, and the required query parameters.
fn target(template: &str, parameters: &[Parameter]) -> String {
    let (mut path, mut query) = (template.to_owned(), Vec::new());
    for Parameter { location, name, required, example } in parameters {
        match &**location {
            "path" => path = path.replace(&format!("{{{name}}}"), example),
            "query" if *required => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn example(document: &Document, id: &str, content: &Value) -> Value {
    let example = example_of(document, content);
    example.unwrap_or_else(|| panic!("give the body of {id} an `example` in openapi.yaml")).clone()
}

/// The first example of a parameter, a media type or its schema.
fn example_of<'a>(document: &'a Document, node: &'a Value) -> Option<&'a Value> {
    let named = node["examples"].as_object().and_then(|examples| examples.values().next());
    let named = named.map(|example| &document.resolve(example)["value"]);
    named.or(node.get("example")).or_else(|| document.resolve(&node["schema"]).get("example"))
}
