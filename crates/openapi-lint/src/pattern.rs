//! Which regular expressions every client and server can evaluate.
//!
//! The common subset of the engines is the syntax of RE2, which Rust's `regex` implements, with `\uXXXX` as in ECMA 262.

use regex_syntax::ast::ErrorKind;

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
}
