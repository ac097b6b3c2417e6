//! The log: structured events, as lines for people or as JSON for machines.

use std::panic;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

/// Starts logging to standard output, and sends panics there too. A second call changes nothing.
pub fn init(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match config.format {
        LogFormat::Pretty => registry.with(fmt::layer()).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true).with_span_list(false)).try_init(),
    };
    if started.is_ok() {
        panic::set_hook(Box::new(|info| tracing::error!(%info, "panic")));
    }
}
