//! The operations of the contract, by method and path template, with their compiled schemas.
//!
//! Everything is read from the operation table once, at start.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroU32,
    sync::Arc,
};

use chrono::DateTime;
use http::HeaderValue;
use jsonschema::Validator;
use openapi_contract::{Location, OperationTable};
use serde_json::Value;

use super::{
    schemas::{BodySchema, compile},
    violations::PatternDescriptions,
};
use crate::telemetry::metrics::RequestMetrics;

/// Every operation of the contract.
pub struct Operations {
    paths: HashMap<String, PathEntry, foldhash::fast::RandomState>,
}

struct PathEntry {
    allow: HeaderValue,
    operations: Vec<Arc<Operation>>,
}

/// One operation.
pub struct Operation {
    /// The operation id.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// The path template.
    pub path: String,
    /// The media types of the successful responses; empty if they have no content.
    pub produces: Vec<String>,
    /// Whether every request counts against the rate limits: the operation documents 429, and `RateLimit` for successful
    /// responses if it needs credentials. Otherwise those that fail to authenticate do.
    pub limited: bool,
    /// How many requests it counts as, for the rate limits (`x-rate-cost`).
    pub rate_cost: NonZeroU32,
    /// Whether query parameters that it does not declare are ignored, and not refused (`x-unknown-query`).
    pub(crate) ignores_unknown_query: bool,
    /// Whether a precondition can be required: the operation documents 428.
    pub conditional: bool,
    /// Whether it may change data: the method is unsafe, and it needs another scope than one that ends in `:read`.
    pub writes: bool,
    /// The scopes that a caller needs: one of these sets. Empty: the operation needs no credentials. A server without
    /// credentials refuses requests to the other operations that are not of its own machine.
    pub security: Vec<Vec<String>>,
    /// Whether this is a probe, which orchestrators send to the address of an instance: it has the tag `health`.
    pub probe: bool,
    /// The value of the `Deprecation` header (RFC 9745).
    pub deprecation: Option<HeaderValue>,
    /// The value of the `Sunset` header (RFC 8594), for deprecated operations only.
    pub sunset: Option<HeaderValue>,
    /// The metrics of this operation.
    pub(crate) metrics: RequestMetrics,
    /// Whether a body is required.
    pub(crate) body_required: bool,
    /// The maximum size of the body in bytes (`x-max-body-bytes`).
    pub(crate) max_body_bytes: Option<usize>,
    /// The path, query and header parameters.
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of the body by media type; empty if there is no body.
    pub(crate) bodies: Vec<(String, BodySchema)>,
}

/// A parameter.
pub(crate) struct Parameter {
    /// The name as the contract writes it.
    pub(crate) name: String,
    /// The name in the validated input: that of a header in lower case.
    pub(crate) key: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) scalar: Scalar,
    pub(crate) validator: Validator,
    pub(crate) patterns: PatternDescriptions,
}

/// The JSON type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

impl Operation {
    /// Returns the names of the header parameters, in lower case.
    pub(crate) fn header_parameters(&self) -> impl Iterator<Item = &str> {
        let parameters = self.parameters.iter().filter(|parameter| parameter.location == Location::Header);
        parameters.map(|parameter| parameter.key.as_str())
    }
}

impl Operations {
    /// Compiles every schema that a request is validated against.
    ///
    /// # Errors
    /// A schema is invalid, such as a pattern that does not compile. The build checks this.
    pub fn compile(table: &OperationTable) -> Result<Self, String> {
        let mut paths: HashMap<String, PathEntry, _> = HashMap::default();
        for operation in &table.operations {
            let compiled = compile_operation(table, operation).map_err(|error| format!("{}: {error}", operation.id))?;
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

    /// Returns the operation for a method and path template. HEAD is GET without the body (RFC 9110, section 9.3.2).
    pub fn find(&self, method: &http::Method, path: &str) -> Option<&Arc<Operation>> {
        let method = if method == http::Method::HEAD { "GET" } else { method.as_str() };
        self.paths.get(path)?.operations.iter().find(|operation| operation.method == method)
    }

    /// Returns the `Allow` header of a path template.
    pub fn allow(&self, path: &str) -> Option<&HeaderValue> {
        self.paths.get(path).map(|entry| &entry.allow)
    }

    /// Compares the routes of a router, as method and path template, with these operations.
    ///
    /// A request to a route without an operation would not be validated.
    ///
    /// # Errors
    /// The routes without an operation, and the operations without a route.
    pub fn check_routes(&self, routes: &[(&str, String)]) -> Result<(), String> {
        let routed: BTreeSet<_> = routes.iter().map(|(method, path)| (path.as_str(), *method)).collect();
        let declared: BTreeSet<_> = self.iter().map(|operation| (operation.path.as_str(), operation.method)).collect();
        let message = |(path, method): &(&str, &str), what: &str| format!("{method} {path} {what}");
        let mut differences: Vec<_> =
            routed.difference(&declared).map(|route| message(route, "is routed, but not in the contract")).collect();
        differences
            .extend(declared.difference(&routed).map(|route| message(route, "is in the contract, but not routed")));
        if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
    }

    /// Returns every operation, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.paths.values().flat_map(|entry| &entry.operations)
    }
}

/// Returns the `Allow` header for these methods. A path with GET supports HEAD, and every path supports OPTIONS.
pub(crate) fn allow(methods: &[&str]) -> HeaderValue {
    let mut all: Vec<&str> = Vec::new();
    for method in methods {
        all.push(method);
        if *method == "GET" {
            all.push("HEAD");
        }
    }
    all.push("OPTIONS");
    // Method names are valid header values.
    HeaderValue::try_from(all.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

fn compile_operation(table: &OperationTable, operation: &openapi_contract::Operation) -> Result<Operation, String> {
    let parameters = operation.parameters.iter().map(|parameter| compile_parameter(table, parameter));
    let contents = operation.body.iter().flat_map(|body| &body.content);
    let is_success = |(status, _): &(&u16, &openapi_contract::Response)| (200..300).contains(*status);
    let bodies = contents.map(|(media, schema)| Ok((media.to_ascii_lowercase(), BodySchema::compile(table, schema)?)));
    let mut headers = operation.responses.iter().filter(is_success).flat_map(|(_, response)| response.headers.keys());
    let has_quota = headers.any(|name| name.eq_ignore_ascii_case("RateLimit"));
    let successes = operation.responses.iter().filter(is_success);
    let produces = successes.flat_map(|(_, response)| response.content.keys().map(|media| media.to_ascii_lowercase()));
    let security = security(operation);
    let only_reads = !security.is_empty() && security.iter().flatten().all(|scope| scope.ends_with(":read"));
    let method = operation.method.as_str();
    Ok(Operation {
        id: operation.id.clone(),
        method,
        path: operation.path.clone(),
        produces: produces.collect(),
        deprecation: operation.deprecated_since.and_then(|since| HeaderValue::try_from(format!("@{since}")).ok()),
        sunset: operation.sunset_at.and_then(http_date),
        metrics: RequestMetrics::new(operation.responses.keys().copied()),
        body_required: operation.body.as_ref().is_some_and(|body| body.required),
        max_body_bytes: operation.max_body_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        limited: operation.responses.contains_key(&429) && (operation.security.is_empty() || has_quota),
        rate_cost: operation
            .rate_cost
            .and_then(|cost| u32::try_from(cost).ok()?.try_into().ok())
            .unwrap_or(NonZeroU32::MIN),
        ignores_unknown_query: operation.ignores_unknown_query,
        conditional: operation.responses.contains_key(&428),
        writes: !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE") && !only_reads,
        security,
        probe: operation.tags.iter().any(|tag| tag == "health"),
        parameters: parameters.collect::<Result<_, String>>()?,
        bodies: bodies.collect::<Result<_, String>>()?,
    })
}

/// The sets of scopes that a caller needs one of. The build has checked that every scheme is a bearer token.
fn security(operation: &openapi_contract::Operation) -> Vec<Vec<String>> {
    if operation.security.iter().any(BTreeMap::is_empty) {
        return Vec::new();
    }
    operation.security.iter().map(|schemes| schemes.values().flatten().cloned().collect()).collect()
}

/// Formats a time in seconds since 1970 as an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(seconds: i64) -> Option<HeaderValue> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    HeaderValue::try_from(time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

fn compile_parameter(table: &OperationTable, parameter: &openapi_contract::Parameter) -> Result<Parameter, String> {
    let in_parameter = |error| format!("parameter {}: {error}", parameter.name);
    let schema = table.resolve(&parameter.schema);
    let document = table.standalone_schema(&parameter.schema);
    let scalar = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Scalar::Integer,
        Some("number") => Scalar::Number,
        Some("boolean") => Scalar::Boolean,
        _ => Scalar::Text,
    };
    Ok(Parameter {
        name: parameter.name.clone(),
        key: match parameter.location {
            Location::Header => parameter.name.to_ascii_lowercase(),
            _ => parameter.name.clone(),
        },
        location: parameter.location,
        required: parameter.required,
        default: schema.get("default").cloned(),
        scalar,
        validator: compile(&document).map_err(in_parameter)?,
        patterns: PatternDescriptions::of(&document),
    })
}
