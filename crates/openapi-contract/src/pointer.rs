//! JSON pointers (RFC 6901) and references.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// `pointer` with one more token.
pub fn join(pointer: &str, token: &str) -> String {
    match token.contains(['~', '/']) {
        true => format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1")),
        false => [pointer, "/", token].concat(),
    }
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
    let is_pointer = fragment.is_empty() || fragment.starts_with('/');
    is_pointer.then(|| Some(percent_decode_str(fragment).decode_utf8().ok()?.into_owned()))?
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
pub fn resolve<'a>(document: &'a Value, node: &'a Value, pointer: String) -> Option<(&'a Value, String)> {
    hops(document, node, pointer).find(|(node, _)| reference(node).is_none())
}

/// The references that [`resolve`] follows, each with its pointer.
pub fn references<'a>(document: &'a Value, node: &'a Value, at: &str) -> Vec<(&'a Value, String)> {
    hops(document, node, at.to_owned()).take_while(|(node, _)| reference(node).is_some()).collect()
}

/// `node`, and while that is a reference, its target.
fn hops<'a>(document: &'a Value, node: &'a Value, pointer: String) -> impl Iterator<Item = (&'a Value, String)> {
    let next = |(node, _): &(&'a Value, String)| {
        let target = local(reference(node)?)?;
        Some((find(document, &target)?, target))
    };
    std::iter::successors(Some((node, pointer)), next).take(MAX_HOPS + 1)
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
    }

    #[test]
    fn a_cycle_of_references_has_no_target() {
        let document = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}, "c": {"$ref": "#/d"}, "d": 1});
        assert!(resolve(&document, &document["a"], "/a".into()).is_none());
        assert_eq!(resolve(&document, &document["c"], "/c".into()), Some((&json!(1), "/d".to_owned())));
    }
}
