//! JSON is YAML except for one construct: JSON escapes a character beyond U+FFFF as two (RFC 8259 §7).

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The text with such pairs as one YAML escape, if it is JSON and has any: `\ud83d\ude00` becomes `\U0001f600`. That is
/// two columns shorter, so positions after it on the same line are two columns less.
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
        let (escape, after) = match pair(escape) {
            Some((character, after)) => (format!("\\U{:08x}", u32::from(character)), after),
            // Includes the escaped character, which may be a backslash.
            None => {
                let end = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                let (escape, after) = escape.split_at_checked(end).unwrap_or((escape, ""));
                (escape.to_owned(), after)
            }
        };
        written.push_str(&escape);
        rest = after;
    }
    written.push_str(rest);
    Cow::Owned(written)
}

/// The character that two escapes at the head of `text` stand for, and what follows them.
fn pair(text: &str) -> Option<(char, &str)> {
    let unit = |text| {
        let (digits, rest) = str::strip_prefix(text, "\\u")?.split_at_checked(4)?;
        Some((u16::from_str_radix(digits, 16).ok()?, rest))
    };
    let (high, rest) = unit(text)?;
    let (low, rest) = unit(rest)?;
    let mut decoded = char::decode_utf16([high, low]);
    match (decoded.next(), decoded.next()) {
        (Some(Ok(character)), None) => Some((character, rest)),
        _ => None,
    }
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
