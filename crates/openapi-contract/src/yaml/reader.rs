//! Parser events → a value and its positions.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle};
use serde_json::{Map, Value};

use super::scalar::{Number, number};
use crate::error::{Code, LoadError};
use crate::pointer;
use crate::profile::Profile;
use crate::source_map::{Children, Members, Position, SourceMap};

/// The deepest nesting accepted, so that later stages may recurse.
const MAX_DEPTH: usize = 100;

/// How many nodes anchors and aliases may copy. Without a bound, a few lines of nested aliases would fill the memory.
const MAX_COPIED_NODES: usize = 500_000;

/// Parsing has ended early, for a reason that is among the errors.
pub(super) struct Stopped;

pub(super) struct Reader<'f> {
    file: &'f str,
    profile: Profile,
    /// The collections that are open, outermost first.
    open: Vec<Frame>,
    pub(super) root: Option<(Value, SourceMap)>,
    pub(super) errors: Vec<LoadError>,
    /// A part of the content is unknown, so that later checks would report consequences only.
    pub(super) unreadable: bool,
    /// The nodes that aliases can refer to.
    anchors: HashMap<usize, (Value, SourceMap)>,
    copied: usize,
}

struct Frame {
    position: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>, Vec<SourceMap>),
    Mapping { values: Map<String, Value>, sources: Members, key: Option<(String, Position)> },
}

impl<'f> Reader<'f> {
    pub(super) fn new(file: &'f str, profile: Profile) -> Reader<'f> {
        let (open, errors, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        Reader { file, profile, open, root: None, errors, unreadable: false, anchors, copied: 0 }
    }

    pub(super) fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Stopped> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.stop(Code::Unreadable, at, "a second YAML document: a file contains one"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                if let Some(key) = self.missing_key() {
                    *key = Some((text.clone().into_owned(), at));
                    if anchor != 0 {
                        let source = SourceMap { position: at, children: Children::None };
                        self.anchors.insert(anchor, (Value::String(text.clone().into_owned()), source));
                    }
                    if self.profile == Profile::Supported && text == "<<" && style == ScalarStyle::Plain {
                        self.unreadable = true;
                        self.error(Code::Unsupported, at, "merge keys are not supported: write the members out");
                    }
                    return Ok(());
                }
                let value =
                    if style == ScalarStyle::Plain { self.plain(&text, at) } else { Value::String(text.into_owned()) };
                self.close(value, SourceMap { position: at, children: Children::None }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                self.open(at, anchor, Content::Sequence(Vec::new(), Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                self.open(at, anchor, Content::Mapping { values: Map::new(), sources: Members::default(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.open.pop() else { return Ok(()) };
                let (value, children) = match frame.content {
                    Content::Sequence(values, sources) => (Value::Array(values), Children::Items(sources)),
                    Content::Mapping { mut values, mut sources, .. } => {
                        if self.profile == Profile::Standard {
                            merge(&mut values, &mut sources);
                        }
                        (Value::Object(values), Children::Members(sources))
                    }
                };
                self.close(value, SourceMap { position: frame.position, children }, frame.anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    /// The key of the innermost mapping, if one is expected next.
    fn missing_key(&mut self) -> Option<&mut Option<(String, Position)>> {
        match self.open.last_mut() {
            Some(Frame { content: Content::Mapping { key, .. }, .. }) if key.is_none() => Some(key),
            _ => None,
        }
    }

    fn open(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), Stopped> {
        if self.missing_key().is_some() {
            return Err(self.stop(Code::Unreadable, at, "a key must be a scalar"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(at));
        }
        self.open.push(Frame { position: at, anchor, content });
        Ok(())
    }

    fn too_deep(&mut self, at: Position) -> Stopped {
        self.stop(Code::Unreadable, at, format!("nested deeper than {MAX_DEPTH} levels"))
    }

    /// Adds a complete node to the collection that contains it.
    fn close(&mut self, value: Value, mut source: SourceMap, anchor: usize) -> Result<(), Stopped> {
        if anchor != 0 && self.profile == Profile::Standard {
            self.copy(&value, source.position)?;
            self.anchors.insert(anchor, (value.clone(), source.clone()));
        }
        let Some(frame) = self.open.last_mut() else {
            self.root.get_or_insert((value, source));
            return Ok(());
        };
        match &mut frame.content {
            Content::Sequence(values, sources) => {
                values.push(value);
                sources.push(source);
            }
            Content::Mapping { values, sources, key } => {
                let Some((name, at)) = key.take() else { return Ok(()) };
                if let Some(first) = sources.get(&name) {
                    let message = format!("duplicate key `{name}`: first defined at {}", first.position);
                    let pointer = pointer::join(&self.pointer(), &name);
                    self.errors.push(LoadError::new(Code::Unreadable, self.file, at, pointer, message));
                    return Ok(());
                }
                source.position = at;
                sources.insert(name.clone(), source);
                values.insert(name, value);
            }
        }
        Ok(())
    }

    /// Puts a copy of the anchored node in the place of an alias. Inside, the positions are those of the original.
    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Stopped> {
        if self.profile == Profile::Supported {
            let message = "aliases are not supported: write the content out, or use `$ref`";
            return Err(self.stop(Code::Unsupported, at, message));
        }
        let Some((value, source)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.stop(Code::Unreadable, at, "the alias is inside the node that it refers to"));
        };
        if let Some(key) = self.missing_key() {
            return match value {
                Value::String(name) => {
                    *key = Some((name, at));
                    Ok(())
                }
                _ => Err(self.stop(Code::Unreadable, at, "a key must be a string")),
            };
        }
        self.copy(&value, at)?;
        self.close(value, SourceMap { position: at, ..source }, 0)
    }

    /// Accounts for a copy of `value` at this place.
    fn copy(&mut self, value: &Value, at: Position) -> Result<(), Stopped> {
        let (count, depth) = size(value);
        self.copied = self.copied.saturating_add(count);
        if self.copied > MAX_COPIED_NODES {
            let message = format!("the aliases of the file expand to more than {MAX_COPIED_NODES} nodes");
            return Err(self.stop(Code::Unreadable, at, message));
        }
        if self.open.len() + depth > MAX_DEPTH { Err(self.too_deep(at)) } else { Ok(()) }
    }

    fn refuse_decoration(&mut self, anchor: usize, tagged: bool, at: Position) {
        if anchor != 0 && self.profile == Profile::Supported {
            self.error(Code::Unsupported, at, "anchors are not supported: use `$ref` to share content");
        }
        if tagged {
            self.error(Code::Unsupported, at, "tags are not supported: quote the value if it is a string");
        }
    }

    pub(super) fn error(&mut self, code: Code, position: Position, message: impl Into<String>) {
        let pointer = self.pointer();
        self.errors.push(LoadError::new(code, self.file, position, pointer, message));
    }

    pub(super) fn stop(&mut self, code: Code, position: Position, message: impl Into<String>) -> Stopped {
        self.unreadable = true;
        self.error(code, position, message);
        Stopped
    }

    /// The pointer of the node being read.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for frame in &self.open {
            match &frame.content {
                Content::Sequence(values, _) => pointer = pointer::join(&pointer, &values.len().to_string()),
                Content::Mapping { key: Some((key, _)), .. } => pointer = pointer::join(&pointer, key),
                Content::Mapping { key: None, .. } => {}
            }
        }
        pointer
    }

    fn plain(&mut self, text: &str, at: Position) -> Value {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => match number(text) {
                None => Value::String(text.to_owned()),
                Some(Number::Exact(number)) => Value::Number(number),
                Some(Number::Rounded(number)) if self.profile == Profile::Standard => Value::Number(number),
                Some(Number::Rounded(_)) => {
                    let message = format!("`{text}` does not fit 64 bits: many JSON readers would round it");
                    self.error(Code::Unsupported, at, message);
                    Value::from(0)
                }
                Some(Number::NotJson) => {
                    self.error(Code::Unreadable, at, format!("`{text}` is not a JSON number"));
                    Value::from(0)
                }
            },
        }
    }
}

/// How many nodes a value has, and how deep its collections are nested.
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
fn merge(values: &mut Map<String, Value>, sources: &mut Members) {
    let parts = match (values.get("<<"), sources.get("<<").map(|source| &source.children)) {
        (Some(mapping @ Value::Object(_)), Some(children)) => vec![(mapping.clone(), children.clone())],
        (Some(Value::Array(items)), Some(Children::Items(children))) => {
            items.iter().cloned().zip(children.iter().map(|child| child.children.clone())).collect()
        }
        _ => return,
    };
    values.remove("<<");
    for (part, children) in parts {
        let (Value::Object(members), Children::Members(places)) = (part, children) else { continue };
        for (name, value) in members {
            if let (false, Some(place)) = (values.contains_key(&name), places.get(&name)) {
                sources.insert(name.clone(), place.clone());
                values.insert(name, value);
            }
        }
    }
}
