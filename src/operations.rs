//! The operation table as the running server uses it: every operation by method and path template, its schemas compiled.
//!
//! Nothing here repeats the contract. What is checked, which methods a path allows and how a metric is labelled are
//! read from the table once, at start.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::DateTime;
use http::HeaderValue;
use jsonschema::Validator;
use openapi_contract::{Location, OperationTable};
use serde_json::Value;

use crate::metrics::RequestMetrics;

/// Every operation of the contract.
pub struct Operations {
    paths: HashMap<String, PathEntry>,
}

struct PathEntry {
    allow: HeaderValue,
    operations: Vec<Arc<Operation>>,
}

/// One operation, ready to check requests.
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Its method, as on the wire.
    pub method: &'static str,
    /// Its path template.
    pub path: String,
    /// The media types of its successes; empty if they have no content.
    pub produces: Vec<String>,
    /// Whether its clients are limited: it documents 429.
    pub limited: bool,
    /// Whether orchestrators ask it, by whatever address they know: it is tagged `health`.
    pub probe: bool,
    /// Since when it is deprecated, as `Deprecation` has it (RFC 9745).
    pub deprecation: Option<HeaderValue>,
    /// When it goes away, as `Sunset` has it (RFC 8594); only what is deprecated does.
    pub sunset: Option<HeaderValue>,
    /// What is counted of it.
    pub(crate) metrics: RequestMetrics,
    /// Whether it must have a body.
    pub(crate) body_required: bool,
    /// Its own limit for a body, in bytes.
    pub(crate) max_body_bytes: Option<usize>,
    /// Its path, query and header parameters.
    pub(crate) parameters: Vec<Parameter>,
    /// Its body by media type; empty if it takes none.
    pub(crate) bodies: Vec<(String, Validator)>,
}

/// A parameter, ready to be checked.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) scalar: Scalar,
    pub(crate) validator: Validator,
}

/// How the text of a parameter becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

impl Operations {
    /// Compiles every schema of the contract that a request is checked against.
    ///
    /// # Errors
    /// A schema that is not one, such as a pattern that does not compile. The build looks for that first.
    pub fn compile(table: &OperationTable) -> Result<Self, String> {
        let mut paths: HashMap<String, PathEntry> = HashMap::new();
        for operation in &table.operations {
            let compiled = compile(table, operation).map_err(|error| format!("{}: {error}", operation.id))?;
            let entry = paths
                .entry(operation.path.clone())
                .or_insert_with(|| PathEntry { allow: HeaderValue::from_static(""), operations: Vec::new() });
            entry.operations.push(Arc::new(compiled));
        }
        for entry in paths.values_mut() {
            let methods: Vec<_> = entry.operations.iter().map(|operation| operation.method).collect();
            entry.allow = allow(&methods);
        }
        Ok(Self { paths })
    }

    /// The operation of this method on this path template. HEAD is GET without the body (RFC 9110, section 9.3.2).
    pub fn find(&self, method: &http::Method, path: &str) -> Option<&Arc<Operation>> {
        let method = if method == http::Method::HEAD { "GET" } else { method.as_str() };
        self.paths.get(path)?.operations.iter().find(|operation| operation.method == method)
    }

    /// The `Allow` header of this path template.
    pub fn allow(&self, path: &str) -> Option<&HeaderValue> {
        self.paths.get(path).map(|entry| &entry.allow)
    }

    /// Holds the routes of a router, as method and path template, against these operations.
    ///
    /// A route without an operation would be answered unchecked, and an operation without a route not at all.
    ///
    /// # Errors
    /// Which routes have no operation, and which operations no route.
    pub fn check_routes(&self, routes: &[(&str, String)]) -> Result<(), String> {
        let routed: BTreeSet<_> = routes.iter().map(|(method, path)| (path.as_str(), *method)).collect();
        let promised: BTreeSet<_> = self.iter().map(|operation| (operation.path.as_str(), operation.method)).collect();
        let told = |(path, method): &(&str, &str), what: &str| format!("{method} {path} {what}");
        let mut wrong: Vec<_> =
            routed.difference(&promised).map(|route| told(route, "is routed, but not in the contract")).collect();
        wrong.extend(promised.difference(&routed).map(|route| told(route, "is in the contract, but not routed")));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Every operation, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.paths.values().flat_map(|entry| &entry.operations)
    }
}

/// `Allow` for a path with these methods: HEAD comes with GET, and OPTIONS is answered everywhere.
pub(crate) fn allow(methods: &[&str]) -> HeaderValue {
    let mut all: Vec<&str> = Vec::new();
    for method in methods {
        all.push(method);
        if *method == "GET" {
            all.push("HEAD");
        }
    }
    all.push("OPTIONS");
    // Methods are tokens of the contract's own list, which a header can always carry.
    HeaderValue::try_from(all.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

fn compile(table: &OperationTable, operation: &openapi_contract::Operation) -> Result<Operation, String> {
    let parameters = operation.parameters.iter().map(|parameter| compile_parameter(table, parameter));
    let contents = operation.body.iter().flat_map(|body| &body.content);
    let bodies = contents.map(|(media, schema)| Ok((media.to_ascii_lowercase(), compile_schema(table, schema)?)));
    let successes = operation.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    let produces = successes.flat_map(|(_, response)| response.content.keys().map(|media| media.to_ascii_lowercase()));
    Ok(Operation {
        id: operation.id.clone(),
        method: operation.method.as_str(),
        path: operation.path.clone(),
        produces: produces.collect(),
        deprecation: operation.deprecated_since.and_then(|since| HeaderValue::try_from(format!("@{since}")).ok()),
        sunset: operation.sunset_at.and_then(http_date),
        metrics: RequestMetrics::new(operation.responses.keys().copied()),
        body_required: operation.body.as_ref().is_some_and(|body| body.required),
        max_body_bytes: operation.max_body_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        limited: operation.responses.contains_key(&429),
        probe: operation.tags.iter().any(|tag| tag == "health"),
        parameters: parameters.collect::<Result<_, String>>()?,
        bodies: bodies.collect::<Result<_, String>>()?,
    })
}

/// A time in seconds since 1970 as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(seconds: i64) -> Option<HeaderValue> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    HeaderValue::try_from(time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

fn compile_parameter(table: &OperationTable, parameter: &openapi_contract::Parameter) -> Result<Parameter, String> {
    let within = |error| format!("parameter {}: {error}", parameter.name);
    let schema = table.resolve(&parameter.schema);
    let scalar = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Scalar::Integer,
        Some("number") => Scalar::Number,
        Some("boolean") => Scalar::Boolean,
        _ => Scalar::Text,
    };
    Ok(Parameter {
        name: match parameter.location {
            Location::Header => parameter.name.to_ascii_lowercase(),
            _ => parameter.name.clone(),
        },
        location: parameter.location,
        required: parameter.required,
        default: schema.get("default").cloned(),
        scalar,
        validator: compile_schema(table, &parameter.schema).map_err(within)?,
    })
}

/// A validator of this schema, in which the contract's own may be referred to.
pub(crate) fn compile_schema(table: &OperationTable, schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&table.standalone_schema(schema))
        .map_err(|error| error.to_string())
}
