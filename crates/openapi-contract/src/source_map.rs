//! The position of each node of a document in its file, and the order of its members.

use std::fmt;

use indexmap::IndexMap;
use serde_json::Value;

use crate::pointer;

/// A place in a file. Displayed as `line:column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
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
    pub position: Position,
    /// The nodes below.
    pub children: Children,
}

/// The nodes directly below a node.
#[derive(Debug, Clone)]
pub enum Children {
    /// A scalar.
    None,
    /// The items of a sequence.
    Items(Vec<SourceMap>),
    /// The members of a mapping.
    Members(Members),
}

/// The members of a mapping, in the order of the file.
pub type Members = IndexMap<String, SourceMap>;

impl SourceMap {
    fn child(&self, token: &str) -> Option<&SourceMap> {
        match &self.children {
            Children::None => None,
            Children::Items(items) => items.get(token.parse::<usize>().ok()?),
            Children::Members(members) => members.get(token),
        }
    }

    /// The position of the node at `pointer`, if there is one.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let mut node = self;
        for token in pointer::lent(pointer) {
            node = node.child(&token)?;
        }
        Some(node.position)
    }

    /// Where the node at `pointer` begins, and where the next node outside of it begins, if there is one.
    pub fn extent(&self, pointer: &str) -> Option<(Position, Option<Position>)> {
        let (mut node, mut next) = (self, None);
        for token in pointer::lent(pointer) {
            let after = match &node.children {
                Children::None => None,
                Children::Items(items) => items.get(token.parse::<usize>().ok()? + 1),
                Children::Members(members) => {
                    members.get_index(members.get_index_of(&*token)? + 1).map(|(_, after)| after)
                }
            };
            next = after.map(|after| after.position).or(next);
            node = node.child(&token)?;
        }
        Some((node.position, next))
    }

    /// The position of the node at `pointer`, or of its nearest ancestor that exists.
    pub fn nearest(&self, pointer: &str) -> Position {
        let mut node = self;
        for token in pointer::lent(pointer) {
            match node.child(&token) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.position
    }
}

/// Writes `value` as indented JSON, with the members in the order of `source` and those that it does not have last.
pub fn write_json(value: &Value, source: Option<&SourceMap>, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            let sources = match source.map(|source| &source.children) {
                Some(Children::Members(sources)) => Some(sources),
                _ => None,
            };
            let known = sources
                .into_iter()
                .flatten()
                .filter_map(|(key, child)| members.get_key_value(key).map(|(key, value)| (key, value, Some(child))));
            let unknown = members
                .iter()
                .filter(|(key, _)| sources.is_none_or(|sources| sources.get(key.as_str()).is_none()))
                .map(|(key, value)| (key, value, None));
            for (index, (key, value, child)) in known.chain(unknown).enumerate() {
                new_line(index, depth + 1, out);
                write_scalar(&Value::String(key.clone()), out);
                out.push_str(": ");
                write_json(value, child, depth + 1, out);
            }
            end_line(depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                new_line(index, depth + 1, out);
                let child = match source.map(|source| &source.children) {
                    Some(Children::Items(children)) => children.get(index),
                    _ => None,
                };
                write_json(item, child, depth + 1, out);
            }
            end_line(depth, out);
            out.push(']');
        }
        scalar_or_empty => write_scalar(scalar_or_empty, out),
    }
}

/// The compact form of serde_json.
fn write_scalar(value: &Value, out: &mut String) {
    out.push_str(&value.to_string());
}

fn new_line(index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    end_line(depth, out);
}

fn end_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}
