//! Which regular expressions every client and server can evaluate.
//!
//! The server reads the syntax of RE2, which Rust's `regex` implements, with `\uXXXX` as in ECMA-262.

use regex_syntax::ast::{
    AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, ErrorKind, GroupKind, HexLiteralKind, Literal, LiteralKind,
    SpecialLiteralKind, Visitor, parse::Parser, visit,
};

/// Why a pattern is not portable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// The pattern is invalid.
    Invalid(String),
    /// The pattern needs backtracking: what it uses.
    Backtracking(&'static str),
}

/// Parses a pattern.
///
/// # Errors
/// Patterns that are invalid or need an engine with backtracking.
pub(crate) fn parse(pattern: &str) -> Result<(), PatternError> {
    let (reason, span) = match regex_syntax::parse(pattern) {
        Ok(_) => return Ok(()),
        Err(regex_syntax::Error::Parse(error)) => match error.kind() {
            ErrorKind::UnsupportedLookAround => return Err(PatternError::Backtracking("look-around")),
            ErrorKind::UnsupportedBackreference => return Err(PatternError::Backtracking("a back-reference")),
            kind => (kind.to_string(), *error.span()),
        },
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
        Err(other) => return Err(PatternError::Invalid(other.to_string())),
    };
    Err(PatternError::Invalid(format!("{reason}, at character {}", span.start.column)))
}

/// What a valid pattern has that one of ECMA-262, PCRE, RE2 and Rust does not read, or reads in another way.
pub(crate) fn unportable(pattern: &str) -> Option<&'static str> {
    // An invalid pattern is reported as such.
    visit(&Parser::new().parse(pattern).ok()?, Portable).err()
}

/// Visits a pattern until something is not portable.
struct Portable;

impl Visitor for Portable {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), Self::Err> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let is_line_or_word = |kind: &AssertionKind| {
            use AssertionKind::{EndLine, NotWordBoundary, StartLine, WordBoundary};
            matches!(kind, StartLine | EndLine | WordBoundary | NotWordBoundary)
        };
        match ast {
            Ast::Literal(one) => literal(one),
            Ast::Assertion(assertion) if !is_line_or_word(&assertion.kind) => {
                Err("an assertion that ECMA-262 does not read: only `^`, `$`, `\\b` and `\\B` are portable")
            }
            Ast::Flags(_) => Err("flags, which ECMA-262 does not read"),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) if !flags.items.is_empty() => Err("flags, which ECMA-262 does not read"),
                GroupKind::CaptureName { .. } => Err("a named group, which RE2 and ECMA-262 write differently"),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ClassSetItem::Literal(one) => literal(one),
            ClassSetItem::Range(range) => literal(&range.start).and_then(|()| literal(&range.end)),
            ClassSetItem::Ascii(_) => Err("a POSIX class, which ECMA-262 does not read"),
            ClassSetItem::Bracketed(_) => Err("a class in a class, which only Rust reads; escape `[` as `\\[`"),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err("an operation on classes, which only Rust reads")
    }
}

fn literal(literal: &Literal) -> Result<(), &'static str> {
    match literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort) => {
            Err("an escape `\\uXXXX`, which PCRE and RE2 do not read")
        }
        LiteralKind::HexFixed(HexLiteralKind::UnicodeLong) => Err("an escape `\\UXXXXXXXX`, which only Rust reads"),
        LiteralKind::HexFixed(HexLiteralKind::X) if !literal.c.is_ascii() => {
            Err("an escape `\\xXX` beyond `\\x7f`, which is a byte in Ruby and PCRE")
        }
        LiteralKind::HexBrace(_) => {
            Err("an escape with braces, such as `\\x{0}`: `\\u{…}` and `\\x{…}` are not portable")
        }
        LiteralKind::Special(SpecialLiteralKind::Bell) => Err("an escape `\\a`, which ECMA-262 does not read"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_valid_invalid_or_need_backtracking() {
        for pattern in [r"^\S+$", r"^[^\s\u0000-\u001f\ufeff]*$", r"^\d{4}-\d{2}$", r"^\p{L}+$", r"^a\/b\-c$", "é"] {
            assert_eq!(parse(pattern), Ok(()), "{pattern}");
        }
        for (pattern, expected) in [
            ("(", "unclosed group, at character 1"),
            ("é[b-a]", "invalid character class range"),
            (r"\p{Nothing}", "Unicode property not found"),
            (r"\c", "unrecognized escape sequence"),
        ] {
            let found = parse(pattern).expect_err(pattern);
            assert!(matches!(&found, PatternError::Invalid(why) if why.starts_with(expected)), "{pattern}: {found:?}");
        }
        for (pattern, how) in [("^(?!a)", "look-around"), ("(?<=a)b", "look-around"), (r"(a)\1", "a back-reference")] {
            assert_eq!(parse(pattern), Err(PatternError::Backtracking(how)), "{pattern}");
        }
    }
    #[test]
    fn patterns_are_portable_or_not() {
        for pattern in [
            r"^\S+$",
            r"^[^\x00-\x1f\x7f]+$",
            r#"^("[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$"#,
            "^[à-ÿ\u{10000}]$",
            r"\p{L}",
            r"^(?:a|b)\b[\t\r\n\f\v]*$",
            r"^\d{4}-[\d\s\w]$",
        ] {
            assert_eq!(unportable(pattern), None, "{pattern}");
        }
        for (pattern, what) in [
            (r"^[^\u0000-\u001f]*$", r"an escape `\uXXXX`"),
            (r"\u00e9", r"an escape `\uXXXX`"),
            (r"[a-\U0001F600]", r"an escape `\UXXXXXXXX`"),
            (r"\u{e9}", "an escape with braces"),
            (r"\x{e9}", "an escape with braces"),
            (r"[\x80-\xff]", r"an escape `\xXX` beyond `\x7f`"),
            (r"\a", r"an escape `\a`"),
            (r"\Aa", "an assertion"),
            (r"a\z", "an assertion"),
            ("(?i)a", "flags"),
            ("(?i:a)", "flags"),
            ("(?P<name>a)", "a named group"),
            ("[[:alpha:]]", "a POSIX class"),
            ("[[a]b]", "a class in a class"),
            ("[a-z&&b]", "an operation on classes"),
        ] {
            let found = unportable(pattern);
            assert!(found.is_some_and(|found| found.starts_with(what)), "{pattern}: {found:?}");
        }
    }
}
