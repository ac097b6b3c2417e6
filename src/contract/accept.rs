//! Content negotiation with `Accept` (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// Whether one of the media types is acceptable. Without the header, or without content, every response is.
pub(crate) fn accepts(headers: &HeaderMap, produces: &[String]) -> bool {
    if produces.is_empty() || !headers.contains_key(header::ACCEPT) {
        return true;
    }
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        // An invalid header excludes nothing.
        let Ok(text) = value.to_str() else { return true };
        ranges.extend(text.split(',').filter_map(Range::parse));
    }
    ranges.is_empty() || produces.iter().any(|media| acceptable(media, &ranges))
}

/// The most precise range that matches decides; a weight of 0 excludes.
fn acceptable(media: &str, ranges: &[Range]) -> bool {
    let matching = ranges.iter().filter(|range| range.matches(media));
    matching.max_by_key(|range| range.precision()).is_some_and(|range| !range.excludes)
}

struct Range {
    media: String,
    excludes: bool,
}

impl Range {
    /// Ignores media type parameters other than the weight: no representation here has variants by them.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?.to_ascii_lowercase();
        // Old Java clients send this instead of `*/*`.
        let media = if media == "*" { "*/*".to_owned() } else { media };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(Self { media, excludes: weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32)) })
    }

    fn matches(&self, media: &str) -> bool {
        match self.media.split_once('/') {
            Some(("*", "*")) => true,
            Some((kind, "*")) => media.split_once('/').is_some_and(|(other, _)| other == kind),
            _ => self.media == media,
        }
    }

    fn precision(&self) -> u8 {
        match self.media.split_once('/') {
            Some(("*", "*")) => 0,
            Some((_, "*")) => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts_json(accept: &str) -> bool {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        accepts(&headers, &["application/json".to_owned()])
    }

    #[test]
    fn the_most_precise_range_decides() {
        for accept in
            ["", "*", "*/*", "application/*", "Application/JSON", "text/html, */*;q=0.1", "application/json;v=1"]
        {
            assert!(accepts_json(accept), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0", "*/*, application/json;q=0.0", "application/problem+json"] {
            assert!(!accepts_json(accept), "{accept}");
        }
    }
}
