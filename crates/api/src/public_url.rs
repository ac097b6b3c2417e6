//! The URL under which clients reach the server.

use std::sync::Arc;

/// The URL of `/` for clients, where a proxy in front of the server has another host, scheme or path. By default it is not
/// known: references are then absolute paths, which clients resolve against the URL of their request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicUrl(Arc<str>);

impl PublicUrl {
    /// Takes a URL with or without a final slash, which must have no query and no fragment.
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').into())
    }

    /// Returns the reference to an absolute path, with or without a query.
    pub fn reference(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether references are absolute paths.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }
}
