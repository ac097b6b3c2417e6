//! Dates and times of RFC 3339, the values of `x-deprecated-since` and `x-sunset`.

use chrono::DateTime;

/// Seconds since 1970-01-01T00:00:00Z of a `full-date` (its first second in UTC) or a `date-time` of RFC 3339 §5.6.
/// Fractions of a second are cut off, and a leap second counts as the second before it. `None` for any other text.
pub fn unix_seconds(text: &str) -> Option<i64> {
    let time = match text.get(10..) {
        Some("") => DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")),
        // chrono also accepts a space.
        Some(time) if time.starts_with(['T', 't']) => DateTime::parse_from_rfc3339(text),
        _ => return None,
    };
    Some(time.ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    /// The expected numbers come from GNU date.
    #[test]
    fn accepts_the_dates_of_rfc_3339_only() {
        for (valid, seconds) in [
            ("1970-01-01", 0),
            ("1969-12-31", -86_400),
            ("2027-01-31", 1_801_353_600),
            ("2028-02-29", 1_835_395_200),
            ("0000-01-01", -62_167_219_200),
            ("9999-12-31", 253_402_214_400),
            ("2023-06-30T23:59:59Z", 1_688_169_599),
            ("2027-01-31T23:59:60Z", 1_801_439_999),
            ("2027-01-31t00:00:00.123z", 1_801_353_600),
            ("2027-01-31T00:00:00+05:30", 1_801_333_800),
            ("2027-01-31T00:00:00-01:00", 1_801_357_200),
        ] {
            assert_eq!(unix_seconds(valid), Some(seconds), "{valid}");
        }
        for invalid in [
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
            "2027-01-31T00:00:00+24:00",
            "2027-01-31 00:00:00Z",
            "+027-01-31",
            "é027-01-3",
        ] {
            assert_eq!(unix_seconds(invalid), None, "{invalid}");
        }
    }
}
