//! Content negotiation with `Accept` (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// Whether one of the media types is acceptable. Without content, every response is.
pub fn accepts(headers: &HeaderMap, produces: &[String]) -> bool {
    produces.is_empty() || produces.iter().any(|media| weight(headers, media) > 0.0)
}

/// Returns how much a media type is preferred, from 0, which excludes it, to 1. Without the header, that is 1.
pub fn weight(headers: &HeaderMap, media: &str) -> f32 {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        // An invalid header excludes nothing.
        let Ok(text) = value.to_str() else { return 1.0 };
        ranges.extend(text.split(',').filter_map(Range::parse));
    }
    if ranges.is_empty() {
        return 1.0;
    }
    // The most precise range that matches decides.
    let matching = ranges.iter().filter(|range| range.matches(media));
    let decisive = matching.max_by(|a, b| a.precision().cmp(&b.precision()).then(a.weight.total_cmp(&b.weight)));
    decisive.map_or(0.0, |range| range.weight)
}

struct Range {
    media: String,
    weight: f32,
}

impl Range {
    /// Ignores media type parameters other than the weight: no representation here has variants by them.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?.to_ascii_lowercase();
        // Old Java clients send this instead of `*/*`.
        let media = if media == "*" { "*/*".to_owned() } else { media };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.and_then(|weight| weight.parse().ok()).filter(|weight| (0.0..=1.0).contains(weight));
        Some(Self { media, weight: weight.unwrap_or(1.0) })
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

    fn json_weight(accept: &str) -> f32 {
        weight(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]), "application/json")
    }

    #[test]
    fn the_most_precise_range_decides() {
        for (accept, weight) in [
            ("", 1.0),
            ("*", 1.0),
            ("*/*", 1.0),
            ("application/*", 1.0),
            ("Application/JSON", 1.0),
            ("text/html, */*;q=0.1", 0.1),
            ("application/json;v=1", 1.0),
            ("application/json;v=2;q=0.5, application/json;v=1; q=0.3, */*", 0.5),
            ("text/html", 0.0),
            ("application/json;q=0", 0.0),
            ("*/*, application/json;q=0.0", 0.0),
            ("application/problem+json", 0.0),
            ("application/json;q=NaN", 1.0),
        ] {
            assert!((json_weight(accept) - weight).abs() < f32::EPSILON, "{accept}");
        }
    }
}
