//! Which regular expressions every client and server can evaluate.
//!
//! The server reads the syntax of RE2, which Rust's `regex` implements, with `\uXXXX` as in ECMA-262.

use regex_syntax::ast::{
    AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, ErrorKind, GroupKind, HexLiteralKind,
    Literal, LiteralKind, Repetition, RepetitionKind, RepetitionRange, SpecialLiteralKind, Visitor, parse::Parser,
    visit,
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

/// What a valid pattern has that one of ECMA-262 (also with the flag `u`, which validators of JSON Schema set), PCRE, RE2, Rust,
/// Python and Ruby does not read, or reads in another way. They also differ in the line ends that `.` and `$` match,
/// which is accepted: most patterns have one of these.
pub(crate) fn unportable(pattern: &str) -> Option<&'static str> {
    // An invalid pattern is reported as such.
    visit(&Parser::new().parse(pattern).ok()?, Portable::default()).err()
}

/// The product of nested repetitions that RE2 accepts.
const MAX_REPETITIONS: u64 = 1_000;

/// Visits a pattern until something is not portable.
#[derive(Default)]
struct Portable {
    /// The bounds of the repetitions around the current node.
    repetitions: Vec<u32>,
}

impl Visitor for Portable {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), Self::Err> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::Literal(one) => literal(one, false),
            Ast::Assertion(one) if matches!(one.kind, AssertionKind::WordBoundary | AssertionKind::NotWordBoundary) => {
                Err("`\\b` or `\\B`: only in some of the engines, letters beyond ASCII are a part of a word")
            }
            Ast::Assertion(one) if !matches!(one.kind, AssertionKind::StartLine | AssertionKind::EndLine) => {
                Err("an assertion that ECMA-262 does not read: only `^` and `$` are portable")
            }
            Ast::ClassPerl(class) => perl(class),
            Ast::ClassUnicode(_) => Err(PROPERTY),
            Ast::Flags(_) => Err("flags, which ECMA-262 does not read"),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) if !flags.items.is_empty() => Err("flags, which ECMA-262 does not read"),
                GroupKind::CaptureName { .. } => Err("a named group, which RE2 and ECMA-262 write differently"),
                _ => Ok(()),
            },
            Ast::Repetition(one) if matches!(*one.ast, Ast::Repetition(_)) => {
                Err("a repetition of a repetition, which only Rust and Ruby read so; group the inner one")
            }
            Ast::Repetition(one) => {
                self.repetitions.push(bound(one).max(1));
                let product = self.repetitions.iter().fold(1, |all: u64, &bound| all.saturating_mul(bound.into()));
                let is_portable = product <= MAX_REPETITIONS;
                is_portable
                    .then_some(())
                    .ok_or("more than 1,000 repetitions, in all, which RE2 refuses; use `maxLength`")
            }
            _ => Ok(()),
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        if let Ast::Repetition(_) = ast {
            self.repetitions.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ClassSetItem::Literal(one) => literal(one, true),
            ClassSetItem::Range(range) => literal(&range.start, true).and_then(|()| literal(&range.end, true)),
            ClassSetItem::Perl(class) => perl(class),
            ClassSetItem::Unicode(_) => Err(PROPERTY),
            ClassSetItem::Ascii(_) => Err("a POSIX class, which ECMA-262 does not read"),
            ClassSetItem::Bracketed(_) => Err("a class in a class, which only Rust reads; escape `[` as `\\[`"),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err("an operation on classes, which only Rust reads")
    }
}

const PROPERTY: &str = "a property `\\p{…}`, which Python does not read, and ECMA-262 only with the flag `u`";

/// The number that RE2 counts. Without an upper bound, it is the lower one.
fn bound(repetition: &Repetition) -> u32 {
    match &repetition.op.kind {
        RepetitionKind::Range(RepetitionRange::Exactly(bound) | RepetitionRange::AtLeast(bound)) => *bound,
        RepetitionKind::Range(RepetitionRange::Bounded(_, bound)) => *bound,
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
    }
}

fn perl(class: &ClassPerl) -> Result<(), &'static str> {
    match class.kind {
        ClassPerlKind::Space => {
            Err("`\\s` or `\\S`: white space beyond ASCII is a part of it only in some of the engines")
        }
        ClassPerlKind::Digit | ClassPerlKind::Word => Ok(()),
    }
}

fn literal(literal: &Literal, is_in_class: bool) -> Result<(), &'static str> {
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
        LiteralKind::Special(SpecialLiteralKind::VerticalTab) => {
            Err("an escape `\\v`, which is a class in PCRE; write `\\x0b`")
        }
        LiteralKind::Verbatim if literal.c == ']' || (literal.c == '}' && !is_in_class) => {
            Err("`]` or `}` without a backslash, which ECMA-262 reads in another way or refuses")
        }
        LiteralKind::Meta | LiteralKind::Superfluous
            if !(r"^$\.*+?()[]{}|/".contains(literal.c) || (literal.c == '-' && is_in_class)) =>
        {
            Err("an escape of a character that needs none, which ECMA-262 refuses with the flag `u`")
        }
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
            r"^[^\x00-\x1f\x7f]+$",
            r"^\^\$\\\.\*\+\?\(\)\[\]\{\}\|a\/[\-{}]$",
            r"^(a{1,10}){1,100}b{1000}c{5,}(d*)+$",
            r#"^("[ !#-\[\]-~]{1,255}"|[!#-+\--~]{1,255})$"#,
            "^[à-ÿ\u{10000}]$",
            r"^(?:a|b)[\t\r\n\f]*$",
            r"^\d{4}-[\d\w]\D$",
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
            (r"[\v]", r"an escape `\v`"),
            (r"^\S+$", r"`\s` or `\S`"),
            (r"[^\s]", r"`\s` or `\S`"),
            (r"\p{L}", "a property"),
            (r"[\P{L}]", "a property"),
            (r"a\b", r"`\b` or `\B`"),
            ("a]", "`]` or `}`"),
            ("a}", "`]` or `}`"),
            ("[]a]", "`]` or `}`"),
            (r"a\-b", "an escape of a character that needs none"),
            (r"[\@]", "an escape of a character that needs none"),
            ("a++", "a repetition of a repetition"),
            ("a{2}{3}", "a repetition of a repetition"),
            ("a{1001}", "more than 1,000 repetitions"),
            ("(a{1,40}){1,40}", "more than 1,000 repetitions"),
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
