//! Edits of handlers: the clauses of their attributes, their arguments and their parameters.

use serde_json::Value;

use super::item::{append, items_before, member_argument, of_member, with_comma, without_copy};
use super::made::literals;
use super::{Written, tuple};
use crate::Drift;
use crate::fixit::sources::Handler;
use crate::fixit::types::{Types, Way, docs, literal, pascal};
use crate::fixit::{Context, Edit, operation, sources};
use crate::paths;
use crate::pointer;

pub(super) fn of_handler(
    context: &Context<'_>,
    drift: &Drift,
    handler: &Handler<'_>,
    at: &str,
    rest: &[&str],
) -> Written {
    let file = handler.file;
    let id = handler.operation_id().unwrap_or_default();
    let hint = pascal(&id);
    let document = context.contract.document();
    let all: Vec<paths::Path<'_>> = paths::paths(document).collect();
    let template = pointer::tokens(at).nth(1).unwrap_or_default();
    let method = pointer::tokens(at).nth(2).unwrap_or_default();
    let path = all.iter().find(|path| path.template == template);
    let endpoint = path.and_then(|path| path.endpoints().find(|endpoint| endpoint.method.key() == method));
    let (Some(path), Some(endpoint)) = (path, endpoint) else {
        let place = handler.place();
        return Err(format!("take the handler `{}` ({place}) out, and its name out of `routes!`", handler.name));
    };
    let mut types = Types::new(context, Some(file), Way::default());
    match rest {
        ["operationId"] => {
            let id = drift.contract.as_ref().unwrap_or(&Value::Null);
            Ok(handler.argument("operation_id").map(|one| {
                (vec![file.replace(one.span.0, one.span.1, &format!("operation_id = {}", literal(id)))], String::new())
            }))
        }
        ["tags"] => {
            let tags: Vec<&str> = endpoint
                .operation
                .get("tags")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let clause = match tags.as_slice() {
                [tag] => format!("tag = {tag:?}"),
                several => format!("tags = {several:?}"),
            };
            Ok(clause_edit(handler, &["tag", "tags"], &clause))
        }
        ["requestBody", ..] => {
            let own = operation::own(context, endpoint.operation);
            let Some(body) = own.get("requestBody") else {
                return Err(format!(
                    "take `request_body` out of `{}` ({}), and the `Body` among its arguments",
                    handler.name,
                    handler.place()
                ));
            };
            let (clause, rust) = operation::request_body(&mut types, body, &hint)?;
            let mut edits = with_items(handler, &types);
            let taken = file.slice(handler.arguments.0, handler.arguments.1);
            let mut note = String::new();
            if taken.contains("Body<") && !taken.contains(&format!("Body<{rust}>")) {
                note = format!("and let the handler take `Body<{rust}>`: rustc then names what no longer fits");
            } else if !taken.contains("Body<") {
                let end = handler.arguments.1;
                let separator = if file.slice(handler.arguments.0, end).trim_end().ends_with(',') { "" } else { ", " };
                edits.push(file.replace(
                    end,
                    end,
                    &format!("{separator}{0}(_body): {0}<{rust}>", types.import("crate::extract", "Body")),
                ));
            }
            let Some((more, _)) = clause_edit(handler, &["request_body"], &clause) else { return Ok(None) };
            edits.extend(more);
            Ok(Some((edits, note)))
        }
        ["parameters", ..] => parameter(context, drift, handler, (path, &endpoint), at),
        ["responses", status, ..] => {
            let own = operation::own(context, endpoint.operation);
            let place = tuple(handler, status);
            let Some(response) = own.get("responses").and_then(|all| all.get(status)) else {
                let Some(span) = place else { return Ok(None) };
                let span = with_comma(file.slice(0, file.text.len()), span);
                return Ok(Some((vec![file.replace(span.0, span.1, "")], String::new())));
            };
            let text = operation::response(&mut types, status, response, &hint)?;
            let mut edits = with_items(handler, &types);
            edits.extend(registered(context, &types));
            if let Some(span) = place {
                edits.extend(unregistered(context, file.slice(span.0, span.1), &text));
                edits.push(file.replace(span.0, span.1, &text));
                return Ok(Some((edits, String::new())));
            }
            let Some(responses) = handler.argument("responses") else { return Ok(None) };
            match handler.parts(responses).last() {
                Some(last) => edits.push(file.replace(last.1, last.1, &format!(",\n        {text}"))),
                None => edits.push(file.replace(responses.span.1 - 1, responses.span.1 - 1, &text)),
            }
            Ok(Some((edits, String::new())))
        }
        [] => {
            Err(format!("take the handler `{}` ({}) out, and its name out of `routes!`", handler.name, handler.place()))
        }
        _ => Ok(None),
    }
}

/// The new types that a handler needs, before it.
pub(super) fn with_items(handler: &Handler<'_>, types: &Types<'_, '_>) -> Vec<Edit> {
    if types.items.is_empty() {
        return Vec::new();
    }
    let line = handler.file.line_of(handler.attribute.start) - 1;
    vec![handler.file.insert_after(line, format!("{}\n", types.items.join("\n\n")))]
}

/// New types that only headers name have to be listed: utoipa does not collect them.
pub(super) fn registered(context: &Context<'_>, types: &Types<'_, '_>) -> Option<Edit> {
    let names: Vec<&str> =
        types.items.iter().filter_map(|item| item.split("pub struct ").nth(1)?.split(['(', ' ', '{']).next()).collect();
    let module = types.module()?;
    register(context, &names.iter().map(|name| format!("{module}::{name}")).collect::<Vec<_>>())
}

/// Types that only the header of one response named, once it is gone: nobody uses them any more.
pub(super) fn unregistered(context: &Context<'_>, before: &str, after: &str) -> Option<Edit> {
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    let words = |text: &str| text.split(|one| !is_word(one)).map(str::to_owned).collect::<Vec<_>>();
    let kept = words(after);
    let used = |name: &String| {
        let handlers = context.sources.handlers.iter();
        handlers.filter(|one| words(one.file.slice(one.attribute.start, one.attribute.end)).contains(name)).count() > 1
    };
    words(before)
        .into_iter()
        .filter(|word| !kept.contains(word) && !used(word))
        .find_map(|name| unregister(context, &name))
}

/// Takes a type out of the list of those that utoipa does not collect by itself.
pub(super) fn unregister(context: &Context<'_>, name: &str) -> Option<Edit> {
    context.code.files.iter().find_map(|file| {
        let masked = sources::masked(&file.text);
        let open = masked.find("components(schemas(")? + "components(schemas(".len();
        let close = open + masked.get(open..)?.find(')')?;
        let mut at = open;
        for part in masked.get(open..close)?.split(',') {
            let span = (at + part.len() - part.trim_start().len(), at + part.trim_end().len());
            if file.slice(span.0, span.1).rsplit("::").next() == Some(name) {
                let span = with_comma(&file.text, span);
                return Some(file.replace(span.0, span.1, ""));
            }
            at += part.len() + 1;
        }
        None
    })
}

pub(super) fn register(context: &Context<'_>, names: &[String]) -> Option<Edit> {
    if names.is_empty() {
        return None;
    }
    context.code.files.iter().find_map(|file| {
        let masked = sources::masked(&file.text);
        let open = masked.find("components(schemas(")? + "components(schemas(".len();
        let close = open + masked.get(open..)?.find(')')?;
        Some(file.replace(close, close, &format!(", {}", names.join(", "))))
    })
}

/// Another clause in the place of the one that is there, or after the last one before `responses`.
pub(super) fn clause_edit(handler: &Handler<'_>, keys: &[&str], clause: &str) -> Option<(Vec<Edit>, String)> {
    let file = handler.file;
    let known = keys.iter().find_map(|key| handler.argument(key));
    let edit = match known {
        Some(one) => file.replace(one.span.0, one.span.1, clause),
        None => {
            let responses = handler.argument("responses")?;
            file.replace(responses.span.0, responses.span.0, &format!("{clause},\n    "))
        }
    };
    Some((vec![edit], String::new()))
}

pub(super) fn parameter(
    context: &Context<'_>,
    drift: &Drift,
    handler: &Handler<'_>,
    of: (&paths::Path<'_>, &paths::Endpoint<'_>),
    at: &str,
) -> Written {
    let file = handler.file;
    let declared = of.0.parameters(context.contract.document(), of.1);
    // Below a parameter the contract's pointer says which; where one is missing, that is what the drift is about.
    let one = declared.iter().find(|one| {
        drift.pointer == one.site || drift.pointer.starts_with(&format!("{}/", one.site)) || {
            let node = pointer::resolve(context.contract.document(), one.listed, one.site.clone());
            node.is_some_and(|(_, found)| drift.pointer.starts_with(&format!("{found}/")))
        }
    });
    let Some(one) = one else {
        let name = drift.code.as_ref().and_then(|code| code.get("name")).and_then(Value::as_str).unwrap_or_default();
        let location = drift.code.as_ref().and_then(|code| code.get("in")).and_then(Value::as_str).unwrap_or_default();
        let holder = operation::holder(context, handler, location);
        let member = holder.and_then(|item| Some((item, item.member(name)?)));
        return Err(match member {
            Some((item, member)) => format!(
                "take the field `{}` out of `{}` ({}:{})",
                member.name,
                item.name,
                item.file.path,
                item.file.line_of(member.start)
            ),
            None => format!("take `{name}` out of the parameters of `{}` ({})", handler.name, handler.place()),
        });
    };
    let mut types = Types::new(context, Some(file), Way { request: true, response: false });
    if !matches!(one.location, "path" | "query") {
        let clause = operation::parameter_clause(&mut types, one.parameter, &pascal(&handler.name))?;
        let name = format!("\"{}\"", one.name);
        let Some(params) = handler.argument("params") else {
            let mut edits = with_items(handler, &types);
            edits.extend(
                clause_edit(handler, &["params"], &format!("params({clause})"))
                    .map(|(edits, _)| edits)
                    .unwrap_or_default(),
            );
            return Ok(Some((edits, String::new())));
        };
        let parts = handler.parts(params);
        let known = parts.iter().find(|span| file.slice(span.0, span.1).contains(&name));
        let mut edits = with_items(handler, &types);
        edits.push(match known {
            Some(span) => file.replace(span.0, span.1, &clause),
            None => file.replace(params.span.1 - 1, params.span.1 - 1, &format!(", {clause}")),
        });
        return Ok(Some((edits, String::new())));
    }
    let Some(item) = operation::holder(context, handler, one.location) else {
        let extractor = pascal(one.location);
        let name = format!("{}{extractor}", pascal(&handler.operation_id().unwrap_or_default()));
        let these: Vec<&Value> =
            declared.iter().filter(|other| other.location == one.location).map(|other| other.parameter).collect();
        let new = operation::parameters(&mut types, &name, &extractor, &these, one.location)?;
        let clause = match handler.argument("params") {
            Some(params) => Some(file.replace(params.span.1 - 1, params.span.1 - 1, &format!(", {name}"))),
            None => match clause_edit(handler, &["params"], &format!("params({name})")) {
                Some((mut edits, _)) => edits.pop(),
                None => None,
            },
        };
        let Some(clause) = clause else { return Ok(None) };
        let extract = types.import("crate::extract", &extractor);
        let mut items = types.items.clone();
        items.push(new);
        let line = file.line_of(handler.attribute.start) - 1;
        let end = handler.arguments.1;
        let separator = if file.slice(handler.arguments.0, end).trim_end().ends_with(',') || handler.arguments.0 == end
        {
            ""
        } else {
            ", "
        };
        let argument = file.replace(end, end, &format!("{separator}{extract}(_{}): {extract}<{name}>", one.location));
        return Ok(Some((
            vec![argument, clause, file.insert_after(line, format!("{}\n", items.join("\n\n")))],
            String::new(),
        )));
    };
    let _ = at;
    let member = item.member(one.name);
    let public =
        member.or(item.members.first()).is_some_and(|member| item.file.slice(member.start, member.start + 3) == "pub");
    let mut text = types.parameter(&item.name, one.parameter, public)?;
    if let Some(member) = member {
        // The type that the house chose stays, where the schema of the two is what differs.
        let kept = item.text(member.of);
        let generated = text.rsplit_once(": ").map(|(_, rust)| rust.to_owned()).unwrap_or_default();
        let value_type =
            member_argument(member, "value_type", "param").map(|argument| item.text(argument.span).to_owned());
        if let Some(value_type) = value_type
            && value_type.ends_with(&format!("= {generated}"))
        {
            text = text
                .replacen("#[param(", &format!("#[param({value_type}, "), 1)
                .replace(&format!(": {generated}"), &format!(": {kept}"));
        }
        let mut edits = vec![of_member(item, member, text.trim_start())];
        edits.extend(items_before(item, &types));
        return Ok(Some((edits, String::new())));
    }
    let comment = docs(one.parameter, "See the contract.", "    ");
    let mut edits = vec![append(item, &format!("{comment}{text},"))];
    edits.extend(items_before(item, &types));
    let optional = text.contains("Option<");
    edits.extend(literals(context, item, one.name, optional));
    let copied = without_copy(item, &text, &types);
    let note = if copied.is_some() { "rustc then names each place that copied it" } else { "" };
    edits.extend(copied);
    Ok(Some((edits, note.to_owned())))
}
