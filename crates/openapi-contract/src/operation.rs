//! The operations of a contract as the server needs them, with references followed.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::date::unix_seconds;
use crate::equivalence::whole;
use crate::fields::{flag, members, text};
use crate::method::Method;
use crate::paths::{self, Declared, Endpoint, Path};
use crate::pointer;
use crate::source_map::SourceMap;
use crate::words::words;

/// One operation: a method of a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// `operationId`, unique in the contract.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The path template, such as `/users/{id}`.
    pub path: String,
    /// The tags, in source order.
    pub tags: Vec<String>,
    /// Whether the operation is deprecated.
    pub deprecated: bool,
    /// `x-deprecated-since`: the date of deprecation, in seconds since 1970 as in the `Deprecation` header (RFC 9745).
    pub deprecated_since: Option<i64>,
    /// The alternative requirements for a caller. Empty means that any client may call.
    pub security: Vec<SecurityRequirement>,
    /// `x-sunset`: when the operation is removed (RFC 8594), an RFC 3339 date or date-time as written.
    pub sunset: Option<String>,
    /// The same in seconds since 1970.
    pub sunset_at: Option<i64>,
    /// `x-max-body-bytes`: the largest request body accepted, in bytes.
    pub max_body_bytes: Option<u64>,
    /// `x-rate-cost`: how many requests a request counts as, for the rate limits.
    pub rate_cost: Option<u64>,
    /// `x-unknown-query: ignore`: query parameters that the operation does not declare are no error.
    pub ignores_unknown_query: bool,
    /// `x-status: planned`: not implemented yet; not compared, routed or served.
    #[serde(skip)]
    pub planned: bool,
    /// The path item's parameters, overridden by the operation's own.
    pub parameters: Vec<Parameter>,
    /// The request body, if the operation takes one.
    pub body: Option<RequestBody>,
    /// The responses by status.
    pub responses: BTreeMap<u16, Response>,
    /// JSON pointer of the operation in the document, such as `/paths/~1users/get`.
    pub pointer: String,
}

/// Schemes that a caller must satisfy together, each with its scopes. An empty requirement accepts anonymous callers.
pub type SecurityRequirement = BTreeMap<String, Vec<String>>;

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name; header names are compared without regard to case (RFC 9110 §5.1).
    pub name: String,
    /// The part of the request that contains it.
    pub location: Location,
    /// Whether a request must contain it.
    pub required: bool,
    /// Its schema as written, which may contain references into the document.
    pub schema: Value,
}

words! {
    /// The part of a request that contains a parameter. Displayed as the value of `in`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    Location {
        Path = "path", Query = "query", Header = "header", Cookie = "cookie",
    }
}

/// The request body of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestBody {
    /// Whether a request must contain it.
    pub required: bool,
    /// Media type → schema as written, which may contain references into the document; `{}` where none is given.
    pub content: BTreeMap<String, Value>,
}

/// A response of an operation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Response {
    /// Header name as written → header.
    pub headers: BTreeMap<String, Header>,
    /// Media type → schema as written, if there is one. Empty if the response has no content.
    pub content: BTreeMap<String, Option<Value>>,
}

/// A header of a response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Whether every such response contains it.
    pub required: bool,
    /// Its schema as written, which may contain references into the document.
    pub schema: Value,
}

/// The operations of a checked document, in the order of the file.
pub fn table(document: &Value, source: &SourceMap) -> Vec<Operation> {
    let of_path = |path: Path<'_>| -> Vec<Operation> {
        path.endpoints().map(|endpoint| read(document, &path, &endpoint)).collect()
    };
    let mut operations: Vec<Operation> = paths::paths(document).flat_map(of_path).collect();
    // serde_json sorts members by name. A path item may be shared by several paths, so the path is compared first.
    operations.sort_by_cached_key(|operation: &Operation| {
        let path = pointer::join("/paths", &operation.path);
        (source.nearest(&path), source.nearest(&operation.pointer))
    });
    operations
}

fn read(document: &Value, path: &Path<'_>, endpoint: &Endpoint<'_>) -> Operation {
    let operation = endpoint.operation;
    let text = |key: &str| text(operation, key).map(str::to_owned);
    // The list of the operation replaces that of the document.
    let security = operation.get("security").or_else(|| document.get("security"));
    Operation {
        id: text("operationId").unwrap_or_default(),
        method: endpoint.method,
        path: path.template.to_owned(),
        tags: parsed(operation.get("tags")),
        deprecated: flag(operation, "deprecated"),
        security: parsed(security),
        deprecated_since: text("x-deprecated-since").and_then(|date| unix_seconds(&date)),
        sunset: text("x-sunset"),
        sunset_at: text("x-sunset").and_then(|date| unix_seconds(&date)),
        max_body_bytes: operation.get("x-max-body-bytes").and_then(whole),
        rate_cost: operation.get("x-rate-cost").and_then(whole),
        ignores_unknown_query: operation.get("x-unknown-query").is_some_and(|value| value == "ignore"),
        planned: is_planned(operation),
        parameters: path.parameters(document, endpoint).iter().filter_map(parameter).collect(),
        body: operation.get("requestBody").and_then(|body| request_body(document, body)),
        responses: responses(document, operation),
        pointer: endpoint.pointer.clone(),
    }
}

/// Whether an operation has `x-status: planned`.
pub fn is_planned(operation: &Value) -> bool {
    operation.get("x-status").is_some_and(|status| status == "planned")
}

fn parameter(declared: &Declared<'_>) -> Option<Parameter> {
    Some(Parameter {
        name: declared.name.to_owned(),
        location: declared.location.parse().ok()?,
        required: flag(declared.parameter, "required"),
        schema: schema(declared.parameter),
    })
}

fn request_body(document: &Value, listed: &Value) -> Option<RequestBody> {
    let (body, _) = pointer::resolve(document, listed, String::new())?;
    let content = members(body, "content").map(|(media, value)| (media.clone(), schema(value)));
    Some(RequestBody { required: flag(body, "required"), content: content.collect() })
}

fn responses(document: &Value, operation: &Value) -> BTreeMap<u16, Response> {
    let responses = resolved(document, operation, "responses").filter_map(|(status, response)| {
        let headers = resolved(document, response, "headers");
        let headers = headers.map(|(name, header)| {
            (name.clone(), Header { required: flag(header, "required"), schema: schema(header) })
        });
        let content = members(response, "content").map(|(media, value)| (media.clone(), value.get("schema").cloned()));
        let response = Response { headers: headers.collect(), content: content.collect() };
        Some((status.parse().ok()?, response))
    });
    responses.collect()
}

/// The members of the object under `key`, references followed.
fn resolved<'a>(document: &'a Value, value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let follow = |listed| pointer::resolve(document, listed, String::new());
    members(value, key).filter_map(move |(name, listed)| Some((name, follow(listed)?.0)))
}

/// A value as a type that it has in a valid document.
fn parsed<T: DeserializeOwned + Default>(value: Option<&Value>) -> T {
    value.and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

/// The schema of a parameter, header or media type: `schema`, or that of its one media type, or else `{}`.
fn schema(value: &Value) -> Value {
    let of_content = || members(value, "content").next().and_then(|(_, media)| media.get("schema"));
    value.get("schema").or_else(of_content).cloned().unwrap_or_else(|| Value::Object(Map::new()))
}
