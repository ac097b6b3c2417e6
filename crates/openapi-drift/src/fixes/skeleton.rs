//! New handlers, for operations that the code does not have yet.

use serde_json::Value;

use super::naming::{ident, literal, pascal};
use super::operation::{own, parameter_clause, parameters, request_body, response, tags};
use super::types::{Types, Words};
use crate::context::Context;
use crate::fix::Edit;
use crate::sources::Handler;
use openapi_contract::fields::{members, text};
use openapi_contract::paths;

/// The edits that add handlers for operations of one path: after the last handler of the file that has the most similar
/// path, and to its routes.
pub(crate) fn handlers(
    context: &Context<'_>,
    path: &paths::Path<'_>,
    endpoints: &[paths::Endpoint<'_>],
) -> Result<Vec<Edit>, Words> {
    let names: Vec<String> =
        endpoints.iter().map(|one| ident(text(one.operation, "operationId").unwrap_or_default())).collect();
    let routes = format!("routes!({})", names.join(", "));
    let tag = endpoints.first().and_then(|one| one.operation.get("tags")?.get(0)?.as_str()).unwrap_or_default();
    let sibling = sibling(context, path.template, tag).ok_or_else(|| {
        format!("write a module for `{}` with its handlers and their route, `{routes}`", path.template)
    })?;
    let file = sibling.file;
    let mut types = Types::new(context, file, sibling.visibility);
    let mut texts = Vec::new();
    for endpoint in endpoints {
        texts.extend(handler(context, &mut types, sibling, path, endpoint)?);
    }
    types.commit();
    let text = types.items.into_iter().chain(texts).collect::<Vec<_>>().join("\n\n");
    let ends = context.sources.handlers.iter().filter(|one| one.file.path == file.path).map(|one| one.end);
    let mut edits = vec![file.insert_after(file.line_of(ends.max().unwrap_or_default()), format!("\n{text}"))];
    let known = context.sources.routes.iter().find(|(of, span)| {
        let mut words = file.slice(span.clone()).split(|one: char| !one.is_alphanumeric() && one != '_');
        of.path == file.path && words.any(|word| word == sibling.name)
    });
    if let Some((_, span)) = known {
        // After the parenthesis of `.routes(…)`.
        let end = span.end + file.slice(span.end..file.text.len()).find(')').map_or(0, |at| at + 1);
        edits.push(match file.slice(end..file.text.len()).starts_with('\n') {
            true => file.insert_after(file.line_of(end), format!("        .routes({routes})")),
            false => file.replace(end..end, &format!("\n        .routes({routes})")),
        });
    }
    Ok(edits)
}

/// The structs of a handler's parameters, and the handler.
fn handler(
    context: &Context<'_>,
    types: &mut Types<'_, '_>,
    sibling: &Handler<'_>,
    path: &paths::Path<'_>,
    endpoint: &paths::Endpoint<'_>,
) -> Result<Vec<String>, Words> {
    let id = text(endpoint.operation, "operationId").unwrap_or_default();
    let (name, hint) = (ident(id), pascal(id));
    let own = own(context, endpoint.operation);
    let (mut clauses, mut structs, mut params) = (Vec::new(), Vec::new(), Vec::new());
    // The state is taken as the sibling takes it.
    let state = sibling.arguments.first().map(|span| sibling.file.slice(span.clone()));
    let state = state.filter(|text| text.starts_with("State(")).and_then(|text| text.split_once("): "));
    let mut arguments: Vec<String> = state.map(|(_, of)| format!("State(_state): {of}")).into_iter().collect();
    let declared = path.parameters(context.contract.document(), endpoint);
    for (location, extractor) in [("path", "Path"), ("query", "Query")] {
        let these: Vec<&Value> =
            declared.iter().filter(|one| one.location == location).map(|one| one.parameter).collect();
        if these.is_empty() {
            continue;
        }
        let holder = format!("{hint}{extractor}");
        structs.push(parameters(types, &holder, location, &these)?);
        let extractor = types.import("crate::extract", extractor);
        arguments.push(format!("{extractor}(_{location}): {extractor}<{holder}>"));
        params.push(holder);
    }
    for one in declared.iter().filter(|one| !matches!(one.location, "path" | "query")) {
        params.push(parameter_clause(types, one.parameter, &hint)?);
    }
    if !params.is_empty() {
        clauses.push(format!("params({})", params.join(", ")));
    }
    if let Some(body) = own.get("requestBody") {
        let (clause, rust) = request_body(types, body, &hint)?;
        clauses.push(clause);
        let extractor = types.import("crate::extract", "Body");
        arguments.push(format!("{extractor}(_body): {extractor}<{rust}>"));
    }
    let mut responses = Vec::new();
    for (status, one) in members(&own, "responses") {
        responses.push(response(types, status, one, &hint)?);
    }
    clauses.push(match responses.as_slice() {
        [one] => format!("responses({one})"),
        several => format!("responses(\n        {})", several.join(",\n        ")),
    });
    let mut head =
        format!("{}, path = {}, operation_id = \"{id}\"", endpoint.method.key(), literal(&path.template.into()));
    head.extend(own.get("tags").map(|_| format!(", {}", tags(&own))));
    let output = if sibling.output.is_empty() { String::new() } else { format!(" -> {}", sibling.output) };
    let function = format!("{}async fn {name}", sibling.visibility);
    let mut signature = format!("{function}({}){output} {{", arguments.join(", "));
    if signature.chars().count() > 120 {
        signature = format!("{function}(\n    {},\n){output} {{", arguments.join(",\n    "));
    }
    let clauses = clauses.join(",\n    ");
    structs.push(format!("#[utoipa::path({head},\n    {clauses})]\n{signature}\n    todo!(\"{id}\")\n}}"));
    Ok(structs)
}

/// The handler whose file a new one belongs to: with the same tag or the same first segment, and the most similar path.
fn sibling<'s, 'a>(context: &'s Context<'a>, template: &str, tag: &str) -> Option<&'s Handler<'a>> {
    let root = |path: &str| path.split('/').nth(1).map(str::to_owned);
    let is_tagged = |handler: &Handler<'_>| {
        let argument = handler.argument("tag").or_else(|| handler.argument("tags"));
        argument.is_some_and(|one| handler.file.slice(one.span.clone()).contains(&format!("\"{tag}\"")))
    };
    let path = |handler: &Handler<'_>| handler.text_of("path").unwrap_or_default();
    let alike = |path: &str| path.bytes().zip(template.bytes()).take_while(|(a, b)| a == b).count();
    let candidates = context.sources.handlers.iter().filter(|one| is_tagged(one) || root(&path(one)) == root(template));
    candidates.max_by_key(|one| (is_tagged(one), alike(&path(one)), one.end))
}
