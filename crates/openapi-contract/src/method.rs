//! HTTP methods.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// An HTTP method that a path item can declare, in the order of the OpenAPI specification. Displayed as on the wire.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    Method {
        Get = "GET", Put = "PUT", Post = "POST", Delete = "DELETE",
        Options = "OPTIONS", Head = "HEAD", Patch = "PATCH", Trace = "TRACE",
    }
}

impl Method {
    /// As a member of a path item: `get`.
    pub const fn key(self) -> &'static str {
        const KEYS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
        KEYS[self as usize]
    }
}
