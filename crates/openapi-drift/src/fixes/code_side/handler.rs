//! Edits of handlers: the clauses of their attributes, and their arguments.

use std::collections::BTreeSet;

use serde_json::Value;

use super::item::with_comma;
use super::{Written, parameter, tuple};
use crate::fixes::renamed::names;
use crate::fixes::sources::Handler;
use crate::fixes::types::{Types, Way, literal, pascal};
use crate::fixes::{Context, Edit, operation, sources};
use crate::{Drift, DriftKind};
use openapi_contract::paths;
use openapi_contract::pointer;

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
            let note = ruled(context, at, endpoint.operation).unwrap_or_default();
            Ok(clause_edit(handler, &["tag", "tags"], &clause).map(|(edits, _)| (edits, note)))
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
                let extractor = types.import("crate::extract", "Body");
                edits.push(handler.argument_more(&format!("{extractor}(_body): {extractor}<{rust}>")));
            }
            let Some((more, _)) = clause_edit(handler, &["request_body"], &clause) else { return Ok(None) };
            edits.extend(more);
            Ok(Some((edits, note)))
        }
        ["parameters", ..] => parameter::of(context, drift, handler, (path, &endpoint), at),
        // Another number for the same answer.
        ["responses", status] if drift.kind == DriftKind::Moved => {
            let (Some((ours, _)), Some(span)) = (names(drift), tuple(handler, status)) else { return Ok(None) };
            let text = file.slice(span.0, span.1).replacen(status, ours, 1);
            Ok(Some((vec![file.replace(span.0, span.1, &text)], "the handler answers with it, too".to_owned())))
        }
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

/// What the rules for all operations make of other tags, where the contract does not follow.
fn ruled(context: &Context<'_>, at: &str, contract: &Value) -> Option<String> {
    let of_code = context.generated.pointer(at.strip_suffix("/tags")?)?;
    let mut own = operation::own(context, of_code);
    let statuses = |operation: &Value| -> BTreeSet<String> {
        let responses = operation.get("responses").and_then(Value::as_object);
        responses.into_iter().flatten().map(|(status, _)| status.clone()).collect()
    };
    let now = statuses(&(context.code.by_rule)(own.clone()));
    own.as_object_mut()?.insert("tags".to_owned(), contract.get("tags")?.clone());
    let then = statuses(&(context.code.by_rule)(own));
    let wanted = statuses(contract);
    let listed = |all: Vec<&String>| all.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let gone = listed(now.difference(&then).filter(|status| wanted.contains(*status)).collect());
    let new = listed(then.difference(&now).filter(|status| !wanted.contains(*status)).collect());
    let rules = context.code.rules;
    let told = [
        (!gone.is_empty()).then(|| format!("takes {gone} away, which the contract has")),
        (!new.is_empty()).then(|| format!("adds {new}, which the contract does not have")),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| format!("the tag decides more: with it the rule in {rules} {}", told.join(", and ")))
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
