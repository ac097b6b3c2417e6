//! The file `.env`.

/// Reads `.env` in the working directory, and in no parent directory, whose settings might be for another program.
///
/// # Errors
/// The file cannot be read or parsed. The message does not quote the line, which may contain a password.
pub(crate) fn read() -> Result<(), String> {
    match dotenvy::from_path(".env") {
        // The text that could not be parsed may be only a part of the line.
        Err(dotenvy::Error::LineParse(line, _)) => {
            let text = std::fs::read_to_string(".env").unwrap_or_default();
            let number = text.lines().position(|other| other.contains(line.trim())).map_or(0, |index| index + 1);
            Err(format!(
                ".env, line {number}: invalid syntax: expected NAME=VALUE, with quotes around a value with spaces"
            ))
        }
        Err(error) if !error.not_found() => Err(format!(".env cannot be read: {error}")),
        _ => Ok(()),
    }
}
