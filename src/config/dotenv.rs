//! The file `.env`.

/// Reads `.env` in the working directory, and in no parent directory, whose settings might be for another program.
///
/// # Errors
/// The file cannot be read or parsed, or a value would be changed. The message does not quote the line, which may contain a
/// password.
pub(crate) fn read() -> Result<(), String> {
    let text = match std::fs::read_to_string(".env") {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!(".env cannot be read: {error}")),
    };
    if let Some(name) = substituted(&text) {
        return Err(format!(
            ".env, {name}: `$` would be replaced by the value of a variable, or `\\$` by `$`: put the whole value in single \
             quotes"
        ));
    }
    match dotenvy::from_read(text.as_bytes()) {
        // The text that could not be parsed may be only a part of the line.
        Err(dotenvy::Error::LineParse(line, _)) => {
            let number = text.lines().position(|other| other.contains(line.trim())).map_or(0, |index| index + 1);
            Err(format!(
                ".env, line {number}: invalid syntax: expected NAME=VALUE, with quotes around a value with spaces"
            ))
        }
        Err(error) => Err(format!(".env cannot be read: {error}")),
        Ok(()) => Ok(()),
    }
}

/// Returns the name of the first variable whose value depends on what a `$` in it means. The parser itself determines this: it
/// must read another character in the place of each `$` as it reads the `$`. `None` also for a text that it does not accept.
fn substituted(text: &str) -> Option<String> {
    // A character of private use that the text does not have.
    let other = ('\u{e000}'..='\u{f8ff}').find(|other| !text.contains(*other))?.to_string();
    let replaced = text.replace('$', &other);
    let mut literal = dotenvy::from_read_iter(replaced.as_bytes());
    for variable in dotenvy::from_read_iter(text.as_bytes()) {
        match (variable, literal.next()) {
            (Ok((_, value)), Some(Ok((_, literal)))) if value == literal.replace(&other, "$") => {}
            (Ok((name, _)), _) | (Err(_), Some(Ok((name, _)))) => return Some(name),
            (Err(_), _) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_would_be_changed_is_found() {
        for text in [
            "A=a$b",
            "A=\"a$b\"",
            "export A=$b",
            "A=a${b}",
            "  A = $b",
            "A=\"sqlite://x # $HOME y.db\"",
            "A='sqlite://a'$USER.db",
            "A=\"first\n# $HOME\nlast\"",
            "B=1\nA=a\\$b",
            "A=\"a\\$b\"",
        ] {
            assert_eq!(substituted(text).as_deref(), Some("A"), "{text}");
        }
        for text in ["A='a$b'", "# A=$b", "A=b # $c", "A=", "A", "A=b", "A='x' # $c", "A='a\n# $b'", "B='\u{e000}$'"] {
            assert_eq!(substituted(text), None, "{text}");
        }
    }
}
