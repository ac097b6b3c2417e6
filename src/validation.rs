//! Holds every request against the contract, before its handler runs.
//!
//! The order is fixed: parameters and `Accept`, then the body's media type, its size and its syntax, and last the
//! contract's schema. Within a step every violation is told at once. What is left is [`Input`]: JSON that is valid by
//! the contract, which the extractors in `crates/api` decode.

mod accept;
mod json;

use std::time::Duration;

use api::{
    extract::Input,
    problem::{Kind, Problem, Violation},
};
use axum::{
    RequestExt,
    body::Body,
    extract::{RawPathParams, Request},
};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use openapi_contract::{Location, OperationTable};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::operations::{self, Operation, Parameter, Scalar};

/// Violations told at most, so that a small request cannot ask for a huge answer.
const MAX_VIOLATIONS: usize = 1_000;

/// How much of a body is taken, and for how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// In bytes.
    pub max_bytes: usize,
    /// For the whole of it.
    pub timeout: Duration,
}

/// Checks a request against its operation, and puts what it says into its extensions.
///
/// # Errors
/// The problem to answer with, by the design's table: 400, 406, 408, 413, 415, 422.
pub async fn validate(operation: &Operation, mut request: Request, limits: BodyLimits) -> Result<Request, Problem> {
    let mut input = Input::default();
    parameters(operation, &mut request, &mut input).await?;
    if !accept::accepts(request.headers(), &operation.produces) {
        let detail = format!("This operation answers in {}.", operation.produces.join(" or "));
        return Err(Problem::new(Kind::NotAcceptable, detail));
    }
    if let Some(body) = body(operation, &mut request, limits).await? {
        input.body = Some(body);
    }
    // Nobody looks for what cannot be there.
    if !(operation.parameters.is_empty() && operation.bodies.is_empty()) {
        request.extensions_mut().insert(input);
    }
    Ok(request)
}

// ---- Parameters -----------------------------------------------------------------------------------------------------

async fn parameters(operation: &Operation, request: &mut Request, input: &mut Input) -> Result<(), Problem> {
    let mut violations = Vec::new();
    // Most of the cost of an operation without parameters would be to look for some.
    let templated = operation.path.contains('{');
    let path = match if templated { request.extract_parts::<RawPathParams>().await.map(Some) } else { Ok(None) } {
        Ok(None) => Vec::new(),
        Ok(Some(path)) => path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        Err(_) => {
            let named = operation.parameters.iter().find(|parameter| parameter.location == Location::Path);
            let name = named.map_or("path", |parameter| parameter.name.as_str());
            violations.push(Violation::in_parameter(name, "is not UTF-8 once percent-decoded"));
            Vec::new()
        }
    };
    let query = query_pairs(request.uri().query().unwrap_or_default(), &mut violations);
    for (name, _) in &query {
        let known = |parameter: &Parameter| parameter.location == Location::Query && parameter.name == *name;
        if !operation.parameters.iter().any(known) {
            violations.push(Violation::in_parameter(name, "is not a parameter of this operation"));
        }
    }

    for parameter in &operation.parameters {
        let (target, values): (_, Vec<&str>) = match parameter.location {
            Location::Path => (&mut input.path, values_of(&path, &parameter.name)),
            Location::Query => (&mut input.query, values_of(&query, &parameter.name)),
            Location::Header | Location::Cookie => {
                let values = request.headers().get_all(&parameter.name).iter();
                (&mut input.header, values.map(|value| value.to_str().unwrap_or("\u{fffd}")).collect())
            }
        };
        match values[..] {
            [] if parameter.location == Location::Path && !violations.is_empty() => {}
            [] if parameter.required => violations.push(Violation::in_parameter(&parameter.name, "is required")),
            [] => {
                if let Some(default) = &parameter.default {
                    target.insert(parameter.name.clone(), default.clone());
                }
            }
            [text] => {
                let value = parameter.scalar.read(text);
                let errors = parameter.validator.iter_errors(&value);
                violations.extend(errors.map(|error| Violation::in_parameter(&parameter.name, describe(&error))));
                target.insert(parameter.name.clone(), value);
            }
            [_, ..] => violations.push(Violation::in_parameter(&parameter.name, "is given more than once")),
        }
    }
    refuse(Kind::InvalidParameter, "The request's parameters break the contract", violations)
}

fn values_of<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

/// The query as `application/x-www-form-urlencoded`. A pair that is not UTF-8 is a violation; nothing is replaced.
fn query_pairs(query: &str, violations: &mut Vec<Violation>) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(Into::into).ok();
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            (known, _) => violations.push(Violation::in_parameter(
                known.unwrap_or_else(|| name.to_owned()),
                "is not UTF-8 once percent-decoded",
            )),
        }
    }
    pairs
}

impl Scalar {
    /// The JSON value that the text stands for. Text that does not stand for one stays text, which the schema refuses.
    fn read(self, text: &str) -> Value {
        let spaced =
            text.starts_with(|c: char| c.is_ascii_whitespace()) || text.ends_with(|c: char| c.is_ascii_whitespace());
        let number = || serde_json::from_str::<serde_json::Number>(text).ok().filter(|_| !spaced);
        let read = match self {
            Self::Text => None,
            // JSON's own grammar without white space around: no `+5`, no `007`. And no `5.0`, which is an integer to a
            // schema but not to Rust.
            Self::Integer => number().filter(|number| !number.is_f64()).map(Value::Number),
            Self::Number => number().map(Value::Number),
            Self::Boolean => text.parse().ok().map(Value::Bool),
        };
        read.unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

// ---- Body -----------------------------------------------------------------------------------------------------------

/// The body, if the operation takes one and the request has one: read within its limits, parsed, and valid.
async fn body(operation: &Operation, request: &mut Request, limits: BodyLimits) -> Result<Option<Value>, Problem> {
    let absent = !request.headers().contains_key(header::CONTENT_TYPE) && request.body().is_end_stream();
    if operation.bodies.is_empty() || (absent && !operation.body_required) {
        return Ok(None);
    }
    let limits = match operation.max_body_bytes {
        Some(bytes) => BodyLimits { max_bytes: limits.max_bytes.min(bytes), ..limits },
        None => limits,
    };
    let mut body = std::mem::take(request.body_mut());
    let read = match media_type(operation, request.headers()) {
        Ok(validator) => read(request.headers(), &mut body, limits).await.map(|bytes| (validator, bytes)),
        Err(problem) => Err(problem),
    };
    let (validator, bytes) = match read {
        Ok(read) => read,
        Err(problem) => {
            linger(body).await;
            return Err(problem);
        }
    };
    let value = json::parse(&bytes)
        .map_err(|error| Problem::new(Kind::Malformed, format!("The body cannot be read as JSON: {error}.")))?;
    body_schema(validator, &value)?;
    Ok(Some(value))
}

/// Takes some of a body that is refused unread, and keeps none of it. A client that is still sending when its connection is
/// closed may never see the answer (RFC 9112, section 9.6).
async fn linger(mut body: Body) {
    const BYTES: usize = 4 << 20;
    let discard = async {
        let mut taken = 0;
        while taken < BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            taken += frame.data_ref().map_or(0, |data| data.len());
        }
    };
    // A client that is too slow for this has been waited for long enough.
    let _ = tokio::time::timeout(Duration::from_secs(1), discard).await;
}

/// The schema for the media type that the request names.
fn media_type<'a>(operation: &'a Operation, headers: &HeaderMap) -> Result<&'a Validator, Problem> {
    let unsupported = || {
        let known: Vec<_> = operation.bodies.iter().map(|(media, _)| media.as_str()).collect();
        let detail = format!("Send {} in UTF-8, without a Content-Encoding.", known.join(" or "));
        Problem::new(Kind::UnsupportedMediaType, detail)
    };
    let codings = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("unknown"));
    let mut codings = codings.flat_map(|value| value.split(',')).map(str::trim);
    if codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported());
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(unsupported()) };
    let mut parts = value.to_str().map_err(|_| unsupported())?.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(unsupported());
        }
    }
    let body = operation.bodies.iter().find(|(media, _)| *media == essence);
    body.map(|(_, validator)| validator).ok_or_else(unsupported)
}

/// The whole body, within its limits.
async fn read(headers: &HeaderMap, body: &mut Body, limits: BodyLimits) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {} bytes.", limits.max_bytes);
        Problem::new(Kind::ContentTooLarge, detail)
    };
    // A length that is announced and too large is refused before a byte of it is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.max_bytes as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(limits.timeout, Limited::new(body, limits.max_bytes).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Kind::Malformed, "The body ended before it was complete.")),
        Err(_) => {
            let detail = format!("The body did not arrive within {}.", humantime::format_duration(limits.timeout));
            Err(Problem::new(Kind::RequestTimeout, detail))
        }
    }
}

/// Reads JSON as strictly as a request's body is read.
///
/// # Errors
/// It is not one clean document.
pub fn parse_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    json::parse(bytes)
}

/// Every violation of a schema that may refer to the contract's own.
///
/// # Errors
/// The schema is not one.
pub fn violations(table: &OperationTable, schema: &Value, value: &Value) -> Result<Vec<Violation>, String> {
    let validator = operations::compile_schema(table, schema)?;
    Ok(validator.iter_errors(value).flat_map(|error| body_violations(&error)).collect())
}

fn body_schema(validator: &Validator, value: &Value) -> Result<(), Problem> {
    // The common case allocates nothing.
    if validator.is_valid(value) {
        return Ok(());
    }
    let violations = validator.iter_errors(value).flat_map(|error| body_violations(&error)).collect();
    refuse(Kind::Validation, "The body breaks the contract", violations)
}

/// A violation for each member that is missing or unknown, at the place where it should be or is.
fn body_violations(error: &ValidationError<'_>) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    let member = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![Violation::at_pointer(member(property.as_str().unwrap_or_default()), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unknown =
                |name: &String| Violation::at_pointer(member(name), "is not a member that the contract knows");
            unexpected.iter().map(unknown).collect()
        }
        _ => vec![Violation::at_pointer(at, describe(error))],
    }
}

/// What is wrong, without the value itself: it may be long, and it may be private. A pattern is told by the name of its
/// schema, under which the contract says in words what the pattern means.
fn describe(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Format { format } => format!("the value is not of the format {format:?}"),
        ValidationErrorKind::Pattern { pattern } => {
            let path = error.schema_path().as_str();
            let schema = path.strip_prefix("/components/schemas/").and_then(|path| path.split('/').next());
            match schema {
                Some(schema) => format!("the value does not match the pattern of {schema}"),
                None => format!("the value does not match the pattern {pattern}"),
            }
        }
        _ => error.masked_with("the value").to_string(),
    }
}

fn refuse(kind: Kind, what: &str, mut violations: Vec<Violation>) -> Result<(), Problem> {
    let detail = match violations.len() {
        0 => return Ok(()),
        1 => format!("{what} in 1 place."),
        count if count > MAX_VIOLATIONS => format!("{what} in {count} places; the first {MAX_VIOLATIONS} are listed."),
        count => format!("{what} in {count} places."),
    };
    violations.truncate(MAX_VIOLATIONS);
    Err(Problem::new(kind, detail).with_errors(violations))
}
