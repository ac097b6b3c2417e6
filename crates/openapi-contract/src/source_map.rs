//! The position of each node of a document in its file, and the order of its members.

use std::fmt;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::pointer;

/// A place in a file. Displayed as `line:column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The beginning of a file.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A tree with the shape of a JSON value, but with positions and order instead of content.
#[derive(Debug, Clone)]
pub struct SourceMap {
    /// Of the key for a member, of the item itself in a sequence.
    pub(crate) position: Position,
    pub(crate) children: Children,
    /// The digits of an integer beyond 64 bits: its value is a float.
    pub(crate) digits: Option<Box<str>>,
}

/// The nodes directly below a node by their pointer tokens, in the order of the file; empty for a scalar.
pub(crate) type Children = IndexMap<String, SourceMap>;

impl SourceMap {
    /// A node without others below it.
    pub fn at(position: Position) -> SourceMap {
        SourceMap { position, children: Children::new(), digits: None }
    }

    /// The integers beyond 64 bits, which became floats: the pointer and the digits of each.
    pub(crate) fn rounded(&self) -> Vec<(String, &str)> {
        let mut rounded: Vec<_> = self.digits.iter().map(|digits| (String::new(), &**digits)).collect();
        for (token, child) in &self.children {
            let token = pointer::join("", token);
            rounded.extend(child.rounded().into_iter().map(|(at, digits)| (format!("{token}{at}"), digits)));
        }
        rounded
    }

    /// The position of the node at `pointer`, if there is one.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        Some(self.find(pointer).ok()?.position)
    }

    /// The position of the node at `pointer`, or of its nearest ancestor that exists.
    pub fn nearest(&self, pointer: &str) -> Position {
        let (Ok(node) | Err(node)) = self.find(pointer);
        node.position
    }

    /// Where the node at `pointer` begins, and where the next node outside of it begins, if there is one.
    pub(crate) fn extent(&self, pointer: &str) -> Option<(Position, Option<Position>)> {
        let (mut node, mut next) = (self, None);
        for token in pointer::lent(pointer) {
            let (index, _, child) = node.children.get_full(&*token)?;
            next = node.children.get_index(index + 1).map(|(_, after)| after.position).or(next);
            node = child;
        }
        Some((node.position, next))
    }

    /// The names of the nodes directly below the node at `pointer`, in the order of the file.
    pub(crate) fn names(&self, pointer: &str) -> Vec<String> {
        self.find(pointer).map(|node| node.children.keys().cloned().collect()).unwrap_or_default()
    }

    /// Gives the node at `pointer` what is below the node at `from`.
    pub(crate) fn graft(&mut self, pointer: &str, from: &str) {
        let Ok(children) = self.find(from).map(|node| node.children.clone()) else { return };
        let mut node = Some(self);
        for token in pointer::lent(pointer) {
            node = node.and_then(|node| node.children.get_mut(&*token));
        }
        if let Some(node) = node {
            node.children = children;
        }
    }

    /// The node at `pointer`, or else its nearest ancestor.
    fn find(&self, pointer: &str) -> Result<&SourceMap, &SourceMap> {
        pointer::lent(pointer).try_fold(self, |node, token| node.children.get(&*token).ok_or(node))
    }
}

/// `value` as indented JSON, with the members in the order of `source` and those that it does not have last.
pub(crate) fn to_json(value: &Value, source: &SourceMap) -> String {
    // A tree of strings and numbers is always JSON.
    serde_json::to_string_pretty(&InOrder(value, Some(source))).unwrap_or_default()
}

struct InOrder<'a>(&'a Value, Option<&'a SourceMap>);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let InOrder(value, source) = self;
        let child = |token: &str| source.and_then(|source| source.children.get(token));
        match value {
            Value::Object(members) => {
                let keys = source.iter().flat_map(|source| source.children.keys());
                let known = keys.filter_map(|key| members.get_key_value(key));
                let new = members.iter().filter(|(key, _)| child(key).is_none());
                serializer.collect_map(known.chain(new).map(|(key, value)| (key, InOrder(value, child(key)))))
            }
            Value::Array(items) => {
                let item = |(index, item): (usize, _)| InOrder(item, child(&index.to_string()));
                serializer.collect_seq(items.iter().enumerate().map(item))
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
