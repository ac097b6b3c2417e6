//! Logs, traces and metrics.

mod exemplars;
pub(crate) mod exposition;
pub(crate) mod init;
pub(crate) mod json_log;
mod log_writer;
mod metric_names;
pub(crate) mod metrics;
mod open_metrics;
pub(crate) mod spans;
mod trace_export;
pub(crate) mod warning_interval;
