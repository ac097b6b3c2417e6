//! Makes findings of drifts: leaves out what only follows from another drift, adds source lines and fixes.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use crate::compare::{Drift, DriftKind, brief, compare};
use crate::context::{CodeSide, Context};
use crate::finding::Finding;
use crate::fix::{Fix, SourceFile, apply};
use crate::fixes::{self, set};
use crate::moves;
use crate::sources::{Item, argument_of, operation_id, schema_of};
use openapi_contract::equivalence::canonical;
use openapi_contract::excerpt;
use openapi_contract::pointer::{join, tokens};
use openapi_contract::{Contract, LoadError};
use openapi_lint::lint;

/// A fix is tried on a whole document, so the work grows with the number of drifts times the size of the contract. This much
/// takes a minute; a contract of 25 kB has room for a thousand drifts.
const MAX_WORK: usize = 30_000_000;

/// Every drift between the two, in the order of the contract, with its source lines and fixes. If they are thousands, as
/// between two unrelated documents, they have no fixes.
pub fn findings(contract: &Contract, generated: &Value, code: CodeSide<'_>) -> Vec<Finding> {
    let generated = &code.under_security(contract, generated);
    let drifts = compare(contract, generated);
    if drifts.is_empty() || drifts.len().saturating_mul(contract.text().len()) > MAX_WORK {
        let bare = |drift| Finding {
            drift,
            source: None,
            code_line: None,
            lines: String::new(),
            note: None,
            fixes: Vec::new(),
        };
        return drifts.into_iter().map(bare).collect();
    }
    let context = Context::new(contract, generated, code);
    // A fix must not leave a drift that was left out because of the one that it fixes.
    let known = without_parts(drifts);
    let drifts = moves::moved(contract.document(), generated, without_required(known.clone()));
    drifts.into_iter().map(|drift| finding(&context, drift, &known)).collect()
}

fn finding(context: &Context<'_>, drift: Drift, known: &[Drift]) -> Finding {
    let ours = fixes::contract_fix(context, &drift).map(|fix| proven_in_contract(context, &drift, fix, known));
    let theirs = fixes::code_fix(context, &drift).map(|fix| proven_in_code(context, &drift, fix, known));
    let note = "the component matches the code at other places: the reference may name the wrong component";
    let note = drift.reference.as_ref().map(|_| note.to_owned());
    let code = drift.code_pointer.as_deref().filter(|at| !context.is_by_rule(at)).and_then(|at| code_span(context, at));
    Finding {
        source: source(context, &drift),
        code_line: code.as_ref().map(|(file, span)| format!("{}:{}", file.path, file.line_of(span.start))),
        lines: lines(context, &drift, code),
        note,
        fixes: ours.into_iter().chain(theirs).collect(),
        drift,
    }
}

// ---- What follows from another drift --------------------------------------------------------------------------------

/// A property that one side lacks is not in its `required` either.
fn without_required(drifts: Vec<Drift>) -> Vec<Drift> {
    let is_missing = |drift: &&Drift| matches!(drift.kind, DriftKind::MissingInCode | DriftKind::MissingInContract);
    let missing: HashSet<String> = drifts.iter().filter(is_missing).map(|drift| drift.pointer.clone()).collect();
    let follows = |drift: &Drift| {
        let Some(owner) = drift.pointer.strip_suffix("/required") else { return false };
        if drift.pointer.ends_with("/properties/required") || tokens(owner).count() < 2 {
            return false;
        }
        let names = |side: &Option<Value>| -> HashSet<Value> {
            side.as_ref().and_then(Value::as_array).into_iter().flatten().map(canonical).collect()
        };
        let (ours, theirs) = (names(&drift.contract), names(&drift.code));
        let mut changed = ours.symmetric_difference(&theirs).peekable();
        let properties = join(owner, "properties");
        changed.peek().is_some()
            && changed.all(|name| name.as_str().is_some_and(|name| missing.contains(&join(&properties, name))))
    };
    drifts.into_iter().filter(|drift| !follows(drift)).collect()
}

/// Where only one side composes a schema of others, its other keywords differ for that reason.
fn without_parts(drifts: Vec<Drift>) -> Vec<Drift> {
    let owners: HashSet<String> = drifts.iter().filter_map(composed).map(str::to_owned).collect();
    let is_beside = |drift: &Drift| drift.pointer.rsplit_once('/').is_some_and(|(owner, _)| owners.contains(owner));
    drifts.into_iter().filter(|drift| composed(drift).is_some() || !is_beside(drift)).collect()
}

/// The pointer of the schema that only one side composes of others, if that is the drift.
fn composed(drift: &Drift) -> Option<&str> {
    let (owner, key) = drift.pointer.rsplit_once('/')?;
    let is_missing = matches!(drift.kind, DriftKind::MissingInCode | DriftKind::MissingInContract);
    let is_keyword = matches!(key, "allOf" | "anyOf" | "oneOf") && !owner.ends_with("/properties");
    (is_missing && is_keyword).then_some(owner)
}

// ---- Proof ----------------------------------------------------------------------------------------------------------

/// A fix of the contract, if the edited text is a contract without the drift, and no new one; otherwise in words.
fn proven_in_contract(context: &Context<'_>, drift: &Drift, fix: Fix, known: &[Drift]) -> Fix {
    if fix.edits.is_empty() {
        return fix;
    }
    // Errors that were there before are reported on their own.
    let old: HashSet<_> = context.faults.iter().map(|fault| (fault.code, &fault.pointer)).collect();
    let edited = context.contract.with_text(&apply(&context.yaml.text, &fix.edits));
    let errors = edited.as_ref().map_or_else(Vec::clone, lint);
    if let Some(error) = errors.iter().find(|error| !old.contains(&(error.code, &error.pointer))) {
        return Fix::words(fix.side, format!("the contract would be invalid: {}", error.message));
    }
    match edited {
        Ok(edited) if is_solved(&edited, context.generated, drift, known) => fix,
        _ if composed(drift).is_some() => {
            Fix::words(fix.side, "other keywords of the schema differ too: write the whole schema")
        }
        _ => Fix::words(fix.side, "the component matches the code at other places: write the schema inline here"),
    }
}

/// A fix of a type, if a spec with the contract's value has the drift nowhere; otherwise in words. The code cannot match what
/// the check refuses in the contract.
fn proven_in_code(context: &Context<'_>, drift: &Drift, fix: Fix, known: &[Drift]) -> Fix {
    let owner = |at: &str| at.rsplit_once('/').map(|(owner, _)| owner.to_owned());
    let is_cause = |fault: &&LoadError| fault.covers(&drift.pointer) || owner(&fault.pointer) == owner(&drift.pointer);
    if let Some(fault) = context.faults.iter().find(is_cause) {
        return Fix::words(fix.side, format!("correct the contract first: {}", fault.message));
    }
    let at = drift.code_pointer.as_deref().unwrap_or_default();
    let Some(name) = schema_of(at).filter(|_| !fix.edits.is_empty()) else { return fix };
    let mut edited = context.generated.clone();
    if set(&mut edited, at, drift.contract.clone()).is_none() || is_solved(context.contract, &edited, drift, known) {
        return fix;
    }
    Fix::words(fix.side, format!("`{name}` matches the contract at other places: use a separate type here"))
}

/// Whether the drift is removed and there is no new one, apart from a schema that nothing uses any more, and from a type that
/// is generated along with its first use.
fn is_solved(contract: &Contract, generated: &Value, drift: &Drift, known: &[Drift]) -> bool {
    let same =
        |a: &Drift, b: &Drift| (a.kind, &a.place, &a.contract, &a.code) == (b.kind, &b.place, &b.contract, &b.code);
    let follows = |one: &Drift| match one.kind {
        DriftKind::MissingInCode | DriftKind::MissingInContract => {
            one.pointer.starts_with("/components/schemas/") && tokens(&one.pointer).count() == 3
        }
        kind => kind == DriftKind::Dangling,
    };
    compare(contract, generated)
        .iter()
        .all(|one| !same(one, drift) && (known.iter().any(|known| same(known, one)) || follows(one)))
}

// ---- Source lines ---------------------------------------------------------------------------------------------------

/// The part of the code that a drift is in.
fn source(context: &Context<'_>, drift: &Drift) -> Option<String> {
    let at = drift.code_pointer.as_deref()?;
    if context.is_by_rule(at) {
        return Some(format!("a rule for all operations ({})", context.code.rules));
    }
    let name = schema_of(at).map(|name| format!("the type `{name}`"));
    name.or_else(|| Some(format!("the handler of `{}`", operation_id(context.generated, at)?)))
}

/// The lines of both sides, with what is wrong there.
fn lines(context: &Context<'_>, drift: &Drift, code: Option<(&SourceFile, Range<usize>)>) -> String {
    let quoted =
        |value: &Option<Value>| format!("`{}` here", value.as_ref().and_then(Value::as_str).unwrap_or_default());
    let ours = match drift.kind {
        DriftKind::Differs | DriftKind::SetDiffers => format!("expected {}", brief(drift.contract.as_ref())),
        DriftKind::MissingInCode => "missing in the code".to_owned(),
        DriftKind::MissingInContract => "missing in the contract".to_owned(),
        DriftKind::Moved => quoted(&drift.contract),
        DriftKind::Dangling => String::new(),
        DriftKind::NotPlanned => "planned".to_owned(),
    };
    let theirs = match (drift.kind, &drift.code) {
        (DriftKind::Moved, name) => quoted(name),
        (DriftKind::NotPlanned, _) => "has a handler".to_owned(),
        (_, None) => "not here".to_owned(),
        (_, Some(value)) if value.is_object() => "found here".to_owned(),
        (_, value) => format!("found {}", brief(value.as_ref())),
    };
    let contract = excerpt::at(&context.yaml.path, &context.lines, drift.position, &ours);
    let code = code.map(|(file, span)| file.excerpt(span, &theirs));
    excerpt::draw(contract.into_iter().chain(code))
}

/// The bytes of the code that a node of the generated spec comes from.
fn code_span<'c>(context: &'c Context<'_>, at: &str) -> Option<(&'c SourceFile, Range<usize>)> {
    let rest: Vec<String> = tokens(at).skip(3).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let in_item = |item: &'c Item<'_>, member: Option<&str>, keyword: Option<&&str>, attribute: &str| {
        let member = member.and_then(|name| item.member(name));
        let attributes = member.map_or(&item.attributes, |member| &member.attributes);
        let argument = keyword.and_then(|keyword| {
            argument_of(attributes, attribute, fixes::naming::attribute_of(keyword).unwrap_or(keyword))
        });
        let whole = member.map_or(item.start..item.end, |member| member.start..member.of.end);
        (item.file, argument.map_or(whole, |argument| argument.span.clone()))
    };
    if let Some(name) = schema_of(at) {
        let item = context.sources.schema(&name)?;
        return Some(match rest.as_slice() {
            ["properties", name, below @ ..] => in_item(item, Some(name), below.first(), "schema"),
            below => in_item(item, None, below.first(), "schema"),
        });
    }
    let handler = context.sources.handler(&operation_id(context.generated, at)?)?;
    let span = match rest.as_slice() {
        ["parameters", index, below @ ..] => {
            let operation = at.rsplit_once("/parameters/").map_or("", |(operation, _)| operation);
            let parameter = context.generated.pointer(&format!("{operation}/parameters/{index}"));
            let text = |key: &str| parameter.and_then(|one| one.get(key)?.as_str());
            let item = text("in").and_then(|location| fixes::holder(context, handler, location));
            if let (Some(item), Some(name)) = (item, text("name")) {
                return Some(in_item(item, Some(name), below.get(1), "param"));
            }
            handler.argument("params").map(|one| one.span.clone())
        }
        ["responses", status, ..] => handler.response(status),
        ["requestBody", ..] => handler.argument("request_body").map(|one| one.span.clone()),
        ["tags", ..] => handler.argument("tag").or_else(|| handler.argument("tags")).map(|one| one.span.clone()),
        ["operationId"] => handler.argument("operation_id").map(|one| one.span.clone()),
        _ => None,
    };
    Some((handler.file, span.unwrap_or(handler.start..handler.end)))
}
