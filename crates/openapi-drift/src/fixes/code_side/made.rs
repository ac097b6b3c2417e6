//! Where the sources make a value of a type, member by member: a new member concerns them too.

use crate::fixes::sources::{Item, masked};
use crate::fixes::types::snake;
use crate::fixes::{Context, Edit};

/// Where the sources make a value of this type, member by member.
pub(super) fn made(context: &Context<'_>, item: &Item<'_>) -> Vec<(usize, usize)> {
    let Some(index) = context.code.files.iter().position(|file| file.path == item.file.path) else { return Vec::new() };
    let mut made = Vec::new();
    for (at, file) in context.code.files.iter().enumerate() {
        let masked = masked(&file.text);
        let named = masked.match_indices(&format!("{} {{", item.name)).map(|(start, _)| start).collect::<Vec<_>>();
        for start in named.into_iter().chain(selves(&masked, &item.name)) {
            let head = masked.get(..start).unwrap_or_default().trim_end();
            let declared =
                ["struct", "enum", "impl", "for", "->", "trait", "mod"].iter().any(|word| head.ends_with(word));
            let part =
                masked.get(..start).is_some_and(|head| head.ends_with(|one: char| one.is_alphanumeric() || one == '_'));
            let itself = at == index && (item.start..item.body.0).contains(&start);
            if !(declared || part || itself) {
                made.push((at, start));
            }
        }
    }
    made
}

/// Where a type's own methods say `Self { … }`.
pub(super) fn selves(masked: &str, name: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (start, _) in masked.match_indices("impl") {
        let Some(open) = masked.get(start..).and_then(|rest| rest.find('{')).map(|at| start + at) else { continue };
        let head = masked.get(start..open).unwrap_or_default();
        if head.split(|one: char| !one.is_alphanumeric() && one != '_').rfind(|word| !word.is_empty()) != Some(name) {
            continue;
        }
        let end = masked.get(open..).and_then(|rest| rest.find("\n}")).map_or(masked.len(), |at| open + at);
        let body = masked.get(open..end).unwrap_or_default();
        found.extend(body.match_indices("Self {").map(|(at, _)| open + at));
    }
    found
}

/// Whoever makes such a value leaves the new member out.
pub(super) fn literals(context: &Context<'_>, item: &Item<'_>, name: &str, optional: bool) -> Vec<Edit> {
    if !optional {
        return Vec::new();
    }
    let edits = made(context, item).into_iter().filter_map(|(at, start)| {
        let file = context.code.files.get(at)?;
        let masked = masked(&file.text);
        let open = start + masked.get(start..)?.find('{')?;
        let close = open + masked.get(open..)?.find('}')?;
        let inner = masked.get(open + 1..close)?;
        if inner.contains("..") {
            return None;
        }
        let end = open + 1 + inner.trim_end().len();
        let comma = if inner.trim().is_empty() || inner.trim_end().ends_with(',') { "" } else { "," };
        Some(file.replace(end, end, &format!("{comma} {}: None", snake(name))))
    });
    edits.collect()
}

pub(super) fn missing_literals(context: &Context<'_>, item: &Item<'_>) -> String {
    let places: Vec<String> = made(context, item)
        .into_iter()
        .filter_map(|(at, start)| {
            let file = context.code.files.get(at)?;
            Some(format!("{}:{}", file.path, file.line_of(start)))
        })
        .collect();
    if places.is_empty() {
        String::new()
    } else {
        format!("give it a value where a `{}` is made: {}", item.name, places.join(", "))
    }
}
