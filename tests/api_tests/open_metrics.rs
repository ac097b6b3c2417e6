//! The metrics in OpenMetrics, version 1.0.0.

use std::collections::{BTreeSet, HashSet};

use crate::harness::{App, matrix};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What Prometheus 2.42 and 3.5 send.
const PROMETHEUS: [&str; 2] = [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
     text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;\
     q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
];

async fn metrics(app: &App, accept: &str) -> (String, String) {
    let response = app.request(reqwest::Method::GET, "/metrics").header("accept", accept).send().await;
    assert_eq!(response.status, 200, "{accept}");
    assert!(response.headers.get_all("vary").iter().any(|name| name == "accept"), "{accept}");
    (response.header("content-type").unwrap().to_owned(), response.text())
}

/// The name, the labels and the value of a sample without an exemplar.
fn sample(line: &str) -> (&str, &str, &str) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("no end of the labels: {line}")), value)
}

/// The last label, `le`, and the labels before it.
fn bound(labels: &str) -> (&str, &str) {
    let (others, bound) = labels.rsplit_once("le=\"").unwrap_or_else(|| panic!("no bound: {labels}"));
    (others.trim_end_matches(','), bound.strip_suffix('"').unwrap())
}

/// Panics unless the text keeps the rules of the specification that differ from the older format. Returns the series.
fn parsed(text: &str) -> BTreeSet<(String, String)> {
    let body = text.strip_suffix("# EOF\n").expect("the end");
    let (mut family, mut kind, mut families, mut series) = ("", "", HashSet::new(), BTreeSet::new());
    let (mut labels_of_buckets, mut last) = ("", (f64::NEG_INFINITY, 0));
    for line in body.lines() {
        assert!(!line.is_empty() && line != "# EOF");
        if let Some(metadata) = line.strip_prefix("# ") {
            let [keyword, name, text] = metadata.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            assert!(["HELP", "TYPE"].contains(&keyword), "{line}");
            if name != family {
                assert!(families.insert(name), "{name} is interrupted");
                (family, kind) = (name, "");
            }
            match keyword {
                "TYPE" => kind = text,
                _ => assert!(!text.contains('"'), "a quotation mark would need an escape: {line}"),
            }
            continue;
        }
        let (name, labels, value) = sample(line);
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} is in the family {family}"));
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => panic!("the type {kind}"),
        };
        assert!(suffixes.contains(&suffix), "{line} is a {kind}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(series.insert((name.to_owned(), labels.to_owned())), "{line} is there twice");
        match suffix {
            "_bucket" => {
                let (others, bound) = bound(labels);
                assert!(bound.contains('.') || bound == "+Inf", "{line}");
                if others != labels_of_buckets {
                    (labels_of_buckets, last) = (others, (f64::NEG_INFINITY, 0));
                }
                let next = (bound.parse().unwrap(), value.parse().unwrap());
                assert!(next.0 > last.0 && next.1 >= last.1, "{line} after {last:?}");
                last = next;
            }
            "_count" => assert_eq!((labels, f64::INFINITY, value), (labels_of_buckets, last.0, &*last.1.to_string())),
            _ => {}
        }
        if suffix == "_count" {
            (labels_of_buckets, last) = ("", (f64::NEG_INFINITY, 0));
        }
    }
    series
}

matrix! {
    async fn what_prefers_open_metrics_gets_it(app: App) {
        for (accept, expected) in [
            (PROMETHEUS[0], OPEN_METRICS),
            (PROMETHEUS[1], OPEN_METRICS),
            ("application/openmetrics-text", OPEN_METRICS),
            ("application/openmetrics-text;q=0.2, text/*;q=0.1", OPEN_METRICS),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.2", TEXT),
            ("application/openmetrics-text;q=0, */*", TEXT),
            ("application/openmetrics-text, text/plain", TEXT),
            ("*/*", TEXT),
        ] {
            let (media, text) = metrics(&app, accept).await;
            assert_eq!(media, expected, "{accept}");
            assert_eq!(text.ends_with("# EOF\n"), expected == OPEN_METRICS, "{accept}");
        }
    }

    async fn open_metrics_has_the_same_series_by_its_own_rules(app: App) {
        app.create_user("ada").await;
        app.get("/no/such/path").await;
        let (_, before) = metrics(&app, "text/plain").await;
        let (_, text) = metrics(&app, PROMETHEUS[0]).await;
        let series = parsed(&text);
        assert!(series.len() > 100, "{text}");
        for line in before.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, labels, _) = sample(line);
            let labels = if name.ends_with("_bucket") {
                let (others, bound) = bound(labels);
                let separator = if others.is_empty() { "" } else { "," };
                let bound = if bound.parse().is_ok_and(|bound: f64| bound.fract() == 0.0) { format!("{bound}.0") } else { bound.to_owned() };
                format!("{others}{separator}le=\"{bound}\"")
            } else {
                labels.to_owned()
            };
            assert!(series.contains(&(name.to_owned(), labels)), "{line} is missing in\n{text}");
        }
    }
}
