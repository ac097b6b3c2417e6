//! Checks that the server keeps what it accepts: what a client sends is what a later GET returns.
//!
//! The contract drives the check. It finds every operation whose request and response bodies share properties, sends a
//! generated body with all of them, and reads the resource back. An operation on a resource runs on one that the check has
//! created through the contract too.

use std::fmt;

use reqwest::Method;
use serde_json::Value;

use super::{App, Response, document::Document, values::Values};

/// A property of which a later GET did not return the value that a request sent.
#[derive(Debug)]
pub struct Loss {
    pub operation: String,
    pub media_type: String,
    pub property: String,
    pub sent: Value,
    pub returned: Option<Value>,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, media_type, property, sent, returned } = self;
        let returned = returned.as_ref().map_or("nothing".to_owned(), Value::to_string);
        write!(f, "`{property}` of {operation} ({media_type}): sent {sent}, a later GET returned {returned}")
    }
}

/// Sends every operation that has shared properties, in each of its JSON media types, and returns what was lost.
pub async fn losses(app: &App, document: &Document) -> Vec<Loss> {
    let exchanges = exchanges(document);
    assert!(!exchanges.is_empty(), "no operation of the contract has properties in its request and in its response");
    let mut check = Check { app, document, exchanges: &exchanges, values: Values::new(document) };
    let mut losses = Vec::new();
    for exchange in &exchanges {
        losses.extend(check.losses_of(exchange).await);
    }
    losses
}

/// An operation with one media type of its request, and what its success documents.
struct Exchange<'a> {
    id: &'a str,
    method: Method,
    template: &'a str,
    media_type: &'a str,
    body: &'a Value,
    response: &'a Value,
    /// The properties of both bodies.
    shared: Vec<&'a String>,
    /// Whether its path has a GET.
    is_readable: bool,
}

fn exchanges(document: &Document) -> Vec<Exchange<'_>> {
    let mut exchanges = Vec::new();
    for (template, item) in document.paths() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let responses = operation["responses"].as_object().into_iter().flatten();
            let success = responses.filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response).next();
            let Some(response) = success.map(|response| document.resolve(response)) else { continue };
            let requests = document.json_content(document.resolve(&operation["requestBody"]));
            for (media_type, body) in requests {
                let returned = document.json_content(response).next();
                let returned = returned.map(|(_, schema)| document.properties(schema)).unwrap_or_default();
                let mut shared: Vec<_> = document.properties(body).into_keys().collect();
                shared.retain(|property| returned.contains_key(property));
                if shared.is_empty() {
                    continue;
                }
                let method = method.to_ascii_uppercase().parse().expect("a method");
                let is_readable = item.get("get").is_some();
                exchanges.push(Exchange { id, method, template, media_type, body, response, shared, is_readable });
            }
        }
    }
    exchanges
}

struct Check<'a> {
    app: &'a App,
    document: &'a Document,
    exchanges: &'a [Exchange<'a>],
    values: Values<'a>,
}

impl Check<'_> {
    async fn losses_of(&mut self, exchange: &Exchange<'_>) -> Vec<Loss> {
        let path = self.path_of_resource(exchange.template).await;
        let (sent, response) = self.send(exchange, &path).await;
        let read = self.app.get(&self.path_of_get(exchange, &path, &response)).await;
        assert_eq!(read.status, 200, "the GET after {}: {}", exchange.id, read.text());
        let returned = read.json();
        let lost = exchange.shared.iter().filter(|property| returned.get(property) != sent.get(property));
        let loss = |property: &&String| Loss {
            operation: exchange.id.to_owned(),
            media_type: exchange.media_type.to_owned(),
            property: (*property).clone(),
            sent: sent[*property].clone(),
            returned: returned.get(property).cloned(),
        };
        lost.map(loss).collect()
    }

    /// Sends a body of which every property differs from what the resource has now.
    async fn send(&mut self, exchange: &Exchange<'_>, path: &str) -> (Value, Response) {
        let current = match exchange.method {
            Method::PUT | Method::PATCH if exchange.is_readable => self.app.get(path).await.json(),
            _ => Value::Null,
        };
        let body = Value::Object(self.values.generate_other(exchange.body, &current));
        let request = self.app.request(exchange.method.clone(), path).content_type(exchange.media_type);
        let response = request.json(&body).send().await;
        assert!((200..300).contains(&response.status), "{} of {body}: {}", exchange.id, response.text());
        (body, response)
    }

    /// Fills in a path template. If it has parameters, creates a resource whose `Location` matches the template.
    async fn path_of_resource(&mut self, template: &str) -> String {
        if !template.contains('{') {
            return template.to_owned();
        }
        let exchanges = self.exchanges;
        let creators = exchanges.iter().filter(|exchange| exchange.template.len() < template.len());
        for creator in creators.filter(|exchange| exchange.response["headers"].get("Location").is_some()) {
            let path = Box::pin(self.path_of_resource(creator.template)).await;
            let (_, response) = self.send(creator, &path).await;
            if let Some(path) = response.header("location").and_then(|location| fill(template, location)) {
                return path;
            }
        }
        panic!("no operation of the contract creates a resource at {template} and returns its `Location`")
    }

    /// The path of the GET that reads what an operation wrote.
    fn path_of_get(&self, exchange: &Exchange<'_>, path: &str, response: &Response) -> String {
        if let Some(location) = response.header("location") {
            return location.to_owned();
        }
        if exchange.is_readable {
            return path.to_owned();
        }
        self.linked(exchange.response, &response.json()).unwrap_or_else(|| {
            let advice = "document a `Location`, a GET on the same path or a link to one";
            panic!("{}: nothing leads to what was written: {advice}", exchange.id)
        })
    }

    /// The path of the first link to a GET whose parameters are all in the response body.
    fn linked(&self, response: &Value, body: &Value) -> Option<String> {
        let links = response["links"].as_object()?.values().map(|link| self.document.resolve(link));
        links
            .filter_map(|link| {
                let of_link = |(_, item): &(&String, &Value)| item["get"]["operationId"] == link["operationId"];
                let (template, _) = self.document.paths().find(of_link)?;
                let parameters = link["parameters"].as_object()?.iter();
                parameters.into_iter().try_fold(template.clone(), |path, (name, expression)| {
                    let value = body.pointer(expression.as_str()?.strip_prefix("$response.body#")?)?;
                    Some(path.replace(&format!("{{{name}}}"), value.as_str()?))
                })
            })
            .next()
    }
}

/// Fills in the parameters of a template from a location that matches its first segments. `None` if it does not, or if the
/// template has parameters after those.
fn fill(template: &str, location: &str) -> Option<String> {
    let mut segments = template.split('/');
    for value in location.split('/') {
        segments.next().filter(|segment| *segment == value || segment.starts_with('{'))?;
    }
    let rest: Vec<_> = segments.collect();
    let is_filled = rest.iter().all(|segment| !segment.starts_with('{'));
    is_filled.then(|| [&[location], &rest[..]].concat().join("/"))
}
