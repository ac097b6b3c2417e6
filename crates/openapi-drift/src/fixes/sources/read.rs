//! Finds the items and handlers of a file.

use super::masked::{closing, masked, opening, skip_space, split, word, words};
use super::{Argument, Attribute, Handler, Item, Member, Sources};
use crate::fixes::text::SourceFile;

pub(super) fn read<'a>(file: &'a SourceFile, sources: &mut Sources<'a>) {
    let masked = masked(&file.text);
    for (at, keyword) in words(&masked) {
        match keyword {
            "struct" | "enum" => sources.items.extend(item(file, &masked, at, keyword)),
            "fn" => sources.handlers.extend(handler(file, &masked, at)),
            _ => {}
        }
    }
}

fn item<'a>(file: &'a SourceFile, masked: &str, at: usize, keyword: &str) -> Option<Item<'a>> {
    let name_at = skip_space(masked, at + keyword.len());
    let name = word(masked, name_at)?;
    let open = masked.get(name_at..)?.find(['{', '(', ';']).map(|found| name_at + found)?;
    let close = if masked.get(open..)?.starts_with(';') { open } else { closing(masked, open)? };
    let (attributes, start) = before(file, masked, at);
    let body = (open + 1, close.max(open + 1));
    let named = masked.get(open..)?.starts_with('{');
    let members = if named { split(masked, body.0, body.1) } else { Vec::new() };
    let members = members.into_iter().filter_map(|(from, to)| member(file, masked, from, to)).collect();
    Some(Item { file, name: name.to_owned(), is_enum: keyword == "enum", attributes, start, body, members })
}

fn member(file: &SourceFile, masked: &str, from: usize, to: usize) -> Option<Member> {
    let mut at = skip_space(masked, from);
    let mut attributes = Vec::new();
    while masked.get(at..to)?.starts_with("#[") {
        let end = closing(masked, at + 1)? + 1;
        attributes.push(attribute(file, masked, at, end));
        at = skip_space(masked, end);
    }
    let start = at;
    let declared = masked.get(at..to)?;
    let colon = declared.find(':');
    let head = declared.get(..colon.unwrap_or(declared.len()))?;
    let head = head.split(['(', '{', '=']).next()?;
    let name = head.split_whitespace().next_back()?.trim_start_matches("r#");
    let of = colon.map_or((to, to), |colon| (skip_space(masked, at + colon + 1), to));
    Some(Member { name: name.to_owned(), attributes, start, of })
}

fn handler<'a>(file: &'a SourceFile, masked: &str, at: usize) -> Option<Handler<'a>> {
    let name_at = skip_space(masked, at + 2);
    let name = word(masked, name_at)?.to_owned();
    let (attributes, start) = before(file, masked, at);
    let attribute = attributes.into_iter().find(|one| one.name == "utoipa::path")?;
    let open = masked.get(name_at..)?.find('(').map(|found| name_at + found)?;
    let close = closing(masked, open)?;
    let brace = masked.get(close..)?.find('{').map(|found| close + found)?;
    let end = closing(masked, brace)? + 1;
    Some(Handler { file, name, attribute, start, arguments: (open + 1, close), end })
}

/// The attributes of the item whose keyword stands here, and where its first word stands.
fn before(file: &SourceFile, masked: &str, keyword: usize) -> (Vec<Attribute>, usize) {
    let line = masked.get(..keyword).and_then(|head| head.rfind(['\n', ']', '}', ';'])).map_or(0, |at| at + 1);
    let start = skip_space(masked, line);
    let mut attributes = Vec::new();
    let mut end = masked.get(..start).unwrap_or_default().trim_end().len();
    while masked.get(..end).is_some_and(|head| head.ends_with(']')) {
        let Some(open) = opening(masked, end - 1) else { break };
        let Some(hash) = masked.get(..open).filter(|head| head.ends_with('#')).map(|head| head.len() - 1) else {
            break;
        };
        attributes.push(attribute(file, masked, hash, end));
        end = masked.get(..hash).unwrap_or_default().trim_end().len();
    }
    attributes.reverse();
    (attributes, start)
}

fn attribute(file: &SourceFile, masked: &str, start: usize, end: usize) -> Attribute {
    let inner = file.slice(start + 2, end.saturating_sub(1));
    let name: String = inner.chars().take_while(|one| one.is_alphanumeric() || matches!(one, '_' | ':')).collect();
    let open = start + 2 + name.len();
    let inside = match masked.get(open..).filter(|rest| rest.starts_with('(')).and_then(|_| closing(masked, open)) {
        Some(close) => (open + 1, close),
        None => (open, open),
    };
    let arguments = split(masked, inside.0, inside.1)
        .into_iter()
        .map(|span| {
            let text = file.slice(span.0, span.1);
            let key = text.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
            Argument { key, span }
        })
        .collect();
    Attribute { name, start, end, arguments }
}
