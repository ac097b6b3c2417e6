//! Other paths, methods and names of path parameters, in the contract's text.

use serde_json::{Value, json};

use super::place::{self, Place};
use super::{insert, links_to, remove, replace};
use crate::Drift;
use crate::fixes::moved::{Address, Move};
use crate::fixes::renamed::{names, parameter};
use crate::fixes::text::indent_of;
use crate::fixes::{Context, Edit, yaml};
use openapi_contract::paths;
use openapi_contract::pointer::{self, join};

/// The edits by which the contract has it where the code has it.
pub(in crate::fixes) fn moved(context: &Context<'_>, one: &Move) -> Option<Vec<Edit>> {
    let document = context.contract.document();
    let path = paths::paths(document).find(|path| path.template == one.contract.template)?;
    let mut edits = match (one.contract.method, one.code.method) {
        (Some(ours), Some(theirs)) if one.contract.template != one.code.template => {
            let endpoint = path.endpoints().find(|endpoint| endpoint.method == ours)?;
            return to_another_path(context, &path, &endpoint, &Address { method: Some(theirs), ..one.code.clone() });
        }
        (Some(ours), Some(theirs)) => vec![rename(context, &join(&path.pointer, ours.key()), theirs.key())?],
        _ => vec![rename(context, &path.site, &one.code.template)?],
    };
    let lists = path.endpoints().map(|endpoint| (endpoint.operation, endpoint.pointer));
    for (owner, at) in lists.chain([(path.item, path.pointer.clone())]) {
        for declared in paths::declared(document, owner, &at).iter().filter(|one| one.location == "path") {
            if let Some((_, new)) = one.renamed.iter().find(|(old, _)| old == declared.name) {
                let (_, found) = pointer::resolve(document, declared.listed, declared.site.clone())?;
                edits.push(replace(context, &join(&found, "name"), &Value::from(new.as_str()))?);
            }
        }
    }
    for link in links_to(context, &one.ids.iter().map(String::as_str).collect::<Vec<_>>()) {
        for (old, new) in &one.renamed {
            let at = join(&join(&link, "parameters"), old);
            if document.pointer(&at).is_some() {
                edits.push(rename(context, &at, new)?);
            }
        }
    }
    Some(edits)
}

/// The edits by which the contract calls something as the code does.
pub(super) fn renamed(context: &Context<'_>, drift: &Drift) -> Option<Vec<Edit>> {
    let (ours, theirs) = names(drift)?;
    if let Some(at) = parameter(context, drift) {
        return Some(vec![replace(context, &at, &Value::from(theirs))?]);
    }
    let mut edits = vec![rename(context, &drift.pointer, theirs)?];
    if let Some(owner) = drift.pointer.rsplit_once('/').and_then(|(owner, _)| owner.strip_suffix("/properties")) {
        let at = join(owner, "required");
        let mut required =
            context.contract.document().pointer(&at).and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(name) = required.iter_mut().find(|name| name.as_str() == Some(ours)) {
            *name = Value::from(theirs);
            edits.push(replace(context, &at, &Value::from(required))?);
        }
    }
    Some(edits)
}

/// Another key for the node that stands here.
fn rename(context: &Context<'_>, at: &str, name: &str) -> Option<Edit> {
    let (from, to) = place::of(context, at).as_ref().and_then(|place: &Place| place.key(context))?;
    Some(context.yaml.replace(from, to, &yaml::key(name)))
}

/// An operation that leaves a path on which others stay takes the parameters of that path along.
fn to_another_path(
    context: &Context<'_>,
    path: &paths::Path<'_>,
    endpoint: &paths::Endpoint<'_>,
    to: &Address,
) -> Option<Vec<Edit>> {
    let document = context.contract.document();
    let mut operation = endpoint.operation.clone();
    let inherited = paths::declared(document, path.item, &path.pointer);
    let site = join("/paths", &to.template);
    let there = document.pointer(&site);
    let declared = there.map(|item| paths::declared(document, item, &site)).unwrap_or_default();
    let taken_along: Vec<Value> = inherited
        .iter()
        .filter(|one| !declared.iter().any(|other| other.key() == one.key()))
        .map(|one| one.listed.clone())
        .collect();
    if !taken_along.is_empty() {
        let list = operation.as_object_mut()?.entry("parameters").or_insert_with(|| json!([]));
        list.as_array_mut()?.splice(0..0, taken_along.iter().cloned());
    }
    // A path without operations is none.
    let alone = path.endpoints().count() == 1;
    let gone = remove(context, if alone { &path.site } else { &endpoint.pointer })?;
    let at = join(&site, to.method?.key());
    let mut new = insert(context, &at, operation)?;
    if taken_along.is_empty()
        && let Some(text) = as_written(context, &endpoint.pointer, &new.text, to, there.is_none())
    {
        new.text = text;
    }
    Some(vec![new, gone])
}

/// An operation just as it is written, comments and all, in the place of what would be made of it.
fn as_written(context: &Context<'_>, at: &str, made: &str, to: &Address, is_new: bool) -> Option<String> {
    let place = place::of(context, at).filter(|place| !place.is_flow)?;
    let (from, end) = place.key(context)?;
    let lines: Vec<&str> = context.yaml.text.lines().skip(place.first).take(place.last - place.first).collect();
    let rest = context.yaml.slice(end, context.yaml.text.len()).lines().next()?;
    if !rest.trim_end().ends_with(':') || from > end {
        return None;
    }
    let outer = made.lines().find_map(indent_of)?;
    let inner = if is_new { outer + 2 } else { outer };
    let mut text = if is_new { format!("\n{:outer$}{}:\n", "", yaml::key(&to.template)) } else { String::new() };
    text.push_str(&format!("{:inner$}{}:", "", to.method?.key()));
    for line in lines {
        let bare = line.get(place.column.min(line.len())..).unwrap_or_default();
        text.push('\n');
        if !bare.is_empty() {
            text.push_str(&format!("{:inner$}{bare}", ""));
        }
    }
    Some(text)
}
