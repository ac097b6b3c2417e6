//! The bytes of a file as text that a YAML parser reads.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::source_map::Position;

/// The largest file accepted, in bytes. Parsed, a file takes many times its size in memory.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The text of a file, or where and why it cannot be read: it is too large, not UTF-8, or has a character that YAML
/// allows only as an escape (1.2 §5.1).
pub(super) fn decode(bytes: &[u8]) -> Result<&str, (Position, String)> {
    if bytes.len() > MAX_BYTES {
        return Err((Position::START, format!("the file is larger than {} MiB", MAX_BYTES / (1024 * 1024))));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (valid, invalid) = bytes.split_at(error.valid_up_to());
        let byte = invalid.first().copied().unwrap_or_default();
        (end(&String::from_utf8_lossy(valid)), format!("not UTF-8: invalid byte 0x{byte:02x}"))
    })?;
    let refused = |character: char| character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    match text.char_indices().find(|(_, character)| refused(*character)) {
        None => Ok(text),
        Some((at, character)) => {
            let code = u32::from(character);
            let message = format!("U+{code:04X} is a control character: write it as an escape in double quotes");
            Err((end(text.get(..at).unwrap_or_default()), message))
        }
    }
}

/// The position after `text`. Line feeds, carriage returns and both together end lines (YAML 1.2 §5.4).
fn end(text: &str) -> Position {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

/// JSON is YAML except for one construct: JSON escapes a character beyond U+FFFF as two (RFC 8259 §7), YAML as one. If the
/// text is JSON, each such pair is replaced: `\ud83d\ude00` becomes `\U0001f600`. That is two columns shorter, so positions
/// after it on the same line are two columns less.
pub(super) fn as_yaml(text: &str) -> Cow<'_, str> {
    let has_pairs = text.contains("\\ud") || text.contains("\\uD");
    // Elsewhere in YAML, a backslash need not be an escape.
    if !has_pairs || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        written.push_str(before);
        // Twelve characters of JSON that are a single character can only be a pair.
        let pair = escape.split_at_checked(12);
        let decoded = pair.and_then(|(pair, _)| serde_json::from_str::<char>(&format!("\"{pair}\"")).ok());
        let length = match decoded {
            Some(character) => {
                written.push_str(&format!("\\U{:08x}", u32::from(character)));
                12
            }
            // Includes the escaped character, which may be a backslash.
            None => {
                written.extend(escape.chars().take(2));
                escape.chars().take(2).map(char::len_utf8).sum()
            }
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    written.push_str(rest);
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogate_pairs_become_one_escape() {
        for (json, yaml) in [
            (r#"{"a": "\ud83d\ude00 \uD83D\uDE00"}"#, r#"{"a": "\U0001f600 \U0001f600"}"#),
            (r#"["\\ud83d\\ude00 \" \u00e9", "\ud83d\ude00é"]"#, r#"["\\ud83d\\ude00 \" \u00e9", "\U0001f600é"]"#),
            // Not a pair: not JSON, refused by the YAML parser.
            (r#"["\ud83d\u0041"]"#, r#"["\ud83d\u0041"]"#),
            (r"a: '\ud83d\ude00'", r"a: '\ud83d\ude00'"),
        ] {
            assert_eq!(as_yaml(json), yaml);
        }
    }
}
