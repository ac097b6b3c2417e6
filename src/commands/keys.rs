//! `web_server keys`: makes API keys.

use std::{
    collections::HashSet,
    error::Error,
    io::{self, IsTerminal, Write},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{app, auth::api_keys::ApiKey, cli::KeysCommand, clock::Clock, config::parse::quoted};

/// Prints a new key and its entry to standard output, a line each, and on a terminal what they are for.
pub(super) fn run(command: KeysCommand, clock: &dyn Clock) -> Result<(), Box<dyn Error>> {
    let KeysCommand::New { name, mut scopes, expires } = command;
    let table = app::artifacts()?.table;
    let known = table.scopes();
    if let Some(unknown) = scopes.iter().find(|scope| !known.contains(scope.as_str())) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(
            format!("--scope{}: no operation needs this scope: expected one of {known}", quoted(unknown)).into()
        );
    }
    let mut printed = HashSet::new();
    scopes.retain(|scope| printed.insert(scope.clone()));
    let expires = expires.map(|text| expiry(&text, clock.now().datetime())).transpose()?;
    let (secret, key) = ApiKey::generate(name, scopes, expires).map_err(|error| format!("--name: {error}"))?;
    let mut output = io::stdout().lock();
    let hint = |text: &str| {
        // Only for people: a program reads the two lines.
        if io::stdout().is_terminal() { writeln!(io::stderr(), "{text}") } else { Ok(()) }
    };
    hint("The key, for its caller. It is not shown again:")?;
    writeln!(output, "{secret}")?;
    hint("The line for API_KEYS_FILE, or the entry for API_KEYS:")?;
    writeln!(output, "{key}")?;
    Ok(())
}

fn expiry(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Box<dyn Error>> {
    let expected = || {
        let expected = "expected a time in the future such as 2030-01-01T00:00:00Z, or a duration such as 90d";
        format!("--expires{}: {expected}", quoted(text))
    };
    let time = match humantime::parse_duration(text) {
        Ok(duration) => TimeDelta::from_std(duration).ok().and_then(|duration| now.checked_add_signed(duration)),
        Err(_) => text.parse().ok(),
    };
    // Entries have seconds.
    Ok(time.filter(|time| time.timestamp() > now.timestamp()).ok_or_else(expected)?)
}
