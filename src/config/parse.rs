//! Declares settings, and parses their values.

use std::{fmt::Display, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use crate::auth::api_keys;

/// Why a value is invalid.
pub(super) enum Invalid {
    /// What is expected. The message quotes the value.
    Expected(String),
    /// What is wrong, of a value that may contain a password. The message does not quote it.
    Secret(String),
}

/// The result of parsing one value.
pub(super) type Parsed<T> = Result<T, Invalid>;

/// Returns the error for a value that is not as expected.
pub(super) fn expected<T>(what: impl Into<String>) -> Parsed<T> {
    Err(Invalid::Expected(what.into()))
}

/// Declares a section of the settings. Each setting is one entry: its help, its type, its parser, its default, and the
/// name of its value in the help. The flag and the environment variable have the name of the entry.
///
/// Yields the arguments that clap reads, the validated section, and the function from one to the other.
macro_rules! settings {
    (
        $heading:literal
        $(#[doc = $about:literal])+
        $Args:ident => $Config:ident {
            $(
                $(#[doc = $help:literal])+
                $(#[arg($($arg:tt)*)])?
                $name:ident: $Type:ty = $parse:expr, $default:literal, $value_name:literal;
            )+
        }
    ) => {
        #[doc = concat!("The text of the settings in [`", stringify!($Config), "`].")]
        #[derive(Clone, clap::Args)]
        #[command(next_help_heading = $heading)]
        pub struct $Args {
            $(
                $(#[doc = $help])+
                #[arg(long, env, hide_env_values = true, global = true, value_name = $value_name, default_value = $default, hide_default_value = $default.is_empty(), $($($arg)*)?)]
                pub(super) $name: String,
            )+
        }

        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $Config {
            $(
                $(#[doc = $help])+
                pub $name: $Type,
            )+
        }

        impl $Args {
            /// Validates every setting, and appends a line to `errors` for each that is invalid.
            pub(super) fn validate(&self, errors: &mut Vec<String>) -> Option<$Config> {
                $(
                    let $name =
                        $crate::config::parse::setting(stringify!($name), &self.$name, $default, $parse, errors);
                )+
                Some($Config { $($name: $name?,)+ })
            }
        }
    };
}
pub(super) use settings;

/// Parses one setting. An empty value is the default: Compose files pass `NAME=` for variables that are not set. White space
/// around a value is not part of it: files and secrets often end with a line break.
pub(super) fn setting<T>(
    name: &str,
    value: &str,
    default: &str,
    parse: impl FnOnce(&str) -> Parsed<T>,
    errors: &mut Vec<String>,
) -> Option<T> {
    let value = match value.trim() {
        "" => default,
        value => value,
    };
    match parse(value) {
        Ok(parsed) => Some(parsed),
        Err(Invalid::Expected(what)) => {
            errors.push(format!("{}: invalid value{}: expected {what}", names(name), quoted(value)));
            None
        }
        Err(Invalid::Secret(what)) => {
            errors.push(format!("{}: {what}", names(name)));
            None
        }
    }
}

/// Returns a space and the text in quotes, so that a final space or line break is visible; nothing, if it may contain a secret.
pub(crate) fn quoted(text: &str) -> String {
    if may_have_secret(text) { String::new() } else { format!(" {text:?}") }
}

/// Whether a text in a wrong place may be a URL with a password, or an API key.
pub(crate) fn may_have_secret(text: &str) -> bool {
    text.contains('@') || text.contains("%40") || text.contains("password=") || text.contains(api_keys::PREFIX)
}

/// Returns the variable and the flag of a setting.
pub(super) fn names(name: &str) -> String {
    let flag = if name == "rust_log" { "log".to_owned() } else { name.replace('_', "-") };
    format!("{} (--{flag})", name.to_uppercase())
}

/// Parses a setting whose empty value means that it is not set.
pub(super) fn optional<T>(parse: impl FnOnce(&str) -> Parsed<T>) -> impl FnOnce(&str) -> Parsed<Option<T>> {
    move |value| if value.is_empty() { Ok(None) } else { parse(value).map(Some) }
}

pub(super) fn address(value: &str) -> Parsed<SocketAddr> {
    value.parse().or_else(|_| expected("an IP address and a port, such as 127.0.0.1:8080 or [::]:8080"))
}

pub(super) fn duration(value: &str) -> Parsed<Duration> {
    duration_from(Duration::from_millis(1))(value)
}

pub(super) fn duration_from(min: Duration) -> impl FnOnce(&str) -> Parsed<Duration> {
    const MAX: Duration = Duration::from_secs(24 * 60 * 60);
    move |value| match humantime::parse_duration(value) {
        Ok(duration) if (min..=MAX).contains(&duration) => Ok(duration),
        _ => {
            let min = humantime::format_duration(min);
            expected(format!("a duration from {min} to 24h, such as 500ms or 10s"))
        }
    }
}

/// Parses how long something is kept.
pub(super) fn retention(value: &str) -> Parsed<Duration> {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    match humantime::parse_duration(value) {
        Ok(duration) if (HOUR..=HOUR * 24 * 3650).contains(&duration) => Ok(duration),
        _ => expected("a duration from 1h to 3650d, such as 12h or 7d"),
    }
}

pub(super) fn duration_or_zero(value: &str) -> Parsed<Duration> {
    if matches!(value, "0" | "0s") { Ok(Duration::ZERO) } else { duration(value) }
}

/// Parses an integer from `min` to `max`.
pub(super) fn integer<T: FromStr + PartialOrd + Display>(min: T, max: T) -> impl FnOnce(&str) -> Parsed<T> {
    move |value| match value.parse() {
        Ok(number) if (&min..=&max).contains(&&number) => Ok(number),
        _ => expected(format!("an integer from {min} to {max}")),
    }
}

pub(super) fn boolean(value: &str) -> Parsed<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => expected("true or false"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the other parsers")]
pub(super) fn text(value: &str) -> Parsed<String> {
    Ok(value.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "as the other parsers")]
pub(super) fn path(value: &str) -> Parsed<PathBuf> {
    Ok(PathBuf::from(value))
}

/// Splits a list at its commas.
pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}
