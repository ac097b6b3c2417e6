//! What the code says by rule, for all operations of a kind: where the rule says it, and what it is to say.

use serde_json::Value;

use super::item::of_type;
use super::{BY_RULE, Written};
use crate::Drift;
use crate::DriftKind;
use crate::diff::diff;
use crate::fixes::shared::put;
use crate::fixes::text::SourceFile;
use crate::fixes::types::{Typed, Types, Way, docs, pascal};
use crate::fixes::{Context, Edit};
use openapi_contract::pointer::{self, join};

/// The lines of a rule that a drift is about.
struct Rule<'a> {
    file: &'a SourceFile,
    /// The one that names the header or the status, from 1.
    line: usize,
    function: String,
}

pub(super) fn of_rule(context: &Context<'_>, drift: &Drift) -> Written {
    let at: Vec<String> = pointer::tokens(drift.code_pointer.as_deref().unwrap_or_default()).collect();
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    let general = || format!("{BY_RULE}, for all operations of a kind: change the rule in {}", context.code.rules);
    let (name, below) = match at.as_slice() {
        ["paths", _, _, "responses", _, "headers", name, below @ ..] => (*name, below),
        ["paths", _, _, "responses", status, ..] => (*status, [].as_slice()),
        _ => return Err(general()),
    };
    let Some(rule) = rule(context, name) else { return Err(general()) };
    let code = rule.file.line(rule.line).trim();
    let words = format!(
        "{BY_RULE}, for all operations of a kind: change `{}` ({}:{}), where it says `{code}`",
        rule.function, rule.file.path, rule.line
    );
    let written = match (below, drift.kind) {
        (["schema", keywords @ ..], _) if is_of_all(context, drift, name) => {
            of_header(context, drift, &rule, name, keywords)?
        }
        ([], DriftKind::MissingInContract) if is_header(&at) && is_of_all(context, drift, name) => Some(vec![
            rule.file.edit(crate::fixes::Action::Remove { first: rule.line, last: rule.line }, String::new()),
        ]),
        _ => None,
    };
    written
        .map(|edits| Some((edits, format!("it stands in `{}`, for all operations of a kind", rule.function))))
        .ok_or(words)
}

/// What to do about a header that answers lack which are there by rule; `None` where a handler has them of its own.
pub(super) fn lacking(context: &Context<'_>, drift: &Drift) -> Option<String> {
    let schema = drift.contract.as_ref().filter(|_| drift.kind == DriftKind::MissingInCode)?;
    let schema = pointer::resolve(context.contract.document(), schema, String::new())?.0.get("schema")?;
    let (answer, name) = drift.code_pointer.as_deref()?.rsplit_once("/headers/")?;
    let by_rule = Drift { code_pointer: Some(answer.to_owned()), ..drift.clone() };
    let all = drift.code_pointers.iter().filter_map(|at| Some(at.rsplit_once("/headers/")?.0.to_owned()));
    let all = all.map(|at| Drift { code_pointer: Some(at), ..drift.clone() });
    if ![by_rule].into_iter().chain(all).any(|one| super::is_by_rule(context, &one)) {
        return None;
    }
    let others = context.generated.pointer(answer)?.get("headers")?.as_object()?;
    let rule = others.keys().find_map(|name| rule(context, name))?;
    let rust = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => "i64",
        _ => "String",
    };
    Some(format!(
        "{BY_RULE} what these answers have, for all operations of a kind: in `{}` ({}:{}), beside `{}`, give them `{name}`, \
         of `{rust}::schema()` or of a type of its own as below there",
        rule.function,
        rule.file.path,
        rule.line,
        rule.file.line(rule.line).trim()
    ))
}

fn is_header(at: &[&str]) -> bool {
    at.get(5) == Some(&"headers")
}

/// Where the rules name this.
fn rule<'a>(context: &Context<'a>, name: &str) -> Option<Rule<'a>> {
    let file = context.code.files.iter().find(|file| file.path == context.code.rules)?;
    let quoted = format!("\"{name}\"");
    let lines = || file.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let (index, _) = lines().find(|(_, line)| line.contains(&quoted))?;
    let heads = lines().take_while(|(at, _)| *at <= index).filter_map(|(_, line)| {
        let (head, rest) = line.split_once("fn ")?;
        (head.is_empty() || head.starts_with("pub"))
            .then(|| rest.split(['(', '<']).next().unwrap_or_default().to_owned())
    });
    Some(Rule { file, line: index + 1, function: heads.last()? })
}

/// Whether no drift comes of it where the rule says it everywhere as the contract does here.
fn is_of_all(context: &Context<'_>, drift: &Drift, header: &str) -> bool {
    let tail = |at: &str| at.split_once(&join("/headers", header)).map(|(_, tail)| tail.to_owned());
    let Some(tail) = drift.code_pointer.as_deref().and_then(tail) else { return false };
    let mut generated = context.generated.clone();
    let paths = context.generated.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (template, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
            for (status, _) in responses.filter(|(_, one)| one.pointer(&join("/headers", header)).is_some()) {
                let operation = join(&join("/paths", template), method);
                let at = join(&join(&operation, "responses"), status) + &join("/headers", header) + &tail;
                if put(&mut generated, &at, drift.contract.clone()).is_none() {
                    return false;
                }
            }
        }
    }
    let known = |at: &str| context.known.iter().any(|(pointer, _)| pointer == at);
    diff(context.contract, &generated).iter().all(|one| one.pointer != drift.pointer && known(&one.pointer))
}

/// The schema of a header: the type that the rule takes it from says it, or a new one.
fn of_header(
    context: &Context<'_>,
    drift: &Drift,
    rule: &Rule<'_>,
    name: &str,
    keywords: &[&str],
) -> Result<Option<Vec<Edit>>, String> {
    const SCHEMA: &str = "::schema()";
    let line = rule.file.line(rule.line);
    let Some(end) = line.find(SCHEMA) else { return Ok(None) };
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    let start = line.get(..end).and_then(|head| head.rfind(|one| !is_word(one))).map_or(0, |at| at + 1);
    let said = line.get(start..end).unwrap_or_default();
    if let Some(item) = context.sources.items.iter().find(|item| item.file.path == rule.file.path && item.name == said)
    {
        return Ok(of_type(context, drift, item, &item.name, keywords)?.map(|(edits, _)| edits));
    }
    let tail = keywords.iter().fold(String::new(), |tail, token| join(&tail, token));
    let schema = drift.pointer.strip_suffix(&tail).and_then(|at| context.contract.document().pointer(at));
    let Some(schema) = schema else { return Ok(None) };
    let mut types = Types::new(context, Some(rule.file), Way::default());
    let new = pascal(name);
    let (Typed { rust, .. }, attributes) = types.newtype(&new, schema)?;
    let to_schema = types.import("utoipa", "ToSchema");
    let attributes =
        if attributes.is_empty() { String::new() } else { format!("#[schema({})]\n", attributes.join(", ")) };
    let comment = docs(&Value::Null, &format!("See the header `{name}` in the contract."), "");
    let item = format!(
        "\n{comment}#[derive({to_schema})]\n{attributes}#[expect(dead_code, reason = \"only its schema is used\")]\nstruct {new}({rust});"
    );
    let changed = format!("{}{new}{}", line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
    let here = crate::fixes::Action::Replace { first: rule.line, last: rule.line };
    let last = rule.file.text.lines().count();
    Ok(Some(vec![rule.file.insert_after(last, item), rule.file.edit(here, changed)]))
}
