//! Which components the paths of a document use.

use std::collections::HashSet;

use serde_json::Value;

use crate::Kind;
use crate::grammar::Shape;
use crate::pointer;

/// The JSON pointers of everything that `paths` refers to, directly or not, through the keywords that `follows` accepts.
/// A `$ref` inside an example is data and is not followed.
pub fn from_paths(document: &Value, follows: impl Fn(Kind, &str) -> bool) -> HashSet<String> {
    let mut reached = HashSet::new();
    let mut next = Vec::new();
    if let Some(paths) = document.get("paths") {
        next.push((Shape::Map(Kind::PathItem), paths));
    }
    // A list of work, not recursion: chains of references may be long.
    while let Some((shape, value)) = next.pop() {
        match (shape, value) {
            (Shape::One(kind), value) => {
                if let Some(target) = pointer::reference(value).and_then(pointer::local)
                    && let Some(found) = pointer::find(document, &target)
                    && reached.insert(target)
                {
                    next.push((Shape::One(kind), found));
                }
                for (key, member) in value.as_object().into_iter().flatten() {
                    match kind.keyword(key) {
                        _ if !follows(kind, key) => {}
                        Some(shape) => next.push((shape, member)),
                        // Only the code can have a keyword that the grammar lacks. If it holds schemas, such as
                        // `prefixItems`, they count as used: the keyword is drift enough.
                        None => {
                            next.push((Shape::One(Kind::Schema), member));
                            next.push((Shape::Map(Kind::Schema), member));
                        }
                    }
                }
            }
            (Shape::SchemaOrFlag, value) => next.push((Shape::One(Kind::Schema), value)),
            (Shape::List(kind) | Shape::Map(kind), Value::Array(items)) => {
                next.extend(items.iter().map(|item| (Shape::One(kind), item)));
            }
            (Shape::Map(kind), Value::Object(members)) => {
                next.extend(members.values().map(|member| (Shape::One(kind), member)));
            }
            (Shape::Statuses, Value::Object(members)) => {
                next.extend(members.values().map(|member| (Shape::One(Kind::Response), member)));
            }
            _ => {}
        }
    }
    reached
}
