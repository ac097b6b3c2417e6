//! What was built: for `--version` and the metrics.

use std::sync::LazyLock;

use crate::storage;

/// The version of the server.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit from which a release was built; a variable of the build, since sources need not be in a repository, and since
/// builds of a developer would be repeated at each commit.
pub(crate) const COMMIT: &str = match option_env!("WEB_SERVER_COMMIT") {
    Some(commit) if !commit.is_empty() => commit,
    _ => "unknown",
};

/// The version of the schema of the database, which is that of its last migration.
pub(crate) static SCHEMA: LazyLock<String> = LazyLock::new(|| storage::schema_version().to_string());

/// Returns the text of `--version`.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| format!("{VERSION} (commit {COMMIT}, database schema {})", *SCHEMA));
    &TEXT
}
