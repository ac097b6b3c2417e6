//! The `x-` keys of a contract. The server acts on them, so an unknown, misspelt or misplaced one is an error.

use serde_json::Value;

use crate::date::unix_seconds;
use crate::equivalence::whole;
use crate::grammar::Kind;

/// An `x-` key that a contract may use.
#[derive(Debug, Clone, Copy)]
pub struct Extension {
    /// The key.
    pub key: &'static str,
    /// The kind of object that may have it.
    pub on: Kind,
    /// The values it takes, to complete "must be …".
    pub expects: &'static str,
    pub(crate) accepts: fn(&Value) -> bool,
}

const DATE: &str = "an RFC 3339 date or date-time, such as 2026-11-30 or 2026-11-30T12:00:00Z";
const BYTES: &str = "a whole number of bytes, at least 1";
const COST: &str = "a whole number, at least 1";
const IGNORE: &str = "`ignore`; without it, unknown query parameters are refused";
const SENTENCE: &str = "a sentence without its subject, such as `must begin with a letter`";
const PLANNED: &str = "`planned`; remove it from an operation that is implemented";

/// Every `x-` key that a contract may use.
pub const EXTENSIONS: &[Extension] = &[
    Extension { key: "x-deprecated-since", on: Kind::Operation, expects: DATE, accepts: is_date },
    Extension { key: "x-max-body-bytes", on: Kind::Operation, expects: BYTES, accepts: is_positive },
    Extension { key: "x-pattern-description", on: Kind::Schema, expects: SENTENCE, accepts: is_requirement },
    Extension { key: "x-rate-cost", on: Kind::Operation, expects: COST, accepts: is_positive },
    Extension { key: "x-status", on: Kind::Operation, expects: PLANNED, accepts: |value| value == "planned" },
    Extension { key: "x-sunset", on: Kind::Operation, expects: DATE, accepts: is_date },
    Extension { key: "x-unknown-query", on: Kind::Operation, expects: IGNORE, accepts: |value| value == "ignore" },
];

fn is_positive(value: &Value) -> bool {
    whole(value).is_some_and(|count| count > 0)
}

fn is_requirement(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("must "))
}

fn is_date(value: &Value) -> bool {
    value.as_str().and_then(unix_seconds).is_some()
}
