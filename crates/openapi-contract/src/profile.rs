//! Which documents are accepted.

/// What a document may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The supported subset: what has an OpenAPI 3.0 form and can be enforced, with no unknown keyword. For contracts.
    Supported,
    /// Any OpenAPI 3.0 or 3.1 document in one file. For comparing releases.
    Standard,
}
