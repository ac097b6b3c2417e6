//! Exemplars of the durations of requests: for each bucket, the trace of the last request in it that is sent to a receiver.
//!
//! There is one store per series of the histogram, so that their number is bounded too.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use opentelemetry::trace::TraceId;

use crate::clock::system_time;

/// From 100 µs to 10 s, which is longer than every timeout, in steps of about 2.5.
pub(super) const BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// By the labels of the series, as they are rendered.
static SERIES: LazyLock<Mutex<HashMap<String, Arc<Exemplars>>>> = LazyLock::new(Mutex::default);

/// The exemplars of one series: of each bucket, and of the longer durations.
#[derive(Default)]
pub(super) struct Exemplars(Mutex<[Option<Exemplar>; BUCKETS.len() + 1]>);

/// A request that was counted in a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exemplar {
    trace_id: TraceId,
    seconds: f64,
    time: DateTime<Utc>,
}

/// As OpenMetrics has it behind a sample.
impl fmt::Display for Exemplar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, seconds, time } = self;
        write!(formatter, "{{trace_id=\"{trace_id}\"}} {seconds} {}", time.format("%s%.3f"))
    }
}

impl Exemplars {
    /// Returns those of the series with these labels.
    pub(super) fn of_series(method: &str, path: &str) -> Arc<Self> {
        let labels = format!("method=\"{method}\",path=\"{path}\"");
        SERIES.lock().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default().clone()
    }

    /// Records a request. It replaces the one that was in its bucket.
    pub(super) fn record(&self, trace_id: TraceId, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let exemplar = Exemplar { trace_id, seconds, time: system_time() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[bucket(seconds)] = Some(exemplar);
    }
}

/// Returns the exemplar of the bucket with this bound, of the series with these labels.
pub(super) fn find(labels: &str, bound: f64) -> Option<Exemplar> {
    let series = SERIES.lock().unwrap_or_else(PoisonError::into_inner).get(labels)?.clone();
    series.0.lock().unwrap_or_else(PoisonError::into_inner)[bucket(bound)]
}

/// Returns the index of the bucket of a duration: the first whose bound is not less.
fn bucket(seconds: f64) -> usize {
    BUCKETS.partition_point(|bound| *bound < seconds)
}
