//! YAML text → a JSON value and the position of each of its nodes.
//!
//! Only the part of YAML that means what it shows: one document, string keys, each of them once, no anchors,
//! aliases, tags or merge keys. Scalars follow the YAML 1.2 core schema (§10.3.2), so `no` and `2026-01-01` are
//! strings, and whatever is quoted is a string.

mod json;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::check::Fault;
use crate::pointer;
use crate::source_map::{Children, Members, Position, SourceMap};

/// Deeper nesting is refused: no contract needs it, and everything after the reader may then recurse.
const MAX_DEPTH: usize = 100;

/// A larger file is refused unread: what is called a contract by mistake, such as a dump, would take memory many times
/// its size.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What came of reading a text.
pub struct Read {
    /// The document; `None` if it could not be made out well enough to say more about it.
    pub root: Option<(Value, SourceMap)>,
    /// What is wrong with the text.
    pub faults: Vec<Fault>,
}

/// Reads one document of YAML, or of JSON.
pub fn read(text: &str) -> Read {
    if text.len() > MAX_BYTES {
        return Read { root: None, faults: vec![too_large()] };
    }
    let text = &*json::as_yaml(text);
    let mut reader = Reader::default();
    if let Some((before, character)) = control_character(text) {
        let message =
            format!("U+{:04X} is a control character: write it as an escape in double quotes", character as u32);
        reader.stop(end(before), message);
        return Read { root: None, faults: reader.faults };
    }
    // saphyr's own `load` recurses and asserts; pulling events does neither.
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                if reader.event(event, position(span.start)).is_err() {
                    break;
                }
            }
            Err(error) => {
                reader.stop(position(*error.marker()), format!("not valid YAML: {}", error.info()));
                break;
            }
        }
    }
    if reader.root.is_none() && reader.faults.is_empty() {
        let start = Position { line: 1, column: 1 };
        reader.stop(start, "the file holds no document".to_owned());
    }
    let root = if reader.unreadable { None } else { reader.root };
    Read { root, faults: reader.faults }
}

/// The text that these bytes are.
pub fn text(bytes: &[u8]) -> Result<&str, Fault> {
    // Not read at all: the last character of what was cut off may well be half of one.
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))
}

fn too_large() -> Fault {
    let mebibytes = MAX_BYTES / (1024 * 1024);
    let message = format!("the file is larger than {mebibytes} MiB, and no contract is");
    Fault { position: Position { line: 1, column: 1 }, pointer: String::new(), message }
}

/// The fault of a file that is not UTF-8, of which so many bytes are.
fn not_text(bytes: &[u8], valid: usize) -> Fault {
    let (good, bad) = bytes.split_at(valid.min(bytes.len()));
    let position = end(&String::from_utf8_lossy(good));
    let byte = bad.first().copied().unwrap_or_default();
    let message = format!("not UTF-8: the byte 0x{byte:02x} stands where a character should begin");
    Fault { position, pointer: String::new(), message }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// The first character that YAML has only as an escape (1.2 §5.1), and the text before it. It can be seen in no editor,
/// and it may well be a sign that the file is no text at all.
fn control_character(text: &str) -> Option<(&str, char)> {
    let allowed = |character| matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    let refused = |character: char| character.is_control() && !allowed(character);
    let (at, character) = text.char_indices().find(|(_, character)| refused(*character))?;
    Some((text.get(..at)?, character))
}

/// Where the character after `text` stands. Line feeds, carriage returns and both together end lines (YAML 1.2 §5.4).
fn end(text: &str) -> Position {
    let mut end = Position { line: 1, column: 1 };
    let mut before = '\0';
    for character in text.chars() {
        match character {
            '\n' if before == '\r' => {}
            '\n' | '\r' => end = Position { line: end.line + 1, column: 1 },
            _ => end.column += 1,
        }
        before = character;
    }
    end
}

/// The reading has ended early; the reason is among the faults.
struct Stopped;

#[derive(Default)]
struct Reader {
    /// The collections that are open, outermost first.
    open: Vec<Frame>,
    root: Option<(Value, SourceMap)>,
    faults: Vec<Fault>,
    /// Something was refused without which the content is unknown: later checks would only guess.
    unreadable: bool,
}

struct Frame {
    position: Position,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>, Vec<SourceMap>),
    Mapping { values: Map<String, Value>, sources: Members, key: Option<(String, Position)> },
}

impl Reader {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Stopped> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.stop(at, "a second document: a contract is one YAML document".to_owned()))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                if let Some(Frame { content: Content::Mapping { key, .. }, .. }) = self.open.last_mut()
                    && key.is_none()
                {
                    *key = Some((text.clone().into_owned(), at));
                    if text == "<<" && style == ScalarStyle::Plain {
                        self.unreadable = true;
                        self.fault(at, "merge keys are not supported: write the members out".to_owned());
                    }
                    return Ok(());
                }
                let value =
                    if style == ScalarStyle::Plain { self.plain(&text, at) } else { Value::String(text.into_owned()) };
                self.close(value, SourceMap { position: at, children: Children::None });
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                self.open(at, Content::Sequence(Vec::new(), Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), at);
                self.open(at, Content::Mapping { values: Map::new(), sources: Members::default(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.open.pop() {
                    let (value, children) = match frame.content {
                        Content::Sequence(values, sources) => (Value::Array(values), Children::Items(sources)),
                        Content::Mapping { values, sources, .. } => (Value::Object(values), Children::Members(sources)),
                    };
                    self.close(value, SourceMap { position: frame.position, children });
                }
                Ok(())
            }
            Event::Alias(_) => {
                let message = "aliases are not supported: write the content out, or use `$ref`";
                Err(self.stop(at, message.to_owned()))
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, at: Position, content: Content) -> Result<(), Stopped> {
        if let Some(Frame { content: Content::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(self.stop(at, "a key must be a single word or string".to_owned()));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.stop(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Frame { position: at, content });
        Ok(())
    }

    /// Hands a finished node to the collection that it is in.
    fn close(&mut self, value: Value, mut source: SourceMap) {
        let Some(frame) = self.open.last_mut() else {
            self.root.get_or_insert((value, source));
            return;
        };
        match &mut frame.content {
            Content::Sequence(values, sources) => {
                values.push(value);
                sources.push(source);
            }
            Content::Mapping { values, sources, key } => {
                let Some((name, at)) = key.take() else { return };
                if let Some(first) = sources.get(&name) {
                    let first = first.position;
                    // The pointer is that of the first, which is what a reader of the pointer would find.
                    let here = pointer::join(&self.pointer(), &name);
                    let message = format!("duplicate key `{name}`: it is already at {first}");
                    self.faults.push(Fault { position: at, pointer: here, message });
                    return;
                }
                source.position = at;
                sources.push(name.clone(), source);
                values.insert(name, value);
            }
        }
    }

    fn refuse_decoration(&mut self, anchor: usize, tagged: bool, at: Position) {
        if anchor != 0 {
            self.fault(at, "anchors are not supported: use `$ref` to say something once".to_owned());
        }
        if tagged {
            self.fault(at, "tags are not supported: quote what must be a string".to_owned());
        }
    }

    fn fault(&mut self, position: Position, message: String) {
        let pointer = self.pointer();
        self.faults.push(Fault { position, pointer, message });
    }

    fn stop(&mut self, position: Position, message: String) -> Stopped {
        self.unreadable = true;
        self.fault(position, message);
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
                Some(Ok(number)) => Value::Number(number),
                Some(Err(reason)) => {
                    self.fault(at, format!("`{text}` is {reason}"));
                    Value::from(0)
                }
                None => Value::String(text.to_owned()),
            },
        }
    }
}

/// `None` if the text is no number in the core schema; why it cannot be taken, as in "is …", if it is one that would not
/// be what is written.
fn number(text: &str) -> Option<Result<Number, &'static str>> {
    const TOO_LONG: &str = "a whole number that does not fit 64 bits: most readers of JSON would round it";
    const NOT_JSON: &str = "a number that JSON cannot hold";
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return Some(u64::from_str_radix(digits, radix).map(Number::from).map_err(|_| TOO_LONG));
        }
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Err(NOT_JSON));
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let integer = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return Some(integer.map_err(|_| TOO_LONG));
    }
    let float = is_float(unsigned).then(|| text.parse::<f64>().ok().and_then(Number::from_f64))?;
    Some(float.ok_or(NOT_JSON))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (!whole.is_empty() || !fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        let read = read(text);
        assert!(read.faults.is_empty(), "{text}: {}", read.faults[0].message);
        read.root.expect("a document").0
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        for (text, expected) in [
            ("~", json!(null)),
            ("Null", json!(null)),
            ("TRUE", json!(true)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("007", json!(7)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("18446744073709551615", json!(18446744073709551615_u64)),
            ("1.0", json!(1.0)),
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("1e3", json!(1000.0)),
            ("1.5E-2", json!(0.015)),
            ("no", json!("no")),
            ("on", json!("on")),
            ("2026-01-01", json!("2026-01-01")),
            ("1.0.0", json!("1.0.0")),
            ("1e", json!("1e")),
            ("inf", json!("inf")),
            (".", json!(".")),
            ("e3", json!("e3")),
            ("0x", json!("0x")),
            ("-0x1", json!("-0x1")),
            ("'12'", json!("12")),
            ("\"true\"", json!("true")),
            ("|\n  12\n", json!("12\n")),
            (">-\n  a\n  b\n", json!("a b")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        for text in [".inf", "-.INF", ".nan", "1e999"] {
            assert_eq!(read(text).faults.len(), 1, "{text}");
        }
    }

    #[test]
    fn keys_are_strings_as_written() {
        assert_eq!(value("200: a\n0x10: b\ntrue: c\n~: d\n"), json!({"200": "a", "0x10": "b", "true": "c", "~": "d"}));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        let read = read(&deep);
        assert!(read.root.is_none());
        let block: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(super::read(&block).faults[0].message.contains("nested deeper"));
    }
}
