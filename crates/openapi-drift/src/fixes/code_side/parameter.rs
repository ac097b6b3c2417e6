//! Edits of parameters: fields of the structs that hold them, or clauses of a handler's attribute.

use serde_json::Value;

use super::Written;
use super::handler::{clause_edit, with_items};
use super::item::{append, attribute_edit, items_before, member_argument, of_type, without, without_copy};
use super::made::literals;
use crate::fixes::renamed::names;
use crate::fixes::sources::{Handler, Item, Member};
use crate::fixes::types::{Types, Way, attribute_of, docs, pascal};
use crate::fixes::{Context, Edit, operation};
use crate::{Drift, DriftKind};
use openapi_contract::equivalence::folded;
use openapi_contract::paths::{Declared, Endpoint, Path};
use openapi_contract::pointer::{self, join};
use openapi_contract::{Kind, paths};

const TAKEN: Way = Way { request: true, response: false };

pub(super) fn of(
    context: &Context<'_>,
    drift: &Drift,
    handler: &Handler<'_>,
    (path, endpoint): (&Path<'_>, &Endpoint<'_>),
    at: &str,
) -> Written {
    if drift.kind == DriftKind::Moved {
        return Ok(renamed(context, drift, handler, at).map(|edit| (vec![edit], String::new())));
    }
    let declared = path.parameters(context.contract.document(), endpoint);
    let Some(one) = meant(context, drift, &declared, at) else { return Err(surplus(context, drift, handler)) };
    if let Some(written) = of_its_type(context, drift, one) {
        return written;
    }
    if let Some(item) = operation::holder(context, handler, one.location) {
        return match item.member(one.name) {
            Some(member) => of_field(context, drift, item, member, one),
            None => new_field(context, item, one),
        };
    }
    let clauses = handler.argument("params").map(|params| handler.parts(params)).unwrap_or_default();
    let name = format!("\"{}\"", one.name);
    let known = clauses.into_iter().find(|span| handler.file.slice(span.0, span.1).contains(&name));
    match (known, one.location) {
        (None, "path" | "query") => new_struct(context, handler, &declared, one.location),
        (known, _) => clause(context, handler, one, known),
    }
}

/// A parameter under another name: its field keeps the name that it has in Rust.
fn renamed(context: &Context<'_>, drift: &Drift, handler: &Handler<'_>, at: &str) -> Option<Edit> {
    let (ours, theirs) = names(drift)?;
    let location = context.generated.pointer(at)?.get("in")?.as_str()?;
    if let Some(item) = operation::holder(context, handler, location) {
        return super::item::renamed(drift, item);
    }
    let (file, quoted) = (handler.file, format!("\"{theirs}\""));
    let clauses = handler.parts(handler.argument("params")?);
    let span = clauses.into_iter().find(|span| file.slice(span.0, span.1).contains(&quoted))?;
    let clause = file.slice(span.0, span.1).replacen(&quoted, &format!("\"{ours}\""), 1);
    Some(file.replace(span.0, span.1, &clause))
}

/// The parameter of the contract that a drift is about. Below a parameter the contract's pointer says which, or, where
/// that leads into a component, the code's; where one is missing, that is what the drift is about.
fn meant<'d, 'v>(
    context: &Context<'_>,
    drift: &Drift,
    declared: &'d [Declared<'v>],
    at: &str,
) -> Option<&'d Declared<'v>> {
    let document = context.contract.document();
    let by_pointer = declared.iter().find(|one| {
        drift.pointer == one.site || drift.pointer.starts_with(&format!("{}/", one.site)) || {
            let node = pointer::resolve(document, one.listed, one.site.clone());
            node.is_some_and(|(_, found)| drift.pointer.starts_with(&format!("{found}/")))
        }
    });
    by_pointer.or_else(|| {
        let tokens: Vec<String> = pointer::tokens(at).take(5).collect();
        let site = tokens.iter().fold(String::new(), |site, token| join(&site, token));
        let theirs = context.generated.pointer(&site)?;
        let text = |key: &str| theirs.get(key).and_then(Value::as_str);
        let (location, name) = (text("in")?, text("name")?);
        let kind = if location == "header" { Kind::Header } else { Kind::Parameter };
        declared.iter().find(|one| one.key() == (location, folded(kind, name)))
    })
}

/// What to do with a parameter that the contract does not have.
fn surplus(context: &Context<'_>, drift: &Drift, handler: &Handler<'_>) -> String {
    let text =
        |key: &str| drift.code.as_ref().and_then(|code| code.get(key)).and_then(Value::as_str).unwrap_or_default();
    let (name, location) = (text("name"), text("in"));
    let member = operation::holder(context, handler, location).and_then(|item| Some((item, item.member(name)?)));
    match member {
        Some((item, member)) => format!(
            "take the field `{}` out of `{}` ({}:{})",
            member.name,
            item.name,
            item.file.path,
            item.file.line_of(member.start)
        ),
        None => format!("take `{name}` out of the parameters of `{}` ({})", handler.name, handler.place()),
    }
}

/// Where the schema of a parameter is a component with a type of its own, that type is what strayed.
fn of_its_type(context: &Context<'_>, drift: &Drift, one: &Declared<'_>) -> Option<Written> {
    let target = pointer::local(pointer::reference(one.parameter.get("schema")?)?)?;
    let rest = drift.pointer.strip_prefix(&target)?;
    let name = pointer::tokens(&target).last()?;
    let item = context.sources.schema(&name)?;
    let rest: Vec<String> = pointer::tokens(rest).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    Some(of_type(context, drift, item, &name, &rest))
}

/// A field that is there: as little of it as will do.
fn of_field(context: &Context<'_>, drift: &Drift, item: &Item<'_>, member: &Member, one: &Declared<'_>) -> Written {
    let found = pointer::resolve(context.contract.document(), one.listed, one.site.clone()).map(|(_, found)| found);
    let tail = [Some(one.site.as_str()), found.as_deref()].into_iter().flatten();
    let tail = tail.filter_map(|site| drift.pointer.strip_prefix(site)).next().unwrap_or_default();
    let keywords: Vec<String> = pointer::tokens(tail).collect();
    let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
    match keywords.as_slice() {
        ["schema", keyword] if attribute_of(keyword).is_some() && *keyword != "default" => {
            if let Some(edit) =
                attribute_edit(item, &member.attributes, member.start, keyword, drift, ("param", "    "))
            {
                return Ok(Some((vec![edit], String::new())));
            }
        }
        // What comes and goes with a default is whether a value is always there.
        ["schema", "default"] if drift.contract.is_some() && drift.code.is_some() => {
            if let Some(edit) =
                attribute_edit(item, &member.attributes, member.start, "default", drift, ("param", "    "))
            {
                return Ok(Some((vec![edit], String::new())));
            }
        }
        ["required"] => return required(context, item, member, one),
        _ => {}
    }
    anew(context, item, member, one)
}

/// Whether a parameter has to be sent. An `Option` may stay one: validation refuses a request that lacks it.
fn required(context: &Context<'_>, item: &Item<'_>, member: &Member, one: &Declared<'_>) -> Written {
    let wanted = one.parameter.get("required") == Some(&Value::Bool(true));
    let optional = item.text(member.of).starts_with("Option<");
    let said = member.attributes.iter().filter(|one| one.name == "param").find_map(|attribute| {
        attribute.arguments.iter().find(|one| one.key == "required").map(|argument| (attribute, argument))
    });
    match said {
        Some((attribute, argument)) if wanted != optional => {
            Ok(Some((vec![without(item, attribute, argument)], String::new())))
        }
        None if wanted && optional => {
            let edit = super::item::with_argument(
                item,
                &member.attributes,
                member.start,
                "required = true",
                ("param", "    "),
            );
            let note = "the field may stay an `Option`: a request without the parameter never comes this far";
            Ok(Some((vec![edit], note.to_owned())))
        }
        _ => anew(context, item, member, one),
    }
}

/// A field written anew from the contract. What serde is told, and the comment, stay.
fn anew(context: &Context<'_>, item: &Item<'_>, member: &Member, one: &Declared<'_>) -> Written {
    let file = item.file;
    let public = file.slice(member.start, member.start + 3) == "pub";
    let mut types = Types::new(context, Some(file), TAKEN);
    let text = types.parameter(&item.name, one.parameter, public)?;
    let (head, mut rust) =
        text.rsplit_once(": ").map(|(head, rust)| (head.to_owned(), rust.to_owned())).unwrap_or_default();
    let mut lines: Vec<String> = head.lines().map(|line| line.trim().to_owned()).collect();
    let name = file.slice(member.start, member.of.0).trim_end().trim_end_matches(':').to_owned();
    lines.pop();
    lines.retain(|line| !line.starts_with("#[serde("));
    // The type that the house chose stays, where numbers are all that it can hold.
    let kept = item.text(member.of).to_owned();
    let bare = rust.trim_start_matches("Option<").trim_end_matches('>').to_owned();
    if member_argument(member, "value_type", "param").is_some()
        && is_number(&bare)
        && rust.starts_with("Option<") == kept.starts_with("Option<")
    {
        let said = format!("value_type = {bare}");
        match lines.iter_mut().find(|line| line.starts_with("#[param(")) {
            Some(line) => *line = line.replacen("#[param(", &format!("#[param({said}, "), 1),
            None => lines.push(format!("#[param({said})]")),
        }
        rust.clone_from(&kept);
    }
    let others = member.attributes.iter().filter(|one| one.name != "param");
    let mut all: Vec<String> = others.map(|one| file.slice(one.start, one.end).to_owned()).collect();
    all.extend(lines);
    all.push(format!("{name}: {rust}"));
    let start = member.attributes.first().map_or(member.start, |one| one.start);
    let mut edits = vec![file.replace(start, member.of.1, &all.join("\n    "))];
    edits.extend(items_before(item, &types));
    let note = if rust == kept { "" } else { "rustc then names each place that takes the field for what it was" };
    if rust != kept {
        edits.extend(without_copy(item, &format!(": {rust}"), &types));
    }
    Ok(Some((edits, note.to_owned())))
}

fn is_number(rust: &str) -> bool {
    matches!(rust, "i32" | "i64" | "f32" | "f64")
}

fn new_field(context: &Context<'_>, item: &Item<'_>, one: &Declared<'_>) -> Written {
    let public = item.members.first().is_some_and(|member| item.file.slice(member.start, member.start + 3) == "pub");
    let mut types = Types::new(context, Some(item.file), TAKEN);
    let text = types.parameter(&item.name, one.parameter, public)?;
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

/// A parameter that no struct holds, said in the handler's attribute.
fn clause(context: &Context<'_>, handler: &Handler<'_>, one: &Declared<'_>, known: Option<(usize, usize)>) -> Written {
    let file = handler.file;
    let mut types = Types::new(context, Some(file), TAKEN);
    let clause = operation::parameter_clause(&mut types, one.parameter, &pascal(&handler.name))?;
    let mut edits = with_items(handler, &types);
    match (known, handler.argument("params")) {
        (Some(span), _) => edits.push(file.replace(span.0, span.1, &clause)),
        (None, Some(params)) => edits.push(file.replace(params.span.1 - 1, params.span.1 - 1, &format!(", {clause}"))),
        (None, None) => {
            edits.extend(
                clause_edit(handler, &["params"], &format!("params({clause})"))
                    .map(|(edits, _)| edits)
                    .unwrap_or_default(),
            );
        }
    }
    Ok(Some((edits, String::new())))
}

/// A struct for the parameters of one location, where the handler has none.
fn new_struct(
    context: &Context<'_>,
    handler: &Handler<'_>,
    declared: &[paths::Declared<'_>],
    location: &str,
) -> Written {
    let file = handler.file;
    let mut types = Types::new(context, Some(file), TAKEN);
    let extractor = pascal(location);
    let name = format!("{}{extractor}", pascal(&handler.operation_id().unwrap_or_default()));
    let these: Vec<&Value> =
        declared.iter().filter(|other| other.location == location).map(|other| other.parameter).collect();
    let new = operation::parameters(&mut types, &name, &extractor, &these, location)?;
    let clause = match handler.argument("params") {
        Some(params) => Some(file.replace(params.span.1 - 1, params.span.1 - 1, &format!(", {name}"))),
        None => clause_edit(handler, &["params"], &format!("params({name})")).and_then(|(mut edits, _)| edits.pop()),
    };
    let Some(clause) = clause else { return Ok(None) };
    let extract = types.import("crate::extract", &extractor);
    let mut items = types.items.clone();
    items.push(new);
    let line = file.line_of(handler.attribute.start) - 1;
    let argument = handler.argument_more(&format!("{extract}(_{location}): {extract}<{name}>"));
    Ok(Some((vec![argument, clause, file.insert_after(line, format!("{}\n", items.join("\n\n")))], String::new())))
}
