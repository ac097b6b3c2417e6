//! Who sends a request, and why a token is refused.

use std::{collections::BTreeSet, sync::Arc};

/// Who sends a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `key:NAME` of an API key, `sub:SUBJECT` of an access token: a subject cannot pose as a key.
    pub(crate) name: Arc<str>,
    /// What it may do.
    pub(crate) scopes: BTreeSet<String>,
}

/// Why a token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What is wrong, for people.
    Invalid(&'static str),
    /// The issuer cannot be asked for its keys.
    Unavailable,
}
