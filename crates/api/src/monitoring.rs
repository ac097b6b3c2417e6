//! What the operations for orchestrators and monitoring systems need from the server.

use async_trait::async_trait;

/// Why a server is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// The server is about to stop.
    Draining,
    /// The database lost an ability: `reads` or `writes`.
    Database {
        /// The ability.
        lost: &'static str,
    },
}

/// Reports whether the server can process requests.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks readiness, cheaply and within about a second.
    ///
    /// # Errors
    /// The reason why the server is not ready.
    async fn check(&self) -> Result<(), NotReady>;
}

/// A format of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The Prometheus text format, version 0.0.4.
    Prometheus,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

/// Renders the metrics.
pub trait Exposition: Send + Sync {
    /// Returns all series.
    fn render(&self, format: MetricsFormat) -> String;
}
