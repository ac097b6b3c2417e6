//! Completes references to this server with the URL that clients use (`PUBLIC_URL`). Handlers write absolute paths.

use api::public_url::PublicUrl;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LOCATION, LINK, LOCATION},
};

/// Completes the references in the headers of a response. A `Link` header has one link here.
pub(in crate::http) fn complete(public_url: &PublicUrl, headers: &mut HeaderMap) {
    if public_url.is_unknown() {
        return;
    }
    for (name, start) in [(LOCATION, ""), (CONTENT_LOCATION, ""), (LINK, "<")] {
        complete_one(public_url, headers, &name, start);
    }
}

/// Completes a reference behind `start`, unless it is not an absolute path.
fn complete_one(public_url: &PublicUrl, headers: &mut HeaderMap, name: &HeaderName, start: &str) {
    let Some(value) = headers.get_mut(name) else { return };
    let path = value.to_str().ok().and_then(|text| text.strip_prefix(start)).filter(|path| path.starts_with('/'));
    // `//host` is not a path.
    let Some(path) = path.filter(|path| !path.starts_with("//")) else { return };
    match HeaderValue::try_from(format!("{start}{}", public_url.reference(path))) {
        Ok(complete) => *value = complete,
        Err(error) => tracing::error!(%error, %name, "invalid header value"),
    }
}
