//! Converts the Prometheus text format, version 0.0.4, to OpenMetrics, version 1.0.0, and adds exemplars.
//!
//! The recorder writes only the former. The formats differ in few lines: <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::fmt::Write;

use super::{exemplars, metric_names::REQUEST_DURATION};

/// Returns the metrics in OpenMetrics.
pub(super) fn from_prometheus(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.is_empty()) {
        // Writing to a string cannot fail.
        let _ = metadata(&mut output, line)
            .or_else(|| bucket(&mut output, line))
            .unwrap_or_else(|| writeln!(output, "{line}"));
    }
    output.push_str("# EOF\n");
    output
}

/// `# HELP` and `# TYPE`: a counter has the suffix only in its samples.
fn metadata(output: &mut String, line: &str) -> Option<std::fmt::Result> {
    let (keyword, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = rest.split_once(' ')?;
    Some(writeln!(output, "# {keyword} {} {rest}", name.strip_suffix("_total").unwrap_or(name)))
}

/// A bucket of a histogram: its bound, which is the last label, has a decimal point.
fn bucket(output: &mut String, line: &str) -> Option<std::fmt::Result> {
    let (series, rest) = line.rsplit_once("le=\"").filter(|(series, _)| series.ends_with(['{', ',']))?;
    let (bound, count) = rest.split_once("\"} ")?;
    let point = if bound.bytes().all(|byte| byte.is_ascii_digit()) { ".0" } else { "" };
    let labels =
        series.strip_prefix(REQUEST_DURATION).and_then(|labels| labels.strip_prefix("_bucket{")?.strip_suffix(','));
    let exemplar = labels.and_then(|labels| exemplars::find(labels, bound.parse().ok()?));
    let exemplar = exemplar.map(|exemplar| format!(" # {exemplar}")).unwrap_or_default();
    Some(writeln!(output, "{series}le=\"{bound}{point}\"}} {count}{exemplar}"))
}
