//! Who sends a request.

use std::sync::Arc;

/// The name of the caller. The server adds it to the extensions of an authenticated request.
#[derive(Debug, Clone)]
pub struct CallerName(pub Arc<str>);
