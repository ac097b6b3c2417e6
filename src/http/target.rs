//! Normalization of request targets.

use http::{Uri, uri::PathAndQuery};

/// Returns the target with unreserved characters of its path decoded, which changes nothing of what it identifies (RFC 3986,
/// section 6.2.2.2): `/%75sers` is `/users`. `None`: it has no such character, as nearly every target.
pub(super) fn normalized(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.contains('%') {
        return None;
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            // Not `.` alone: a segment of dots would become one that clients and proxies remove.
            Some(byte) if byte != b'.' => {
                decoded.push(char::from(byte));
                rest = &after[2..];
            }
            _ => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    if decoded == path {
        return None;
    }
    if let Some(query) = uri.query() {
        decoded = format!("{decoded}?{query}");
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(decoded).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_characters_are_decoded() {
        for (target, expected) in [
            ("/users", None),
            ("/%75sers", Some("/users")),
            ("/%75%73ers?a=%75", Some("/users?a=%75")),
            ("/users/%2d%7E%5f", Some("/users/-~_")),
            ("/%2Fusers", None),
            ("/%2e%2E/x", None),
            ("/%zz%7", None),
            ("/%\u{e9}", None),
            ("/%2575sers", None),
        ] {
            let Ok(uri) = target.parse::<Uri>() else { continue };
            assert_eq!(normalized(&uri).map(|uri| uri.to_string()).as_deref(), expected, "{target}");
        }
    }
}
