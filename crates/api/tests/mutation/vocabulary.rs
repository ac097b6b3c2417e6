//! The structure of an OpenAPI document, and which values are plausible at a place.
//!
//! Written from the specification, not from `openapi_contract::grammar`, so that a keyword missing in the grammar is tried
//! anyway.

use openapi_contract::Kind;
use openapi_drift::NOT_COMPARED;
use serde_json::{Map, Value, json};

/// What a node contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Keywords of an object of this kind.
    Object(Kind),
    /// Named objects of this kind.
    Map(Kind),
    /// A list of objects of this kind.
    List(Kind),
    /// A list without order: `required`, `enum`, `tags`.
    Set,
    /// Values that OpenAPI does not interpret.
    Data,
}

use Context::{Data, List, Object, Set};
use Kind::{
    Components, Discriminator, Document, Encoding, Example, Header, Link, MediaType, Operation, Parameter, PathItem,
    RequestBody, Response, Schema, SecurityScheme, Server, Tag,
};

pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Context {
    /// The context of the member `key`.
    pub(crate) fn child(self, key: &str) -> Context {
        let kind = match self {
            Context::Map(kind) | List(kind) => return Object(kind),
            Set | Data => return Data,
            Object(kind) => kind,
        };
        match (kind, key) {
            (Document, "paths") | (Components, "pathItems") => Context::Map(PathItem),
            (Document, "components") => Object(Components),
            (Document, "info") => Object(Kind::Info),
            (Document, "servers") => List(Server),
            (Document, "tags") => List(Tag),
            (Components, "schemas") => Context::Map(Schema),
            (Components, "responses") | (Operation, "responses") => Context::Map(Response),
            (Components, "parameters") => Context::Map(Parameter),
            (Components, "requestBodies") => Context::Map(RequestBody),
            (Components, "headers") | (Response | Encoding, "headers") => Context::Map(Header),
            (Components, "securitySchemes") => Context::Map(SecurityScheme),
            (Components | Response, "links") => Context::Map(Link),
            (Components | Parameter | Header | MediaType, "examples") => Context::Map(Example),
            (PathItem, method) if METHODS.contains(&method) => Object(Operation),
            (PathItem | Operation, "parameters") => List(Parameter),
            (Operation, "requestBody") => Object(RequestBody),
            (Operation, "tags") | (Schema, "required" | "enum") => Set,
            (Parameter | Header | RequestBody | Response, "content") => Context::Map(MediaType),
            (Parameter | Header | MediaType, "schema") | (Schema, "items" | "not" | "additionalProperties") => {
                Object(Schema)
            }
            (MediaType, "encoding") => Context::Map(Encoding),
            (Schema, "properties") => Context::Map(Schema),
            (Schema, "allOf" | "anyOf" | "oneOf") => List(Schema),
            (Schema, "discriminator") => Object(Discriminator),
            _ => Data,
        }
    }

    /// Members to add here. Each changes the meaning. Those already present are not added.
    pub(crate) fn additions(self) -> Vec<(&'static str, Value)> {
        let text = json!({"type": "string"});
        let operation = json!({"operationId": "zzz", "responses": {"200": {"description": "z"}}});
        match self {
            Object(Document) => vec![
                ("externalDocs", json!({"url": "/z"})),
                ("tags", json!([{"name": "z"}])),
                ("servers", json!([{"url": "/z"}])),
                ("security", json!([])),
                ("webhooks", json!({})),
                ("x-zzz", json!(1)),
            ],
            Object(Components) => vec![
                ("schemas", json!({"Zzz": text})),
                ("responses", json!({"Zzz": {"description": "z"}})),
                ("parameters", json!({"Zzz": {"name": "z", "in": "query", "schema": text}})),
                ("requestBodies", json!({"Zzz": {"content": {"application/json": {"schema": text}}}})),
                ("headers", json!({"Zzz": {"schema": text}})),
                ("pathItems", json!({"Zzz": {}})),
                ("links", json!({"Zzz": {"description": "z"}})),
                ("examples", json!({"Zzz": {"value": 1}})),
                ("securitySchemes", json!({"Zzz": {"type": "http", "scheme": "bearer"}})),
                ("callbacks", json!({"Zzz": {}})),
                ("zzz", json!({"Zzz": {}})),
            ],
            Object(PathItem) => {
                let mut added: Vec<_> = METHODS.iter().map(|method| (*method, operation.clone())).collect();
                added.extend([
                    ("parameters", json!([{"name": "zzz", "in": "query", "schema": text}])),
                    ("servers", json!([{"url": "/z"}])),
                    ("summary", json!("z")),
                    ("description", json!("z")),
                    ("zzz", json!({})),
                ]);
                added
            }
            Object(Operation) => vec![
                ("parameters", json!([{"name": "zzz", "in": "query", "schema": text}])),
                ("requestBody", json!({"content": {"application/json": {"schema": text}}})),
                ("tags", json!(["zzz"])),
                ("callbacks", json!({})),
                ("deprecated", json!(true)),
                ("deprecated", json!(false)),
                ("security", json!([])),
                ("security", json!([{"zzz": []}])),
                ("servers", json!([{"url": "/z"}])),
                ("externalDocs", json!({"url": "/z"})),
                ("summary", json!("z")),
                ("description", json!("z")),
                ("x-max-body-bytes", json!(7)),
                ("x-max-body-bytes", json!("many")),
                ("x-status", json!("planned")),
                ("x-status", json!("done")),
                ("x-deprecated-since", json!("2026-01-31")),
                ("x-deprecated-since", json!("soon")),
                ("x-sunset", json!("2027-01-31")),
                ("x-sunset", json!("soon")),
                ("x-zzz", json!(1)),
                ("zzz", json!(1)),
            ],
            Object(Parameter) => vec![
                ("required", json!(true)),
                ("deprecated", json!(true)),
                ("allowEmptyValue", json!(true)),
                ("allowReserved", json!(true)),
                ("style", json!("spaceDelimited")),
                ("explode", json!("form")),
                ("content", json!({"application/json": {"schema": text}})),
                ("schema", text.clone()),
                ("description", json!("z")),
                ("example", json!("z")),
                ("zzz", json!(1)),
            ],
            Object(RequestBody) => vec![("required", json!(true)), ("description", json!("z")), ("zzz", json!(1))],
            Object(MediaType) => vec![
                ("schema", text),
                ("example", json!("z")),
                ("examples", json!({"zzz": {"value": 1}})),
                ("encoding", json!({"zzz": {"contentType": "text/plain"}})),
                ("zzz", json!(1)),
            ],
            Object(Encoding) => vec![("explode", json!(false)), ("allowReserved", json!(true)), ("zzz", json!(1))],
            Object(Response) => vec![
                ("headers", json!({"X-Zzz": {"schema": text}})),
                ("content", json!({"text/zzz": {"schema": text}})),
                ("links", json!({"zzz": {"operationId": "zzz"}})),
                ("links", json!({"zzz": {"description": "z"}})),
                ("summary", json!("z")),
                ("zzz", json!(1)),
            ],
            Object(Header) => vec![
                ("required", json!(true)),
                ("deprecated", json!(true)),
                ("explode", json!(true)),
                ("style", json!("form")),
                ("content", json!({"text/zzz": {"schema": text}})),
                ("schema", text),
                ("description", json!("z")),
                ("example", json!("z")),
                ("name", json!("z")),
                ("zzz", json!(1)),
            ],
            Object(Schema) => vec![
                ("type", json!("string")),
                ("format", json!("zzz")),
                ("enum", json!(["zzz"])),
                ("const", json!("zzz")),
                ("default", json!("zzz")),
                ("nullable", json!(true)),
                ("multipleOf", json!(2)),
                ("minimum", json!(1)),
                ("maximum", json!(7)),
                ("exclusiveMinimum", json!(1)),
                ("exclusiveMaximum", json!(7)),
                ("minLength", json!(1)),
                ("maxLength", json!(7)),
                ("pattern", json!("^z")),
                ("minItems", json!(1)),
                ("maxItems", json!(7)),
                ("uniqueItems", json!(true)),
                ("minProperties", json!(1)),
                ("maxProperties", json!(7)),
                ("required", json!(["zzz"])),
                ("properties", json!({"zzz": text})),
                ("patternProperties", json!({"^z": text})),
                // Not `type: string` alone, because names are strings anyway.
                ("propertyNames", json!({"type": "string", "maxLength": 1})),
                ("additionalProperties", json!(false)),
                ("additionalProperties", text.clone()),
                ("unevaluatedProperties", json!(false)),
                ("items", text.clone()),
                ("prefixItems", json!([text])),
                ("contains", text.clone()),
                ("allOf", json!([text])),
                ("anyOf", json!([text])),
                ("oneOf", json!([text])),
                ("not", text.clone()),
                ("if", text),
                ("discriminator", json!({"propertyName": "zzz"})),
                ("contentEncoding", json!("base64")),
                ("xml", json!({"attribute": true})),
                ("readOnly", json!(true)),
                ("writeOnly", json!(true)),
                ("deprecated", json!(true)),
                ("title", json!("z")),
                ("description", json!("z")),
                ("example", json!("z")),
                ("examples", json!(["z"])),
                ("externalDocs", json!({"url": "/z"})),
                ("maxLenght", json!(7)),
                ("x-pattern-description", json!("must be z")),
                ("x-pattern-description", json!("z")),
                ("x-zzz", json!(1)),
            ],
            Object(_) => vec![("zzz", json!(1))],
            Context::Map(PathItem) => vec![("/zzz", json!({"get": operation}))],
            Context::Map(Response) => vec![
                ("418", json!({"description": "z"})),
                ("4XX", json!({"description": "z"})),
                ("default", json!({"description": "z"})),
            ],
            Context::Map(Header) => {
                vec![("X-Zzz", json!({"schema": text})), ("X-Required", json!({"required": true, "schema": text}))]
            }
            Context::Map(MediaType) => vec![("application/zzz", json!({"schema": text})), ("text/zzz", json!({}))],
            Context::Map(Parameter) => vec![("Zzz", json!({"name": "zzz", "in": "query", "schema": text}))],
            Context::Map(RequestBody) => vec![("Zzz", json!({"content": {"application/json": {"schema": text}}}))],
            Context::Map(Example) => vec![("zzz", json!({"value": 1}))],
            Context::Map(Link) => vec![("zzz", json!({"operationId": "zzz"})), ("zzzz", json!({"description": "z"}))],
            Context::Map(SecurityScheme) => vec![("zzz", json!({"type": "http", "scheme": "basic"}))],
            Context::Map(_) => vec![("zzz", text), ("zzzz", json!({}))],
            List(_) | Set => Vec::new(),
            Data => vec![("zzz", json!(1))],
        }
    }

    /// Items to add to a list.
    pub(crate) fn items(self) -> Vec<Value> {
        match self {
            List(Parameter) => vec![
                json!({"name": "zzz", "in": "query", "schema": {"type": "string"}}),
                json!({"name": "X-Zzz", "in": "header", "required": true, "schema": {"type": "string"}}),
                json!({"name": "zzz", "in": "path", "required": true, "schema": {"type": "string"}}),
            ],
            List(Schema) => vec![json!({"type": "string", "maxLength": 7}), json!({})],
            List(Server) => vec![json!({"url": "/z"})],
            List(Tag) => vec![json!({"name": "z"})],
            _ => vec![json!("zzz")],
        }
    }
}

/// Other words allowed as the value of a keyword.
pub(crate) fn words(owner: Context, key: &str) -> &'static [&'static str] {
    match (owner, key) {
        (Object(Schema), "type") => &["string", "number", "integer", "boolean", "array", "object"],
        (Object(Schema), "format") => &["date", "int64", "uuid"],
        (Object(Parameter), "in") => &["path", "query", "header", "cookie"],
        (Object(Parameter), "style") => &["form", "simple", "deepObject"],
        (Object(Document), "openapi") => &["3.0.3", "3.1.1", "3.2.0"],
        _ => &[],
    }
}

/// Keywords that are easily confused with this one.
pub(crate) fn mistaken(owner: Context, key: &str) -> &'static [&'static str] {
    match (owner, key) {
        (Object(Schema), "minimum") => &["maximum", "exclusiveMinimum", "minLength"],
        (Object(Schema), "maximum") => &["minimum", "exclusiveMaximum", "maxLength"],
        (Object(Schema), "minLength") => &["maxLength", "minItems", "minimum"],
        (Object(Schema), "maxLength") => &["minLength", "maxItems", "maximum"],
        (Object(Schema), "minItems") => &["maxItems", "minLength"],
        (Object(Schema), "maxItems") => &["minItems", "maxLength"],
        (Object(Schema), "pattern") => &["format"],
        (Object(Schema), "format") => &["pattern", "type"],
        (Object(Schema), "enum") => &["required", "const", "examples"],
        (Object(Schema), "required") => &["enum"],
        (Object(Schema), "items") => &["additionalProperties", "not"],
        (Object(Schema), "additionalProperties") => &["unevaluatedProperties", "uniqueItems"],
        (Object(Schema), "allOf" | "anyOf" | "oneOf") => &["allOf", "anyOf", "oneOf"],
        (Object(Parameter | RequestBody), "required") => &["deprecated"],
        (Object(PathItem), method) if METHODS.contains(&method) => &["get", "put", "delete", "trace"],
        (Context::Map(Response), _) => &["299", "2XX", "default"],
        (Context::Map(MediaType), _) => &["application/xml", "application/vnd.zzz+json"],
        _ => &[],
    }
}

/// Whether the member has its default value, so that removing it changes nothing.
pub(crate) fn is_default(owner: Context, key: &str, value: &Value) -> bool {
    match (owner, key) {
        (Object(Parameter | RequestBody), "required") | (Object(Schema), "uniqueItems") => *value == json!(false),
        (Object(Schema), "minItems" | "minLength" | "minProperties") => *value == json!(0),
        (Object(Parameter), "style") => *value == json!("form"),
        _ => false,
    }
}

/// The entry of [`NOT_COMPARED`] that applies to a member of an object, if any.
pub(crate) fn not_compared(owner: Context, key: &str) -> Option<usize> {
    let Object(kind) = owner else { return None };
    NOT_COMPARED.iter().position(|entry| {
        entry.on.is_none_or(|on| on == kind)
            && match entry.key.strip_suffix('*') {
                Some(prefix) => key.starts_with(prefix),
                None => key == entry.key,
            }
    })
}

/// The part of a node that is compared, with its headers instead of references to them: whether a header is required, which is
/// not compared, can be the only difference.
pub(crate) fn structure(document: &Value, context: Context, node: &Value) -> Value {
    let reference = node["$ref"].as_str().filter(|reference| reference.starts_with("#/components/headers/"));
    if let Some(header) = reference.and_then(|reference| document.pointer(reference.trim_start_matches('#'))) {
        return structure(document, context, header);
    }
    let member = |(key, value): (&String, &Value)| (key.clone(), structure(document, context.child(key), value));
    match node {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, _)| not_compared(context, key).is_none());
            Value::Object(kept.map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| structure(document, context.child(""), item)).collect())
        }
        scalar => scalar.clone(),
    }
}
