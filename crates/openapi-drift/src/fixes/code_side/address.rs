//! Other paths, methods and names of path parameters, in the attributes of handlers.

use crate::fixes::moved::Move;
use crate::fixes::sources::{Argument, Handler, masked};
use crate::fixes::types::{Words, literal};
use crate::fixes::{Context, Edit, operation};

use super::item::renamed_field;

/// The edits by which the code has it where the contract has it, and what to look at besides.
pub(in crate::fixes) fn moved(context: &Context<'_>, one: &Move) -> Result<(Vec<Edit>, String), Words> {
    let mut edits: Vec<Edit> = Vec::new();
    for id in &one.ids {
        let handler = context.sources.handler(id).ok_or_else(|| {
            format!("let the handler of `{id}` answer `{}`, where it now answers `{}`", one.contract, one.code)
        })?;
        edits.push(attribute(handler, one));
        for edit in fields(context, handler, one)? {
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
        edits.extend(apart(context, handler, one));
    }
    let written: Vec<String> = if one.contract.template == one.code.template {
        Vec::new()
    } else {
        writes(context, &one.code.template, &edits)
    };
    let note = match written.as_slice() {
        [] => String::new(),
        places => format!("the code writes `{}` here, too: {}", stem(&one.code.template), places.join(", ")),
    };
    Ok((edits, note))
}

/// `get, path = "/users/{id}"` and clauses such as `("id" = Uuid, Path)`, as the contract has them.
fn attribute(handler: &Handler<'_>, one: &Move) -> Edit {
    let file = handler.file;
    let mut changes: Vec<((usize, usize), String)> = Vec::new();
    if let (Some(ours), Some(theirs)) = (one.contract.method, one.code.method)
        && let Some(argument) = handler.argument(theirs.key())
    {
        changes.push((argument.span, ours.key().to_owned()));
    }
    if let Some(Argument { span, .. }) = handler.argument("path") {
        changes.push((*span, format!("path = {}", literal(&one.contract.template.as_str().into()))));
    }
    for span in handler.argument("params").map(|params| handler.parts(params)).unwrap_or_default() {
        for (new, old) in &one.renamed {
            let (clause, quoted) = (file.slice(span.0, span.1), format!("\"{old}\""));
            if clause.starts_with('(') && clause.contains("Path") && clause.contains(&quoted) {
                changes.push((span, clause.replacen(&quoted, &format!("\"{new}\""), 1)));
            }
        }
    }
    changes.sort();
    let (from, to) = (
        changes.first().map_or(handler.attribute.start, |(span, _)| span.0),
        changes.last().map_or(handler.attribute.start, |(span, _)| span.1),
    );
    let (mut text, mut at) = (String::new(), from);
    for (span, new) in changes {
        text.push_str(file.slice(at, span.0));
        text.push_str(&new);
        at = span.1;
    }
    file.replace(from, to, &text)
}

/// A field of the struct that holds the path: it keeps its name in Rust.
fn fields(context: &Context<'_>, handler: &Handler<'_>, one: &Move) -> Result<Vec<Edit>, Words> {
    let Some(item) = operation::holder(context, handler, "path") else { return Ok(Vec::new()) };
    let mut edits = Vec::new();
    for (new, old) in &one.renamed {
        let Some(member) = item.member(old) else { continue };
        let others = context.sources.handlers.iter().filter(|other| {
            let stays = other.operation_id().is_some_and(|id| !one.ids.contains(&id));
            stays && operation::holder(context, other, "path").is_some_and(|held| held.place() == item.place())
        });
        let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        if !others.is_empty() {
            return Err(format!(
                "`{}` ({}) holds the path of `{}` too: give `{}` a struct of its own, with a field `{new}`",
                item.name,
                item.place(),
                others.join("`, `"),
                handler.name
            ));
        }
        edits.push(renamed_field(item, member, new));
    }
    Ok(edits)
}

/// `routes!` takes handlers of one path: one that leaves it gets a `routes!` of its own.
fn apart(context: &Context<'_>, handler: &Handler<'_>, one: &Move) -> Option<Edit> {
    if one.contract.method.is_none() || one.contract.template == one.code.template {
        return None;
    }
    let file = context.code.files.iter().find(|file| file.path == handler.file.path)?;
    let masked = masked(&file.text);
    let (from, to) = operation::routes(&masked)
        .into_iter()
        .find(|(from, to)| operation::holds_word(masked.get(*from..*to).unwrap_or_default(), &handler.name))?;
    let inner = masked.get(from..to)?.strip_prefix("routes!(")?.trim_end_matches(')');
    let others: Vec<&str> =
        inner.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != handler.name).collect();
    if others.is_empty() {
        return None;
    }
    Some(file.replace(
        from,
        to,
        &format!("routes!({}))\n        .routes(routes!({}))", others.join(", "), handler.name),
    ))
}

/// What a path begins with, up to its first parameter.
fn stem(template: &str) -> &str {
    template.split('{').next().unwrap_or(template)
}

/// Where else the code writes such a path: lines that are not edited already.
fn writes(context: &Context<'_>, template: &str, edits: &[Edit]) -> Vec<String> {
    const MOST: usize = 5;
    let stem = stem(template);
    if stem.len() < 2 {
        return Vec::new();
    }
    let begins = format!("\"{stem}");
    let whole = format!("\"{stem}\"");
    let mut found = Vec::new();
    for file in context.code.files {
        for (index, line) in file.text.lines().enumerate() {
            let bare = line.trim_start();
            // A path without parameters is written in full; one with some is put together.
            let written = if template.contains('{') { line.contains(&begins) } else { line.contains(&whole) };
            let edited = edits.iter().any(|edit| edit.file == file.path && edit.action.line() == index + 1);
            if written && !edited && !bare.starts_with("//") && !line.contains("path = \"") {
                found.push(format!("{}:{}", file.path, index + 1));
            }
        }
    }
    found.truncate(MOST);
    found
}
