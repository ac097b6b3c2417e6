//! Middleware, one file per concern. `http/router.rs` calls it in order.

pub(super) mod access_log;
pub(super) mod admission;
pub(super) mod authentication;
pub(super) mod catch_panic;
pub(super) mod compression;
pub(super) mod cors;
pub(super) mod deprecation;
pub(super) mod draining;
pub(super) mod host;
pub(super) mod options;
pub(super) mod precondition_required;
pub(super) mod problem_details;
pub(super) mod rate_limit;
pub(super) mod references;
pub(super) mod request_head;
pub(super) mod request_id;
pub(super) mod security_headers;
pub(super) mod timeout;
pub(super) mod validation;
