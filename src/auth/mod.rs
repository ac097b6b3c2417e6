//! Who calls: API keys of this server, and access tokens of an issuer that it trusts.

mod access_tokens;
pub mod api_keys;
pub(crate) mod authenticator;
pub(crate) mod caller;
pub(crate) mod issuer;
