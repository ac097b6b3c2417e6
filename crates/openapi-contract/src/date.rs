//! Dates and times of RFC 3339, as extensions are written with them.

/// Seconds from the beginning of 1970 to a `full-date` (its first second, UTC) or a `date-time` of RFC 3339 §5.6.
/// Fractions of a second are cut off. `None` for a text that is neither.
pub fn unix_seconds(text: &str) -> Option<i64> {
    match text.split_once(['T', 't']) {
        None => Some(days(text)? * 86_400),
        Some((date, time)) => Some(days(date)? * 86_400 + seconds(time)?),
    }
}

/// Whether this is a `full-date`.
pub fn is_date(text: &str) -> bool {
    days(text).is_some()
}

/// Whether this is a `date-time`.
pub fn is_date_time(text: &str) -> bool {
    text.contains(['T', 't']) && unix_seconds(text).is_some()
}

/// Days from 1970-01-01 to a date.
fn days(text: &str) -> Option<i64> {
    let [year, month, day] = digits(text, '-', [4, 2, 2])?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counted from the first of March, so that the leap day is the last of its year.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let before_month = (153 * month + 2) / 5;
    let before_year = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before_year + before_month + day - 1 - 719_468)
}

/// Seconds from midnight, UTC, to a time with its offset; not in this day where the offset leads out of it.
fn seconds(text: &str) -> Option<i64> {
    let (clock, zone) = text.split_at(text.find(['Z', 'z', '+', '-'])?);
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    if fraction.is_some_and(|digits| digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let [hour, minute, second] = digits(clock, ':', [2, 2, 2])?;
    // Second 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = digits(zone.strip_prefix(['+', '-'])?, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3_600 + minutes * 60;
            if zone.starts_with('-') { -offset } else { offset }
        }
    };
    Some(hour * 3_600 + minute * 60 + second - offset)
}

/// The numbers of a text made of runs of digits, each of exactly the length given.
fn digits<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[i64; N]> {
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
    use super::unix_seconds;

    /// The numbers are those of GNU date.
    #[test]
    fn dates_are_those_of_rfc_3339() {
        for (good, seconds) in [
            ("1970-01-01", 0),
            ("1969-12-31", -86_400),
            ("2000-03-01", 951_868_800),
            ("2027-01-31", 1_801_353_600),
            ("2028-02-29", 1_835_395_200),
            ("0000-01-01", -62_167_219_200),
            ("9999-12-31", 253_402_214_400),
            ("2023-06-30T23:59:59Z", 1_688_169_599),
            ("2027-01-31T23:59:60Z", 1_801_440_000),
            ("2027-01-31t00:00:00.123z", 1_801_353_600),
            ("2027-01-31T00:00:00+05:30", 1_801_333_800),
            ("2027-01-31T00:00:00-01:00", 1_801_357_200),
        ] {
            assert_eq!(unix_seconds(good), Some(seconds), "{good}");
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
            "2027-01-31T00:00:00+24:00",
            "2027-01-31 00:00:00Z",
            "+027-01-31",
            "é027-01-3",
        ] {
            assert_eq!(unix_seconds(bad), None, "{bad}");
        }
    }
}
