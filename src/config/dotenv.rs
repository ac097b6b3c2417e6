//! The file `.env`.

use std::{
    cell::Cell,
    collections::HashMap,
    io::{self, Read},
};

/// Reads `.env` in the working directory, and in no parent directory, whose settings might be for another program.
///
/// # Errors
/// The file cannot be read or parsed, a value would be changed, or a variable is set twice. The message does not quote the
/// line, which may contain a password.
pub(crate) fn read() -> Result<(), String> {
    let text = match std::fs::read_to_string(".env") {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!(".env cannot be read: {error}")),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    check(text).map_err(|(line, problem)| format!(".env, line {line}: {problem}"))?;
    dotenvy::from_read(text.as_bytes()).map_err(|_| ".env cannot be read: invalid syntax".to_owned())
}

/// Checks each entry by itself. An error has the number of the first line of its entry.
fn check(text: &str) -> Result<(), (usize, String)> {
    let mut set_in = HashMap::new();
    let (mut rest, mut number) = (text, 1);
    while let Some(line) = rest.split_inclusive('\n').next() {
        let mut used = Used { lines: 1, bytes: line.len() };
        if !(line.trim().is_empty() || line.trim_start().starts_with('#')) {
            let entry;
            (entry, used) = first_entry(rest);
            let name = entry.map_err(|problem| (number, problem))?;
            if let Some(first) = set_in.insert(name.clone(), number) {
                return Err((number, format!("{name} is set in line {first} already: remove one of the two")));
            }
        }
        number += used.lines;
        rest = rest.get(used.bytes..).unwrap_or_default();
    }
    Ok(())
}

/// Returns the variable of the entry with which the text begins, or what is wrong with it, and the size of the entry.
fn first_entry(text: &str) -> (Result<String, String>, Used) {
    let (entry, used) = parse(text);
    // Whether the value depends on what a `$` in it means: the parser must read another character in the place of each `$` as it
    // reads the `$`. A character of private use that the text does not have.
    let text = text.get(..used.bytes).unwrap_or_default();
    let other = ('\u{e000}'..='\u{f8ff}').find(|other| !text.contains(*other)).unwrap_or_default();
    let literal =
        parse(&text.replace('$', &other.to_string())).0.map(|(name, value)| (name, value.replace(other, "$")));
    let changed = |name: &str| {
        format!(
            "{name}: `$` would be replaced by the value of a variable, or `\\$` by `$`: put the whole value in single quotes"
        )
    };
    let name = match (entry, literal) {
        (Some((name, value)), _) if value.contains('\0') => {
            Err(format!("{name}: a value cannot contain a NUL character"))
        }
        (Some((name, value)), Some((_, literal))) if value == literal => match is_written(text, &value) {
            true => Ok(name),
            false => Err(format!("{name}: quotes and `\\` would be removed: put the whole value in single quotes")),
        },
        (Some((name, _)), _) | (None, Some((name, _))) => Err(changed(&name)),
        (None, None) => Err("invalid syntax: expected NAME=VALUE, with quotes around a value with spaces".to_owned()),
    };
    (name, used)
}

/// Whether an entry has the value as it is written, alone or in quotes. In double quotes, `\` begins an escape.
fn is_written(entry: &str, value: &str) -> bool {
    let written = entry.split_once('=').map_or("", |(_, written)| written.trim());
    let (written, quote) = match written.strip_prefix('\'') {
        Some(quoted) => (quoted, "'"),
        None => (written, ""),
    };
    let after = written.strip_prefix(value).and_then(|rest| rest.strip_prefix(quote)).map(str::trim_start);
    written.starts_with('"') || after.is_some_and(|after| after.is_empty() || after.starts_with('#'))
}

/// Parses the first entry of a text: its name and value, if it is valid. The parser determines where the entry ends: a value in
/// quotes may have several lines.
fn parse(text: &str) -> (Option<(String, String)>, Used) {
    let used = Cell::default();
    let first = dotenvy::from_read_iter(LineByLine { rest: text.as_bytes(), used: &used }).next();
    (first.and_then(Result::ok), used.get())
}

/// What the parser has read.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    lines: usize,
    bytes: usize,
}

/// A reader that returns at most one line at a time, so that the parser reads no line beyond its entry.
struct LineByLine<'a> {
    rest: &'a [u8],
    used: &'a Cell<Used>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = io::Cursor::new(line).read(buffer)?;
        let (read, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        let Used { lines, bytes } = self.used.get();
        self.used.set(Used { lines: lines + usize::from(read.ends_with(b"\n")), bytes: bytes + count });
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<(usize, String)> {
        check(text).err()
    }

    #[test]
    fn a_value_that_would_be_changed_is_found() {
        for (text, line) in [
            ("A=a$b", 1),
            ("A=\"a$b\"", 1),
            ("export A=$b", 1),
            ("A=a${b}", 1),
            ("  A = $b", 1),
            ("A=\"sqlite://x # $HOME y.db\"", 1),
            ("A='sqlite://a'$USER.db", 1),
            ("# A='$b'\nA=\"first\n# $HOME\nlast\"", 2),
            ("B=1\nA=a\\$b", 2),
            ("A=\"a\\$b\"", 1),
        ] {
            let (found, problem) = problem(text).unwrap_or_else(|| panic!("{text}"));
            assert!(found == line && problem.starts_with("A: `$` would"), "{text}: {found}, {problem}");
        }
        for text in ["A=a\"b\"c", "A=a'b'c.db", "A=b\\ c", "A=a\\\\b", "A='a'b'c'", "A=a\\\"b"] {
            let (found, problem) = problem(text).unwrap_or_else(|| panic!("{text}"));
            assert!(found == 1 && problem.starts_with("A: quotes and"), "{text}: {found}, {problem}");
        }
        for text in [
            "A=\"a\\\"b\" # c",
            "export A = a#b",
            "A='a\"b'",
            "A='a$b'",
            "# A=$b",
            "A=b # $c",
            "A=",
            "A=b",
            "A='x' # $c",
            "A='a\n# $b'",
            "B='\u{e000}$'",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_has_the_first_line_of_its_entry() {
        for (text, line) in [
            ("# LISTEN ADDR\nLISTEN ADDR\n", 2),
            ("# a word\n\nA=1\na word\nB=2", 4),
            ("A=1\nB=two words\n", 2),
            ("A='1\n2\n3'\nB", 4),
            ("A=1\n\nB='not\nclosed\n\nC=3\n", 3),
            ("A=1\n\nB=\"not closed", 3),
            ("A=1\r\n# B\r\nB\r\n", 3),
            ("A='1'2 3\n# '1'2 3", 1),
            ("1A=2", 1),
            ("=2", 1),
            ("export A", 1),
            ("A=\"a\\qb\"", 1),
            (&format!("A='{}\n'\nB", "x".repeat(20_000)), 3),
        ] {
            let expected = "invalid syntax: expected NAME=VALUE, with quotes around a value with spaces";
            assert_eq!(problem(text), Some((line, expected.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_set_twice_is_found() {
        for text in ["A=1\n\nA=1", "A='1\n'\nA=2", "A=1\n# A\nexport A=", "A=1\r\n\r\nA = 2\r\n"] {
            assert_eq!(
                problem(text),
                Some((3, "A is set in line 1 already: remove one of the two".to_owned())),
                "{text}"
            );
        }
        assert_eq!(problem("A=1\n# A=2\nB='\nA=3\n'\na=4"), None, "a comment, a value, and another name");
    }

    #[test]
    fn values_are_read_as_documented() {
        for (text, expected) in [
            ("A=b # c", "b"),
            ("A=b#c", "b#c"),
            ("A='b # c'", "b # c"),
            ("export A=b", "b"),
            ("  A  =  b  ", "b"),
            ("A=b\r\nB=c", "b"),
            ("A=\"b\\n\\\"c\\\"\"", "b\n\"c\""),
            ("A='b\\n'", "b\\n"),
            ("A='b\nc'", "b\nc"),
            ("A=", ""),
        ] {
            assert_eq!(parse(text).0, Some(("A".to_owned(), expected.to_owned())), "{text}");
            assert_eq!(problem(text), None, "{text}");
        }
    }
}
