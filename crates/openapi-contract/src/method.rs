//! HTTP methods.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An HTTP method that a path item can declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `TRACE`
    Trace,
}

impl Method {
    /// Every method, in the order of the OpenAPI specification.
    pub const ALL: [Method; 8] = {
        use Method::{Delete, Get, Head, Options, Patch, Post, Put, Trace};
        [Get, Put, Post, Delete, Options, Head, Patch, Trace]
    };

    /// As on the wire (`GET`), and as a member of a path item (`get`).
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Method::Get => ("GET", "get"),
            Method::Put => ("PUT", "put"),
            Method::Post => ("POST", "post"),
            Method::Delete => ("DELETE", "delete"),
            Method::Options => ("OPTIONS", "options"),
            Method::Head => ("HEAD", "head"),
            Method::Patch => ("PATCH", "patch"),
            Method::Trace => ("TRACE", "trace"),
        }
    }

    /// As on the wire: `GET`.
    pub const fn as_str(self) -> &'static str {
        self.names().0
    }

    /// As a member of a path item: `get`.
    pub const fn key(self) -> &'static str {
        self.names().1
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
