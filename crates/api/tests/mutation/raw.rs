//! A second parser for the text of a contract: the extent of each node, and edits of the text.
//!
//! Independent of OpenAPI and, except for the parser of YAML events, of the crate `openapi-contract`.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use crate::mutate::{Edit, Mutation, join};

/// Line and column, from 1.
pub(crate) type Position = (usize, usize);

/// A text and its nodes.
pub(crate) struct Raw<'t> {
    text: &'t str,
    root: Node,
}

struct Node {
    /// In bytes, without trailing white space.
    span: Range<usize>,
    at: Position,
    flow: bool,
    content: Content,
}

enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Member>),
}

struct Member {
    key: String,
    span: Range<usize>,
    at: Position,
    value: Node,
}

impl<'t> Raw<'t> {
    /// Parses a text that must be YAML.
    pub(crate) fn read(text: &'t str) -> Raw<'t> {
        Raw::try_read(text).unwrap_or_else(|error| panic!("a mutant is not YAML: {error}"))
    }

    pub(crate) fn try_read(text: &'t str) -> Result<Raw<'t>, String> {
        let mut events = Events { text, parser: Parser::new_from_str(text), bytes: Bytes::of(text) };
        loop {
            let (event, span) = events.next()?;
            if !matches!(event, Event::StreamStart | Event::DocumentStart(_)) {
                let root = events.node(event, span)?;
                return Ok(Raw { text, root });
            }
        }
    }

    /// The document. Of duplicate members, the first counts.
    pub(crate) fn value(&self) -> Value {
        self.root.value()
    }

    /// The position of the node at `pointer`, or of its nearest ancestor that exists: of the key for a member. Of duplicate
    /// members, the last counts.
    pub(crate) fn nearest(&self, pointer: &str) -> Position {
        self.root.nearest(pointer.split('/').skip(1))
    }

    fn node(&self, mutation: &Mutation) -> &Node {
        let above = &mutation.path[..mutation.path.len() - 1];
        above.iter().fold(&self.root, |node, (_, token)| match &node.content {
            Content::Map(members) => &members.iter().find(|member| member.key == *token).expect("the member").value,
            Content::List(items) => &items[token.parse::<usize>().expect("an index")],
            Content::Scalar(_) => unreachable!("a scalar has no children"),
        })
    }

    /// The text with one mutation, and the positions of its nodes.
    pub(crate) fn apply(&self, mutation: &Mutation) -> (String, Altered<'_>) {
        let (range, with) = self.edit(mutation);
        let text = format!("{}{with}{}", &self.text[..range.start], &self.text[range.end..]);
        let altered = Altered::new(self, mutation, &range, &with);
        (text, altered)
    }

    fn edit(&self, mutation: &Mutation) -> (Range<usize>, String) {
        let parent = self.node(mutation);
        let (_, token) = mutation.step();
        match &parent.content {
            Content::Map(members) => self.member_edit(parent, members, token, &mutation.edit),
            Content::List(items) => self.item_edit(parent, items, token.parse().expect("an index"), &mutation.edit),
            Content::Scalar(_) => unreachable!("a scalar has no children"),
        }
    }

    fn member_edit(&self, parent: &Node, members: &[Member], token: &str, edit: &Edit) -> (Range<usize>, String) {
        let index = members.iter().position(|member| member.key == token);
        let find = || index.expect("the member is there");
        let starts: Vec<_> = members.iter().map(|member| member.span.start).collect();
        let ends: Vec<_> = members.iter().map(|member| member.value.span.end).collect();
        let written = |value: &Value| format!("{}: {value}", Value::from(token));
        match edit {
            Edit::Remove => {
                (removed(find(), &starts, &ends, parent), if members.len() == 1 { "{}" } else { "" }.into())
            }
            Edit::Set(value) => (members[find()].value.span.clone(), value.to_string()),
            Edit::Rename(name) => (members[find()].span.clone(), Value::from(name.as_str()).to_string()),
            Edit::Add(value) => added(&written(value), &ends, members.first().map(|first| first.at.1), parent, "{}"),
            Edit::Duplicate => {
                let member = &members[find()];
                added(&written(&member.value.value()), &ends, Some(members[0].at.1), parent, "{}")
            }
        }
    }

    fn item_edit(&self, parent: &Node, items: &[Node], index: usize, edit: &Edit) -> (Range<usize>, String) {
        let start = |item: &Node| {
            let dash = || self.text[..item.span.start].rfind('-').expect("an item of a block has a dash");
            if parent.flow { item.span.start } else { dash() }
        };
        let starts: Vec<_> = items.iter().map(start).collect();
        let ends: Vec<_> = items.iter().map(|item| item.span.end).collect();
        match edit {
            Edit::Remove => (removed(index, &starts, &ends, parent), if items.len() == 1 { "[]" } else { "" }.into()),
            Edit::Set(value) => (items[index].span.clone(), value.to_string()),
            Edit::Add(value) => {
                let dash = if parent.flow { "" } else { "- " };
                added(&format!("{dash}{value}"), &ends, Some(parent.at.1), parent, "[]")
            }
            Edit::Rename(_) | Edit::Duplicate => unreachable!("only members have names"),
        }
    }
}

/// The part of the text to remove with a child: up to the next child, or else from the end of the one before. An only
/// child is removed with its collection, which is replaced.
fn removed(index: usize, starts: &[usize], ends: &[usize], parent: &Node) -> Range<usize> {
    match (index.checked_sub(1), starts.get(index + 1)) {
        (_, Some(next)) => starts[index]..*next,
        (Some(before), None) => ends[before]..ends[index],
        (None, None) => parent.span.clone(),
    }
}

/// The text to insert for a new last child, and its place.
fn added(child: &str, ends: &[usize], column: Option<usize>, parent: &Node, empty: &str) -> (Range<usize>, String) {
    let (open, close) = empty.split_at(1);
    match (ends.last(), parent.flow) {
        (None, _) => (parent.span.clone(), format!("{open} {child} {close}")),
        (Some(end), true) => (*end..*end, format!(", {child}")),
        (Some(end), false) => {
            let indent = " ".repeat(column.unwrap_or(1) - 1);
            (*end..*end, format!("\n{indent}{child}"))
        }
    }
}

/// The positions of the nodes of a mutant. The part of the text around the edit is parsed again; what comes after it has
/// moved by some lines.
pub(crate) struct Altered<'r> {
    original: &'r Raw<'r>,
    /// The names down to the smallest member of block mappings that contains the whole edit.
    names: Vec<&'r str>,
    /// The original lines of that member, up to the next member.
    lines: Range<usize>,
    /// The edited member, with lines counted from its own first line.
    part: Node,
    /// How many lines longer it is.
    longer: isize,
}

impl<'r> Altered<'r> {
    fn new(original: &'r Raw<'r>, mutation: &Mutation, edit: &Range<usize>, with: &str) -> Altered<'r> {
        let text = original.text;
        let (mut names, mut node, mut bytes) = (Vec::new(), &original.root, 0..text.len());
        for (_, token) in &mutation.path[..mutation.path.len() - 1] {
            let Content::Map(members) = &node.content else { break };
            let Some(index) = members.iter().position(|member| member.key == *token).filter(|_| !node.flow) else {
                break;
            };
            let line = |member: &Member| text[..member.span.start].rfind('\n').map_or(0, |end| end + 1);
            let inside = line(&members[index])..members.get(index + 1).map_or(bytes.end, line);
            // The removed part may begin before the member, or end after it.
            if edit.start <= members[index].span.end || edit.end > inside.end {
                break;
            }
            names.push(members[index].key.as_str());
            (node, bytes) = (&members[index].value, inside);
        }
        let part = format!("{}{with}{}", &text[bytes.start..edit.start], &text[edit.end..bytes.end]);
        let count = |text: &str| text.matches('\n').count();
        let first = count(&text[..bytes.start]) + 1;
        Altered {
            original,
            lines: first..first + count(&text[bytes.clone()]),
            longer: count(&part).cast_signed() - count(&text[bytes]).cast_signed(),
            part: Raw::read(&part).root,
            names,
        }
    }

    /// The pointer and value of the part that was parsed again.
    pub(crate) fn part(&self) -> (String, Value) {
        let pointer = self.names.iter().fold(String::new(), |pointer, name| join(&pointer, name));
        let value = match (&self.part.content, self.names.last()) {
            (_, None) => self.part.value(),
            (Content::Map(members), Some(name)) if matches!(&members[..], [one] if one.key == **name) => {
                members[0].value.value()
            }
            _ => panic!("the edit of the text leaves {pointer}"),
        };
        (pointer, value)
    }

    /// [`Raw::nearest`] in the mutant.
    pub(crate) fn nearest(&self, pointer: &str) -> Position {
        let above = self.names.len().saturating_sub(1);
        let mut tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
        let inside = self.names.iter().all(|name| tokens.next().is_some_and(|token| token == *name));
        if inside {
            let below: Vec<_> = pointer.split('/').skip(1 + above).collect();
            let (line, column) = self.part.nearest(below.into_iter());
            return (line + self.lines.start - 1, column);
        }
        match self.original.nearest(pointer) {
            (line, column) if line >= self.lines.end => (line.saturating_add_signed(self.longer), column),
            unmoved => unmoved,
        }
    }
}

impl Node {
    /// See [`Raw::nearest`].
    fn nearest<'p>(&self, pointer: impl Iterator<Item = &'p str>) -> Position {
        let (mut node, mut at) = (self, self.at);
        for token in pointer {
            let token = token.replace("~1", "/").replace("~0", "~");
            match &node.content {
                Content::Map(members) => match members.iter().rfind(|member| member.key == token) {
                    Some(member) => (node, at) = (&member.value, member.at),
                    None => break,
                },
                Content::List(items) => match token.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    Some(item) => (node, at) = (item, item.at),
                    None => break,
                },
                Content::Scalar(_) => break,
            }
        }
        at
    }

    fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Node::value).collect(),
            Content::Map(members) => {
                Value::Object(members.iter().rev().map(|member| (member.key.clone(), member.value.value())).collect())
            }
        }
    }
}

/// The byte offset of each character, because the parser counts characters.
struct Bytes(Option<Vec<usize>>);

impl Bytes {
    fn of(text: &str) -> Bytes {
        Bytes((!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()))
    }

    fn at(&self, index: usize) -> usize {
        self.0.as_ref().map_or(index, |starts| starts[index])
    }
}

struct Events<'t> {
    text: &'t str,
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    bytes: Bytes,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        self.parser.next_event().ok_or("it ends early")?.map_err(|error| error.to_string())
    }

    fn span(&self, span: Span) -> Range<usize> {
        let (start, end) = (self.bytes.at(span.start.index()), self.bytes.at(span.end.index()));
        start..start + self.text[start..end].trim_end().len()
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, String> {
        let at = (span.start.line(), span.start.col() + 1);
        let mut range = self.span(span);
        let mut flow = self.text[range.clone()].starts_with(['{', '[']);
        let content = match event {
            Event::Scalar(text, style, ..) => {
                flow = false;
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // The parser counts from the first line of the content.
                    range.start = self.text[..range.start].rfind(['|', '>']).unwrap_or(range.start);
                }
                Content::Scalar(if style == ScalarStyle::Plain { plain(&text) } else { Value::from(&*text) })
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => break range.end = self.span(span).end,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
                if !flow {
                    range.end = items.last().map_or(range.end, |last| last.span.end);
                }
                Content::List(items)
            }
            Event::MappingStart(..) => {
                let mut members = Vec::new();
                loop {
                    let (event, key) = self.next()?;
                    let Event::Scalar(name, ..) = event else { break range.end = self.span(key).end };
                    let (event, span) = self.next()?;
                    members.push(Member {
                        key: name.into_owned(),
                        span: self.span(key),
                        at: (key.start.line(), key.start.col() + 1),
                        value: self.node(event, span)?,
                    });
                }
                if !flow {
                    range.end = members.last().map_or(range.end, |last| last.value.span.end);
                }
                Content::Map(members)
            }
            other => return Err(format!("{other:?}")),
        };
        Ok(Node { span: range, at, flow, content })
    }
}

/// A plain scalar by the core schema, as far as the contract uses it.
fn plain(text: &str) -> Value {
    match text {
        "" | "null" | "~" => Value::Null,
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => Value::from(number),
            (_, Ok(number)) if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                Value::from(number)
            }
            _ => Value::from(text),
        },
    }
}
