//! The databases that every test of the API runs on.

/// The database that a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// The suffix of the names of tests on this database.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Sqlite => "::sqlite",
            Self::Postgres => "::postgres",
        }
    }
}
