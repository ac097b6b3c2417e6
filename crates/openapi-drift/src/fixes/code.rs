//! Edits of the Rust sources, after which the generated spec equals the contract.

use serde_json::Value;

use super::attributes::{Target, add_part, append_member, set_argument, with_comma};
use super::naming::{attribute_of, ident, literal, pascal};
use super::operation::{holder, own, parameter_clause, request_body, response, tags};
use super::skeleton::handlers;
use super::types::{Place, Types, Words, is_required, variants};
use crate::context::Context;
use crate::fix::Applicability::{self, MachineApplicable, NeedsReview};
use crate::fix::{Edit, Fix, Side};
use crate::sources::{Handler, Item, Member, operation_id, schema_of};
use crate::{Drift, DriftKind};
use openapi_contract::equivalence::{canonical, set};
use openapi_contract::operation::is_planned;
use openapi_contract::paths::{self, Declared};
use openapi_contract::pointer::{self, join};

/// Edits, or what to do in words.
type Written = Result<(Applicability, Vec<Edit>), Words>;

/// The fix of the code for a drift.
pub(crate) fn fix(context: &Context<'_>, drift: &Drift) -> Option<Fix> {
    Some(match written(context, drift) {
        Ok((applicability, edits)) => {
            let note = match applicability {
                MachineApplicable => "",
                NeedsReview if is_operation(drift) => "write the handler's body where it has `todo!`",
                NeedsReview => "the handler has to do what its annotation states",
            };
            Fix::new(Side::Code, applicability, edits, note)
        }
        Err(words) => Fix::words(Side::Code, words),
    })
}

fn is_operation(drift: &Drift) -> bool {
    drift.pointer.starts_with("/paths/") && pointer::tokens(&drift.pointer).count() <= 3
}

fn written(context: &Context<'_>, drift: &Drift) -> Written {
    let contract: Vec<String> = pointer::tokens(&drift.pointer).collect();
    let contract: Vec<&str> = contract.iter().map(String::as_str).collect();
    match (drift.kind, contract.as_slice()) {
        (DriftKind::Dangling, _) => {
            return Err(
                "list the type under `components(schemas(…))` of the type that derives `OpenApi`: utoipa does \
                        not collect it"
                    .to_owned(),
            );
        }
        (DriftKind::NotPlanned, _) => return Err("remove the handler, and its name from `routes!`".to_owned()),
        (DriftKind::Moved, _) => {
            let [new, old] = drift.names();
            return Err(format!("rename `{old}` to `{new}` in the code"));
        }
        (DriftKind::MissingInCode, ["paths", template]) => return operations(context, template, None),
        (DriftKind::MissingInCode, ["paths", template, method]) if *method != "parameters" => {
            return operations(context, template, Some(method));
        }
        (DriftKind::MissingInCode, ["components", "schemas", name]) => {
            return Err(format!(
                "define a type `{name}`, and list it under `components(schemas(…))` of the type that derives `OpenApi`"
            ));
        }
        _ => {}
    }
    let at = drift.code_pointer.as_deref().ok_or_else(|| in_words(drift))?;
    if std::iter::once(at).chain(drift.code_pointers.iter().map(String::as_str)).any(|at| context.is_by_rule(at)) {
        return Err(format!("change the rule for all operations in {}", context.code.rules));
    }
    if let Some(name) = schema_of(at) {
        let item = context.sources.schema(&name).ok_or_else(|| in_words(drift))?;
        let rest: Vec<String> = pointer::tokens(at).skip(3).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        return of_type(context, drift, item, &rest);
    }
    // A response that several operations share in the contract is annotated at each of them.
    let mut all: (Applicability, Vec<Edit>) = (MachineApplicable, Vec::new());
    for at in [at].into_iter().chain(drift.code_pointers.iter().map(String::as_str)) {
        let (applicability, edits) = of_operation(context, drift, at)?;
        if applicability == NeedsReview {
            all.0 = NeedsReview;
        }
        all.1.extend(edits.into_iter().filter(|edit| !all.1.contains(edit)).collect::<Vec<_>>());
    }
    Ok(all)
}

/// What to do where no edit is known.
fn in_words(drift: &Drift) -> Words {
    let node = drift.node();
    match drift.kind {
        DriftKind::MissingInContract => format!("remove {node} from the annotations of the handlers and types"),
        DriftKind::MissingInCode => format!("add {node} to the annotations of the handlers and types"),
        _ => format!("annotate the handlers and types so that {node} is as in the contract"),
    }
}

/// Refuses to write a field that the sources have already: then the spec is older than they are, or the field has another
/// name in JSON.
fn not_defined(item: &Item<'_>, name: &str) -> Result<(), Words> {
    let (owner, place) = (&item.name, item.place());
    if item.member(name).is_some() {
        return Err(format!("`{owner}` has the field ({place}): generate the spec again"));
    }
    let ident = ident(name);
    match item.members.iter().any(|member| member.name == ident.trim_start_matches("r#")) {
        true => {
            Err(format!("`{owner}` has a field `{ident}` that is skipped or renamed in JSON ({place}): change that"))
        }
        false => Ok(()),
    }
}

// ---- Types ----------------------------------------------------------------------------------------------------------

fn of_type(context: &Context<'_>, drift: &Drift, item: &Item<'_>, rest: &[&str]) -> Written {
    // The contract's schema for the type: its pointer ends like the code's.
    let tail = rest.iter().fold(String::new(), |tail, token| join(&tail, token));
    let base = drift.pointer.strip_suffix(tail.as_str()).unwrap_or_default();
    let schema = context.contract.document().pointer(base).filter(|_| !base.is_empty());
    let schema = schema.ok_or_else(|| in_words(drift))?;
    let place = |member: &Member| format!("{}:{}", item.file.path, item.file.line_of(member.start));
    match rest {
        ["properties", property] if drift.kind == DriftKind::MissingInCode && !item.is_enum => {
            not_defined(item, property)?;
            let value = drift.contract.as_ref().ok_or_else(|| in_words(drift))?;
            let mut types = Types::new(context, item.file, item.visibility);
            types.not_recursive(base, value)?;
            let is_required = is_required(schema, property);
            let (text, _) = types.field(&item.name, property, value, is_required, &mut Place::of(item))?;
            Ok((MachineApplicable, with_items(&types, item, append_member(item, &text))))
        }
        ["properties", property] if drift.kind == DriftKind::MissingInContract => Err(match item.member(property) {
            Some(member) => {
                format!("remove the field `{property}` ({}), or hide it with `#[serde(skip)]`", place(member))
            }
            None => in_words(drift),
        }),
        ["properties", property, keyword] => {
            let member = item.member(property).ok_or_else(|| in_words(drift))?;
            keyword_edit(context, drift, item, member, "schema", keyword)
                .ok_or_else(|| format!("change the type of the field `{}` ({})", member.name, place(member)))
        }
        ["required"] => Err(format!(
            "make a field an `Option` with `#[schema(nullable = false)]` to make it optional, or remove the `Option` to make it required ({})",
            item.place()
        )),
        ["enum"] if item.is_enum => {
            let [ours, theirs] = [&drift.contract, &drift.code]
                .map(|side| side.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice));
            let [mine, others] = [set(ours), set(theirs)];
            if theirs.iter().any(|value| !mine.contains(&canonical(value))) {
                return Err(format!(
                    "remove the variants of `{}` ({}) that the contract does not have",
                    item.name,
                    item.place()
                ));
            }
            let new = ours.iter().filter(|value| !others.contains(&canonical(value)));
            Ok((MachineApplicable, vec![append_member(item, &variants(new, &item.members)?)]))
        }
        ["additionalProperties"] => {
            let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            let text = is_closed.then_some("deny_unknown_fields");
            let edit = Target::item(item).argument("serde", "deny_unknown_fields", text);
            edit.map(|edit| (MachineApplicable, vec![edit])).ok_or_else(|| in_words(drift))
        }
        [keyword] => {
            let edit = Target::item(item).keyword("schema", keyword, drift.contract.as_ref());
            let edit = edit.filter(|_| *keyword != "format" || item.file.slice(item.body.clone()).contains("String"));
            edit.map(|edit| (MachineApplicable, vec![edit]))
                .ok_or_else(|| format!("change the type `{}` ({})", item.name, item.place()))
        }
        _ => Err(format!("change the type `{}` ({})", item.name, item.place())),
    }
}

/// The edit of a field's attribute for a keyword; of its type's attribute where that has a schema of its own, since utoipa
/// would write the keyword beside a reference.
fn keyword_edit(
    context: &Context<'_>,
    drift: &Drift,
    item: &Item<'_>,
    member: &Member,
    attribute: &str,
    keyword: &str,
) -> Option<(Applicability, Vec<Edit>)> {
    let rust = item.file.slice(member.of.clone());
    let inner = rust.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(rust);
    let named = context.sources.schema(inner.rsplit("::").next()?).filter(|item| item.derives("ToSchema"));
    let is_default = keyword == "default" && attribute == "param";
    if is_default && drift.contract.is_some() != drift.code.is_some() {
        // With a default there is always a value, so the type of the field changes too.
        return None;
    }
    if keyword == "format" && inner != "String" {
        return None;
    }
    let target = match named {
        Some(named) => return Target::item(named).keyword("schema", keyword, drift.contract.as_ref()).map(machine),
        None => Target { file: item.file, attributes: &member.attributes, start: member.start },
    };
    target.keyword(attribute, keyword, drift.contract.as_ref()).map(machine)
}

fn machine(edit: Edit) -> (Applicability, Vec<Edit>) {
    (MachineApplicable, vec![edit])
}

/// An edit of an item, and the new types that it needs after the item.
fn with_items(types: &Types<'_, '_>, item: &Item<'_>, edit: Edit) -> Vec<Edit> {
    types.commit();
    let mut edits = vec![edit];
    if !types.items.is_empty() {
        edits.push(item.file.insert_after(item.file.line_of(item.end), format!("\n{}", types.items.join("\n\n"))));
    }
    edits
}

// ---- Operations -----------------------------------------------------------------------------------------------------

fn operations(context: &Context<'_>, template: &str, method: Option<&str>) -> Written {
    let path = paths::paths(context.contract.document()).find(|path| path.template == template);
    let path = path.ok_or("write the handlers of the path")?;
    let wanted = |one: &paths::Endpoint<'_>| method.is_none_or(|method| one.method.key() == method);
    let endpoints: Vec<_> = path.endpoints().filter(wanted).filter(|one| !is_planned(one.operation)).collect();
    Ok((NeedsReview, handlers(context, &path, &endpoints)?))
}

fn of_operation(context: &Context<'_>, drift: &Drift, at: &str) -> Written {
    let handler = operation_id(context.generated, at).and_then(|id| context.sources.handler(&id));
    let handler = handler.ok_or_else(|| in_words(drift))?;
    let remove = || format!("remove the handler `{}` ({}), and its name from `routes!`", handler.name, handler.place());
    let tokens: Vec<String> = pointer::tokens(at).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let ["paths", template, method, rest @ ..] = tokens.as_slice() else { return Err(in_words(drift)) };
    let path = paths::paths(context.contract.document()).find(|path| path.template == *template);
    let path = path.ok_or_else(remove)?;
    let endpoint = path.endpoints().find(|one| one.method.key() == *method).ok_or_else(remove)?;
    let edit = match rest {
        [] => return Err(remove()),
        ["operationId"] => {
            let id = drift.contract.as_ref().unwrap_or(&Value::Null);
            set_argument(handler, &["operation_id"], &format!("operation_id = {}", literal(id)))
        }
        ["tags"] => set_argument(handler, &["tag", "tags"], &tags(endpoint.operation)),
        ["parameters", ..] => {
            return of_parameter(context, drift, handler, &path.parameters(context.contract.document(), &endpoint), at);
        }
        ["responses", status, ..] => return of_response(context, drift, handler, endpoint.operation, status),
        ["requestBody", ..] => {
            let own = own(context, endpoint.operation);
            let body = own.get("requestBody").ok_or_else(|| in_words(drift))?;
            let mut types = Types::new(context, handler.file, handler.visibility);
            let (clause, _) = request_body(&mut types, body, &pascal(&handler.name))?;
            return Err(format!("write `{clause}` in the attribute of `{}` ({})", handler.name, handler.place()));
        }
        _ => None,
    };
    let words = || format!("change `{}` in the attribute of `{}` ({})", rest.join("/"), handler.name, handler.place());
    edit.map(machine).ok_or_else(words)
}

/// The response of the handler's attribute, written again from the contract. rustc does not report a handler that returns
/// something else.
fn of_response(
    context: &Context<'_>,
    drift: &Drift,
    handler: &Handler<'_>,
    operation: &Value,
    status: &str,
) -> Written {
    let file = handler.file;
    let known = handler.response(status);
    let own = own(context, operation);
    let Some(one) = own.get("responses").and_then(|all| all.get(status)) else {
        let span = known.ok_or_else(|| in_words(drift))?;
        return Ok((NeedsReview, vec![file.replace(with_comma(file, span), "")]));
    };
    let mut types = Types::new(context, file, handler.visibility);
    let text = response(&mut types, status, one, &pascal(&handler.name))?;
    let edit = match known {
        Some(span) => Some(file.replace(span, &text)),
        None => add_part(handler, "responses", &text),
    };
    let mut edits = vec![edit.ok_or_else(|| in_words(drift))?];
    types.commit();
    if !types.items.is_empty() {
        edits.push(file.insert_after(file.line_of(handler.end), format!("\n{}", types.items.join("\n\n"))));
    }
    Ok((NeedsReview, edits))
}

// ---- Parameters -----------------------------------------------------------------------------------------------------

fn of_parameter(
    context: &Context<'_>,
    drift: &Drift,
    handler: &Handler<'_>,
    declared: &[Declared<'_>],
    at: &str,
) -> Written {
    let document = context.contract.document();
    // The declared parameter that the drift is in, and the rest of the pointer.
    let found = declared.iter().find_map(|one| {
        let (_, resolved) = pointer::resolve(document, one.listed, one.site.clone())?;
        let rest = [one.site.as_str(), &resolved].into_iter().find_map(|site| drift.pointer.strip_prefix(site))?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (one, rest.to_owned()))
    });
    let Some((one, rest)) = found else {
        // The keyword is in the type of the parameter's schema.
        let name = schema_of(&drift.pointer).and_then(|name| context.sources.schema(&name));
        let rest: Vec<String> = pointer::tokens(&drift.pointer).skip(3).collect();
        return match (name, drift.kind, rest.as_slice()) {
            (Some(item), _, [keyword]) => {
                let edit = Target::item(item).keyword("schema", keyword, drift.contract.as_ref());
                edit.map(machine).ok_or_else(|| format!("change the type `{}` ({})", item.name, item.place()))
            }
            (_, DriftKind::MissingInContract, _) => {
                let name = drift.code.as_ref().and_then(|code| code.get("name")?.as_str()).unwrap_or(at);
                Err(format!("remove the parameter `{name}` of `{}` ({})", handler.name, handler.place()))
            }
            _ => Err(in_words(drift)),
        };
    };
    let rest: Vec<String> = pointer::tokens(&rest).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let words = || format!("change the parameter `{}` of `{}` ({})", one.name, handler.name, handler.place());
    let item = holder(context, handler, one.location);
    // An edit of a struct that other handlers use changes their parameters too.
    let is_shared = |item: &Item<'_>| {
        let holders = context.sources.handlers.iter().filter_map(|other| holder(context, other, one.location));
        holders.filter(|other| std::ptr::eq(*other, item)).count() > 1
    };
    let safe = if item.is_some_and(is_shared) { NeedsReview } else { MachineApplicable };
    match (item, rest.as_slice()) {
        (Some(item), []) => {
            not_defined(item, one.name)?;
            let mut types = Types::new(context, item.file, item.visibility);
            let text = types.parameter(&item.name, one.parameter, &mut Place::of(item))?;
            Ok((NeedsReview, with_items(&types, item, append_member(item, &text))))
        }
        (Some(item), ["schema", keyword]) if attribute_of(keyword).is_some() => {
            let member = item.member(one.name).ok_or_else(words)?;
            keyword_edit(context, drift, item, member, "param", keyword)
                .map(|(_, edits)| (safe, edits))
                .ok_or_else(words)
        }
        (None, []) if !matches!(one.location, "path" | "query") => {
            let mut types = Types::new(context, handler.file, handler.visibility);
            let clause = parameter_clause(&mut types, one.parameter, &pascal(&handler.name))?;
            let edit = add_part(handler, "params", &clause).filter(|_| types.items.is_empty());
            edit.map(|edit| (NeedsReview, vec![edit])).ok_or_else(words)
        }
        (None, []) => {
            Err(format!("add a struct of the {} parameters to `{}` ({})", one.location, handler.name, handler.place()))
        }
        _ => Err(words()),
    }
}
