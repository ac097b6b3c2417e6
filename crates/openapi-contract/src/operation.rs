//! What the server must know of each operation, with every reference followed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::date::unix_seconds;
use crate::equivalence::whole;
use crate::paths::{self, Declared, Endpoint, Path};
use crate::pointer;
use crate::source_map::SourceMap;

/// An HTTP method that a path item can declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `TRACE`
    Trace,
}

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
    /// `x-deprecated-since`: when it became so, in seconds since 1970, which is how RFC 9745 tells clients.
    pub deprecated_since: Option<i64>,
    /// Who may call: any one of these suffices. Empty means that anybody may.
    pub security: Vec<SecurityRequirement>,
    /// `x-sunset`: when the operation goes away (RFC 8594), an RFC 3339 date or date-time as written.
    pub sunset: Option<String>,
    /// The same in seconds since 1970.
    pub sunset_at: Option<i64>,
    /// `x-max-body-bytes`: the largest request body accepted, in bytes.
    pub max_body_bytes: Option<u64>,
    /// `x-status: planned`: promised, not built; neither compared, routed nor served.
    #[serde(skip)]
    pub planned: bool,
    /// The path item's parameters, overridden by the operation's own.
    pub parameters: Vec<Parameter>,
    /// The request body, if the operation takes one.
    pub body: Option<RequestBody>,
    /// Every status that the operation may answer with.
    pub responses: BTreeMap<u16, Response>,
    /// JSON pointer of the operation in the document, such as `/paths/~1users/get`.
    pub pointer: String,
}

/// One way to be allowed in: every scheme named must be satisfied, with all of its scopes.
/// An empty one lets anonymous callers in.
pub type SecurityRequirement = BTreeMap<String, Vec<String>>;

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name; header names are matched without regard to case (RFC 9110 §5.1).
    pub name: String,
    /// Where it is carried.
    pub location: Location,
    /// Whether it must be there.
    pub required: bool,
    /// Its schema as written: may hold references into the document.
    pub schema: Value,
}

/// Where a parameter is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// In the path template.
    Path,
    /// In the query string.
    Query,
    /// In a request header.
    Header,
    /// In a cookie.
    Cookie,
}

/// What an operation takes as a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestBody {
    /// Whether it must be there.
    pub required: bool,
    /// Media type → schema as written (may hold references into the document; `{}` where none is given).
    pub content: BTreeMap<String, Value>,
}

/// What an operation answers under one status.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Response {
    /// Header name as written → header.
    pub headers: BTreeMap<String, Header>,
    /// Media type → schema as written, if one is given. Empty means that the response has no content.
    pub content: BTreeMap<String, Option<Value>>,
}

/// A header of a response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Whether every such response carries it.
    pub required: bool,
    /// Its schema as written: may hold references into the document.
    pub schema: Value,
}

impl Method {
    /// Every method, in the order in which OpenAPI lists them.
    pub const ALL: [Method; 8] = [
        Method::Get,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Options,
        Method::Head,
        Method::Patch,
        Method::Trace,
    ];

    /// As on the wire: `GET`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Head => "HEAD",
            Method::Patch => "PATCH",
            Method::Trace => "TRACE",
        }
    }

    /// As a member of a path item: `get`.
    pub const fn key(self) -> &'static str {
        match self {
            Method::Get => "get",
            Method::Put => "put",
            Method::Post => "post",
            Method::Delete => "delete",
            Method::Options => "options",
            Method::Head => "head",
            Method::Patch => "patch",
            Method::Trace => "trace",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Location {
    /// Every location.
    pub const ALL: [Location; 4] = [Location::Path, Location::Query, Location::Header, Location::Cookie];

    /// As `in` has it: `query`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The operations of a checked document, in the order of the file.
pub fn table(document: &Value, source: &SourceMap) -> Vec<Operation> {
    let mut operations = Vec::new();
    for path in paths::paths(document) {
        for endpoint in path.endpoints() {
            operations.push(read(document, &path, &endpoint));
        }
    }
    // serde_json may keep members in another order than the file. Where a path item is shared through a
    // reference, the path decides first.
    operations.sort_by_cached_key(|operation: &Operation| {
        let path = pointer::join("/paths", &operation.path);
        (source.nearest(&path), source.nearest(&operation.pointer))
    });
    operations
}

fn read(document: &Value, path: &Path<'_>, endpoint: &Endpoint<'_>) -> Operation {
    let operation = endpoint.operation;
    let text = |key: &str| operation.get(key).and_then(Value::as_str).map(str::to_owned);
    // The operation's own list replaces the document's: `security: []` opens it.
    let security = operation.get("security").or_else(|| document.get("security"));
    Operation {
        id: text("operationId").unwrap_or_default(),
        method: endpoint.method,
        path: path.template.to_owned(),
        tags: strings(operation.get("tags")),
        deprecated: flag(operation, "deprecated"),
        security: security.and_then(Value::as_array).into_iter().flatten().map(requirement).collect(),
        deprecated_since: text("x-deprecated-since").and_then(|date| unix_seconds(&date)),
        sunset: text("x-sunset"),
        sunset_at: text("x-sunset").and_then(|date| unix_seconds(&date)),
        max_body_bytes: operation.get("x-max-body-bytes").and_then(whole),
        planned: is_planned(operation),
        parameters: path.parameters(document, endpoint).iter().filter_map(parameter).collect(),
        body: operation.get("requestBody").and_then(|body| request_body(document, body)),
        responses: responses(document, operation),
        pointer: endpoint.pointer.clone(),
    }
}

/// Whether an operation is promised rather than built.
pub fn is_planned(operation: &Value) -> bool {
    operation.get("x-status").is_some_and(|status| status == "planned")
}

fn requirement(value: &Value) -> SecurityRequirement {
    let schemes = value.as_object().into_iter().flatten();
    schemes.map(|(scheme, scopes)| (scheme.clone(), strings(Some(scopes)))).collect()
}

fn parameter(declared: &Declared<'_>) -> Option<Parameter> {
    Some(Parameter {
        name: declared.name.to_owned(),
        location: Location::ALL.into_iter().find(|location| location.as_str() == declared.location)?,
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
    members(operation, "responses")
        .filter_map(|(status, listed)| {
            let (response, _) = pointer::resolve(document, listed, String::new())?;
            let headers = members(response, "headers").filter_map(|(name, listed)| {
                let (header, _) = pointer::resolve(document, listed, String::new())?;
                Some((name.clone(), Header { required: flag(header, "required"), schema: schema(header) }))
            });
            let content =
                members(response, "content").map(|(media, value)| (media.clone(), value.get("schema").cloned()));
            let response = Response { headers: headers.collect(), content: content.collect() };
            Some((status.parse().ok()?, response))
        })
        .collect()
}

/// The schema of what is described by `schema` or else by its one media type; `{}` if by neither.
fn schema(value: &Value) -> Value {
    let of_content = || members(value, "content").next().and_then(|(_, media)| media.get("schema"));
    value.get("schema").or_else(of_content).cloned().unwrap_or_else(|| Value::Object(Map::new()))
}

fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
