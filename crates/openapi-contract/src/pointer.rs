//! JSON pointers (RFC 6901) and references.

use std::borrow::Cow;

use serde_json::Value;

/// `pointer` with one more token.
pub fn join(pointer: &str, token: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + token.len() + 1);
    joined.push_str(pointer);
    joined.push('/');
    if !token.contains(['~', '/']) {
        joined.push_str(token);
        return joined;
    }
    for character in token.chars() {
        match character {
            '~' => joined.push_str("~0"),
            '/' => joined.push_str("~1"),
            other => joined.push(other),
        }
    }
    joined
}

/// The tokens of a pointer, unescaped.
pub fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    lent(pointer).map(Cow::into_owned)
}

/// [`tokens`] without a copy of those that have no escapes.
pub fn lent(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|token| match token.contains('~') {
        true => Cow::Owned(token.replace("~1", "/").replace("~0", "~")),
        false => Cow::Borrowed(token),
    })
}

/// [`Value::pointer`] without a copy of each token, because comparisons spend most of their time following references.
pub fn find<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    if !(pointer.is_empty() || pointer.starts_with('/')) {
        return None;
    }
    lent(pointer).try_fold(document, |node, token| match node {
        Value::Object(members) => members.get(&*token),
        // RFC 6901 §4: an index has no sign and no leading zero.
        Value::Array(_) if token.starts_with('+') || (token.len() > 1 && token.starts_with('0')) => None,
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The pointer inside a local reference: `#/paths/~1users~1%7Bid%7D` gives `/paths/~1users~1{id}`.
///
/// `None` for anything that is not a fragment of this document (RFC 6901 §6), or not UTF-8 once decoded.
pub fn local(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !(fragment.is_empty() || fragment.starts_with('/')) {
        return None;
    }
    if !fragment.contains('%') {
        return Some(fragment.to_owned());
    }
    let mut decoded = Vec::with_capacity(fragment.len());
    let mut bytes = fragment.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// The `$ref` of a node, if it is a reference.
pub fn reference(node: &Value) -> Option<&str> {
    node.get("$ref").and_then(Value::as_str)
}

/// How many references are followed in a row, so that a cycle ends.
pub const MAX_HOPS: usize = 32;

/// The target of `node` if it is a reference, through further references, and its pointer; otherwise `node` itself.
///
/// `None` if a target does not exist or is in another file, or after more than [`MAX_HOPS`] references.
pub fn resolve<'a>(document: &'a Value, mut node: &'a Value, mut pointer: String) -> Option<(&'a Value, String)> {
    for _ in 0..=MAX_HOPS {
        let Some(target) = reference(node) else {
            return Some((node, pointer));
        };
        pointer = local(target)?;
        node = find(document, &pointer)?;
    }
    None
}

/// The references that [`resolve`] follows, each with its pointer.
pub fn references<'a>(document: &'a Value, mut node: &'a Value, at: &str) -> Vec<(&'a Value, String)> {
    let mut references = Vec::new();
    let mut pointer = at.to_owned();
    while let Some(target) = reference(node) {
        references.push((node, pointer));
        let found = local(target).and_then(|pointer| Some((find(document, &pointer)?, pointer)));
        match found {
            Some(found) if references.len() <= MAX_HOPS => (node, pointer) = found,
            _ => break,
        }
    }
    references
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_are_escaped_and_unescaped() {
        let pointer = join(&join("", "/users/{id}"), "a~b");
        assert_eq!(pointer, "/~1users~1{id}/a~0b");
        assert_eq!(tokens(&pointer).collect::<Vec<_>>(), ["/users/{id}", "a~b"]);
    }

    #[test]
    fn nodes_are_found_where_serde_json_finds_them() {
        let document = json!({"": 1, "a/b": [{"c~d": 2}, 3], "s": "text", "01": {"+1": 4}});
        for pointer in [
            "",
            "/",
            "/a~1b",
            "/a~1b/0/c~0d",
            "/a~1b/1",
            "/a~1b/01",
            "/a~1b/+1",
            "/a~1b/2",
            "/a~1b/-",
            "/s/0",
            "/01/+1",
        ] {
            assert_eq!(find(&document, pointer), document.pointer(pointer), "{pointer}");
        }
        assert_eq!(find(&document, "s"), None);
    }

    #[test]
    fn only_fragments_of_this_document_are_local() {
        assert_eq!(local("#/paths/~1users~1%7Bid%7D").as_deref(), Some("/paths/~1users~1{id}"));
        assert_eq!(local("other.yaml#/User"), None);
        assert_eq!(local("#User"), None);
        assert_eq!(local("#/%ff"), None);
        assert_eq!(local("#/%4"), None);
    }

    #[test]
    fn a_cycle_of_references_has_no_target() {
        let document = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/d"}, "d": 1});
        assert!(resolve(&document, &document["a"], "/a".into()).is_none());
        assert_eq!(resolve(&document, &document["c"], "/c".into()), Some((&json!(1), "/d".to_owned())));
    }
}
