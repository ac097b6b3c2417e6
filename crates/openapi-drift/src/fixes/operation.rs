//! The clauses of `#[utoipa::path(…)]` for an operation of the contract.

use serde_json::{Map, Value};

use super::naming::{docs, literal, pascal};
use super::types::{Place, Types, Words};
use crate::context::Context;
use crate::sources::{Handler, Item, argument_of, schema_of};
use openapi_contract::fields::{items, members};
use openapi_contract::pointer;

/// An operation of the contract, its references resolved except for schemas, without what the code adds by rule.
pub(crate) fn own(context: &Context<'_>, operation: &Value) -> Value {
    // Only what rules and clauses read.
    let read = ["operationId", "tags", "requestBody", "responses"];
    let read = read.into_iter().filter_map(|key| Some((key.to_owned(), resolved(context, operation.get(key)?))));
    let mut own = Value::Object(read.collect());
    let names = |own: &Value, owner: &str| -> Vec<String> {
        own.pointer(owner).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let leave_out = |own: &mut Value, owner: &str, name: &str| {
        let mut without = own.clone();
        without.pointer_mut(owner).and_then(Value::as_object_mut).map(|members| members.remove(name));
        if (context.code.by_rule)(without.clone()).pointer(&pointer::join(owner, name)).is_some() {
            *own = without;
        }
    };
    for status in names(&own, "/responses") {
        leave_out(&mut own, "/responses", &status);
        let owner = format!("/responses/{status}/headers");
        names(&own, &owner).iter().for_each(|name| leave_out(&mut own, &owner, name));
    }
    own
}

/// A node with its references resolved, except those to schemas.
fn resolved(context: &Context<'_>, node: &Value) -> Value {
    match context.contract.resolve(node) {
        _ if schema_of(pointer::reference(node).unwrap_or_default().trim_start_matches('#')).is_some() => node.clone(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), resolved(context, member))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| resolved(context, item)).collect(),
        scalar => scalar.clone(),
    }
}

/// `tag = "users"`, or `tags = […]`.
pub(crate) fn tags(operation: &Value) -> String {
    let tags: Vec<String> = items(operation, "tags").map(|(_, tag)| literal(tag)).collect();
    match tags.as_slice() {
        [tag] => format!("tag = {tag}"),
        several => format!("tags = [{}]", several.join(", ")),
    }
}

/// `(status = 200, body = User, headers(…))`
pub(crate) fn response(types: &mut Types<'_, '_>, status: &str, response: &Value, hint: &str) -> Result<String, Words> {
    let mut parts = vec![format!("status = {status}")];
    match bodies(types, response, &format!("{hint}Response"))?.as_slice() {
        [] => {}
        [(body, media)] => {
            parts.push(format!("body = {body}"));
            if media != "application/json" || is_text(body) {
                parts.push(format!("content_type = {}", quoted(media)));
            }
        }
        several => parts.push(format!("content({})", listed(several))),
    }
    let mut headers = Vec::new();
    for (name, header) in members(response, "headers") {
        let typed = types.of_header(header.get("schema").unwrap_or(&Value::Null), &pascal(name))?;
        headers.push(format!("({} = {})", quoted(name), typed.rust));
    }
    if !headers.is_empty() {
        parts.push(format!("headers({})", headers.join(", ")));
    }
    Ok(format!("({})", parts.join(", ")))
}

/// `request_body = UserInput`, and the type that the handler takes.
pub(crate) fn request_body(types: &mut Types<'_, '_>, body: &Value, hint: &str) -> Result<(String, String), Words> {
    if body.get("required") != Some(&Value::Bool(true)) {
        return Err("an optional body cannot be derived: write `required: true` in the contract".to_owned());
    }
    let bodies = bodies(types, body, &format!("{hint}Body"))?;
    let first = bodies.first().map(|(body, _)| body.clone()).ok_or("a body needs a media type")?;
    Ok(match bodies.as_slice() {
        [(body, media)] if media == "application/json" && !is_text(body) => (format!("request_body = {body}"), first),
        several => (format!("request_body(content({}))", listed(several)), first),
    })
}

fn bodies(types: &mut Types<'_, '_>, owner: &Value, hint: &str) -> Result<Vec<(String, String)>, Words> {
    let mut bodies = Vec::new();
    for (media, value) in members(owner, "content") {
        let schema =
            value.get("schema").ok_or("utoipa needs a `schema` for each media type: add one to the contract")?;
        bodies.push((types.in_place(schema, hint)?.rust, media.clone()));
    }
    Ok(bodies)
}

/// utoipa treats these types as plain text.
fn is_text(rust: &str) -> bool {
    matches!(rust, "String" | "i32" | "i64" | "f32" | "f64" | "bool" | "Uuid" | "uuid::Uuid")
}

fn listed(bodies: &[(String, String)]) -> String {
    let bodies = bodies.iter().map(|(body, media)| format!("({body} = {})", quoted(media)));
    bodies.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    literal(&Value::from(text))
}

/// `("X-Tenant" = String, Header)`: a parameter that is not a field of a struct.
pub(crate) fn parameter_clause(types: &mut Types<'_, '_>, parameter: &Value, hint: &str) -> Result<String, Words> {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
    let schema = parameter.get("schema").ok_or("a parameter without a `schema` cannot be annotated")?;
    let typed = types.of(schema, &format!("{hint}{}", pascal(text("name"))))?;
    let rust = if typed.is_named { format!("inline({})", typed.rust) } else { typed.rust };
    let required = parameter.get("required") == Some(&Value::Bool(true));
    let rust = if required { rust } else { format!("Option<{rust}>") };
    let mut parts = vec![format!("{} = {rust}", quoted(text("name"))), pascal(text("in"))];
    if !required {
        parts.push("nullable = false".to_owned());
    }
    parts.extend(typed.attributes);
    Ok(format!("({})", parts.join(", ")))
}

/// The struct with the parameters of a handler in one location.
pub(crate) fn holder<'s, 'a>(context: &'s Context<'a>, handler: &Handler<'_>, location: &str) -> Option<&'s Item<'a>> {
    let parts = &handler.argument("params")?.parts;
    // `Page`, or `crate::page::Page`.
    let names: Vec<&str> =
        parts.iter().filter_map(|span| handler.file.slice(span.clone()).rsplit("::").next()).map(str::trim).collect();
    let holds = |item: &&Item<'_>| {
        let argument = argument_of(&item.attributes, "into_params", "parameter_in");
        let is_in = |span| item.file.slice(span).ends_with(&pascal(location));
        names.contains(&item.name.as_str()) && argument.is_some_and(|one| is_in(one.span.clone()))
    };
    let holders = || context.sources.items.iter().filter(holds);
    holders().find(|item| item.file.path == handler.file.path).or_else(|| holders().next())
}

/// A new struct of parameters.
pub(crate) fn parameters(
    types: &mut Types<'_, '_>,
    name: &str,
    location: &str,
    these: &[&Value],
) -> Result<String, Words> {
    let mut place = Place::new(types.visibility);
    let fields: Result<Vec<String>, Words> = these.iter().map(|one| types.parameter(name, one, &mut place)).collect();
    let (deserialize, into) = (types.import("serde", "Deserialize"), types.import("utoipa", "IntoParams"));
    let docs = docs(&Value::Null, &format!("The parameters in the {location}."), "");
    Ok(format!(
        "{docs}#[derive(Debug, {deserialize}, {into})]\n#[into_params(parameter_in = {})]\n{}struct {name} {{\n{}\n}}",
        pascal(location),
        types.visibility,
        fields?.join("\n")
    ))
}
