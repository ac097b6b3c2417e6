//! The day of a comparison.

use openapi_contract::date::unix_seconds;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of an RFC 3339 date or date-time, such as `2027-01-31`; `None` for anything else. The offset of a date-time
    /// is ignored: sunsets are days.
    pub fn parse(text: &str) -> Option<Day> {
        unix_seconds(text)?;
        unix_seconds(text.get(..10)?).map(Day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = |text| Day::parse(text).unwrap();
        assert!(day("2026-12-31") < day("2027-01-01"));
        assert_eq!(day("2027-01-31"), day("2027-01-31T23:59:59Z"));
        for bad in ["", "2027", "2027-1-31", "2027-13-01", "2027-01-00", "2027-02-29", "2027-01-31x", "é027-01-3"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
