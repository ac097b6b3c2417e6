//! Edits of the contract's text, so that it says what the code says.

use serde_json::{Map, Value};

use super::shared::Scope;
use super::text::indented;
use super::yaml;
use super::{Action, Context, Edit, Fix, Side, misled};
use crate::diff::{Followed, is_default, means_the_same_by_name, not_compared};
use crate::{Drift, DriftKind};
use openapi_contract::Kind;
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::grammar::Shape;
use openapi_contract::method::Method;
use openapi_contract::pointer::{self, join};

mod address;
mod form;
mod place;

pub(super) use address::moved;

use form::Form;
use place::Style;

pub(super) fn fix(context: &Context<'_>, drift: &Drift) -> Option<Fix> {
    let mut note = String::new();
    let edits = match drift.kind {
        DriftKind::MissingInContract => {
            let (at, value) = (drift.pointer.as_str(), drift.code.as_ref()?);
            let mut form = Form::new(context);
            let value = form.of_member(at, value);
            if let Some(advice) = form.refused {
                return Some(Fix {
                    side: Side::Contract,
                    edits: Vec::new(),
                    note: format!("the contract cannot say it: {advice}"),
                });
            }
            let mut edits = vec![insert(context, at, value)?];
            edits.extend(required(context, drift));
            for (name, schema) in form.extra {
                edits.push(insert(context, &join("/components/schemas", &name), schema)?);
            }
            edits
        }
        DriftKind::Differs => {
            let mut form = Form::instead(context);
            let value = form.of_member(&drift.pointer, drift.code.as_ref()?);
            if let Some(advice) = form.refused {
                note = format!("the contract cannot say it: {advice}");
                return Some(Fix { side: Side::Contract, edits: Vec::new(), note });
            }
            let value = with_prose(context, &drift.pointer, value);
            let mut edits = vec![if says_nothing(context, &drift.pointer, &value) {
                remove(context, &drift.pointer)?
            } else {
                replace(context, &drift.pointer, &value)?
            }];
            if drift.pointer.ends_with("/operationId") {
                edits.extend(links(context, drift.contract.as_ref()?, &value));
            }
            for (name, schema) in form.extra {
                edits.push(insert(context, &join("/components/schemas", &name), schema)?);
            }
            edits
        }
        DriftKind::SetDiffers => {
            let (ours, theirs) = (drift.contract.as_ref()?.as_array()?, drift.code.as_ref()?.as_array()?);
            let [mine, others] = [set(ours), set(theirs)];
            let kept = ours.iter().filter(|item| others.contains(&canonical(item)));
            let new = theirs.iter().filter(|item| !mine.contains(&canonical(item)));
            vec![replace(context, &drift.pointer, &kept.chain(new).cloned().collect())?]
        }
        DriftKind::MissingInCode => {
            let mut edits = vec![remove(context, &drift.pointer)?];
            edits.extend(required(context, drift));
            edits.extend(orphans(context, &edits));
            let value = drift.contract.iter();
            let inside = value.clone().flat_map(|value| value.as_object().into_iter().flatten().map(|(_, one)| one));
            let mut ids = inside.chain(value).filter_map(|one| one.get("operationId")?.as_str());
            if ids.any(|id| context.yaml.text.matches(&format!("operationId: {id}\n")).count() > 1) {
                "links that name the operation go with it".clone_into(&mut note);
            }
            edits
        }
        DriftKind::NotPlanned => vec![remove(context, &drift.pointer)?],
        DriftKind::Moved => address::renamed(context, drift)?,
        DriftKind::Dangling => return None,
    };
    Some(Fix { side: Side::Contract, edits, note })
}

/// The fix-it of a place that differs as a whole: where the contract leads to a component that is right elsewhere, or writes
/// out what the code has by its name.
pub(super) fn instead(context: &Context<'_>, drift: &Drift, scope: &Scope) -> Option<Fix> {
    let document = context.contract.document();
    let at = match misled::blamed(context.contract, drift) {
        Some(at) => Some(at).filter(|at| drift.pointer != join(&at.contract, "$ref")),
        None => scope.used().filter(|at| {
            let is_known = |target: String| pointer::local(&target).is_some_and(|at| document.pointer(&at).is_some());
            let listed = document.pointer(&at.contract).and_then(pointer::reference);
            listed.is_none() && reference_for(context, at).is_some_and(is_known)
        }),
    };
    Some(Fix { side: Side::Contract, edits: whole(context, at?)?, note: String::new() })
}

/// The edits that write a place as the code has it.
pub(super) fn whole(context: &Context<'_>, at: &Followed) -> Option<Vec<Edit>> {
    let mut form = Form::instead(context);
    let value = form.of_member(&at.contract, context.generated.pointer(&at.code)?);
    if form.refused.is_some() {
        return None;
    }
    let mut edits = vec![replace(context, &at.contract, &value)?];
    for (name, schema) in form.extra {
        edits.push(insert(context, &join("/components/schemas", &name), schema)?);
    }
    Some(edits)
}

/// The reference that the contract should have where it has another: to its component that says what the code says.
pub(super) fn reference_for(context: &Context<'_>, at: &Followed) -> Option<String> {
    let node = context.generated.pointer(&at.code)?;
    let formed = Form::instead(context).of_member(&at.contract, node);
    if let Some(reference) = pointer::reference(&formed) {
        return Some(reference.to_owned());
    }
    // Under whatever name, if there is only one.
    let document = context.contract.document();
    let target = pointer::local(pointer::reference(document.pointer(&at.contract)?)?)?;
    let (section, _) = target.rsplit_once('/')?;
    let Some(Shape::One(kind)) = kind_at(&at.contract) else { return None };
    let components = document.pointer(section)?.as_object()?;
    let mut right =
        components.iter().filter(|(_, one)| means_the_same_by_name(document, context.generated, kind, one, node));
    let (name, _) = right.next()?;
    right.next().is_none().then(|| format!("#{}", join(section, name)))
}

/// What is written in the place of an object keeps what only the contract says of it.
fn with_prose(context: &Context<'_>, at: &str, mut value: Value) -> Value {
    let listed = context.contract.document().pointer(at).and_then(Value::as_object);
    if let (Some(Shape::One(kind)), Some(members), Some(listed)) = (kind_at(at), value.as_object_mut(), listed)
        && !members.contains_key("$ref")
    {
        let prose = listed.iter().filter(|(key, _)| not_compared(kind, key));
        members.extend(prose.map(|(key, value)| (key.clone(), value.clone())));
    }
    value
}

/// Whether leaving the member out says the same as this value.
fn says_nothing(context: &Context<'_>, at: &str, value: &Value) -> bool {
    let Some((owner, key)) = at.rsplit_once('/') else { return false };
    let siblings = context.contract.document().pointer(owner);
    matches!(kind_at(owner), Some(Shape::One(kind)) if is_default(kind, key, value, |key| siblings?.get(key)))
}

/// Links follow the operation that they name.
fn links(context: &Context<'_>, old: &Value, new: &Value) -> Vec<Edit> {
    let links = links_to(context, &[old.as_str().unwrap_or_default()]);
    links.iter().filter_map(|at| replace(context, &join(at, "operationId"), new)).collect()
}

/// The links of the contract that lead to one of these operations.
fn links_to(context: &Context<'_>, ids: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![(String::new(), context.contract.document())];
    while let Some((at, node)) = next.pop() {
        let id = node.get("operationId").and_then(Value::as_str);
        // Only operations have responses.
        if id.is_some_and(|id| ids.contains(&id)) && node.get("responses").is_none() {
            found.push(at.clone());
        }
        match node {
            Value::Object(members) => next.extend(members.iter().map(|(name, member)| (join(&at, name), member))),
            Value::Array(items) => {
                next.extend(items.iter().enumerate().map(|(index, item)| (join(&at, &index.to_string()), item)));
            }
            _ => {}
        }
    }
    found
}

/// A property that comes or goes takes its place in `required` along.
fn required(context: &Context<'_>, drift: &Drift) -> Option<Edit> {
    let (properties, name) = drift.pointer.rsplit_once('/')?;
    let owner = properties.strip_suffix("/properties")?;
    let name = Value::from(pointer::tokens(&format!("/{name}")).next()?);
    let listed = context.contract.document().pointer(owner)?.get("required").and_then(Value::as_array);
    let mut names = listed.cloned().unwrap_or_default();
    let at = join(owner, "required");
    if drift.kind == DriftKind::MissingInCode {
        let before = names.len();
        names.retain(|one| *one != name);
        return match names.len() {
            left if left == before => None,
            0 => remove(context, &at),
            _ => replace(context, &at, &Value::from(names)),
        };
    }
    let code = drift.code_pointer.as_deref()?.rsplit_once("/properties/")?.0;
    let theirs = context.generated.pointer(code)?.get("required")?.as_array()?;
    if !theirs.contains(&name) || names.contains(&name) {
        return None;
    }
    names.push(name);
    let names = Value::from(names);
    if listed.is_some() { replace(context, &at, &names) } else { insert(context, &at, names) }
}

/// Writes a node where there is none.
fn insert(context: &Context<'_>, at: &str, mut value: Value) -> Option<Edit> {
    let mut at = at.to_owned();
    // What is above it and is not there either is written along.
    let (owner, name) = loop {
        let (owner, last) = at.rsplit_once('/')?;
        let name = pointer::tokens(&format!("/{last}")).next()?;
        if context.contract.document().pointer(owner).is_some() {
            break (owner.to_owned(), name);
        }
        value = if name == "-" { Value::from(vec![value]) } else { Value::from(Map::from_iter([(name, value)])) };
        at = owner.to_owned();
    };
    let place = place::of(context, &owner)?;
    let (written, in_flow) = if name == "-" {
        (yaml::item(&value), yaml::flow(&value))
    } else {
        let both = Value::from(Map::from_iter([(name.clone(), value.clone())]));
        let flow = yaml::flow(&both);
        let inner = flow.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")).unwrap_or(&flow);
        (yaml::entry(&name, &value), inner.to_owned())
    };
    match place.inside(context) {
        Style::Flow { open, close } => {
            let inner = context.yaml.slice(open + 1, close).trim().to_owned();
            let padding = if context.yaml.slice(open, open + 1) == "{" { " " } else { "" };
            let comma = if inner.is_empty() { "" } else { ", " };
            Some(context.yaml.replace(open + 1, close, &format!("{padding}{inner}{comma}{in_flow}{padding}")))
        }
        Style::Block { indent } => {
            let after = predecessor(context, &owner, &name).and_then(|sibling| place::of(context, &sibling));
            let line = match after {
                Some(sibling) => sibling.last,
                None if owner.ends_with("/responses") && !owner.starts_with("/components") => place.first,
                None => place.last,
            };
            let spaced = matches!(owner.as_str(), "/paths") || is_section(&owner);
            let gap = if spaced { "\n" } else { "" };
            Some(context.yaml.insert_after(line, format!("{gap}{}", indented(&written, indent))))
        }
    }
}

/// Whether the members of this node stand apart in the file.
fn is_section(owner: &str) -> bool {
    owner == "/components/schemas"
}

/// The sibling after which a new member reads best; `None` for the end, or for the beginning of responses.
fn predecessor(context: &Context<'_>, owner: &str, name: &str) -> Option<String> {
    let siblings = context.contract.document().pointer(owner)?.as_object()?;
    let position = |sibling: &&String| context.contract.position(&join(owner, sibling));
    let chosen = if owner.ends_with("/responses") && owner.starts_with("/paths/") {
        siblings.keys().filter(|sibling| sibling.as_str() < name).max_by_key(position)
    } else if owner == "/paths" {
        let root = |path: &str| path.split('/').nth(1).map(str::to_owned);
        siblings.keys().filter(|sibling| root(sibling) == root(name)).max_by_key(position)
    } else if pointer::tokens(owner).count() == 2 && owner.starts_with("/paths/") {
        let rank = |key: &str| Method::ALL.iter().position(|method| method.key() == key);
        siblings.keys().filter(|sibling| rank(sibling) < rank(name)).max_by_key(position)
    } else {
        None
    };
    chosen.map(|sibling| join(owner, sibling))
}

/// Writes another value at a node that is there.
fn replace(context: &Context<'_>, at: &str, value: &Value) -> Option<Edit> {
    let place = place::of(context, at)?;
    if place.is_item {
        let text = yaml::item(value);
        return Some(lines(context, &place, &text));
    }
    let key = pointer::tokens(at).last()?;
    if place.is_flow {
        let (from, to) = place.flow_value(context)?;
        return Some(context.yaml.replace(from, to, &yaml::flow(value)));
    }
    // Alone in its line, a value keeps the comment beside it.
    if place.first == place.last
        && !value.is_object()
        && let Some((from, to)) = place.plain_value(context)
    {
        return Some(context.yaml.replace(from, to, &yaml::flow(value)));
    }
    Some(lines(context, &place, &yaml::entry(&key, value)))
}

fn lines(context: &Context<'_>, place: &place::Place, text: &str) -> Edit {
    let head: String = context.yaml.line(place.first).chars().take(place.column).collect();
    let head = if place.is_item { head.trim_end_matches([' ', '-']).to_owned() + &dash_indent(&head) } else { head };
    let text = indented(text, head.chars().count());
    let text = format!("{head}{}", text.trim_start());
    context.yaml.edit(Action::Replace { first: place.first, last: place.last }, text)
}

/// The white space before the dash of an item.
fn dash_indent(head: &str) -> String {
    " ".repeat(head.len() - head.trim_start().len())
}

/// Takes a node out, and what would be empty without it.
fn remove(context: &Context<'_>, at: &str) -> Option<Edit> {
    let mut at = at.to_owned();
    loop {
        let owner = at.rsplit_once('/')?.0;
        let alone = match context.contract.document().pointer(owner)? {
            Value::Object(members) => members.len() == 1,
            Value::Array(items) => items.len() == 1,
            _ => false,
        };
        let goes_along = owner.ends_with("/headers")
            || owner.ends_with("/parameters")
            || owner.ends_with("/properties")
            || owner.ends_with("/content")
            || owner.ends_with("/encoding")
            || owner.ends_with("/required")
            || (owner.starts_with("/paths/") && pointer::tokens(owner).count() == 2);
        if !alone || !goes_along {
            break;
        }
        at = owner.to_owned();
    }
    let place = place::of(context, &at)?;
    if place.is_flow {
        let (from, to) = place.flow_member(context)?;
        return Some(context.yaml.replace(from, to, ""));
    }
    if place.first_of_item {
        return None;
    }
    Some(context.yaml.edit(Action::Remove { first: place.first, last: place.last }, String::new()))
}

/// The schemas that only these removed lines use: they go along.
fn orphans(context: &Context<'_>, removed: &[Edit]) -> Vec<Edit> {
    let mut gone: Vec<(usize, usize)> = removed
        .iter()
        .filter_map(|edit| match edit.action {
            Action::Remove { first, last } => Some((first, last)),
            _ => None,
        })
        .collect();
    let mut edits = Vec::new();
    let schemas = context.contract.components_schemas().as_object();
    let names: Vec<&String> = schemas.into_iter().flatten().map(|(name, _)| name).collect();
    // One may be used by another that goes.
    for _ in &names {
        let is_gone = |line: usize| gone.iter().any(|(first, last)| (*first..=*last).contains(&line));
        let found = names.iter().find_map(|name| {
            let place = place::of(context, &join("/components/schemas", name)).filter(|place| !is_gone(place.first))?;
            let reference = format!("#/components/schemas/{name}'");
            let lines = context.yaml.text.lines().enumerate().filter(|(_, line)| line.contains(&reference));
            let mut uses = lines.map(|(index, _)| index + 1).peekable();
            let orphaned = uses.peek().is_some() && uses.all(is_gone);
            orphaned.then_some((place.first, place.last))
        });
        let Some((first, last)) = found else { break };
        gone.push((first, last));
        edits.push(context.yaml.edit(Action::Remove { first, last }, String::new()));
    }
    edits
}

/// What `kind` of object stands at this pointer of a document.
pub(super) fn kind_at(at: &str) -> Option<Shape> {
    let mut shape = Shape::One(Kind::Document);
    for token in pointer::tokens(at) {
        shape = match shape {
            Shape::One(kind) => kind.keyword(&token)?,
            Shape::SchemaOrFlag => Kind::Schema.keyword(&token)?,
            Shape::Map(kind) | Shape::List(kind) => Shape::One(kind),
            Shape::Statuses => Shape::One(Kind::Response),
            _ => return None,
        };
    }
    Some(shape)
}
