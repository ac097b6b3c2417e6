//! Handlers: the clauses of `#[utoipa::path(…)]`. `skeleton` writes whole ones.

mod skeleton;

use serde_json::{Map, Value, json};

pub(super) use skeleton::{handlers, holds_word, routes};

use super::Context;
use super::sources::{Handler, Item};
use super::types::{Types, Way, Words, docs, literal, pascal};
use openapi_contract::pointer;

/// An operation of the contract, references to all but schemas followed, without what the code adds by rule.
pub(super) fn own(context: &Context<'_>, operation: &Value) -> Value {
    let mut own = inlined(context.contract.document(), operation);
    let statuses: Vec<String> = members(&own, "responses").map(|(status, _)| status.clone()).collect();
    for status in &statuses {
        let mut without = own.clone();
        if let Some(responses) = without.get_mut("responses").and_then(Value::as_object_mut) {
            responses.remove(status);
        }
        if (context.code.by_rule)(without.clone()).pointer(&format!("/responses/{status}")).is_some() {
            own = without;
        }
    }
    for status in &statuses {
        let at = format!("/responses/{status}/headers");
        let names: Vec<String> =
            own.pointer(&at).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in names {
            let mut without = own.clone();
            if let Some(headers) = without.pointer_mut(&at).and_then(Value::as_object_mut) {
                headers.remove(&name);
            }
            if (context.code.by_rule)(without.clone()).pointer(&pointer::join(&at, &name)).is_some() {
                own = without;
            }
        }
    }
    own
}

/// Only what rules and clauses ask for, so that any reader of operations takes it.
fn inlined(document: &Value, operation: &Value) -> Value {
    let resolve =
        |node: &Value| pointer::resolve(document, node, String::new()).map_or(Value::Null, |(value, _)| value.clone());
    let mut own = Map::new();
    for key in ["operationId", "tags"] {
        own.extend(operation.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    let contents = |node: &Value| -> Value {
        members(node, "content")
            .map(|(media, value)| {
                let schema = value.get("schema").cloned();
                (media.clone(), schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema })))
            })
            .collect::<Map<_, _>>()
            .into()
    };
    if let Some(body) = operation.get("requestBody").map(resolve) {
        own.insert(
            "requestBody".to_owned(),
            json!({ "content": contents(&body), "required": body.get("required") == Some(&Value::Bool(true)) }),
        );
    }
    let responses = members(operation, "responses").map(|(status, listed)| {
        let response = resolve(listed);
        let headers: Map<String, Value> = members(&response, "headers")
            .map(|(name, listed)| {
                let schema = resolve(listed).get("schema").cloned().unwrap_or_else(|| json!({}));
                (name.clone(), json!({ "schema": schema }))
            })
            .collect();
        (status.clone(), json!({ "description": "", "headers": headers, "content": contents(&response) }))
    });
    own.insert("responses".to_owned(), responses.collect::<Map<_, _>>().into());
    Value::Object(own)
}

fn members<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// `(status = 200, body = User, headers(…))`
pub(super) fn response(types: &mut Types<'_, '_>, status: &str, response: &Value, hint: &str) -> Result<String, Words> {
    types.way = Way { request: false, response: true };
    let mut parts = vec![format!("status = {status}")];
    let content: Vec<_> = members(response, "content").collect();
    let mut bodies = Vec::new();
    for (media, value) in &content {
        let schema = value
            .get("schema")
            .ok_or("a media type without a `schema` has no form in utoipa: give it one in the contract")?;
        bodies.push((types.in_place(schema, &format!("{hint}Answer"))?.rust, media.as_str()));
    }
    match bodies.as_slice() {
        [] => {}
        [(body, media)] => {
            parts.push(format!("body = {body}"));
            if *media != "application/json" || is_text(body) {
                parts.push(format!("content_type = {}", literal(&Value::from(*media))));
            }
        }
        several => parts.push(format!("content({})", listed(several))),
    }
    let mut headers = Vec::new();
    for (name, header) in members(response, "headers") {
        let typed = types.of_header(header.get("schema").unwrap_or(&Value::Null), &pascal(name))?;
        headers.push(format!("({} = {})", literal(&Value::from(name.as_str())), typed.rust));
    }
    if !headers.is_empty() {
        parts.push(format!("headers({})", headers.join(", ")));
    }
    Ok(format!("({})", parts.join(", ")))
}

/// utoipa takes these for plain text.
fn is_text(rust: &str) -> bool {
    matches!(rust, "String" | "i32" | "i64" | "f32" | "f64" | "bool" | "Uuid" | "uuid::Uuid")
}

fn listed(bodies: &[(String, &str)]) -> String {
    let bodies = bodies.iter().map(|(body, media)| format!("({body} = {})", literal(&Value::from(*media))));
    bodies.collect::<Vec<_>>().join(", ")
}

/// `request_body = NewUser`, and the type that the handler takes.
pub(super) fn request_body(types: &mut Types<'_, '_>, body: &Value, hint: &str) -> Result<(String, String), Words> {
    types.way = Way { request: true, response: false };
    if body.get("required") != Some(&Value::Bool(true)) {
        return Err("a body that may be missing has no form here: say `required: true` in the contract".to_owned());
    }
    let mut bodies = Vec::new();
    for (media, value) in members(body, "content") {
        let schema = value
            .get("schema")
            .ok_or("a body without a `schema` has no form in utoipa: give it one in the contract")?;
        bodies.push((types.in_place(schema, &format!("{hint}Body"))?.rust, media.as_str()));
    }
    let first = bodies.first().map(|(body, _)| body.clone()).ok_or("a body needs a media type")?;
    Ok(match bodies.as_slice() {
        [(body, "application/json")] if !is_text(body) => (format!("request_body = {body}"), first),
        several => (format!("request_body(content({}))", listed(several)), first),
    })
}

/// `("X-Tenant" = String, Header)`: a parameter that no struct holds.
pub(super) fn parameter_clause(types: &mut Types<'_, '_>, parameter: &Value, hint: &str) -> Result<String, Words> {
    types.way = Way { request: true, response: false };
    let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
    let nothing = Value::Null;
    let schema = parameter.get("schema").filter(|schema| schema.is_object()).unwrap_or(&nothing);
    let typed = types.of(schema, &format!("{hint}{}", pascal(text("name"))))?;
    let required = parameter.get("required") == Some(&Value::Bool(true));
    let rust = if typed.named { format!("inline({})", typed.rust) } else { typed.rust };
    let rust = if required { rust } else { format!("Option<{rust}>") };
    let mut parts = vec![format!("{} = {rust}", literal(&Value::from(text("name")))), pascal(text("in"))];
    if !required {
        parts.push("nullable = false".to_owned());
    }
    parts.extend(typed.attributes);
    Ok(format!("({})", parts.join(", ")))
}

/// The struct in which a handler takes its parameters of one location, whichever file it stands in.
pub(super) fn holder<'s, 'a>(context: &'s Context<'a>, handler: &Handler<'_>, location: &str) -> Option<&'s Item<'a>> {
    let params = handler.argument("params")?;
    let parts = handler.parts(params);
    // `Page`, or `crate::page::Page`.
    let named = |span: &(usize, usize)| handler.file.slice(span.0, span.1).rsplit("::").next().map(str::trim);
    let names: Vec<&str> = parts.iter().filter_map(named).collect();
    let holds = |item: &&Item<'_>| {
        names.contains(&item.name.as_str())
            && item.attributes.iter().any(|one| {
                one.name == "into_params"
                    && one
                        .arguments
                        .iter()
                        .any(|one| one.key == "parameter_in" && item.text(one.span).ends_with(&pascal(location)))
            })
    };
    let holders = || context.sources.items.iter().filter(holds);
    holders().find(|item| item.file.path == handler.file.path).or_else(|| holders().next())
}

/// A new struct of parameters.
pub(super) fn parameters(
    types: &mut Types<'_, '_>,
    name: &str,
    location: &str,
    these: &[&Value],
    what: &str,
) -> Result<String, Words> {
    types.way = Way { request: true, response: false };
    let mut fields = String::new();
    for one in these {
        fields.push_str(&docs(one, "See the contract.", "    "));
        fields.push_str(&types.parameter(name, one, true)?);
        fields.push_str(",\n");
    }
    let (deserialize, into) = (types.import("serde", "Deserialize"), types.import("utoipa", "IntoParams"));
    Ok(format!(
        "/// The parameters in the {what}.\n#[derive(Debug, {deserialize}, {into})]\n#[into_params(parameter_in = {location})]\npub struct {name} {{\n{fields}}}"
    ))
}
