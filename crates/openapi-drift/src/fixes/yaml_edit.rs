//! The lines of the contract's YAML that a change of some nodes edits.
//!
//! A node in block style is edited on its own lines. For a node inside `{ }` or `[ ]`, or behind the dash of an item, the
//! nearest enclosing node that has lines of its own is written again. A new member is the last of its owner.

use serde_json::{Map, Value};

use super::yaml_text;
use crate::context::Context;
use crate::fix::{Edit, indent_of, indented};
use openapi_contract::pointer::{self, join};

/// A node by its JSON pointer, and its new value; `None` removes it.
pub(crate) type Change = (String, Option<Value>);

enum Operation {
    /// The node is written again.
    Write(String),
    /// The lines of the node are removed.
    Remove(String),
    /// The node is written after this line, this far to the right.
    Insert { at: String, line: usize, indent: usize },
}

/// The edits that make these changes; `None` if the text has no place for one.
pub(crate) fn edits(context: &Context<'_>, changes: &[Change]) -> Option<Vec<Edit>> {
    let lines = Lines { context, document: context.contract.document() };
    let mut edited = lines.document.clone();
    let mut operations = Vec::new();
    for (at, value) in changes {
        let (at, value) = match value {
            Some(value) => lines.with_owners(at, value.clone())?,
            None => (lines.without_empty_owners(at)?, Value::Null),
        };
        let is_removal = changes
            .iter()
            .any(|(other, value)| value.is_none() && (*other == at || other.starts_with(&(at.clone() + "/"))));
        operations.push(lines.operation(&at, is_removal)?);
        set(&mut edited, &at, (!is_removal).then_some(value))?;
    }
    let written: Vec<String> = operations
        .iter()
        .filter_map(|one| match one {
            Operation::Write(at) => Some(at.clone()),
            _ => None,
        })
        .collect();
    let mut found: Vec<Edit> = Vec::new();
    for operation in operations {
        let (at, edits) = match operation {
            Operation::Write(at) => {
                let value = edited.pointer(&at)?;
                (at.clone(), lines.write_items(&at, value).or_else(|| Some(vec![lines.write(&at, value)?]))?)
            }
            Operation::Remove(at) => (at.clone(), vec![lines.remove(&at)?]),
            Operation::Insert { at, line, indent } => {
                (at.clone(), vec![lines.insert(&at, edited.pointer(&resolved_end(&edited, &at))?, line, indent)?])
            }
        };
        // What is inside a node that is written again is in its text.
        let is_inside = written.iter().any(|outer| at.starts_with(&(outer.clone() + "/")));
        found.extend(edits.into_iter().filter(|edit| !is_inside && !found.contains(edit)).collect::<Vec<_>>());
    }
    Some(found)
}

struct Lines<'c> {
    context: &'c Context<'c>,
    document: &'c Value,
}

impl Lines<'_> {
    /// The change, with the owners that do not exist yet.
    fn with_owners(&self, at: &str, mut value: Value) -> Option<(String, Value)> {
        let mut at = at.to_owned();
        loop {
            let (owner, last) = split(&at)?;
            if self.document.pointer(&owner).is_some() {
                return Some((at, value));
            }
            value = if last == "-" { Value::from(vec![value]) } else { Value::from(Map::from_iter([(last, value)])) };
            at = owner;
        }
    }

    /// The outermost node that would be empty without this one.
    fn without_empty_owners(&self, at: &str) -> Option<String> {
        let mut at = at.to_owned();
        loop {
            let (owner, _) = split(&at)?;
            let is_alone = match self.document.pointer(&owner)? {
                Value::Object(members) => members.len() == 1,
                Value::Array(items) => items.len() == 1,
                _ => return None,
            };
            if !is_alone || owner.is_empty() || owner == "/paths" {
                return Some(at);
            }
            at = owner;
        }
    }

    fn operation(&self, at: &str, is_removal: bool) -> Option<Operation> {
        let (owner, _) = split(at)?;
        if self.document.pointer(at).is_some() {
            return Some(match (self.is_block(at), is_removal) {
                (true, true) if !self.is_behind_dash(at) => Operation::Remove(at.to_owned()),
                (true, false) => Operation::Write(at.to_owned()),
                _ => Operation::Write(self.block_around(&owner)?),
            });
        }
        let Some(indent) = self.indent_inside(&owner) else {
            return Some(Operation::Write(self.block_around(&owner)?));
        };
        let line = self.last_line(&owner)?;
        Some(Operation::Insert { at: at.to_owned(), line, indent })
    }

    /// Whether a node begins a line, apart from white space and dashes.
    fn is_block(&self, at: &str) -> bool {
        at.is_empty() || self.head(at).is_some_and(|head| head.chars().all(|one| matches!(one, ' ' | '-')))
    }

    fn is_behind_dash(&self, at: &str) -> bool {
        let is_item = split(at).is_some_and(|(owner, _)| self.document.pointer(&owner).is_some_and(Value::is_array));
        !is_item && self.head(at).is_some_and(|head| head.contains('-'))
    }

    /// The text before a node on its line.
    fn head(&self, at: &str) -> Option<String> {
        let position = self.context.contract.position(at)?;
        Some(self.context.yaml.line(position.line).chars().take(position.column - 1).collect())
    }

    /// The node itself or the nearest one around it that begins a line and is no member behind a dash.
    fn block_around(&self, at: &str) -> Option<String> {
        let mut at = at.to_owned();
        while !self.is_block(&at) || self.is_behind_dash(&at) {
            at = split(&at)?.0;
        }
        (!at.is_empty()).then_some(at)
    }

    /// The indentation of a node's members, or of the dashes of its items; `None` if it is not in block style.
    fn indent_inside(&self, owner: &str) -> Option<usize> {
        let first = match self.document.pointer(owner)? {
            Value::Object(members) => {
                let positions = members.keys().map(|key| join(owner, key));
                positions.min_by_key(|at| self.context.contract.position(at))?
            }
            Value::Array(items) if !items.is_empty() => join(owner, "0"),
            _ => return None,
        };
        let position = self.context.contract.position(&first)?;
        let is_item = self.document.pointer(owner)?.is_array();
        if !self.is_block(&first) || (position.line == self.first_line(owner)? && !self.is_item(owner)) {
            return None;
        }
        if is_item { indent_of(self.context.yaml.line(position.line)) } else { Some(position.column - 1) }
    }

    fn is_item(&self, at: &str) -> bool {
        at.is_empty() || split(at).is_some_and(|(owner, _)| self.document.pointer(&owner).is_some_and(Value::is_array))
    }

    fn first_line(&self, at: &str) -> Option<usize> {
        if at.is_empty() { Some(0) } else { self.context.contract.position(at).map(|position| position.line) }
    }

    /// The last line of a node in block style: those that follow are indented further.
    fn last_line(&self, at: &str) -> Option<usize> {
        let text = &self.context.yaml.text;
        if at.is_empty() {
            return Some(text.lines().count());
        }
        let position = self.context.contract.position(at)?;
        let floor = match self.is_item(at) {
            true => indent_of(self.context.yaml.line(position.line))?,
            false => position.column - 1,
        };
        let is_list = self.document.pointer(at)?.is_array();
        let mut last = position.line;
        for (index, line) in text.lines().enumerate().skip(position.line) {
            let Some(indent) = indent_of(line) else { continue };
            let bare = line.trim_start();
            if indent > floor || (is_list && indent == floor && bare.starts_with("- ")) {
                last = index + 1;
            } else if !bare.starts_with('#') {
                break;
            }
        }
        Some(last)
    }

    fn insert(&self, at: &str, value: &Value, line: usize, indent: usize) -> Option<Edit> {
        let (owner, name) = split(at)?;
        let text = if name == "-" { yaml_text::item(value) } else { yaml_text::entry(&name, value) };
        // Paths and schemas are separated by blank lines.
        let gap = if matches!(owner.as_str(), "/paths" | "/components/schemas") { "\n" } else { "" };
        Some(self.context.yaml.insert_after(line, format!("{gap}{}", indented(&text, indent))))
    }

    /// The edits of a list in block style of which items are removed or added at the end: the lines of the others stay.
    fn write_items(&self, at: &str, value: &Value) -> Option<Vec<Edit>> {
        let (old, new) = (self.document.pointer(at)?.as_array()?, value.as_array()?);
        let indent = self.indent_inside(at)?;
        let kept = old.iter().filter(|item| new.contains(item));
        let added: Vec<&Value> = new.iter().filter(|item| !old.contains(item)).collect();
        if !kept.chain(added.iter().copied()).eq(new) {
            return None;
        }
        let removed = old.iter().enumerate().filter(|(_, item)| !new.contains(item));
        let removed = removed.map(|(index, _)| self.remove(&join(at, &index.to_string())));
        let mut edits: Vec<Edit> = removed.collect::<Option<_>>()?;
        if !added.is_empty() {
            let added: Vec<String> = added.into_iter().map(|item| indented(&yaml_text::item(item), indent)).collect();
            edits.push(self.context.yaml.insert_after(self.last_line(at)?, added.join("\n")));
        }
        Some(edits)
    }

    fn write(&self, at: &str, value: &Value) -> Option<Edit> {
        let (head, (first, last)) = (self.head(at)?, (self.first_line(at)?, self.last_line(at)?));
        let line = self.context.yaml.line(first);
        let rest = line.get(head.len()..)?;
        let key = split(at)?.1;
        let is_item = self.is_item(at);
        let was_flow =
            if is_item { rest } else { rest.split_once(": ").map_or("", |(_, value)| value) }.starts_with(['{', '[']);
        let text = match (is_item, was_flow && first == last) {
            (true, true) => yaml_text::flow(value),
            (true, false) => yaml_text::content(value),
            (false, true) => format!("{}: {}", yaml_text::key(&key), yaml_text::flow(value)),
            (false, false) => yaml_text::entry(&key, value),
        };
        let text = indented(&text, head.chars().count());
        let comment = if first == last && !text.contains('\n') { comment(rest) } else { "" };
        let text = format!("{head}{}{comment}", text.trim_start());
        Some(self.context.yaml.lines(first, last, text))
    }

    fn remove(&self, at: &str) -> Option<Edit> {
        let (mut first, last) = (self.first_line(at)?, self.last_line(at)?);
        let is_blank = |line: usize| self.context.yaml.line(line).trim().is_empty();
        if first > 1 && is_blank(first - 1) && is_blank(last + 1) {
            first -= 1;
        }
        Some(self.context.yaml.lines(first, last, String::new()))
    }
}

/// The comment at the end of a line, with the white space before it.
fn comment(line: &str) -> &str {
    let is_outside = |at: usize| {
        let head = line.get(..at).unwrap_or_default();
        head.matches('\'').count() % 2 == 0 && head.matches('"').count() % 2 == 0
    };
    let start = line.match_indices(" #").map(|(at, _)| at).find(|at| is_outside(*at));
    start.and_then(|at| line.get(line.get(..at)?.trim_end().len()..)).unwrap_or_default()
}

fn split(at: &str) -> Option<(String, String)> {
    let (owner, last) = at.rsplit_once('/')?;
    Some((owner.to_owned(), pointer::tokens(&format!("/{last}")).next()?))
}

/// The pointer of the item that `-` added.
fn resolved_end(document: &Value, at: &str) -> String {
    let last = at
        .strip_suffix("/-")
        .and_then(|owner| Some(join(owner, &(document.pointer(owner)?.as_array()?.len() - 1).to_string())));
    last.unwrap_or_else(|| at.to_owned())
}

/// Sets or removes a node of a document.
pub(crate) fn set(document: &mut Value, at: &str, value: Option<Value>) -> Option<()> {
    let (owner, name) = split(at)?;
    match (document.pointer_mut(&owner)?, value) {
        (Value::Object(members), Some(value)) => drop(members.insert(name, value)),
        (Value::Object(members), None) => drop(members.remove(&name)),
        (Value::Array(items), Some(value)) if name == "-" => items.push(value),
        (Value::Array(items), Some(value)) => *items.get_mut(name.parse::<usize>().ok()?)? = value,
        (Value::Array(items), None) => drop(items.remove(name.parse::<usize>().ok().filter(|at| *at < items.len())?)),
        _ => return None,
    }
    Some(())
}
