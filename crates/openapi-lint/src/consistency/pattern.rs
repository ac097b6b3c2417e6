//! Patterns: whether they can be read, and whether a text matches.
//!
//! They are read as they are written, by the syntax of Rust's `regex`: that of RE2, with `\uXXXX` as in ECMA 262. They are
//! matched by sets of places in the text, straight from the syntax tree: examples are short, and to compile an automaton
//! for each pattern would cost a build script more than all the rest of the check.

use std::collections::BTreeSet;

use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Why a pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No engine can.
    Broken(String),
    /// Only engines that go back in the text can.
    Backtracks(&'static str),
}

/// A pattern as a syntax tree.
pub(crate) fn readable(pattern: &str) -> Result<Hir, Unreadable> {
    let (what, span) = match regex_syntax::parse(pattern) {
        Ok(tree) => return Ok(tree),
        Err(regex_syntax::Error::Parse(error)) => match error.kind() {
            ErrorKind::UnsupportedLookAround => return Err(Unreadable::Backtracks("looks around")),
            ErrorKind::UnsupportedBackreference => return Err(Unreadable::Backtracks("refers back")),
            kind => (kind.to_string(), *error.span()),
        },
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
        Err(other) => return Err(Unreadable::Broken(other.to_string())),
    };
    Err(Unreadable::Broken(format!("{what}, at its character {}", span.start.column)))
}

/// Whether some part of `text` matches; `true` also for what would take too long to tell.
pub(super) fn matches(tree: &Hir, text: &str) -> bool {
    let mut matching = Matching { text, steps: 0 };
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let ends = matching.ends(tree, &starts);
    matching.steps > MOST_STEPS || !ends.is_empty()
}

/// So much is enough for any pattern that is not made to be slow.
const MOST_STEPS: usize = 200_000;

type Places = BTreeSet<usize>;

struct Matching<'t> {
    text: &'t str,
    steps: usize,
}

impl Matching<'_> {
    /// Where a match may end that begins at one of these places.
    fn ends(&mut self, tree: &Hir, starts: &Places) -> Places {
        self.steps += 1 + starts.len();
        if self.steps > MOST_STEPS {
            return Places::new();
        }
        let rest = |at: usize| self.text.get(at..).unwrap_or_default();
        match tree.kind() {
            HirKind::Empty => starts.clone(),
            HirKind::Literal(literal) => {
                let here = |at: &&usize| rest(**at).as_bytes().starts_with(&literal.0);
                starts.iter().filter(here).map(|at| at + literal.0.len()).collect()
            }
            HirKind::Class(class) => {
                let next = |at: &usize| rest(*at).chars().next().filter(|next| holds(class, *next));
                starts.iter().filter_map(|at| Some(at + next(at)?.len_utf8())).collect()
            }
            HirKind::Look(look) => starts.iter().copied().filter(|at| self.is_at(*look, *at)).collect(),
            HirKind::Capture(capture) => self.ends(&capture.sub, starts),
            HirKind::Concat(parts) => parts.iter().fold(starts.clone(), |starts, part| self.ends(part, &starts)),
            HirKind::Alternation(parts) => parts.iter().flat_map(|part| self.ends(part, starts)).collect(),
            HirKind::Repetition(repetition) => self.repeated(repetition, starts),
        }
    }

    fn repeated(&mut self, Repetition { min, max, sub, .. }: &Repetition, starts: &Places) -> Places {
        let mut now = starts.clone();
        for _ in 0..*min {
            let next = self.ends(sub, &now);
            let settled = next == now || next.is_empty();
            now = next;
            if settled {
                break;
            }
        }
        let mut all = now.clone();
        for _ in *min..max.unwrap_or(u32::MAX) {
            now = self.ends(sub, &now).difference(&all).copied().collect();
            if now.is_empty() {
                break;
            }
            all.extend(&now);
        }
        all
    }

    fn is_at(&self, look: Look, at: usize) -> bool {
        let (before, after) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        let word = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
        let (was, is) = (word(before.chars().next_back()), word(after.chars().next()));
        match look {
            Look::Start => before.is_empty(),
            Look::End => after.is_empty(),
            Look::StartLF | Look::StartCRLF => before.is_empty() || before.ends_with(['\n', '\r']),
            Look::EndLF | Look::EndCRLF => after.is_empty() || after.starts_with(['\n', '\r']),
            Look::WordAscii | Look::WordUnicode => was != is,
            Look::WordAsciiNegate | Look::WordUnicodeNegate => was == is,
            Look::WordStartAscii | Look::WordStartUnicode => !was && is,
            Look::WordEndAscii | Look::WordEndUnicode => was && !is,
            Look::WordStartHalfAscii | Look::WordStartHalfUnicode => !was,
            Look::WordEndHalfAscii | Look::WordEndHalfUnicode => !is,
        }
    }
}

fn holds(class: &Class, character: char) -> bool {
    match class {
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&character)),
        Class::Bytes(class) => u8::try_from(character)
            .is_ok_and(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&byte))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_everybody_can_read() {
        for pattern in [r"^\S+$", r"^[^\s\u0000-\u001f\ufeff]*$", r"^\d{4}-\d{2}$", r"^\p{L}+$", r"^a\/b\-c$", "é"] {
            assert!(readable(pattern).is_ok(), "{pattern}");
        }
        for (pattern, expected) in [
            ("(", "unclosed group, at its character 1"),
            ("é[b-a]", "invalid character class range"),
            (r"\p{Nothing}", "Unicode property not found"),
            (r"\c", "unrecognized escape sequence"),
        ] {
            let found = readable(pattern).expect_err(pattern);
            assert!(matches!(&found, Unreadable::Broken(why) if why.starts_with(expected)), "{pattern}: {found:?}");
        }
        for (pattern, how) in [("^(?!a)", "looks around"), ("(?<=a)b", "looks around"), (r"(a)\1", "refers back")] {
            assert_eq!(readable(pattern), Err(Unreadable::Backtracks(how)), "{pattern}");
        }
    }

    /// Against the engine that holds requests to the contract.
    #[test]
    fn what_matches_is_what_matches_on_the_wire() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "aab",
            "abab",
            "a b",
            "A",
            "é",
            "aé",
            "1",
            "12",
            "2026-01-31",
            "a\nb",
            "-",
            "a_b",
            "\u{200b}",
            "ada@example.org",
            "a@b",
            "aaaaaaaaaa",
        ];
        for pattern in [
            "",
            "a",
            "^a",
            "a$",
            "^a$",
            "^a*$",
            "^a+b$",
            "^(ab)*$",
            "^(a|b)+$",
            "^(a|ab)(b|)$",
            r"^\d{4}-\d{2}-\d{2}$",
            "a.b",
            r"^\S+$",
            r"\ba\b",
            r"\Bb",
            "^[^a]+$",
            "^(a?){3}$",
            "^a{2,3}$",
            "^(a*)*b?$",
            r"^[\p{L} ]*$",
            "é$",
            "[A-Z]",
            r"^[a-z]+@[a-z]+(\.[a-z]+)+$",
            "^(?:a|b|)$",
            "^.{1,3}$",
            "^(a{2}){5}$",
        ] {
            let tree = readable(pattern).expect(pattern);
            let theirs = jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).expect(pattern);
            for text in texts {
                assert_eq!(matches(&tree, text), theirs.is_valid(&text.into()), "{pattern} on {text:?}");
            }
        }
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        let nested = format!("^{}a{}b$", "(".repeat(80), "*)*".repeat(80));
        for pattern in [nested.as_str(), "^(a?){4000000000}b$", "^((a*)*)*b$", "^(a|a|a|a)*b$"] {
            let _ = matches(&readable(pattern).expect("can be read"), &"a".repeat(500));
        }
    }
}
