//! The position of each node of a document in its file, and the order of its members.

use std::collections::HashMap;
use std::fmt;

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

/// The members of a mapping, in the order of the file. Large mappings also have an index by name.
#[derive(Debug, Clone, Default)]
pub struct Members {
    written: Vec<(String, SourceMap)>,
    places: HashMap<String, usize>,
}

/// The largest number of members for which a linear search is fastest.
const FEW: usize = 16;

impl Members {
    /// Adds a member with a new name.
    pub fn push(&mut self, name: String, source: SourceMap) {
        self.written.push((name, source));
        match self.written.len() {
            ..=FEW => {}
            // The index is built when the mapping becomes large.
            count if self.places.is_empty() => {
                let names = self.written.iter().enumerate();
                self.places.reserve(2 * count);
                self.places.extend(names.map(|(place, (name, _))| (name.clone(), place)));
            }
            count => {
                let name = self.written.last().map(|(name, _)| name.clone()).unwrap_or_default();
                self.places.insert(name, count - 1);
            }
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        match self.written.len() {
            ..=FEW => self.written.iter().position(|(written, _)| written == name),
            _ => self.places.get(name).copied(),
        }
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&SourceMap> {
        self.written.get(self.place(name)?).map(|(_, source)| source)
    }

    /// The member after this one.
    fn after(&self, name: &str) -> Option<&SourceMap> {
        self.written.get(self.place(name)? + 1).map(|(_, source)| source)
    }
}

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
                Children::Members(members) => members.after(&token),
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
                .flat_map(|sources| &sources.written)
                .filter_map(|(key, child)| members.get_key_value(key).map(|(key, value)| (key, value, Some(child))));
            let unknown = members
                .iter()
                .filter(|(key, _)| sources.is_none_or(|sources| sources.get(key).is_none()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_small_and_large_mappings() {
        let mut members = Members::default();
        let at = |line| Position { line, column: 1 };
        for line in 0..3 * FEW {
            assert!(members.get(&line.to_string()).is_none());
            members.push(line.to_string(), SourceMap { position: at(line), children: Children::None });
            for known in 0..=line {
                let position = |found: Option<&SourceMap>| found.map(|source| source.position);
                assert_eq!(position(members.get(&known.to_string())), Some(at(known)));
                let next = (known < line).then(|| at(known + 1));
                assert_eq!(position(members.after(&known.to_string())), next);
            }
        }
    }
}
