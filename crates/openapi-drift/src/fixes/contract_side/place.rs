//! Where a node of the contract begins and ends in its text.

use serde_json::Value;

use crate::fixes::Context;
use crate::fixes::text::indent_of;
use openapi_contract::pointer;

/// The place of a node. Lines count from 1.
pub(super) struct Place {
    pub(super) first: usize,
    pub(super) last: usize,
    /// Characters before its key, or before an item's content.
    pub(super) column: usize,
    /// Whether it is an item of a list, in block style.
    pub(super) is_item: bool,
    /// Whether it stands between `{ }` or `[ ]`.
    pub(super) is_flow: bool,
    /// Whether it is the member that stands behind the dash of an item.
    pub(super) first_of_item: bool,
    /// The byte at which it begins.
    offset: usize,
    /// Where its members begin, if any of them has a line of its own.
    child: Option<usize>,
}

/// How the members of a node are written.
pub(super) enum Style {
    /// The bytes of its brackets.
    Flow {
        open: usize,
        close: usize,
    },
    Block {
        indent: usize,
    },
}

/// The place of a node that is there.
pub(super) fn of(context: &Context<'_>, at: &str) -> Option<Place> {
    if at.is_empty() {
        let last = context.yaml.text.lines().count();
        return Some(Place {
            first: 1,
            last,
            column: 0,
            is_item: false,
            is_flow: false,
            first_of_item: false,
            offset: 0,
            child: Some(0),
        });
    }
    let document = context.contract.document();
    let position = context.contract.position(at)?;
    let line = context.yaml.line(position.line);
    let column = position.column.saturating_sub(1);
    let head: String = line.chars().take(column).collect();
    let listed = document.pointer(at.rsplit_once('/')?.0)?.is_array();
    let is_flow = !head.chars().all(|one| matches!(one, ' ' | '-'));
    let behind_dash = head.contains('-');
    let floor = if listed && !is_flow { indent_of(line)? } else { column };
    let is_list = document.pointer(at)?.is_array();
    let mut last = position.line;
    if !is_flow {
        for (index, text) in context.yaml.text.lines().enumerate().skip(position.line) {
            let Some(indent) = indent_of(text) else { continue };
            let bare = text.trim_start();
            if indent > floor || (is_list && indent == floor && bare.starts_with("- ")) {
                last = index + 1;
            } else if !bare.starts_with('#') {
                break;
            }
        }
    }
    let start: usize = context.yaml.text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    let child = first_child(context, at, position.line);
    Some(Place {
        first: position.line,
        last,
        column,
        is_item: listed && !is_flow,
        is_flow,
        first_of_item: !listed && behind_dash && !is_flow,
        offset: start + head.len(),
        child,
    })
}

/// How far the members of a node are indented, or the dashes of its items.
fn first_child(context: &Context<'_>, at: &str, first: usize) -> Option<usize> {
    let position = |token: &str| context.contract.position(&pointer::join(at, token));
    match context.contract.document().pointer(at)? {
        Value::Object(members) => members.keys().filter_map(|key| position(key)).min().map(|one| one.column - 1),
        Value::Array(_) => {
            position("0").filter(|one| one.line > first).and_then(|one| indent_of(context.yaml.line(one.line)))
        }
        _ => None,
    }
}

impl Place {
    /// How its members are written.
    pub(super) fn inside(&self, context: &Context<'_>) -> Style {
        let text = context.yaml.slice(self.offset, context.yaml.text.len());
        let value = if self.is_item || self.child == Some(0) { 0 } else { after_key(text).unwrap_or_default() };
        let open = self.offset + value;
        match context.yaml.slice(open, open + 1) {
            "{" | "[" if self.child != Some(0) => match closing(&context.yaml.text, open) {
                Some(close) => Style::Flow { open, close },
                None => Style::Block { indent: self.column + 2 },
            },
            _ => Style::Block { indent: self.child.unwrap_or(self.column + 2) },
        }
    }

    /// The bytes of its key.
    pub(super) fn key(&self, context: &Context<'_>) -> Option<(usize, usize)> {
        let text = context.yaml.slice(self.offset, context.yaml.text.len());
        let end = key_end(text).filter(|end| text.get(*end..).is_some_and(|rest| rest.starts_with(':')))?;
        Some((self.offset, self.offset + end))
    }

    /// The bytes of its value, in flow style.
    pub(super) fn flow_value(&self, context: &Context<'_>) -> Option<(usize, usize)> {
        let text = context.yaml.slice(self.offset, context.yaml.text.len());
        let from = self.offset + after_key(text)?;
        Some((from, end_of_flow(&context.yaml.text, from)))
    }

    /// The bytes of the node and of the comma that goes with it, in flow style.
    pub(super) fn flow_member(&self, context: &Context<'_>) -> Option<(usize, usize)> {
        let text = &context.yaml.text;
        let (_, end) = self.flow_value(context)?;
        if let Some(rest) = context.yaml.slice(end, text.len()).strip_prefix(',') {
            return Some((self.offset, end + 1 + (rest.len() - rest.trim_start().len())));
        }
        let head = context.yaml.slice(0, self.offset).trim_end();
        Some((head.strip_suffix(',').map_or(self.offset, str::len), end))
    }

    /// The bytes of a value that stands in the line of its key, a comment left out.
    pub(super) fn plain_value(&self, context: &Context<'_>) -> Option<(usize, usize)> {
        let rest = context.yaml.slice(self.offset, context.yaml.text.len());
        let line = rest.lines().next()?;
        let from = after_key(line)?;
        let value = line.get(from..)?;
        if value.is_empty() || value.starts_with(['|', '>', '{']) {
            return None;
        }
        let mut end = value.len();
        for (at, _) in value.match_indices(" #") {
            let head = value.get(..at)?;
            if head.matches('\'').count() % 2 == 0 && head.matches('"').count() % 2 == 0 {
                end = at;
                break;
            }
        }
        Some((self.offset + from, self.offset + from + value.get(..end)?.trim_end().len()))
    }
}

/// Where a key ends.
fn key_end(text: &str) -> Option<usize> {
    match text.chars().next()? {
        quote @ ('\'' | '"') => Some(1 + text.get(1..)?.find(quote)? + 1),
        _ => text.find(':'),
    }
}

/// Where, behind a key and its colon, the value begins.
fn after_key(text: &str) -> Option<usize> {
    let key = key_end(text)?;
    let rest = text.get(key..)?.strip_prefix(':')?;
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    Some(key + 1 + spaces)
}

/// Where the bracket at `open` is closed.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, one) in text.get(open..)?.char_indices() {
        match (quote, one) {
            (Some(open), one) if open == one => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(one),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at);
        }
    }
    None
}

/// Where a value that begins here, in flow style, ends.
fn end_of_flow(text: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, one) in text.get(from..).unwrap_or_default().char_indices() {
        match (quote, one) {
            (Some(open), one) if open == one => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(one),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']' | ',') if depth == 0 => {
                let value = text.get(from..from + at).unwrap_or_default();
                return from + value.trim_end().len();
            }
            (None, '}' | ']') => depth -= 1,
            _ => {}
        }
    }
    text.len()
}
