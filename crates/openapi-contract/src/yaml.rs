//! YAML text → a JSON value and the position of each of its nodes.
//!
//! One document, string keys, each of them once. Scalars follow the YAML 1.2 core schema (§10.3.2), so `no` and
//! `2026-01-01` are strings. A contract ([`Profile::Supported`]) has no anchors, aliases or merge keys and no integers
//! beyond 64 bits; in a document to compare, aliases are expanded and such integers become floats.

mod json;
mod reader;
mod scalar;

use saphyr_parser::{Marker, Parser};
use serde_json::Value;

use crate::error::{Code, LoadError};
use crate::profile::Profile;
use crate::source_map::{Position, SourceMap};

use reader::Reader;

/// The largest file accepted, in bytes. Parsed, a file takes many times its size in memory.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

const START: Position = Position { line: 1, column: 1 };

/// The result of reading a text.
pub struct Read {
    /// The document; `None` if the text cannot be parsed or parts of its content are unknown.
    pub root: Option<(Value, SourceMap)>,
    /// What is wrong with the text.
    pub errors: Vec<LoadError>,
}

/// Reads one document of YAML, or of JSON. `file` is for messages only.
pub fn read(file: &str, text: &str, profile: Profile) -> Read {
    let mut reader = Reader::new(file, profile);
    if text.len() > MAX_BYTES {
        return Read { root: None, errors: vec![too_large(file)] };
    }
    let text = &*json::as_yaml(text);
    if let Some((before, character)) = control_character(text) {
        let message =
            format!("U+{:04X} is a control character: write it as an escape in double quotes", character as u32);
        reader.error(Code::Unreadable, end(before), message);
        return Read { root: None, errors: reader.errors };
    }
    // saphyr's own `load` recurses and asserts; its events do neither.
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                if reader.event(event, position(span.start)).is_err() {
                    break;
                }
            }
            Err(error) => {
                reader.stop(Code::Unreadable, position(*error.marker()), format!("invalid YAML: {}", error.info()));
                break;
            }
        }
    }
    if reader.root.is_none() && reader.errors.is_empty() {
        reader.stop(Code::Unreadable, START, "the file is empty");
    }
    let root = if reader.unreadable { None } else { reader.root };
    Read { root, errors: reader.errors }
}

/// The bytes of a file as text.
///
/// # Errors
/// Files that are larger than [`MAX_BYTES`] or not UTF-8.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, LoadError> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(file));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let (valid, invalid) = bytes.split_at(error.valid_up_to());
        let byte = invalid.first().copied().unwrap_or_default();
        let message = format!("not UTF-8: invalid byte 0x{byte:02x}");
        LoadError::new(Code::Unreadable, file, end(&String::from_utf8_lossy(valid)), "", message)
    })
}

fn too_large(file: &str) -> LoadError {
    let message = format!("the file is larger than {} MiB", MAX_BYTES / (1024 * 1024));
    LoadError::new(Code::Unreadable, file, START, "", message)
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// The first character that YAML allows only as an escape (1.2 §5.1), and the text before it.
fn control_character(text: &str) -> Option<(&str, char)> {
    let allowed = |character| matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    let refused = |character: char| character.is_control() && !allowed(character);
    let (at, character) = text.char_indices().find(|(_, character)| refused(*character))?;
    Some((text.get(..at)?, character))
}

/// The position after `text`. Line feeds, carriage returns and both together end lines (YAML 1.2 §5.4).
fn end(text: &str) -> Position {
    let mut end = START;
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(text: &str) -> Value {
        let read = super::read("f", text, Profile::Supported);
        assert_eq!(read.errors, [], "{text}");
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
            for profile in [Profile::Supported, Profile::Standard] {
                assert_eq!(read("f", text, profile).errors.len(), 1, "{text}");
            }
        }
    }

    #[test]
    fn keys_are_strings_as_written() {
        assert_eq!(value("200: a\n0x10: b\ntrue: c\n~: d\n"), json!({"200": "a", "0x10": "b", "true": "c", "~": "d"}));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        let read = read("f", &deep, Profile::Supported);
        assert!(read.root.is_none());
        let block: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(super::read("f", &block, Profile::Supported).errors[0].message.contains("nested deeper"));
    }

    fn standard(text: &str) -> Value {
        let read = read("f", text, Profile::Standard);
        assert_eq!(read.errors, [], "{text}");
        read.root.expect("a document").0
    }

    #[test]
    fn a_document_to_compare_may_have_integers_beyond_64_bits() {
        assert_eq!(standard("[18446744073709551616, -9223372036854775809]"), json!([2f64.powi(64), -(2f64.powi(63))]));
        assert_eq!(standard("[0x10000000000000000, 0o4000000000000000000000]"), json!([2f64.powi(64), 2f64.powi(65)]));
        assert_eq!(read("f", "18446744073709551616", Profile::Supported).errors[0].code, Code::Unsupported);
    }

    #[test]
    fn a_document_to_compare_may_have_aliases_and_merge_keys() {
        let text =
            "a: &a { x: &x 1, y: [2] }\nb: *a\nc: { <<: *a, x: 3 }\nd: { <<: [{ z: 4 }, *a] }\ne: &k f\n*k : *x\n";
        let a = json!({"x": 1, "y": [2]});
        assert_eq!(
            standard(text),
            json!({"a": a, "b": a, "c": {"x": 3, "y": [2]}, "d": {"x": 1, "y": [2], "z": 4}, "e": "f", "f": 1})
        );
        let (_, source) = read("f", text, Profile::Standard).root.expect("a document");
        let at = |pointer| source.position(pointer).map(|position| (position.line, position.column));
        assert_eq!((at("/b"), at("/b/y/0"), at("/c/y")), (Some((2, 1)), Some((1, 22)), Some((1, 18))));
    }

    #[test]
    fn the_expansion_of_aliases_is_bounded() {
        let level =
            |index: usize| format!("a{}: &a{} [{}]\n", index + 1, index + 1, vec![format!("*a{index}"); 10].join(", "));
        let bomb: String = ["a0: &a0 [x]\n".to_owned()].into_iter().chain((0..20).map(level)).collect();
        let deep: String = ["a0: &a0 [x]\n".to_owned()]
            .into_iter()
            .chain((0..200).map(|i| format!("a{}: &a{} [*a{i}]\n", i + 1, i + 1)))
            .collect();
        for (text, expected) in
            [(bomb, "expand to more than"), (deep, "nested deeper"), ("a: &a [*a]".to_owned(), "inside")]
        {
            let read = read("f", &text, Profile::Standard);
            assert!(read.root.is_none());
            assert!(read.errors[0].message.contains(expected), "{:?}", read.errors);
        }
    }
}
