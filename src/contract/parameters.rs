//! Path, query and header parameters: from text to JSON, validated.

use api::{
    extract::Input,
    problem::{Problem, ProblemType, Violation, ViolationCode},
};
use axum::{
    RequestExt,
    extract::{RawPathParams, Request},
};
use http::HeaderMap;
use openapi_contract::Location;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    operations::{Operation, Parameter, Scalar},
    violations::{describe, most_telling, refuse},
};

/// The violation of a parameter whose text is not UTF-8.
fn not_utf8(name: &str) -> Violation {
    Violation::in_parameter(name, ViolationCode::NotUtf8, "is not valid UTF-8 after percent-decoding")
}

/// Validates the parameters of a request and adds them to `input`, with the defaults of the contract.
///
/// # Errors
/// 400, with every violation.
pub(crate) async fn read(operation: &Operation, request: &mut Request, input: &mut Input) -> Result<(), Problem> {
    let has_query = request.uri().query().is_some() && !operation.ignores_unknown_query;
    if operation.parameters.is_empty() && !has_query {
        return Ok(());
    }
    let mut violations = Vec::new();
    // Skips the extraction for templates without parameters: it would be most of the cost of the validation.
    let has_path_parameters = operation.path.contains('{');
    let extracted =
        if has_path_parameters { request.extract_parts::<RawPathParams>().await.map(Some) } else { Ok(None) };
    let path = match extracted {
        Ok(None) => Vec::new(),
        Ok(Some(path)) => path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        Err(_) => {
            let first = operation.parameters.iter().find(|parameter| parameter.location == Location::Path);
            violations.push(not_utf8(first.map_or("path", |first| &first.name)));
            Vec::new()
        }
    };
    let query = query_pairs(request.uri().query().unwrap_or_default(), &mut violations);
    for (name, _) in &query {
        let is_known = |parameter: &Parameter| parameter.location == Location::Query && parameter.name == *name;
        if !(operation.ignores_unknown_query || operation.parameters.iter().any(is_known)) {
            violations.push(Violation::in_parameter(name, ViolationCode::UnknownParameter, "unknown parameter"));
        }
    }

    for parameter in &operation.parameters {
        let header;
        let (target, values): (_, Vec<&str>) = match parameter.location {
            Location::Path => (&mut input.path, values_of(&path, &parameter.name)),
            Location::Query => (&mut input.query, values_of(&query, &parameter.name)),
            Location::Header | Location::Cookie => {
                header = header_value(request.headers(), &parameter.key);
                (&mut input.header, header.as_deref().into_iter().collect())
            }
        };
        match values[..] {
            // The path is not valid UTF-8, which is reported already.
            [] if parameter.location == Location::Path && !violations.is_empty() => {}
            [] if parameter.required => {
                violations.push(Violation::in_parameter(&parameter.name, ViolationCode::Required, "is required"));
            }
            [] => {
                if let Some(default) = &parameter.default {
                    target.insert(parameter.key.clone(), default.clone());
                }
            }
            [text] => {
                let value = parse(parameter.scalar, text);
                let errors = parameter.validator.iter_errors(&value);
                violations.extend(errors.map(|error| {
                    let (code, limit, detail) = describe(&error, &parameter.patterns);
                    Violation::in_parameter(&parameter.name, code, detail).with_limit(limit)
                }));
                target.insert(parameter.key.clone(), value);
            }
            [_, ..] => {
                violations.push(Violation::in_parameter(&parameter.name, ViolationCode::Repeated, "is repeated"));
            }
        }
    }
    refuse(ProblemType::InvalidParameter, "Parameters", most_telling(violations.into_iter()))
}

fn values_of<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

/// Returns the value of a header, `None` if it is absent. Several lines are one value (RFC 9110, section 5.3), and every byte
/// is a character (section 5.5).
fn header_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut lines = headers.get_all(name).iter().map(|line| line.as_bytes().iter().copied().map(char::from));
    let first = lines.next()?.collect();
    Some(lines.fold(first, |value: String, line| value + ", " + &line.collect::<String>()))
}

/// Parses the query as `application/x-www-form-urlencoded`. A pair that is not valid UTF-8 is a violation.
fn query_pairs(query: &str, violations: &mut Vec<Violation>) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().map(Into::into).ok();
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            (decoded, _) => {
                violations.push(not_utf8(&decoded.unwrap_or_else(|| name.to_owned())));
            }
        }
    }
    pairs
}

/// Converts text to the JSON type of the parameter. Text that does not have this type stays a string, which the schema
/// refuses.
fn parse(scalar: Scalar, text: &str) -> Value {
    // serde_json accepts white space around a number.
    let has_outer_space = text.trim_matches(|c: char| c.is_ascii_whitespace()).len() != text.len();
    let number = || serde_json::from_str::<serde_json::Number>(text).ok().filter(|_| !has_outer_space);
    let parsed = match scalar {
        Scalar::Text => None,
        // The grammar of JSON: no `+5` and no `007`. And no `5.0`, which is an integer in JSON Schema but not in Rust.
        Scalar::Integer => number().filter(|number| !number.is_f64()).map(Value::Number),
        Scalar::Number => number().map(Value::Number),
        Scalar::Boolean => text.parse().ok().map(Value::Bool),
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}
