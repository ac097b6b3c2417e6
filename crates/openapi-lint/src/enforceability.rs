//! What a contract may say and this server would not obey.
//!
//! A promise that nobody keeps is worse than none, and whoever writes one should learn it from the build, not from a
//! client. Each rule is a limit of the server, not of OpenAPI, so none is an error when the contract is loaded: a
//! breaking-change gate or a code generator reads such a contract well. Planned operations promise nothing yet.
//!
//! - `security` that is not empty: no credentials are checked, so everybody would be let in.
//! - HEAD, OPTIONS and TRACE: the server answers them by fixed rules, so an operation of its own is never asked.
//! - `deprecated` without the date that the `Deprecation` header tells (RFC 9745 §2.1), a date without `deprecated`, and
//!   a sunset before the deprecation (RFC 9745 §4 forbids it).
//! - A link to an operation that is planned: it is not in the documents that are served.
//! - A parameter with `content`: parameters are read as one scalar, so what it holds would be taken for plain text.
//! - A parameter's `style` other than the default of its place, `allowReserved` and `allowEmptyValue`: they change how
//!   text becomes a value, and the server knows one way for each place.
//! - A parameter in a cookie: cookies are not read, so a required one would be missed for ever.
//! - A parameter that is an array or an object: only one value is read, and it is a scalar.
//! - A parameter whose type stands only inside `allOf`, `anyOf` or `oneOf`: text is read by the `type` at the head, so
//!   a number would be held against its schema as a string.
//! - A request body that is not JSON: the server parses no other syntax, and it finds media types by name, so ranges and
//!   parameters are never matched.
//!
//! `schema` has the rules for what requests are held against.

mod schema;

use std::collections::HashSet;

use serde_json::Value;

use openapi_contract::date::unix_seconds;
use openapi_contract::equivalence::folded;
use openapi_contract::error::in_order;
use openapi_contract::method::Method;
use openapi_contract::operation;
use openapi_contract::paths::{self, Declared, Endpoint};
use openapi_contract::pointer::{self, join};
use openapi_contract::{Code, Contract, Kind, LoadError};

/// Every promise that the running server would not keep, in the order of the file. Planned operations promise nothing yet.
pub fn unenforceable(contract: &Contract) -> Vec<LoadError> {
    let mut broken = Broken { contract, found: Vec::new(), seen: HashSet::new() };
    for path in paths::paths(contract.document()) {
        for endpoint in path.endpoints().filter(|endpoint| !operation::is_planned(endpoint.operation)) {
            broken.operation(&endpoint);
            for declared in path.parameters(contract.document(), &endpoint) {
                broken.parameter(&declared);
            }
            broken.body(&endpoint);
        }
    }
    in_order(broken.found)
}

/// The promises found so far.
struct Broken<'a> {
    contract: &'a Contract,
    found: Vec<LoadError>,
    /// The schemas that were looked at, by pointer: they are shared, and may hold themselves.
    seen: HashSet<String>,
}

impl<'a> Broken<'a> {
    fn add(&mut self, pointer: String, message: impl Into<String>) {
        self.found.push(self.contract.error(Code::Unenforceable, pointer, message));
    }

    fn operation(&mut self, endpoint: &Endpoint<'a>) {
        let rule = match endpoint.method {
            Method::Head => Some("HEAD is answered as GET is, without the content"),
            Method::Options => Some("OPTIONS is answered for every path with the methods that it has"),
            Method::Trace => Some("TRACE is never answered"),
            _ => None,
        };
        if let Some(rule) = rule {
            self.add(endpoint.pointer.clone(), format!("cannot be enforced: {rule}; leave the operation out"));
        }
        let own = endpoint.operation.get("security");
        let at = if own.is_some() { &endpoint.pointer } else { "" };
        let security = own.or_else(|| self.contract.document().get("security"));
        if security.and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
            self.add(
                join(at, "security"),
                "cannot be enforced: credentials are not checked yet, and everybody would be let in",
            );
        }
        self.deprecation(endpoint);
        self.links(endpoint);
    }

    fn deprecation(&mut self, endpoint: &Endpoint<'a>) {
        let at = |key: &str| join(&endpoint.pointer, key);
        let date = |key: &str| endpoint.operation.get(key).and_then(Value::as_str).and_then(unix_seconds);
        let deprecated = endpoint.operation.get("deprecated") == Some(&Value::Bool(true));
        match date("x-deprecated-since") {
            None if deprecated => self.add(
                at("deprecated"),
                "cannot be enforced: the `Deprecation` header tells a date; say `x-deprecated-since` too",
            ),
            Some(_) if !deprecated => self.add(
                at("x-deprecated-since"),
                "cannot be enforced: it belongs to what is deprecated; say `deprecated: true` too",
            ),
            None if date("x-sunset").is_some() => self.add(
                at("x-sunset"),
                "cannot be enforced: only what is deprecated goes away; say `deprecated: true` and `x-deprecated-since` too",
            ),
            Some(since) if date("x-sunset").is_some_and(|sunset| sunset < since) => {
                self.add(at("x-sunset"), "cannot be enforced: no operation goes away before it is deprecated");
            }
            _ => {}
        }
    }

    fn links(&mut self, endpoint: &Endpoint<'a>) {
        let responses = join(&endpoint.pointer, "responses");
        let listed = endpoint.operation.get("responses").and_then(Value::as_object);
        for (status, response) in listed.into_iter().flatten() {
            let (response, at) = self.contract.follow(response, join(&responses, status));
            let at = join(&at, "links");
            for (name, link) in response.get("links").and_then(Value::as_object).into_iter().flatten() {
                let (link, at) = self.contract.follow(link, join(&at, name));
                if let Some(planned) = self.planned(link) {
                    let message = format!("cannot be enforced: `{planned}` is planned, and is not served yet");
                    self.add(at, message);
                }
            }
        }
    }

    /// The operation that a link leads to, if it is planned.
    fn planned(&self, link: &Value) -> Option<&'a str> {
        let text = |key: &str| link.get(key).and_then(Value::as_str);
        let (id, pointer) = (text("operationId"), text("operationRef").and_then(pointer::local));
        let mut planned = self.contract.operations().iter().filter(|operation| operation.planned);
        let found = planned.find(|other| id == Some(&other.id) || pointer.as_ref() == Some(&other.pointer))?;
        Some(&found.id)
    }

    fn parameter(&mut self, declared: &Declared<'a>) {
        let (parameter, at) = self.contract.follow(declared.listed, declared.site.clone());
        if declared.location == "cookie" {
            self.add(join(&at, "in"), "cannot be enforced: cookies are not read; use a header");
        }
        let style = parameter.get("style").and_then(Value::as_str);
        let read = if matches!(declared.location, "path" | "header") { "simple" } else { "form" };
        if let Some(style) = style.filter(|style| *style != read) {
            self.add(
                join(&at, "style"),
                format!("cannot be enforced: `{style}` is not read; a {} parameter is `{read}`", declared.location),
            );
        }
        for (key, why) in [
            ("allowReserved", "a query is cut at each `&`, and `+` is a space, whatever the parameter"),
            ("allowEmptyValue", "an empty value is held against the schema like any other"),
        ] {
            if parameter.get(key) == Some(&Value::Bool(true)) {
                self.add(join(&at, key), format!("cannot be enforced: {why}"));
            }
        }
        if parameter.get("content").is_some() {
            self.add(join(&at, "content"), "cannot be enforced: a parameter is read as one scalar; use `schema`");
        }
        if let Some(schema) = parameter.get("schema") {
            let (schema, at) = self.contract.follow(schema, join(&at, "schema"));
            self.scalar(schema, &at);
            self.default_value(schema, &at);
            self.request_schema(schema, at);
        }
    }

    /// The text of a parameter becomes what the `type` at the head of its schema says.
    fn scalar(&mut self, schema: &'a Value, at: &str) {
        match schema.get("type").and_then(Value::as_str) {
            Some(list @ ("array" | "object")) => {
                let message = format!("cannot be enforced: a parameter is read as one scalar, never as an {list}");
                self.add(join(at, "type"), message);
            }
            Some(_) => {}
            None => self.hidden_types(schema, at),
        }
    }

    /// The types inside a schema that has none at its head.
    fn hidden_types(&mut self, schema: &'a Value, at: &str) {
        let mut parts = vec![(schema, at.to_owned())];
        let mut seen = HashSet::new();
        while let Some((part, at)) = parts.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            if let Some(name) = part.get("type").and_then(Value::as_str).filter(|name| *name != "string") {
                let message = format!(
                    "cannot be enforced: text is read by the `type` at the head of a parameter's schema, and it has \
                     none: this `{name}` would be held against a string"
                );
                self.add(join(&at, "type"), message);
            }
            for key in ["allOf", "anyOf", "oneOf"] {
                let items = part.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
                parts.extend(
                    items.map(|(index, item)| self.contract.follow(item, join(&join(&at, key), &index.to_string()))),
                );
            }
        }
    }

    fn body(&mut self, endpoint: &Endpoint<'a>) {
        let Some(body) = endpoint.operation.get("requestBody") else { return };
        let (body, at) = self.contract.follow(body, join(&endpoint.pointer, "requestBody"));
        let at = join(&at, "content");
        for (media, value) in body.get("content").and_then(Value::as_object).into_iter().flatten() {
            let here = join(&at, media);
            let name = folded(Kind::MediaType, media);
            let is_json = name == "application/json" || name.ends_with("+json");
            if !is_json || name.contains([';', '*', ' ']) {
                let message = format!(
                    "cannot be enforced: a body of `{media}` is not read, only `application/json` and `…+json`"
                );
                self.add(here.clone(), message);
            }
            if let Some(schema) = value.get("schema") {
                let (schema, at) = self.contract.follow(schema, join(&here, "schema"));
                self.request_schema(schema, at);
            }
        }
    }
}
