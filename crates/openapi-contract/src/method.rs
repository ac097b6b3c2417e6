//! HTTP methods.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// An HTTP method that a path item can declare, in the order of the OpenAPI specification. Displayed as on the wire.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    Method {
        /// `GET`
        Get = "GET",
        /// `PUT`
        Put = "PUT",
        /// `POST`
        Post = "POST",
        /// `DELETE`
        Delete = "DELETE",
        /// `OPTIONS`
        Options = "OPTIONS",
        /// `HEAD`
        Head = "HEAD",
        /// `PATCH`
        Patch = "PATCH",
        /// `TRACE`
        Trace = "TRACE",
    }
}

impl Method {
    /// As a member of a path item: `get`.
    pub const fn key(self) -> &'static str {
        const KEYS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
        KEYS[self as usize]
    }
}
