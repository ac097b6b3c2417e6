//! Edits of the Rust sources, so that they do what the contract says.

use serde_json::Value;

use super::cause::BY_RULE;
use super::sources::{Argument, Attribute, Handler, Item, Member, operation_id, schema_of};
use super::types::{self, Types, Way, Words, docs, is_required, literal, pascal, snake};
use super::{Context, Edit, Fix, Side, operation};
use crate::operation::is_planned;
use crate::paths;
use crate::pointer::{self, join};
use crate::{Drift, DriftKind};

pub(super) fn fix(context: &Context<'_>, drift: &Drift) -> Option<Fix> {
    let (edits, note) = match written(context, drift) {
        Ok(Some((edits, note))) => (edits, note),
        Ok(None) => (Vec::new(), in_words(drift)),
        Err(words) => (Vec::new(), words),
    };
    Some(Fix { side: Side::Code, edits, note })
}

type Written = Result<Option<(Vec<Edit>, String)>, Words>;

fn written(context: &Context<'_>, drift: &Drift) -> Written {
    if is_by_rule(context, drift) {
        return Err(format!("{BY_RULE}, for all operations of a kind: change the rule in {}", context.code.rules));
    }
    if drift.kind == DriftKind::Dangling {
        return Err(
            "list the schema under `components(schemas(…))` of the base document: utoipa does not collect it by itself"
                .to_owned(),
        );
    }
    if drift.kind == DriftKind::NotPlanned {
        return Err("or take the handler out, until the operation is due".to_owned());
    }
    let contract: Vec<String> = pointer::tokens(&drift.pointer).collect();
    let contract: Vec<&str> = contract.iter().map(String::as_str).collect();
    // A path or an operation that the code has not at all has no place in its spec.
    match contract.as_slice() {
        ["paths", template] if drift.kind == DriftKind::MissingInCode => return operations(context, template, None),
        ["paths", template, method] if drift.kind == DriftKind::MissingInCode && *method != "parameters" => {
            return operations(context, template, Some(method));
        }
        ["components", "schemas", name] if drift.kind == DriftKind::MissingInCode => return schema(context, name),
        _ => {}
    }
    let Some(at) = drift.code_pointer.as_deref() else { return Ok(None) };
    if let Some(name) = schema_of(at) {
        let Some(item) = context.sources.schema(&name) else { return Ok(None) };
        let rest: Vec<String> = pointer::tokens(at).skip(3).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        return of_type(context, drift, item, &name, &rest);
    }
    let Some(handler) = operation_id(context.generated, at).and_then(|id| context.sources.handler(&id)) else {
        return Ok(None);
    };
    let rest: Vec<String> = pointer::tokens(at).skip(3).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    of_handler(context, drift, handler, at, &rest)
}

/// What to do where nothing can be pasted.
fn in_words(drift: &Drift) -> String {
    let who = drift.who.as_deref().unwrap_or("the code");
    match drift.kind {
        DriftKind::MissingInContract => format!("take it out of {who}"),
        _ => format!("let {who} say what the contract says"),
    }
}

/// Whether the code says it by a rule for all operations, so that no handler can be blamed.
pub(super) fn is_by_rule(context: &Context<'_>, drift: &Drift) -> bool {
    let Some(at) = drift.code_pointer.as_deref() else { return false };
    let tokens: Vec<String> = pointer::tokens(at).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let (operation, status, header) = match tokens.as_slice() {
        ["paths", path, method, "responses", status, rest @ ..] => {
            let operation = join(&join("/paths", path), method);
            let header = match rest {
                ["headers", name, ..] => Some(*name),
                _ => None,
            };
            (operation, *status, header)
        }
        _ => return false,
    };
    let Some(operation) = context.generated.pointer(&operation) else { return false };
    let at = match header {
        Some(name) => join(&format!("/responses/{status}/headers"), name),
        None => format!("/responses/{status}"),
    };
    let mut without = operation.clone();
    let Some((owner, _)) = at.rsplit_once('/') else { return false };
    let Some(owner) = without.pointer_mut(owner).and_then(Value::as_object_mut) else { return false };
    owner.remove(header.unwrap_or(status));
    let completed = (context.code.by_rule)(without);
    // A handler that says the same as the rule may say something else, too.
    completed.pointer(&at).is_some() && !said_by_handler(context, operation, status, header)
}

fn said_by_handler(context: &Context<'_>, operation: &Value, status: &str, header: Option<&str>) -> bool {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let Some(handler) = context.sources.handler(id) else { return false };
    tuple(handler, status).is_some_and(|span| {
        header.is_none_or(|name| handler.file.slice(span.0, span.1).contains(&format!("\"{name}\"")))
    })
}

/// Where a handler's attribute speaks of a status.
fn tuple(handler: &Handler<'_>, status: &str) -> Option<(usize, usize)> {
    let responses = handler.argument("responses")?;
    handler.parts(responses).into_iter().find(|span| {
        let text: String = handler.file.slice(span.0, span.1).split_whitespace().collect();
        text.starts_with(&format!("(status={status},")) || text == format!("(status={status})")
    })
}

// ---- Operations -----------------------------------------------------------------------------------------------------

fn operations(context: &Context<'_>, template: &str, method: Option<&str>) -> Written {
    let document = context.contract.document();
    let Some(path) = paths::paths(document).find(|path| path.template == template) else { return Ok(None) };
    let wanted = |endpoint: &paths::Endpoint<'_>| method.is_none_or(|method| endpoint.method.key() == method);
    let endpoints: Vec<_> = path.endpoints().filter(wanted).filter(|one| !is_planned(one.operation)).collect();
    Ok(Some((operation::handlers(context, &path, &endpoints)?, String::new())))
}

fn of_handler(context: &Context<'_>, drift: &Drift, handler: &Handler<'_>, at: &str, rest: &[&str]) -> Written {
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
fn with_items(handler: &Handler<'_>, types: &Types<'_, '_>) -> Vec<Edit> {
    if types.items.is_empty() {
        return Vec::new();
    }
    let line = handler.file.line_of(handler.attribute.start) - 1;
    vec![handler.file.insert_after(line, format!("{}\n", types.items.join("\n\n")))]
}

/// New types that only headers name have to be listed: utoipa does not collect them.
fn registered(context: &Context<'_>, types: &Types<'_, '_>) -> Option<Edit> {
    let names: Vec<&str> =
        types.items.iter().filter_map(|item| item.split("pub struct ").nth(1)?.split(['(', ' ', '{']).next()).collect();
    let module = types.module()?;
    register(context, &names.iter().map(|name| format!("{module}::{name}")).collect::<Vec<_>>())
}

/// Types that only the header of one response named, once it is gone: nobody uses them any more.
fn unregistered(context: &Context<'_>, before: &str, after: &str) -> Option<Edit> {
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
fn unregister(context: &Context<'_>, name: &str) -> Option<Edit> {
    context.code.files.iter().find_map(|file| {
        let masked = super::sources::masked(&file.text);
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

fn register(context: &Context<'_>, names: &[String]) -> Option<Edit> {
    if names.is_empty() {
        return None;
    }
    context.code.files.iter().find_map(|file| {
        let masked = super::sources::masked(&file.text);
        let open = masked.find("components(schemas(")? + "components(schemas(".len();
        let close = open + masked.get(open..)?.find(')')?;
        Some(file.replace(close, close, &format!(", {}", names.join(", "))))
    })
}

/// Another clause in the place of the one that is there, or after the last one before `responses`.
fn clause_edit(handler: &Handler<'_>, keys: &[&str], clause: &str) -> Option<(Vec<Edit>, String)> {
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

fn parameter(
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

// ---- Types ----------------------------------------------------------------------------------------------------------

fn schema(context: &Context<'_>, name: &str) -> Written {
    let way = types::way_of(context, name);
    let busiest = context.code.files.iter().max_by_key(|file| {
        context.sources.items.iter().filter(|item| item.file.path == file.path && item.derives("ToSchema")).count()
    });
    let Some(file) = busiest else { return Ok(None) };
    let mut types = Types::new(context, Some(file), way);
    types.of(&serde_json::json!({ "$ref": format!("#{}", join("/components/schemas", name)) }), name)?;
    let last = context
        .sources
        .items
        .iter()
        .filter(|item| item.file.path == file.path && item.derives("ToSchema") && !item.members.is_empty())
        .map(end_of)
        .max();
    let Some(end) = last else { return Ok(None) };
    let mut edits = vec![file.insert_after(file.line_of(end), format!("\n{}", types.items.join("\n\n")))];
    let Some(module) = types.module() else { return Ok(None) };
    edits.extend(register(context, &[format!("{module}::{name}")]));
    Ok(Some((edits, "no operation uses it: it is listed in the base document".to_owned())))
}

fn of_type(context: &Context<'_>, drift: &Drift, item: &Item<'_>, name: &str, rest: &[&str]) -> Written {
    // What the contract says of the whole type: its pointer ends like the code's.
    let tail: String = rest.iter().fold(String::new(), |tail, token| join(&tail, token));
    let base = drift.pointer.strip_suffix(tail.as_str()).unwrap_or_default();
    let document = context.contract.document();
    let schema = document.pointer(base);
    let mut way = types::way_of(context, name);
    // What the code already derives decides: a type may travel both ways.
    way.response |= item.derives("Serialize");
    way.request |= item.derives("Deserialize");
    match (rest, schema) {
        ([], _) if drift.kind == DriftKind::MissingInContract => {
            Ok(unregister(context, &item.name).map(|edit| (vec![edit], String::new())))
        }
        ([], _) | (_, None) => Ok(None),
        (["properties", property], Some(schema)) if drift.kind == DriftKind::MissingInCode => {
            let Some(member) = schema.get("properties").and_then(|all| all.get(property)) else { return Ok(None) };
            let mut types = Types::new(context, Some(item.file), way);
            let required = is_required(schema, property);
            let public =
                item.members.first().is_none_or(|member| item.file.slice(member.start, member.start + 3) == "pub");
            let (text, _) = types.field(&item.name, property, member, required, public)?;
            let comment = docs(member, &format!("See `{property}` in the contract."), "    ");
            let mut edits = vec![append(item, &format!("{comment}{text},"))];
            edits.extend(items_before(item, &types));
            edits.extend(literals(context, item, property, !required));
            edits.extend(without_copy(item, &text, &types));
            let note = if required { missing_literals(context, item) } else { String::new() };
            Ok(Some((edits, note)))
        }
        (["properties", property], Some(_)) if drift.kind == DriftKind::MissingInContract => {
            let place = item.member(property).map_or_else(
                || item.place(),
                |member| format!("{}:{}", item.file.path, item.file.line_of(member.start)),
            );
            Err(format!(
                "take the field `{property}` out of `{}` ({place}), or keep it to the server with `#[serde(skip)]`",
                item.name
            ))
        }
        (["properties", property, below @ ..], Some(schema)) => {
            let Some(member) = item.member(property) else { return Ok(None) };
            let of_another_type = schema.pointer(&format!("/properties/{property}/type")) != code_type(context, drift);
            if let [keyword] = below
                && !of_another_type
                && let Some(edit) = attribute_edit(item, &member.attributes, member.start, keyword, drift, "    ")
            {
                return Ok(Some((vec![edit], String::new())));
            }
            let Some(property_schema) = schema.get("properties").and_then(|all| all.get(property)) else {
                return Ok(None);
            };
            field(context, item, member, property, property_schema, is_required(schema, property), way)
        }
        (["required"], Some(schema)) => required(context, drift, item, schema, way),
        (["enum"], Some(_)) if item.is_enum => {
            let ours = drift.contract.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let theirs = drift.code.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let new: Vec<_> =
                ours.iter().filter(|value| !theirs.contains(value)).map(types::variant).collect::<Result<_, _>>()?;
            let old: Vec<String> = theirs.iter().filter(|value| !ours.contains(value)).map(Value::to_string).collect();
            let note = if old.is_empty() {
                String::new()
            } else {
                format!("and take the variants for {} out", old.join(", "))
            };
            if new.is_empty() {
                return Err(format!(
                    "take the variants for {} out of `{}` ({})",
                    old.join(", "),
                    item.name,
                    item.place()
                ));
            }
            Ok(Some((vec![append(item, &new.join("\n"))], note)))
        }
        (["additionalProperties"], Some(schema)) => {
            let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            let line = item.file.line_of(item.start) - 1;
            let denied = item
                .attributes
                .iter()
                .find(|one| one.name == "serde" && one.arguments.iter().any(|one| one.key == "deny_unknown_fields"));
            match denied {
                None if closed => {
                    Ok(Some((vec![item.file.insert_after(line, "#[serde(deny_unknown_fields)]")], String::new())))
                }
                Some(attribute) if !closed => {
                    let argument = attribute.arguments.iter().find(|one| one.key == "deny_unknown_fields");
                    Ok(argument.map(|argument| (vec![without(item, attribute, argument)], String::new())))
                }
                _ => Ok(None),
            }
        }
        ([keyword], Some(_)) => Ok(attribute_edit(item, &item.attributes, item.start, keyword, drift, "")
            .map(|edit| (vec![edit], String::new()))),
        _ => Ok(None),
    }
}

/// The type of the object that a keyword of the code's spec stands on.
fn code_type<'c>(context: &'c Context<'_>, drift: &Drift) -> Option<&'c Value> {
    let (owner, _) = drift.code_pointer.as_deref()?.rsplit_once('/')?;
    context.generated.pointer(owner)?.get("type")
}

/// A keyword that has an attribute of its own: said, said otherwise, or not said any more.
fn attribute_edit(
    item: &Item<'_>,
    attributes: &[Attribute],
    start: usize,
    keyword: &str,
    drift: &Drift,
    indent: &str,
) -> Option<Edit> {
    let name = if keyword == "format" { "format" } else { types::attribute_of(keyword)? };
    let named = attributes.iter().filter(|one| one.name == "schema");
    let known = named.clone().find_map(|one| Some((one, one.arguments.iter().find(|argument| argument.key == name)?)));
    let Some(value) = drift.contract.as_ref() else {
        let (attribute, argument) = known?;
        return Some(without(item, attribute, argument));
    };
    let text = match keyword {
        "format" => format!("format = {}", literal(value)),
        _ => types::attribute(keyword, value)?,
    };
    match known {
        Some((_, argument)) => Some(item.file.replace(argument.span.0, argument.span.1, &text)),
        // A format follows from the type, unless an attribute gives it already.
        None if keyword == "format" && !item.text(item.body).contains("String") => None,
        None => Some(item.file.insert_after(item.file.line_of(start) - 1, format!("{indent}#[schema({text})]"))),
    }
}

/// An attribute without one of its arguments, or none at all.
fn without(item: &Item<'_>, attribute: &Attribute, argument: &Argument) -> Edit {
    if attribute.arguments.len() == 1 {
        return item.file.replace(attribute.start, attribute.end, "");
    }
    let span = with_comma(&item.file.text, argument.span);
    item.file.replace(span.0, span.1, "")
}

/// A part of a list and the comma that goes with it.
fn with_comma(text: &str, span: (usize, usize)) -> (usize, usize) {
    let rest = text.get(span.1..).unwrap_or_default();
    if let Some(after) = rest.trim_start().strip_prefix(',') {
        let end = text.len() - after.trim_start_matches(' ').len();
        return (span.0, end);
    }
    let head = text.get(..span.0).unwrap_or_default().trim_end();
    (head.strip_suffix(',').map_or(span.0, str::len), span.1)
}

fn required(context: &Context<'_>, drift: &Drift, item: &Item<'_>, schema: &Value, way: Way) -> Written {
    let names = |side: &Option<Value>| -> Vec<String> {
        side.as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let (ours, theirs) = (names(&drift.contract), names(&drift.code));
    let changed =
        ours.iter().filter(|name| !theirs.contains(name)).chain(theirs.iter().filter(|name| !ours.contains(name)));
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    for name in changed {
        let (Some(member), Some(property)) =
            (item.member(name), schema.get("properties").and_then(|all| all.get(name)))
        else {
            continue;
        };
        let wanted = ours.contains(name);
        if !wanted && !way.request {
            // What is always sent may be called optional: nobody is promised too much.
            edits.push(item.file.insert_after(item.file.line_of(member.start) - 1, "    #[schema(required = false)]"));
            continue;
        }
        if let Some((new, note)) = field(context, item, member, name, property, wanted, way)? {
            edits.extend(new);
            notes.push(note);
        }
    }
    notes.dedup();
    Ok((!edits.is_empty()).then(|| (edits, notes.join("; "))))
}

/// A field written anew from the contract. Its comment stays.
fn field(
    context: &Context<'_>,
    item: &Item<'_>,
    member: &Member,
    name: &str,
    schema: &Value,
    required: bool,
    way: Way,
) -> Written {
    let mut types = Types::new(context, Some(item.file), way);
    let public = item.file.slice(member.start, member.start + 3) == "pub";
    let (text, _) = types.field(&item.name, name, schema, required, public)?;
    let before = item.text(member.of).to_owned();
    let after = text.rsplit_once(": ").map(|(_, rust)| rust.to_owned()).unwrap_or_default();
    let mut edits = vec![of_member(item, member, text.trim_start())];
    edits.extend(items_before(item, &types));
    let note = if before == after {
        String::new()
    } else {
        "rustc then names each place that takes the field for what it was".to_owned()
    };
    Ok(Some((edits, note)))
}

/// A member's lines, its comment left alone.
fn of_member(item: &Item<'_>, member: &Member, text: &str) -> Edit {
    let start = member.attributes.first().map_or(member.start, |one| one.start);
    item.file.replace(start, member.of.1, text)
}

fn member_argument<'m>(member: &'m Member, key: &str, attribute: &str) -> Option<&'m Argument> {
    let attributes = member.attributes.iter().filter(|one| one.name == attribute);
    attributes.flat_map(|one| &one.arguments).find(|argument| argument.key == key)
}

/// A member more, after the last one.
fn append(item: &Item<'_>, text: &str) -> Edit {
    let file = item.file;
    let inner = file.slice(item.body.0, item.body.1);
    if inner.trim().is_empty() {
        return file.replace(item.body.0, item.body.1, &format!("\n{text}\n"));
    }
    let end = item.body.0 + inner.trim_end().len();
    if inner.trim_end().ends_with(',') && inner.contains('\n') {
        return file.insert_after(file.line_of(end), text);
    }
    file.replace(end, end, &format!(",\n{text}\n"))
}

/// A struct that is copied cannot hold what is not.
fn without_copy(item: &Item<'_>, field: &str, types: &Types<'_, '_>) -> Option<Edit> {
    const COPIED: [&str; 7] = ["Uuid", "uuid::Uuid", "i32", "i64", "f32", "f64", "bool"];
    let rust = field.rsplit_once(": ")?.1;
    let inner = rust.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(rust);
    if COPIED.contains(&inner) || types.items.iter().any(|new| new.contains(&format!("pub enum {inner} {{"))) {
        return None;
    }
    let derive = item.attributes.iter().find(|one| one.name == "derive")?;
    let copy = derive.arguments.iter().find(|one| one.key == "Copy")?;
    Some(without(item, derive, copy))
}

/// New types that a type needs, before it and its comment.
fn items_before(item: &Item<'_>, types: &Types<'_, '_>) -> Option<Edit> {
    if types.items.is_empty() {
        return None;
    }
    Some(item.file.insert_after(item.file.line_of(end_of(item)), format!("\n{}", types.items.join("\n\n"))))
}

fn end_of(item: &Item<'_>) -> usize {
    item.body.1 + 1
}

/// Where the sources make a value of this type, member by member.
fn made(context: &Context<'_>, item: &Item<'_>) -> Vec<(usize, usize)> {
    let Some(index) = context.code.files.iter().position(|file| file.path == item.file.path) else { return Vec::new() };
    let mut made = Vec::new();
    for (at, file) in context.code.files.iter().enumerate() {
        let masked = super::sources::masked(&file.text);
        let named = masked.match_indices(&format!("{} {{", item.name)).map(|(start, _)| start).collect::<Vec<_>>();
        for start in named.into_iter().chain(selves(&masked, &item.name)) {
            let head = masked.get(..start).unwrap_or_default().trim_end();
            let declared =
                ["struct", "enum", "impl", "for", "->", "trait", "mod"].iter().any(|word| head.ends_with(word));
            let part =
                masked.get(..start).is_some_and(|head| head.ends_with(|one: char| one.is_alphanumeric() || one == '_'));
            let itself = at == index && (item.start..item.body.0).contains(&start);
            if !(declared || part || itself) {
                made.push((at, start));
            }
        }
    }
    made
}

/// Where a type's own methods say `Self { … }`.
fn selves(masked: &str, name: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (start, _) in masked.match_indices("impl") {
        let Some(open) = masked.get(start..).and_then(|rest| rest.find('{')).map(|at| start + at) else { continue };
        let head = masked.get(start..open).unwrap_or_default();
        if head.split(|one: char| !one.is_alphanumeric() && one != '_').rfind(|word| !word.is_empty()) != Some(name) {
            continue;
        }
        let end = masked.get(open..).and_then(|rest| rest.find("\n}")).map_or(masked.len(), |at| open + at);
        let body = masked.get(open..end).unwrap_or_default();
        found.extend(body.match_indices("Self {").map(|(at, _)| open + at));
    }
    found
}

/// Whoever makes such a value leaves the new member out.
fn literals(context: &Context<'_>, item: &Item<'_>, name: &str, optional: bool) -> Vec<Edit> {
    if !optional {
        return Vec::new();
    }
    let edits = made(context, item).into_iter().filter_map(|(at, start)| {
        let file = context.code.files.get(at)?;
        let masked = super::sources::masked(&file.text);
        let open = start + masked.get(start..)?.find('{')?;
        let close = open + masked.get(open..)?.find('}')?;
        let inner = masked.get(open + 1..close)?;
        if inner.contains("..") {
            return None;
        }
        let end = open + 1 + inner.trim_end().len();
        let comma = if inner.trim().is_empty() || inner.trim_end().ends_with(',') { "" } else { "," };
        Some(file.replace(end, end, &format!("{comma} {}: None", snake(name))))
    });
    edits.collect()
}

fn missing_literals(context: &Context<'_>, item: &Item<'_>) -> String {
    let places: Vec<String> = made(context, item)
        .into_iter()
        .filter_map(|(at, start)| {
            let file = context.code.files.get(at)?;
            Some(format!("{}:{}", file.path, file.line_of(start)))
        })
        .collect();
    if places.is_empty() {
        String::new()
    } else {
        format!("give it a value where a `{}` is made: {}", item.name, places.join(", "))
    }
}
