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
    if let Some(index) = text.lines().position(is_substituted) {
        return Err(format!(
            ".env, line {}: `$` would be replaced by the value of a variable: put the value in single quotes",
            index + 1
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

/// Whether a line has a value in which `$NAME` is replaced: one that is not in single quotes.
fn is_substituted(line: &str) -> bool {
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    let is_comment = line.trim_start().starts_with('#') || value.starts_with('#');
    // A comment after a value may contain anything.
    let value = value.split(" #").next().unwrap_or_default();
    !is_comment && !value.starts_with('\'') && value.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_would_be_changed_is_found() {
        for line in ["A=a$b", "A=\"a$b\"", "export A=$b", "A=a${b}", "  A = $b"] {
            assert!(is_substituted(line), "{line}");
        }
        for line in ["A='a$b'", "# A=$b", "A=b # $c", "A=", "A", "A=b"] {
            assert!(!is_substituted(line), "{line}");
        }
    }
}
