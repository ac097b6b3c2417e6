//! Timestamps, in one format.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// A time in UTC with microsecond precision, which both databases store.
///
/// Serialized as RFC 3339 with exactly six decimals and `Z`, so that equal times have equal text and the order of the
/// text is the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Truncates to microseconds, so that the value returned on creation equals the value read later.
    pub fn new(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(6))
    }

    /// Returns the time as a [`DateTime`].
    pub fn datetime(self) -> DateTime<Utc> {
        self.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serialized(text: &str) -> String {
        let time = DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        serde_json::to_string(&Timestamp::new(time)).unwrap()
    }

    #[test]
    fn exactly_six_decimals() {
        assert_eq!(serialized("2026-11-22T09:30:00Z"), "\"2026-11-22T09:30:00.000000Z\"");
        assert_eq!(serialized("2026-11-22T10:30:00.5+01:00"), "\"2026-11-22T09:30:00.500000Z\"");
    }

    #[test]
    fn nanoseconds_are_truncated() {
        assert_eq!(serialized("2026-11-22T09:30:00.123456999Z"), "\"2026-11-22T09:30:00.123456Z\"");
    }
}
