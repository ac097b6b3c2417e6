//! The `x-` keys of this contract. They drive the server, so a misspelt or misplaced one must not pass.

use serde_json::Value;

use crate::Kind;
use crate::meaning::whole;

/// An `x-` key that a contract may use.
#[derive(Debug, Clone, Copy)]
pub struct Extension {
    /// The key.
    pub key: &'static str,
    /// The kind of object that it stands on.
    pub on: Kind,
    /// What its value must be, as in "must be …".
    pub expects: &'static str,
    valid: fn(&Value) -> bool,
}

/// Every `x-` key that a contract may use. Any other is an error when the contract is loaded.
pub const EXTENSIONS: &[Extension] = &[
    Extension {
        key: "x-max-body-bytes",
        on: Kind::Operation,
        expects: "a whole number of bytes, at least 1",
        valid: |value| whole(value).is_some_and(|bytes| bytes > 0),
    },
    Extension {
        key: "x-status",
        on: Kind::Operation,
        expects: "`planned`; leave it out of an operation that is built",
        valid: |value| value == "planned",
    },
    Extension {
        key: "x-sunset",
        on: Kind::Operation,
        expects: "an RFC 3339 date or date-time, such as 2027-01-31 or 2027-01-31T00:00:00Z",
        valid: |value| value.as_str().is_some_and(is_date_or_date_time),
    },
];

impl Extension {
    /// Whether `value` is what the extension expects.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        (self.valid)(value)
    }
}

/// RFC 3339 §5.6: `full-date` or `date-time`.
fn is_date_or_date_time(text: &str) -> bool {
    match text.split_once(['T', 't']) {
        None => is_date(text),
        Some((date, time)) => is_date(date) && is_time(time),
    }
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = digits(text, '-', [4, 2, 2]) else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => return false,
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let clock = digits(clock, ':', [2, 2, 2])
        // Second 60 is a leap second.
        .is_some_and(|[hour, minute, second]| hour <= 23 && minute <= 59 && second <= 60);
    let fraction = fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let zone = matches!(zone, "Z" | "z")
        || zone
            .strip_prefix(['+', '-'])
            .and_then(|offset| digits(offset, ':', [2, 2]))
            .is_some_and(|[hour, minute]| hour <= 23 && minute <= 59);
    clock && fraction && zone
}

/// The numbers of a text made of runs of digits, each of exactly the length given.
fn digits<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::is_date_or_date_time;

    #[test]
    fn dates_are_those_of_rfc_3339() {
        for good in [
            "2027-01-31",
            "2028-02-29",
            "2027-01-31T23:59:60Z",
            "2027-01-31t00:00:00.123z",
            "2027-01-31T00:00:00+05:30",
        ] {
            assert!(is_date_or_date_time(good), "{good}");
        }
        for bad in [
            "",
            "2027",
            "2027-1-31",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-01-31T",
            "2027-01-31T00:00:00",
            "2027-01-31T24:00:00Z",
            "2027-01-31T00:00Z",
            "2027-01-31T00:00:00.Z",
            "2027-01-31T00:00:00+0530",
            "2027-01-31 00:00:00Z",
            "+027-01-31",
            "é027-01-3",
        ] {
            assert!(!is_date_or_date_time(bad), "{bad}");
        }
    }
}
