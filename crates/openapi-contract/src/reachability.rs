//! Which components the paths of a document use.

use std::collections::HashSet;

use serde_json::Value;

use crate::grammar::Shape;
use crate::kind::Kind;
use crate::nodes::{Node, below};
use crate::pointer;

/// The JSON pointers of everything that `paths` refers to, directly or not, through the keywords that `follows` accepts.
/// A `$ref` inside an example is data and is not followed.
pub fn from_paths(document: &Value, follows: impl Fn(Kind, &str) -> bool) -> HashSet<String> {
    let mut reached = HashSet::new();
    let mut next = Vec::new();
    if let Some(paths) = document.get("paths") {
        below(Shape::Map(Kind::PathItem), paths, "", &mut next);
    }
    // A work list, not recursion: chains of references may be long.
    while let Some(Node { kind, value, .. }) = next.pop() {
        if let Some(target) = pointer::reference(value).and_then(pointer::local)
            && let Some(found) = pointer::find(document, &target)
            && reached.insert(target)
        {
            next.push(Node { kind, value: found, at: String::new() });
        }
        for (key, member) in value.as_object().into_iter().flatten().filter(|(key, _)| follows(kind, key)) {
            match kind.keyword(key) {
                Some(shape) => below(shape, member, "", &mut next),
                // Outside the subset, in the generated spec. If it contains schemas, as `prefixItems` does, they count
                // as used: the keyword itself is already a drift.
                None => {
                    for shape in [Shape::One(Kind::Schema), Shape::List(Kind::Schema), Shape::Map(Kind::Schema)] {
                        below(shape, member, "", &mut next);
                    }
                }
            }
        }
    }
    reached
}
