//! Edits of types: their attributes, fields and variants.

use serde_json::Value;

use super::Written;
use super::handler::{register, unregister};
use super::made::{literals, missing_literals};
use crate::diff::Followed;
use crate::fixes::renamed::names;
use crate::fixes::sources::{Argument, Attribute, Item, Member};
use crate::fixes::types::{self, Typed, Types, Way, attribute_of, docs, is_required, literal};
use crate::fixes::{Context, Edit, noted};
use crate::{Drift, DriftKind};
use openapi_contract::pointer::{self, join};

pub(super) fn schema(context: &Context<'_>, name: &str) -> Written {
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

pub(super) fn of_type(context: &Context<'_>, drift: &Drift, item: &Item<'_>, name: &str, rest: &[&str]) -> Written {
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
        (["properties", _], _) if drift.kind == DriftKind::Moved => {
            Ok(renamed(drift, item).map(|edit| (vec![edit], String::new())))
        }
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
            Ok(Some((edits, noted(&why(&types), &note))))
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
                && let Some(edit) =
                    attribute_edit(item, &member.attributes, member.start, keyword, drift, ("schema", "    "))
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
        ([keyword], Some(schema)) => {
            let edit = attribute_edit(item, &item.attributes, item.start, keyword, drift, ("schema", ""));
            Ok(match edit {
                Some(edit) => Some((vec![edit], String::new())),
                None if attribute_of(keyword).is_some() => None,
                None => whole(context, item, schema, way),
            })
        }
        _ => Ok(None),
    }
}

/// A type written anew from the contract: another type inside, or a schema by hand. `None` for one with fields.
pub(super) fn whole(context: &Context<'_>, item: &Item<'_>, schema: &Value, way: Way) -> Option<(Vec<Edit>, String)> {
    let file = item.file;
    let mut types = Types::new(context, Some(file), way);
    let is_tuple = file.slice(item.body.0.saturating_sub(1), item.body.0) == "(";
    let (rust, attributes) = match types.newtype(&item.name, schema) {
        Ok((Typed { rust, .. }, attributes)) if is_tuple && types.items.is_empty() => (rust, attributes),
        Ok(_) => return None,
        Err(words) => return types::implemented(item, schema).map(|edits| (edits, types::by_hand(&words))),
    };
    let public = if item.text(item.body).starts_with("pub ") { "pub " } else { "" };
    let before = item.text(item.body).trim_start_matches("pub ").to_owned();
    // Its lines from the first attribute that goes.
    let said: Vec<_> = item.attributes.iter().filter(|one| one.name == "schema").collect();
    let start = said.first().map_or(item.start, |one| one.start);
    let head = said.iter().fold(file.slice(start, item.body.0).to_owned(), |head, one| {
        head.replacen(file.slice(one.start, one.end), "", 1).trim_start().to_owned()
    });
    let schema = if attributes.is_empty() { String::new() } else { format!("#[schema({})]\n", attributes.join(", ")) };
    let edits = vec![file.replace(start, item.body.1, &format!("{schema}{head}{public}{rust}"))];
    let note = if before == rust { "" } else { "rustc then names each place that takes it for what it was" };
    Some((edits, note.to_owned()))
}

/// Why a schema is written by hand, if one is.
pub(super) fn why(types: &Types<'_, '_>) -> String {
    types.by_hand.as_deref().map(types::by_hand).unwrap_or_default()
}

/// A field under another name in JSON: it keeps its name in Rust.
pub(super) fn renamed(drift: &Drift, item: &Item<'_>) -> Option<Edit> {
    let (ours, theirs) = names(drift)?;
    Some(renamed_field(item, item.member(theirs)?, ours))
}

pub(super) fn renamed_field(item: &Item<'_>, member: &Member, name: &str) -> Edit {
    let text = format!("rename = {}", literal(&Value::from(name)));
    match member_argument(member, "rename", "serde") {
        Some(argument) => item.file.replace(argument.span.0, argument.span.1, &text),
        None => with_argument(item, &member.attributes, member.start, &text, ("serde", "    ")),
    }
}

/// The type of the object that a keyword of the code's spec stands on.
pub(super) fn code_type<'c>(context: &'c Context<'_>, drift: &Drift) -> Option<&'c Value> {
    let (owner, _) = drift.code_pointer.as_deref()?.rsplit_once('/')?;
    context.generated.pointer(owner)?.get("type")
}

/// A keyword that has an attribute of its own: said, said otherwise, or not said any more. `form` is the name of the
/// attribute and how far it is indented.
pub(super) fn attribute_edit(
    item: &Item<'_>,
    attributes: &[Attribute],
    start: usize,
    keyword: &str,
    drift: &Drift,
    form: (&str, &str),
) -> Option<Edit> {
    let name = if keyword == "format" { "format" } else { types::attribute_of(keyword)? };
    let mut named = attributes.iter().filter(|one| one.name == form.0);
    let known = named.find_map(|one| Some((one, one.arguments.iter().find(|argument| argument.key == name)?)));
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
        None => Some(with_argument(item, attributes, start, &text, form)),
    }
}

/// One argument more in the attribute of this name, or in a new one.
pub(super) fn with_argument(
    item: &Item<'_>,
    attributes: &[Attribute],
    start: usize,
    text: &str,
    (name, indent): (&str, &str),
) -> Edit {
    let last = attributes.iter().filter(|one| one.name == name).find_map(|one| one.arguments.last());
    match last {
        Some(last) => item.file.replace(last.span.1, last.span.1, &format!(", {text}")),
        None => item.file.insert_after(item.file.line_of(start) - 1, format!("{indent}#[{name}({text})]")),
    }
}

/// An attribute without one of its arguments, or none at all.
pub(super) fn without(item: &Item<'_>, attribute: &Attribute, argument: &Argument) -> Edit {
    if attribute.arguments.len() == 1 {
        return item.file.replace(attribute.start, attribute.end, "");
    }
    let span = with_comma(&item.file.text, argument.span);
    item.file.replace(span.0, span.1, "")
}

/// A part of a list and the comma that goes with it.
pub(super) fn with_comma(text: &str, span: (usize, usize)) -> (usize, usize) {
    let rest = text.get(span.1..).unwrap_or_default();
    if let Some(after) = rest.trim_start().strip_prefix(',') {
        let end = text.len() - after.trim_start_matches(' ').len();
        return (span.0, end);
    }
    let head = text.get(..span.0).unwrap_or_default().trim_end();
    (head.strip_suffix(',').map_or(span.0, str::len), span.1)
}

pub(super) fn required(context: &Context<'_>, drift: &Drift, item: &Item<'_>, schema: &Value, way: Way) -> Written {
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
            if member_argument(member, "required", "schema").is_some() || item.text(member.of).starts_with("Option<") {
                continue;
            }
            edits.push(with_argument(item, &member.attributes, member.start, "required = false", ("schema", "    ")));
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
pub(super) fn field(
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
    let (mut text, _) = types.field(&item.name, name, schema, required, public)?;
    let before = item.text(member.of).to_owned();
    let mut after = text.rsplit_once(": ").map(|(_, rust)| rust.to_owned()).unwrap_or_default();
    let said = join(&join("/components/schemas", &item.name), "properties");
    let said = context.generated.pointer(&join(&said, name)).and_then(|said| said.get("type"));
    // A schema that is written by hand asks for no other type.
    if types.by_hand.is_some() && said == schema.get("type") && before.starts_with("Option<") != required {
        text = format!("{}{before}", text.strip_suffix(&after).unwrap_or_default());
        after.clone_from(&before);
    }
    let mut edits = vec![of_member(item, member, &in_its_place(item, member, &text))];
    edits.extend(items_before(item, &types));
    let note = if before == after {
        String::new()
    } else {
        "rustc then names each place that takes the field for what it was".to_owned()
    };
    Ok(Some((edits, noted(&why(&types), &note))))
}

/// A field as it is written anew, with the name that it has in Rust and with what serde is told of it besides.
fn in_its_place(item: &Item<'_>, member: &Member, text: &str) -> String {
    const SERDE: &str = "#[serde(";
    let (head, rust) = text.rsplit_once(": ").unwrap_or_default();
    let mut lines: Vec<&str> = head.lines().map(str::trim).collect();
    lines.pop();
    let said = lines.iter().find_map(|line| line.strip_prefix(SERDE)?.strip_suffix(")]"));
    let is_renamed = member_argument(member, "rename", "serde").is_some();
    let new =
        said.into_iter().flat_map(|said| said.split(", ")).filter(|one| !(is_renamed && one.starts_with("rename")));
    let told = member.attributes.iter().filter(|one| one.name == "serde").flat_map(|one| &one.arguments);
    let told = told.filter(|one| one.key != "skip_serializing_if").map(|one| item.text(one.span));
    let serde: Vec<&str> = told.chain(new).collect();
    let serde = if serde.is_empty() { None } else { Some(format!("{SERDE}{})]", serde.join(", "))) };
    let others = lines.into_iter().filter(|line| !line.starts_with(SERDE)).map(str::to_owned);
    let name = item.file.slice(member.start, member.of.0).trim_end();
    serde.into_iter().chain(others).chain([format!("{name} {rust}")]).collect::<Vec<_>>().join("\n    ")
}

/// A field whose type is right in other places: an attribute says what the contract says of this one.
pub(super) fn of_use(context: &Context<'_>, item: &Item<'_>, at: &Followed) -> Written {
    let document = context.contract.document();
    let parts = (at.contract.rsplit_once("/properties/"), at.code.rsplit_once("/properties/"));
    let (Some((owner, _)), Some((_, name))) = parts else { return Ok(None) };
    let name = pointer::tokens(&format!("/{name}")).next().unwrap_or_default();
    let (Some(owner), Some(member)) = (document.pointer(owner), item.member(&name)) else { return Ok(None) };
    let Some((schema, _)) = document
        .pointer(&at.contract)
        .and_then(|listed| pointer::resolve(document, listed, String::new()))
        .filter(|_| at.code.ends_with(&join("/properties", &name)))
    else {
        return Ok(None);
    };
    let way = Way { request: item.derives("Deserialize"), response: item.derives("Serialize") };
    let required = is_required(owner, &name);
    let said =
        pointer::resolve(context.generated, context.generated.pointer(&at.code).unwrap_or(schema), String::new());
    let mut types = Types::new(context, Some(item.file), way);
    let (text, _) = types.field(&item.name, &name, schema, required, true)?;
    if !types.items.is_empty() || said.and_then(|(said, _)| said.get("type")) != schema.get("type") {
        return field(context, item, member, &name, schema, required, way);
    }
    let rust = text.rsplit_once(": ").map(|(_, rust)| rust).unwrap_or_default();
    let attribute = text.lines().map(str::trim).find_map(|line| line.strip_prefix("#[schema(")?.strip_suffix(")]"));
    let mut lines: Vec<String> = member
        .attributes
        .iter()
        .filter(|one| one.name != "schema")
        .map(|one| item.file.slice(one.start, one.end).to_owned())
        .collect();
    let attributes: Vec<String> =
        [format!("value_type = {rust}")].into_iter().chain(attribute.map(str::to_owned)).collect();
    lines.push(format!("#[schema({})]", attributes.join(", ")));
    lines.push(item.file.slice(member.start, member.of.1).to_owned());
    let note = "see that the values of this field keep to it";
    Ok(Some((vec![of_member(item, member, &lines.join("\n    "))], note.to_owned())))
}

/// A member's lines, its comment left alone.
pub(super) fn of_member(item: &Item<'_>, member: &Member, text: &str) -> Edit {
    let start = member.attributes.first().map_or(member.start, |one| one.start);
    item.file.replace(start, member.of.1, text)
}

pub(super) fn member_argument<'m>(member: &'m Member, key: &str, attribute: &str) -> Option<&'m Argument> {
    let attributes = member.attributes.iter().filter(|one| one.name == attribute);
    attributes.flat_map(|one| &one.arguments).find(|argument| argument.key == key)
}

/// A member more, after the last one.
pub(super) fn append(item: &Item<'_>, text: &str) -> Edit {
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
pub(super) fn without_copy(item: &Item<'_>, field: &str, types: &Types<'_, '_>) -> Option<Edit> {
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
pub(super) fn items_before(item: &Item<'_>, types: &Types<'_, '_>) -> Option<Edit> {
    if types.items.is_empty() {
        return None;
    }
    Some(item.file.insert_after(item.file.line_of(end_of(item)), format!("\n{}", types.items.join("\n\n"))))
}

pub(super) fn end_of(item: &Item<'_>) -> usize {
    item.body.1 + 1
}
