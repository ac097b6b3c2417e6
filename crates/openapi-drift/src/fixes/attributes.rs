//! Edits of attributes such as `#[schema(max_length = 9)]`, and of lists inside them.

use std::ops::Range;

use serde_json::Value;

use super::naming::{attribute, attribute_of, literal};
use crate::fix::{Edit, SourceFile};
use crate::sources::{Argument, Attribute, Handler, Item, argument_of};

/// What carries attributes: an item, or a field.
pub(crate) struct Target<'s> {
    pub(crate) file: &'s SourceFile,
    pub(crate) attributes: &'s [Attribute],
    /// The first byte after the attributes.
    pub(crate) start: usize,
}

impl<'s> Target<'s> {
    pub(crate) fn item(item: &'s Item<'_>) -> Target<'s> {
        Target { file: item.file, attributes: &item.attributes, start: item.start }
    }

    /// The edit after which the attribute `name` has this value for a keyword of the contract, or does not have it. `None`
    /// where utoipa has no attribute for the keyword.
    pub(crate) fn keyword(&self, name: &str, keyword: &str, value: Option<&Value>) -> Option<Edit> {
        let key = if keyword == "format" { "format" } else { attribute_of(keyword)? };
        let text = match value {
            Some(value) if keyword == "format" => Some(format!("format = {}", literal(value))),
            Some(value) => Some(attribute(keyword, value)?),
            None => None,
        };
        self.argument(name, key, text.as_deref())
    }

    /// The edit after which the attribute `name` has this text for its argument `key`, or does not have the argument.
    pub(crate) fn argument(&self, name: &str, key: &str, text: Option<&str>) -> Option<Edit> {
        let known = argument_of(self.attributes, name, key);
        let holder = |argument: &Argument| {
            let holds = |one: &&Attribute| one.span.start <= argument.span.start && argument.span.end <= one.span.end;
            self.attributes.iter().find(holds)
        };
        Some(match (known, text) {
            (Some(known), Some(text)) => self.file.replace(known.span.clone(), text),
            (Some(known), None) => match holder(known)? {
                alone if alone.arguments.len() == 1 => self.file.replace(alone.span.clone(), ""),
                _ => self.file.replace(with_comma(self.file, known.span.clone()), ""),
            },
            (None, Some(text)) => {
                match self.attributes.iter().filter(|one| one.name == name).find_map(|one| one.arguments.last()) {
                    Some(last) => self.file.replace(last.span.end..last.span.end, &format!(", {text}")),
                    None => {
                        let line = self.file.line_of(self.start);
                        let indent = crate::fix::indent_of(self.file.line(line)).unwrap_or_default();
                        self.file.insert_after(line - 1, format!("{:indent$}#[{name}({text})]", ""))
                    }
                }
            }
            (None, None) => return None,
        })
    }
}

/// The edit that adds a part to `key(…)` of a handler's attribute, which is written before `responses` if it is new.
pub(crate) fn add_part(handler: &Handler<'_>, key: &str, part: &str) -> Option<Edit> {
    let file = handler.file;
    let Some(argument) = handler.argument(key) else {
        return set_argument(handler, &[key], &format!("{key}({part})"));
    };
    Some(match argument.parts.last() {
        Some(last) if file.slice(argument.span.clone()).contains('\n') => {
            file.replace(last.end..last.end, &format!(",\n        {part}"))
        }
        Some(last) => file.replace(last.end..last.end, &format!(", {part}")),
        None => file.replace(argument.inside.clone(), part),
    })
}

/// The edit that writes an argument of a handler's attribute in the place of one of `keys`, or before `responses`.
pub(crate) fn set_argument(handler: &Handler<'_>, keys: &[&str], text: &str) -> Option<Edit> {
    let file = handler.file;
    if let Some(known) = keys.iter().find_map(|key| handler.argument(key)) {
        return Some(file.replace(known.span.clone(), text));
    }
    let at = handler.argument("responses")?.span.start;
    Some(file.replace(at..at, &format!("{text},\n    ")))
}

/// A part of a list with the comma that separates it.
pub(crate) fn with_comma(file: &SourceFile, span: Range<usize>) -> Range<usize> {
    let rest = file.slice(span.end..file.text.len());
    if let Some(after) = rest.trim_start().strip_prefix(',') {
        return span.start..file.text.len() - after.trim_start_matches(' ').len();
    }
    let head = file.slice(0..span.start).trim_end();
    head.strip_suffix(',').map_or(span.start, str::len)..span.end
}

/// The edit that adds a field or a variant after the last one.
pub(crate) fn append_member(item: &Item<'_>, text: &str) -> Edit {
    let file = item.file;
    let inner = file.slice(item.body.clone()).trim_end();
    if inner.is_empty() {
        return file.replace(item.body.clone(), &format!("\n{text}\n"));
    }
    let end = item.body.start + inner.len();
    if inner.ends_with(',') && inner.contains('\n') {
        return file.insert_after(file.line_of(end), text);
    }
    file.replace(end..item.body.end, &format!(",\n{text}\n"))
}
