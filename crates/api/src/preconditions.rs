//! Preconditions (RFC 9110, section 13): entity tags in requests, and the versions that they allow.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::respond::with_header;

/// A list of entity tags, or `*`. The contract's schema `EntityTags` validates it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(pattern = r#"^(\*|[ \t,]*(W/)?"[^\x00-\x20"\x7f]*"([ \t]*,[ \t,]*(W/)?"[^\x00-\x20"\x7f]*")*[ \t,]*)$"#)]
pub(crate) struct EntityTags(String);

/// The precondition of a request that reads.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct ReadPrecondition {
    #[serde(rename = "If-None-Match", alias = "if-none-match")]
    #[param(nullable = false)]
    if_none_match: Option<EntityTags>,
}

/// The preconditions of a request that writes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct WritePreconditions {
    #[serde(rename = "If-Match", alias = "if-match")]
    #[param(nullable = false)]
    if_match: Option<EntityTags>,
    #[serde(rename = "If-None-Match", alias = "if-none-match")]
    #[param(nullable = false)]
    if_none_match: Option<EntityTags>,
}

/// The versions of a resource at which a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The versions in the headers.
    pub listed: Vec<i64>,
    /// Whether the write may happen at every version but those.
    pub are_excluded: bool,
}

impl Versions {
    /// Every version: the write has no precondition.
    pub const ANY: Self = Self { listed: Vec::new(), are_excluded: true };

    /// Whether the write may happen at this version.
    pub fn allow(&self, version: i64) -> bool {
        self.listed.contains(&version) != self.are_excluded
    }

    /// Whether the write has no precondition that can fail.
    pub fn are_any(&self) -> bool {
        self.are_excluded && self.listed.is_empty()
    }
}

impl ReadPrecondition {
    /// Whether the client has this version already, so that the response is 304. The comparison is weak.
    pub(crate) fn excludes(&self, version: i64) -> bool {
        let tags = self.if_none_match.as_ref();
        tags.is_some_and(|tags| tags.is_any() || tags.versions(Comparison::Weak).any(|listed| listed == version))
    }
}

impl WritePreconditions {
    /// Returns the versions that both headers allow.
    pub(crate) fn versions(&self) -> Versions {
        if self.if_none_match.as_ref().is_some_and(EntityTags::is_any) {
            return Versions { listed: Vec::new(), are_excluded: false };
        }
        let excluded = self.if_none_match.iter().flat_map(|tags| tags.versions(Comparison::Weak)).collect::<Vec<_>>();
        match self.if_match.as_ref().filter(|tags| !tags.is_any()) {
            None => Versions { listed: excluded, are_excluded: true },
            Some(tags) => {
                let listed = tags.versions(Comparison::Strong).filter(|version| !excluded.contains(version)).collect();
                Versions { listed, are_excluded: false }
            }
        }
    }
}

/// How entity tags are compared (RFC 9110, section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// A weak tag matches nothing.
    Strong,
    /// Whether a tag is weak does not matter.
    Weak,
}

impl EntityTags {
    fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// Returns the versions that these tags match. A tag that this server does not generate matches none.
    fn versions(&self, comparison: Comparison) -> impl Iterator<Item = i64> {
        // A tag may contain commas but no quotes: every second part is the text of a tag.
        let mut parts = self.0.split('"');
        let tags = std::iter::from_fn(move || Some((parts.next()?.ends_with("W/"), parts.next()?)));
        let tags = tags.filter(move |(is_weak, _)| comparison == Comparison::Weak || !is_weak);
        tags.filter_map(|(_, text)| text.parse().ok().filter(|version: &i64| version.to_string() == text))
    }
}

/// Returns the strong validator of a version (RFC 9110, section 8.8.3). It is the same on every instance.
pub(crate) fn entity_tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Returns a response without a body to a client that has this version already.
pub(crate) fn not_modified(version: i64) -> Response {
    with_header(StatusCode::NOT_MODIFIED.into_response(), header::ETAG, entity_tag(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Option<EntityTags> {
        (!text.is_empty()).then(|| EntityTags(text.to_owned()))
    }

    #[test]
    fn a_read_is_skipped_if_a_tag_matches_weakly() {
        for (if_none_match, is_skipped) in [
            ("", false),
            ("*", true),
            (r#""7""#, true),
            (r#"W/"7""#, true),
            (r#""6", "7""#, true),
            (r#", ,"6",W/"7",,"#, true),
            (r#""6""#, false),
            (r#""07""#, false),
            (r#""+7""#, false),
            (r#""a,7,b""#, false),
            (r#""a"	, "7""#, true),
            (r#""""#, false),
            (r#""99999999999999999999""#, false),
        ] {
            let precondition = ReadPrecondition { if_none_match: tags(if_none_match) };
            assert_eq!(precondition.excludes(7), is_skipped, "{if_none_match}");
        }
    }

    #[test]
    fn a_write_happens_at_the_versions_that_both_headers_allow() {
        let (only, but) = (|listed: &[i64]| (listed.to_vec(), false), |listed: &[i64]| (listed.to_vec(), true));
        for (if_match, if_none_match, expected) in [
            ("", "", but(&[])),
            ("*", "", but(&[])),
            (r#""1""#, "", only(&[1])),
            (r#""1", W/"2", "3", "x""#, "", only(&[1, 3])),
            (r#"W/"1""#, "", only(&[])),
            ("", "*", only(&[])),
            ("", r#""1", W/"2""#, but(&[1, 2])),
            ("*", r#""1""#, but(&[1])),
            (r#""1", "2""#, r#"W/"2""#, only(&[1])),
            (r#""1""#, "*", only(&[])),
        ] {
            let preconditions = WritePreconditions { if_match: tags(if_match), if_none_match: tags(if_none_match) };
            let Versions { listed, are_excluded } = preconditions.versions();
            assert_eq!((listed, are_excluded), expected, "{if_match} {if_none_match}");
        }
    }
}
