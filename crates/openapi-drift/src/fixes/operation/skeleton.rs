//! Whole handlers, for operations that the code has not yet, and where they go.

use serde_json::Value;

use super::{holder, members, own, parameter_clause, parameters, request_body, response};
use crate::fixes::sources::{Handler, Item, masked};
use crate::fixes::text::SourceFile;
use crate::fixes::types::{Types, Way, Words, literal, pascal, snake};
use crate::fixes::{Action, Context, Edit};
use openapi_contract::paths;

/// The edits that add handlers for operations of one path.
pub(in crate::fixes) fn handlers(
    context: &Context<'_>,
    path: &paths::Path<'_>,
    endpoints: &[paths::Endpoint<'_>],
) -> Result<Vec<Edit>, Words> {
    let tags = endpoints.first().map(|one| tags_of(one.operation)).unwrap_or_default();
    let sibling = sibling(context, path.template, &tags);
    let mut types = Types::new(context, sibling.map(|sibling| sibling.file), Way::default());
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        texts.extend(handler(context, &mut types, path, endpoint)?);
        names.push(snake(id_of(endpoint.operation)));
    }
    let text = types.items.iter().chain(&texts).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    let routes = format!("routes!({})", names.join(", "));
    match sibling {
        Some(sibling) => Ok(in_file(sibling, &routes, &text)),
        None => new_file(context, types.imports, path.template, &routes, &text),
    }
}

fn id_of(operation: &Value) -> &str {
    operation.get("operationId").and_then(Value::as_str).unwrap_or_default()
}

fn tags_of(operation: &Value) -> Vec<&str> {
    operation.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A handler for an operation of the contract, after the structs of its parameters.
fn handler(
    context: &Context<'_>,
    types: &mut Types<'_, '_>,
    path: &paths::Path<'_>,
    endpoint: &paths::Endpoint<'_>,
) -> Result<Vec<String>, Words> {
    let id = id_of(endpoint.operation);
    let (name, hint) = (snake(id), pascal(id));
    let tags = tags_of(endpoint.operation);
    let file = sibling(context, path.template, &tags).map(|sibling| sibling.file);
    let own = own(context, endpoint.operation);
    let mut clauses = Vec::new();
    let mut arguments = vec![];
    let mut structs = Vec::new();
    let declared = path.parameters(context.contract.document(), endpoint);
    let mut params = Vec::new();
    for (location, extractor) in [("path", "Path"), ("query", "Query")] {
        let these: Vec<&Value> =
            declared.iter().filter(|one| one.location == location).map(|one| one.parameter).collect();
        if these.is_empty() {
            continue;
        }
        let holder = match known_parameters(context, file, location, &these) {
            Some(item) => item.name.clone(),
            None => {
                let name = format!("{hint}{extractor}");
                structs.push(parameters(types, &name, extractor, &these, location)?);
                name
            }
        };
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
    let mut tuples = Vec::new();
    for (status, one) in members(&own, "responses") {
        tuples.push(response(types, status, one, &hint)?);
    }
    let tags = match tags.as_slice() {
        [] => String::new(),
        [tag] => format!(", tag = {}", literal(&Value::from(*tag))),
        several => format!(", tags = {several:?}"),
    };
    let state = types.import("axum::extract", "State");
    let app = types.import("crate", "AppState");
    arguments.insert(0, format!("{state}(_state): {state}<{app}>"));
    let problem = types.import("crate::problem", "Problem");
    let answer = types.import("axum::response", "Response");

    let method = endpoint.method.key();
    let template = path.template;
    let clauses: String = clauses.iter().map(|clause| format!("\n    {clause},")).collect();
    let separator = if tuples.len() > 1 { "\n        " } else { "" };
    let tuples =
        format!("{separator}{}", tuples.join(&format!(",{}", if separator.is_empty() { " " } else { separator })));
    let signature = format!("async fn {name}({}) -> Result<{answer}, {problem}> {{", arguments.join(", "));
    let signature = if signature.chars().count() > 120 {
        let lines: String = arguments.iter().map(|argument| format!("    {argument},\n")).collect();
        format!("async fn {name}(\n{lines}) -> Result<{answer}, {problem}> {{")
    } else {
        signature
    };
    let handler = format!(
        "#[utoipa::path({method}, path = \"{template}\", operation_id = \"{id}\"{tags},{clauses}\n    responses({tuples}))]\n\
         {signature}\n    // Until it does what the contract promises, it answers 500.\n    Err({problem}::internal())\n}}"
    );
    structs.push(handler);
    Ok(structs)
}

/// The handler beside which a new one belongs: of the same tag, with the path most alike.
fn sibling<'s, 'a>(context: &'s Context<'a>, template: &str, tags: &[&str]) -> Option<&'s Handler<'a>> {
    let root = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let tagged = |handler: &&Handler<'_>| {
        let argument = handler.argument("tag").or_else(|| handler.argument("tags"));
        let text = argument.map_or("", |one| handler.file.slice(one.span.0, one.span.1));
        tags.first().is_some_and(|tag| text.contains(&format!("\"{tag}\"")))
    };
    let alike = |path: &str| path.bytes().zip(template.bytes()).take_while(|(a, b)| a == b).count();
    let candidates =
        context.sources.handlers.iter().filter(|handler| tagged(handler) || root(handler.path()) == root(template));
    candidates.max_by_key(|handler| (tagged(handler), alike(handler.path()), handler.end))
}

/// A struct of the file that holds just these parameters.
fn known_parameters<'s, 'a>(
    context: &'s Context<'a>,
    file: Option<&SourceFile>,
    location: &str,
    these: &[&Value],
) -> Option<&'s Item<'a>> {
    let names: Vec<&str> = these.iter().filter_map(|one| one.get("name")?.as_str()).collect();
    let wanted =
        Value::from(these.iter().map(|one| one.get("schema").cloned().unwrap_or_default()).collect::<Vec<_>>());
    let operations = context.generated.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut operations = operations.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let same = operations.find(|(_, operation)| {
        let listed = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let listed: Vec<_> = listed.filter(|one| one.get("in").is_some_and(|place| place == location)).collect();
        listed.len() == these.len()
            && listed
                .iter()
                .all(|one| one.get("name").and_then(Value::as_str).is_some_and(|name| names.contains(&name)))
            && Value::from(listed.iter().map(|one| one.get("schema").cloned().unwrap_or_default()).collect::<Vec<_>>())
                == wanted
    })?;
    let id = same.1.get("operationId")?.as_str()?;
    let handler =
        context.sources.handler(id).filter(|handler| file.is_some_and(|file| file.path == handler.file.path))?;
    holder(context, handler, location)
}

/// The handler goes after the last one of the file, its route after the sibling's.
fn in_file(sibling: &Handler<'_>, new: &str, text: &str) -> Vec<Edit> {
    let file = sibling.file;
    let masked = masked(&file.text);
    let end = sibling_end(file, &masked, sibling);
    let mut edits = vec![file.insert_after(file.line_of(end), format!("\n{text}"))];
    let routes = routes(&masked);
    let holds =
        |(from, to): &&(usize, usize)| masked.get(*from..*to).is_some_and(|text| holds_word(text, &sibling.name));
    if let Some((_, end)) = routes.iter().find(holds) {
        let rest = file.slice(*end, file.text.len());
        // A line of its own, where it can be: several new handlers do not rewrite one line then.
        edits.push(match rest.starts_with('\n') {
            true => file.insert_after(file.line_of(*end), format!("        .routes({new})")),
            false => file.replace(*end, *end, &format!("\n        .routes({new})")),
        });
    }
    edits
}

/// Where a file, masked, says `.routes(routes!(…))`: from `routes!(` to the end.
pub(in crate::fixes) fn routes(masked: &str) -> Vec<(usize, usize)> {
    let routes = masked.match_indices("routes!(").filter_map(|(at, _)| {
        let close = at + masked.get(at..)?.find(')')?;
        let close = close + masked.get(close + 1..)?.find(')')? + 2;
        Some((at, close))
    });
    routes.collect()
}

pub(in crate::fixes) fn holds_word(text: &str, name: &str) -> bool {
    text.split(|one: char| !one.is_alphanumeric() && one != '_').any(|word| word == name)
}

/// Where the last handler of the sibling's file ends.
fn sibling_end(file: &SourceFile, masked: &str, sibling: &Handler<'_>) -> usize {
    let last = masked.rfind("#[utoipa::path").filter(|at| *at > sibling.end);
    let close = last.and_then(|at| masked.get(at..)?.find("\n}").map(|end| at + end + 2));
    close.filter(|end| *end <= file.text.len()).unwrap_or(sibling.end)
}

/// A resource that has no file yet gets one, and the router takes its routes in.
fn new_file(
    context: &Context<'_>,
    imports: Vec<(&'static str, String)>,
    template: &str,
    new: &str,
    text: &str,
) -> Result<Vec<Edit>, Words> {
    let module = snake(template.split('/').nth(1).unwrap_or("resource"));
    let library = context.code.files.iter().find(|file| file.path.ends_with("src/lib.rs"));
    let library = library.ok_or_else(|| format!("write the handlers of `{template}` and their route, `{new}`"))?;
    let mut lines: Vec<String> = imports.iter().map(|(module, name)| format!("use {module}::{name};")).collect();
    lines.extend(["use utoipa_axum::{router::OpenApiRouter, routes};".to_owned()]);
    lines.sort_by_key(|line| (line.contains("crate::"), line.clone()));
    let file = format!(
        "//! The resource `{module}`.\n\n{}\n\npub(crate) fn routes() -> OpenApiRouter<AppState> {{\n    OpenApiRouter::new().routes({new})\n}}\n\n{text}\n",
        lines.join("\n")
    );
    let masked = masked(&library.text);
    let merged = masked.find("::routes())").map(|at| at + "::routes())".len());
    let merged = merged.ok_or_else(|| format!("write a new module `{module}` with `{new}`, and merge its routes"))?;
    let declared = library
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("pub mod ") && **line < *format!("pub mod {module};"));
    let declared = declared.map(|(index, _)| index + 1).last().unwrap_or_default();
    let path = format!("{}{module}.rs", library.path.trim_end_matches("lib.rs"));
    Ok(vec![
        Edit { file: path, action: Action::Create, text: file.trim_end().to_owned() },
        library.replace(merged, merged, &format!(".merge({module}::routes())")),
        library.insert_after(declared, format!("pub mod {module};")),
    ])
}
