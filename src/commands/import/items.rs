//! Splits an input into items: the lines of NDJSON, or the elements of one JSON array.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    ops::ControlFlow,
};

use serde::{
    Deserializer as _,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The maximum size of an item in bytes. A user takes a few hundred.
const MAX_BYTES: usize = 1 << 20;

/// Where an item is in its input, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Line(u64),
    Element(u64),
}

/// `line 17`
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Element(number) => write!(f, "element {number}"),
        }
    }
}

/// The text of an item. `None` if it is too large: its text is skipped.
pub(super) type Text = Option<Vec<u8>>;

/// Describes an item that is too large.
pub(super) const TOO_LARGE: &str = "is larger than 1 MiB";

/// Calls `item` for each item of the input, until it breaks. Blank lines are no items. The first byte that is not white space
/// decides the form.
///
/// # Errors
/// The input cannot be read, is UTF-16, has line ends that are no line feeds, or is an array that is not valid JSON. Every item
/// before that was read.
pub(super) fn read(mut input: impl BufRead, item: impl FnMut(Position, Text) -> ControlFlow<()>) -> Result<(), String> {
    let as_text = |error: io::Error| error.to_string();
    check_encoding(input.fill_buf().map_err(as_text)?)?;
    match start(&mut input).map_err(as_text)? {
        (lines, Some(b'[')) => read_array(input, lines, item),
        (lines, _) => {
            check_line_ends(input.fill_buf().map_err(as_text)?)?;
            read_lines(input, lines, item).map_err(as_text)
        }
    }
}

/// Each line would be invalid.
fn check_encoding(start: &[u8]) -> Result<(), String> {
    // With a byte order mark, or without: the first character of JSON is ASCII.
    if matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..]) {
        return Err("the text is UTF-16; convert it to UTF-8, as with `iconv -f UTF-16 -t UTF-8`".to_owned());
    }
    Ok(())
}

/// The whole input would be one line.
fn check_line_ends(start: &[u8]) -> Result<(), String> {
    if start.trim_ascii_end().contains(&b'\r') && !start.contains(&b'\n') {
        return Err("the lines end with CR; convert them to LF, as with `tr '\\r' '\\n'`".to_owned());
    }
    Ok(())
}

/// Skips the white space at the start. Returns the number of line ends in it, and the byte after it.
fn start(input: &mut impl BufRead) -> io::Result<(u64, Option<u8>)> {
    skip_byte_order_mark(input)?;
    Ok((skip_white_space(input)?, input.fill_buf()?.first().copied()))
}

/// Editors and spreadsheets write a byte order mark, which is not JSON (RFC 8259, section 8.1, permits to ignore it).
fn skip_byte_order_mark(input: &mut impl BufRead) -> io::Result<()> {
    if input.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        input.consume(3);
    }
    Ok(())
}

/// Returns the number of line ends in it.
fn skip_white_space(input: &mut impl BufRead) -> io::Result<u64> {
    let mut lines = 0;
    loop {
        let buffer = input.fill_buf()?;
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        lines += buffer[..blank].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let is_end = blank < buffer.len() || buffer.is_empty();
        input.consume(blank);
        if is_end {
            return Ok(lines);
        }
    }
}

fn read_lines(
    mut input: impl BufRead,
    lines_before: u64,
    mut item: impl FnMut(Position, Text) -> ControlFlow<()>,
) -> io::Result<()> {
    for number in lines_before + 1.. {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_BYTES as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let is_too_large = line.len() > MAX_BYTES && !line.ends_with(b"\n");
        if is_too_large {
            input.skip_until(b'\n')?;
        }
        line.truncate(line.trim_ascii_end().len());
        if line.is_empty() && !is_too_large {
            continue;
        }
        if item(Position::Line(number), (!is_too_large).then_some(line)).is_break() {
            break;
        }
    }
    Ok(())
}

fn read_array(
    input: impl BufRead,
    lines_before: u64,
    item: impl FnMut(Position, Text) -> ControlFlow<()>,
) -> Result<(), String> {
    let left = Cell::new(MAX_BYTES);
    // So that errors have the right line.
    let input = io::repeat(b'\n').take(lines_before).chain(Bounded { input, left: &left });
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let is_stopped = Cell::new(false);
    let elements = Elements { item, left: &left, is_stopped: &is_stopped };
    let result = deserializer.deserialize_seq(elements).and_then(|()| deserializer.end());
    // A parser that stops before the end of the array reports an error.
    if is_stopped.get() { Ok(()) } else { result.map_err(invalid) }
}

fn invalid(error: serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("invalid unicode code point") {
        _ if error.is_io() => io::Error::from(error).to_string(),
        // Escapes are not decoded here.
        Some(place) => format!("not a valid JSON array: the text is not UTF-8{place}"),
        None => format!("not a valid JSON array: {text}"),
    }
}

/// An input of which only so much may be read before an element is complete. The parser would buffer all of it.
struct Bounded<'a, R> {
    input: R,
    left: &'a Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other(format!("an element {TOO_LARGE}")));
        }
        let len = buffer.len().min(left);
        let count = self.input.read(&mut buffer[..len])?;
        self.left.set(left - count);
        Ok(count)
    }
}

struct Elements<'a, F> {
    item: F,
    left: &'a Cell<usize>,
    is_stopped: &'a Cell<bool>,
}

impl<'de, F: FnMut(Position, Text) -> ControlFlow<()>> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            self.left.set(MAX_BYTES);
            number += 1;
            let text = Box::<str>::from(element).into_string().into_bytes();
            if (self.item)(Position::Element(number), Some(text)).is_break() {
                self.is_stopped.set(true);
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the items by their positions, and the error.
    fn items(input: &[u8]) -> (Vec<(String, String)>, Option<String>) {
        let mut items = Vec::new();
        let error = read(io::BufReader::with_capacity(7, input), |position, text| {
            let text = text.map_or("too large".to_owned(), |text| String::from_utf8_lossy(&text).into_owned());
            items.push((position.to_string(), text));
            ControlFlow::Continue(())
        });
        (items, error.err())
    }

    fn texts(input: &str) -> Vec<String> {
        let (items, error) = items(input.as_bytes());
        assert_eq!(error, None, "{input}");
        items.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_are_counted_from_the_start_of_the_input() {
        let (items, error) = items("\u{feff}\n \r\n{\"a\":1}\r\n\n  {\"b\":[2]} \n{".as_bytes());
        let expected = [("line 3", "{\"a\":1}"), ("line 5", "  {\"b\":[2]}"), ("line 6", "{")];
        assert_eq!(items, expected.map(|(line, text)| (line.to_owned(), text.to_owned())));
        assert_eq!(error, None);
    }

    #[test]
    fn an_empty_input_has_no_items() {
        for input in ["", "\n\n", "\u{feff}", "[]", " [ \n ] \n"] {
            assert_eq!(texts(input), [""; 0], "{input:?}");
        }
    }

    /// The items of every JSON array are the elements that serde_json finds, with the text as written.
    #[test]
    fn the_elements_of_an_array_are_items() {
        let elements = [r#"{"a":"],[\"{"}"#, "[[1, 2],\n[]]", "-1.5e3", "\"\\\\\"", "null", r#"{"a":1,"a":2}"#];
        for (from, to) in (0..elements.len()).flat_map(|from| (from..=elements.len()).map(move |to| (from, to))) {
            for (open, comma, close) in [("[", ",", "]"), ("\n[\n  ", " ,\n", "\n]\n"), ("\u{feff}[", ",", "]")] {
                let input = format!("{open}{}{close}", elements[from..to].join(comma));
                assert_eq!(texts(&input), elements[from..to], "{input}");
            }
        }
    }

    #[test]
    fn a_broken_array_ends_after_the_elements_before() {
        for (input, message) in [
            ("\n\n[1,2,3", "EOF while parsing a list at line 3 column 6"),
            ("[1,2,3,]", "trailing comma at line 1 column 8"),
            ("[1,2,3 4]", "expected `,` or `]` at line 1 column 8"),
            ("[1,2,3] x", "trailing characters at line 1 column 9"),
        ] {
            let (items, error) = items(input.as_bytes());
            assert_eq!(items.len(), 3, "{input}");
            assert_eq!(error.as_deref(), Some(&*format!("not a valid JSON array: {message}")));
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused_once() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| "\u{feff}{}\n{}".encode_utf16().flat_map(order).collect::<Vec<_>>();
        let (big, little) = (utf_16(u16::to_be_bytes), utf_16(u16::to_le_bytes));
        for input in [&big[..], &big[2..], &little, &little[2..]] {
            let (items, error) = items(input);
            assert!(
                items.is_empty() && error.is_some_and(|error| error.starts_with("the text is UTF-16")),
                "{input:?}"
            );
        }
        let (items, error) = items(b"[1,\"\\ud800\",\"\xff\",2]");
        assert_eq!(items.len(), 2);
        assert_eq!(error.as_deref(), Some("not a valid JSON array: the text is not UTF-8 at line 1 column 14"));
    }

    #[test]
    fn lines_that_end_with_cr_are_refused_once() {
        let (found, error) = items(b"{}\r{}\r");
        assert!(found.is_empty() && error.is_some_and(|error| error.starts_with("the lines end with CR")));
        assert_eq!(texts("{}\r"), ["{}"]);
        assert_eq!(texts("[1,\r2]\r"), ["1", "2"]);
    }

    #[test]
    fn the_size_of_an_item_is_bounded() {
        let (long, longer) = ("x".repeat(MAX_BYTES - 2), "x".repeat(3 * MAX_BYTES));
        let (lines, error) = items(format!("\"{long}\"\n{longer}\nnull").as_bytes());
        let sizes: Vec<_> = lines.iter().map(|(line, text)| (line.as_str(), text.len())).collect();
        assert_eq!((sizes, error), (vec![("line 1", MAX_BYTES), ("line 2", 9), ("line 3", 4)], None));
        let (elements, error) = items(format!("[1,\"{longer}\",2]").as_bytes());
        assert_eq!((elements.len(), error.as_deref()), (1, Some("an element is larger than 1 MiB")));
    }
}
