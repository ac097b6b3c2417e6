//! The one traversal of a document's objects, for all checks.

use serde_json::Value;

use crate::grammar::Shape;
use crate::kind::Kind;
use crate::pointer::{self, join};
use crate::profile::Profile;

/// A place in a document that takes an object of the grammar.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The kind of object expected here.
    pub kind: Kind,
    /// The value found here: an object, a reference to one or, in an invalid document, anything else.
    pub value: &'a Value,
    /// The JSON pointer of the place.
    pub at: String,
}

impl<'a> Node<'a> {
    /// The whole document.
    pub fn document(document: &'a Value) -> Node<'a> {
        Node { kind: Kind::Document, value: document, at: String::new() }
    }

    /// Whether a reference takes the place of the object.
    pub fn is_reference(&self) -> bool {
        self.kind.referable() && pointer::reference(self.value).is_some()
    }

    /// Appends the nodes directly below this one, by the keywords of `profile`.
    pub fn children(&self, profile: Profile, out: &mut Vec<Node<'a>>) {
        for (key, member) in self.value.as_object().into_iter().flatten() {
            if let Some(shape) = self.kind.keyword_in(key, profile) {
                below(shape, member, &join(&self.at, key), out);
            }
        }
    }
}

/// Appends the nodes of a keyword's value that has this shape.
pub fn below<'a>(shape: Shape, value: &'a Value, at: &str, out: &mut Vec<Node<'a>>) {
    let named = |kind, name: &str, value| Node { kind, value, at: join(at, name) };
    match (shape, value) {
        (Shape::One(kind), _) => out.push(Node { kind, value, at: at.to_owned() }),
        (Shape::SchemaOrFlag, Value::Object(_)) => {
            out.push(Node { kind: Kind::Schema, value, at: at.to_owned() });
        }
        (Shape::List(kind), Value::Array(items)) => {
            out.extend(items.iter().enumerate().map(|(index, item)| named(kind, &index.to_string(), item)));
        }
        (Shape::Map(_) | Shape::Statuses, Value::Object(members)) => {
            let kind = if let Shape::Map(kind) = shape { kind } else { Kind::Response };
            let members = members.iter().filter(|(name, _)| !is_extension(kind, name));
            out.extend(members.map(|(name, member)| named(kind, name, member)));
        }
        (Shape::Callbacks, Value::Object(members)) => {
            for (name, callback) in members.iter().filter(|(_, callback)| pointer::reference(callback).is_none()) {
                below(Shape::Map(Kind::PathItem), callback, &join(at, name), out);
            }
        }
        _ => {}
    }
}

/// Whether a member of a map is an `x-` extension of the map: `paths`, `responses` and callbacks can have them.
fn is_extension(kind: Kind, name: &str) -> bool {
    matches!(kind, Kind::PathItem | Kind::Response) && name.starts_with("x-")
}

/// Every node of a document, each once, references included but not followed.
pub fn nodes(document: &Value, profile: Profile) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let mut next = vec![Node::document(document)];
    // A work list, not recursion: a document may be deep.
    while let Some(node) = next.pop() {
        node.children(profile, &mut next);
        nodes.push(node);
    }
    nodes
}
