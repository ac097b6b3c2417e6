//! Edits of the Rust sources, so that they do what the contract says.

mod address;
mod handler;
mod item;
mod made;
mod parameter;
mod rule;

use std::collections::BTreeSet;

use serde_json::Value;

use super::cause::BY_RULE;
use super::shared::Scope;
use super::sources::{Handler, Sources, operation_id, schema_of};
use super::types::Words;
use super::{Code, Context, Edit, Fix, Side, merged, operation};
use crate::diff::Followed;
use crate::{Drift, DriftKind};
pub(super) use address::moved;
use handler::of_handler;
use item::{of_type, schema};
use openapi_contract::operation::is_planned;
use openapi_contract::paths;
use openapi_contract::pointer::{self, join};

pub(super) fn fix(context: &Context<'_>, drift: &Drift, scope: &Scope) -> Option<Fix> {
    let (edits, note) = match written(context, drift, scope) {
        Ok(Some((edits, note))) => (edits, note),
        Ok(None) => (Vec::new(), in_words(drift)),
        Err(words) => (Vec::new(), words),
    };
    let note = [note, of_other_tags(context, drift).unwrap_or_default()];
    let note = note.into_iter().filter(|note| !note.is_empty()).collect::<Vec<_>>().join("; ");
    Some(Fix { side: Side::Code, edits, note })
}

type Written = Result<Option<(Vec<Edit>, String)>, Words>;

fn written(context: &Context<'_>, drift: &Drift, scope: &Scope) -> Written {
    if is_by_rule(context, drift) {
        return rule::of_rule(context, drift);
    }
    if drift.kind == DriftKind::Dangling {
        return Err(
            "list the schema under `components(schemas(…))` of the base document: utoipa does not collect it by itself"
                .to_owned(),
        );
    }
    if drift.kind == DriftKind::NotPlanned {
        let id = drift.code.as_ref().and_then(Value::as_str).unwrap_or_default();
        let handler = context.sources.handler(id).map(|handler| format!("`{}` ({})", handler.name, handler.place()));
        return Err(format!(
            "take the handler {} out, and its name out of `routes!`, until the operation is due",
            handler.unwrap_or_else(|| format!("of `{id}`"))
        ));
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
        let rest: Vec<String> = pointer::tokens(at).skip(3).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        // The component itself is put together of several in the contract.
        if rest.is_empty()
            && drift.pointer == at
            && let (Some(item), Some(schema)) = (context.sources.schema(&name), drift.contract.as_ref())
            && let Some(written) = item::whole(context, item, schema, super::types::way_of(context, &name))
        {
            return Ok(Some(written));
        }
        if rest.is_empty()
            && let Some(key) = ["allOf", "anyOf"]
                .into_iter()
                .find(|key| drift.contract.as_ref().is_some_and(|contract| contract.get(key).is_some()))
        {
            return Err(format!(
                "`{key}` has no derived form: write `impl ToSchema` by hand for a type of this place, and leave `{name}` to the others"
            ));
        }
        let Some(item) = context.sources.schema(&name) else { return Ok(None) };
        return match scope {
            Scope::Itself => of_type(context, drift, item, &name, &rest),
            Scope::Use { at, elsewhere } => of_use(context, drift, at, (&item.name, elsewhere)),
            Scope::Nothing { elsewhere } => Err(format!(
                "give this place a type of its own: `{}` ({}) is right in {elsewhere}",
                item.name,
                item.place()
            )),
        };
    }
    of_operations(context, drift, at)
}

/// Every handler that strays from one place of the contract, such as a response that several operations share.
fn of_operations(context: &Context<'_>, drift: &Drift, at: &str) -> Written {
    if let Some(words) = rule::lacking(context, drift) {
        return Err(words);
    }
    let Some((mut edits, note)) = of_operation(context, drift, at)? else { return Ok(None) };
    for other in drift.code_pointers.iter().filter(|other| operation_id(context.generated, other).is_some()) {
        let one = Drift { code_pointer: Some(other.clone()), ..drift.clone() };
        let next = |context: &Context<'_>| of_operation(context, &one, other).ok().flatten().map(|(edits, _)| edits);
        // A type that the first one needs is there for the others.
        let both = merged::in_turn(context.code.files, &edits, |files| {
            let (sources, yaml, known) = (Sources::read(files), context.yaml.clone(), context.known.clone());
            next(&Context { sources, yaml, known, code: Code { files, ..context.code }, ..*context })
        });
        edits = both.unwrap_or(edits);
    }
    Ok(Some((edits, note)))
}

fn of_operation(context: &Context<'_>, drift: &Drift, at: &str) -> Written {
    let Some(handler) = operation_id(context.generated, at).and_then(|id| context.sources.handler(&id)) else {
        return Ok(None);
    };
    let rest: Vec<String> = pointer::tokens(at).skip(3).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    of_handler(context, drift, handler, at, &rest)
}

/// One use of a type that is right `elsewhere`.
fn of_use(context: &Context<'_>, drift: &Drift, at: &Followed, (name, elsewhere): (&str, &str)) -> Written {
    let stays = format!("`{name}` itself stays: it is right in {elsewhere}");
    let written = match schema_of(&at.code).and_then(|owner| context.sources.schema(&owner)) {
        Some(item) => item::of_use(context, item, at),
        None => of_operation(context, drift, &at.code),
    };
    Ok(match written? {
        Some((edits, note)) if note.is_empty() => Some((edits, stays)),
        Some((edits, note)) => Some((edits, format!("{stays}; {note}"))),
        None => return Err(format!("give this place a type of its own: `{name}` is right in {elsewhere}")),
    })
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

/// What an operation lacks only because of its tag: a rule adds it to operations of another one.
fn of_other_tags(context: &Context<'_>, drift: &Drift) -> Option<String> {
    let at = drift.code_pointer.as_deref().filter(|_| drift.kind == DriftKind::MissingInCode)?;
    let (operation, below) = at.split_once("/responses/")?;
    let of_code = context.generated.pointer(operation).filter(|_| operation.starts_with("/paths/"))?;
    let of = |operation: &Value| -> BTreeSet<String> {
        let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let own = of(of_code);
    let all: BTreeSet<String> = paths::paths(context.generated)
        .flat_map(|path| path.endpoints().flat_map(|one| of(one.operation)).collect::<Vec<_>>())
        .collect();
    let other = all.difference(&own).find(|tag| {
        let mut tagged = of_code.clone();
        let set =
            tagged.as_object_mut().map(|members| members.insert("tags".to_owned(), Value::from(vec![tag.as_str()])));
        set.is_some() && (context.code.by_rule)(tagged).pointer(&format!("/responses/{below}")).is_some()
    })?;
    let own = own.iter().map(String::as_str).collect::<Vec<_>>().join("`, `");
    let rules = context.code.rules;
    Some(format!("the tag decides: a rule ({rules}) adds this to operations of `{other}`, and to none of `{own}`"))
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

fn operations(context: &Context<'_>, template: &str, method: Option<&str>) -> Written {
    let document = context.contract.document();
    let Some(path) = paths::paths(document).find(|path| path.template == template) else { return Ok(None) };
    let wanted = |endpoint: &paths::Endpoint<'_>| method.is_none_or(|method| endpoint.method.key() == method);
    let endpoints: Vec<_> = path.endpoints().filter(wanted).filter(|one| !is_planned(one.operation)).collect();
    Ok(Some((operation::handlers(context, &path, &endpoints)?, String::new())))
}
