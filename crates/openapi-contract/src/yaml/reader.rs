//! Parser events → a value and its positions.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::input::Characters;
use super::scalar::{Number, in_yaml_1_1, number};
use crate::error::{Code, LoadError, beyond_64_bits};
use crate::pointer;
use crate::profile::Profile;
use crate::source_map::{Children, Position, SourceMap};

/// The deepest nesting accepted, so that this and later stages may recurse.
const MAX_DEPTH: usize = 100;

/// How many nodes anchors and aliases may copy. Without a bound, a few lines of nested aliases would fill the memory.
const MAX_COPIED_NODES: usize = 500_000;

/// The result of reading a text.
pub struct Read {
    /// The document; `None` if the text cannot be parsed.
    pub root: Option<(Value, SourceMap)>,
    /// What is wrong with the text.
    pub errors: Vec<LoadError>,
}

type Node = (Value, SourceMap);

/// Reading has ended early, for a reason that is among the errors.
struct Stopped;

struct Reader<'t> {
    file: &'t str,
    profile: Profile,
    parser: Parser<'t, Characters<'t>>,
    /// The pointer of the node being read.
    pointer: String,
    /// The nodes that aliases can refer to.
    anchors: HashMap<usize, Node>,
    copied: usize,
    errors: Vec<LoadError>,
}

pub(super) fn read(file: &str, text: &str, profile: Profile) -> Read {
    // saphyr's own `load` recurses without a bound and asserts; its events do neither.
    let parser = Parser::new(Characters::new(text));
    let (pointer, anchors, errors) = (String::new(), HashMap::new(), Vec::new());
    let mut reader = Reader { file, profile, parser, pointer, anchors, copied: 0, errors };
    let root = reader.document().ok();
    Read { root, errors: reader.errors }
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Node, Stopped> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => {
                    return root.ok_or_else(|| self.stop(Code::Unreadable, Position::START, "the file is empty"));
                }
                (Event::DocumentStart(_), at) if root.is_some() => {
                    return Err(self.stop(Code::Unreadable, at, "a second YAML document: a file contains one"));
                }
                (Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
                (event, at) => root = Some(self.node(event, at, 1)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Position), Stopped> {
        let position = |marker: Marker| Position { line: marker.line().max(1), column: marker.col() + 1 };
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(span.start))),
            Some(Err(error)) => {
                let message = format!("invalid YAML: {}", error.info());
                Err(self.stop(Code::Unreadable, position(*error.marker()), message))
            }
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    fn node(&mut self, event: Event<'t>, at: Position, depth: usize) -> Result<Node, Stopped> {
        let anchor = self.decoration(&event, at);
        let mut digits = None;
        let (value, children) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            Event::SequenceStart(..) => self.sequence(at, depth)?,
            Event::MappingStart(..) => self.mapping(at, depth)?,
            Event::Scalar(text, ScalarStyle::Plain, ..) => (self.plain(&text, at, &mut digits), Children::new()),
            Event::Scalar(text, ..) => (Value::String(text.into_owned()), Children::new()),
            _ => (Value::Null, Children::new()),
        };
        let source = SourceMap { position: at, children, digits };
        if anchor != 0 {
            self.copy(&value, at, depth)?;
            self.anchors.insert(anchor, (value.clone(), source.clone()));
        }
        Ok((value, source))
    }

    fn sequence(&mut self, at: Position, depth: usize) -> Result<(Value, Children), Stopped> {
        self.check_depth(depth, at)?;
        let (mut values, mut children) = (Vec::new(), Children::new());
        loop {
            let (event, at) = match self.next()? {
                (Event::SequenceEnd, _) => return Ok((Value::Array(values), children)),
                other => other,
            };
            let token = values.len().to_string();
            let (value, source) = self.member(&token, event, at, depth)?;
            values.push(value);
            children.insert(token, source);
        }
    }

    fn mapping(&mut self, at: Position, depth: usize) -> Result<(Value, Children), Stopped> {
        self.check_depth(depth, at)?;
        let (mut values, mut children) = (Map::new(), Children::new());
        loop {
            let (name, at) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (event, at) => (self.key(event, at)?, at),
            };
            let (event, place) = self.next()?;
            let (value, source) = self.member(&name, event, place, depth)?;
            if let Some(SourceMap { position, .. }) = children.get(&name) {
                let message = format!("duplicate key `{name}`: first defined at {position}");
                let pointer = pointer::join(&self.pointer, &name);
                self.errors.push(LoadError::new(Code::Unreadable, self.file, at, pointer, message));
                continue;
            }
            children.insert(name.clone(), SourceMap { position: at, ..source });
            values.insert(name, value);
        }
        merge(&mut values, &mut children);
        Ok((Value::Object(values), children))
    }

    /// The node under a token of the pointer.
    fn member(&mut self, token: &str, event: Event<'t>, at: Position, depth: usize) -> Result<Node, Stopped> {
        let outer = self.pointer.len();
        self.pointer = pointer::join(&self.pointer, token);
        let node = self.node(event, at, depth + 1)?;
        self.pointer.truncate(outer);
        Ok(node)
    }

    fn key(&mut self, event: Event<'t>, at: Position) -> Result<String, Stopped> {
        let anchor = self.decoration(&event, at);
        match event {
            Event::Scalar(text, style, ..) => {
                if text == "<<" && style == ScalarStyle::Plain {
                    self.refuse(at, "merge keys are not supported: write the properties out");
                } else if style == ScalarStyle::Plain {
                    self.check_key(&text, at);
                }
                let name = text.into_owned();
                if anchor != 0 {
                    self.anchors.insert(anchor, (Value::String(name.clone()), SourceMap::at(at)));
                }
                Ok(name)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((Value::String(name), _)) => Ok(name.clone()),
                _ => Err(self.stop(Code::Unreadable, at, "a key must be a string")),
            },
            _ => Err(self.stop(Code::Unreadable, at, "a key must be a scalar")),
        }
    }

    /// A copy of the anchored node in the place of an alias. Inside, the positions are those of the original.
    fn alias(&mut self, anchor: usize, at: Position, depth: usize) -> Result<Node, Stopped> {
        self.refuse(at, "aliases are not supported: write the content out, or use `$ref`");
        let Some((value, source)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.stop(Code::Unreadable, at, "the alias is inside the node that it refers to"));
        };
        self.copy(&value, at, depth)?;
        Ok((value, SourceMap { position: at, ..source }))
    }

    /// Accounts for a copy of `value` at this place.
    fn copy(&mut self, value: &Value, at: Position, depth: usize) -> Result<(), Stopped> {
        let (count, inner) = size(value);
        self.copied = self.copied.saturating_add(count);
        if self.copied > MAX_COPIED_NODES {
            let message = format!("the aliases of the file expand to more than {MAX_COPIED_NODES} nodes");
            return Err(self.stop(Code::Unreadable, at, message));
        }
        self.check_depth(depth + inner - 1, at)
    }

    fn check_depth(&mut self, depth: usize, at: Position) -> Result<(), Stopped> {
        let message = || format!("nested deeper than {MAX_DEPTH} levels");
        if depth > MAX_DEPTH { Err(self.stop(Code::Unreadable, at, message())) } else { Ok(()) }
    }

    /// The anchor of a node, 0 if it has none. Anchors and tags may be errors.
    fn decoration(&mut self, event: &Event<'_>, at: Position) -> usize {
        let (Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)) =
            event
        else {
            return 0;
        };
        if *anchor != 0 {
            self.refuse(at, "anchors are not supported: use `$ref` to share content");
        }
        if tag.is_some() {
            self.error(Code::Unsupported, at, "tags are not supported: quote the value if it is a string");
        }
        *anchor
    }

    /// Adds an error of a contract that is not plain YAML.
    fn refuse(&mut self, at: Position, message: &str) {
        if self.profile == Profile::Supported {
            self.error(Code::Unsupported, at, message);
        }
    }

    fn error(&mut self, code: Code, at: Position, message: impl Into<String>) {
        self.errors.push(LoadError::new(code, self.file, at, self.pointer.clone(), message));
    }

    fn stop(&mut self, code: Code, at: Position, message: impl Into<String>) -> Stopped {
        self.error(code, at, message);
        Stopped
    }

    /// Refuses plain text that readers of YAML 1.1 read otherwise: to them this would be another contract.
    fn check_readers(&mut self, text: &str, at: Position) {
        if let Some(other) = in_yaml_1_1(text) {
            self.refuse(at, &format!("readers of YAML 1.1 read `{text}` as {other}"));
        }
    }

    /// Also refuses numbers, which other readers write in decimal digits when they make a string of them.
    fn check_key(&mut self, text: &str, at: Position) {
        self.check_readers(text, at);
        let is_status = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_status && in_yaml_1_1(text).is_none() && number(text).is_some() {
            self.refuse(at, &format!("other readers may write the key `{text}` otherwise: quote it"));
        }
    }

    fn plain(&mut self, text: &str, at: Position, rounded: &mut Option<Box<str>>) -> Value {
        self.check_readers(text, at);
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Bool(true),
            "false" | "False" | "FALSE" => return Value::Bool(false),
            _ => {}
        }
        match number(text) {
            None => Value::String(text.to_owned()),
            Some(Number::Exact(number)) => Value::Number(number),
            Some(Number::Rounded(number, digits)) if self.profile == Profile::Standard => {
                *rounded = Some(digits.into());
                Value::Number(number)
            }
            // Zero, so that no other error follows.
            Some(Number::Rounded(..)) => {
                self.refuse(at, &beyond_64_bits(text));
                Value::from(0)
            }
            Some(Number::NotJson) => {
                self.error(Code::Unreadable, at, format!("`{text}` is not a JSON number"));
                Value::from(0)
            }
        }
    }
}

/// How many nodes a value has, and how deep they are nested.
fn size(value: &Value) -> (usize, usize) {
    let sum = |(count, depth): (usize, usize), child: &Value| {
        let (more, inner) = size(child);
        (count + more, depth.max(inner + 1))
    };
    match value {
        Value::Array(items) => items.iter().fold((1, 1), sum),
        Value::Object(members) => members.values().fold((1, 1), sum),
        _ => (1, 0),
    }
}

/// Replaces `<<` by the members of the mapping under it, or of each mapping in the list under it. Members that are
/// already present take precedence.
fn merge(values: &mut Map<String, Value>, children: &mut Children) {
    let is_mergeable = |value: &Value| value.is_object() || value.is_array();
    let Some(merged) = values.get("<<").filter(|value| is_mergeable(value)).cloned() else { return };
    let source = children.get("<<").cloned().unwrap_or_else(|| SourceMap::at(Position::START));
    values.remove("<<");
    let parts = match merged {
        Value::Array(items) => items.into_iter().zip(source.children.into_values()).collect(),
        mapping => vec![(mapping, source)],
    };
    for (part, source) in parts {
        let Value::Object(members) = part else { continue };
        for (name, value) in members {
            if let (false, Some(place)) = (values.contains_key(&name), source.children.get(&name)) {
                children.insert(name.clone(), place.clone());
                values.insert(name, value);
            }
        }
    }
}
