//! The exposition of the metrics, in the Prometheus text format or in OpenMetrics.

use api::monitoring::{Exposition, MetricsFormat};
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{metrics::install, open_metrics};
use crate::{
    storage::Store,
    version::{COMMIT, SCHEMA, VERSION},
};

/// Renders the metrics, and updates those of the process and of the pools before.
pub(crate) struct Prometheus {
    handle: PrometheusHandle,
    process: metrics_process::Collector,
    store: Store,
}

impl Prometheus {
    pub(crate) fn new(store: Store) -> Self {
        let handle = install();
        gauge!("web_server_build_info", "version" => VERSION, "commit" => COMMIT, "schema" => SCHEMA.as_str()).set(1.0);
        Self { handle, process: metrics_process::Collector::default(), store }
    }
}

impl Exposition for Prometheus {
    #[expect(clippy::cast_precision_loss, reason = "pools are far smaller than 2^52")]
    fn render(&self, format: MetricsFormat) -> String {
        self.process.collect();
        for pool in self.store.pool_states() {
            gauge!("database_pool_connections", "pool" => pool.name, "state" => "idle").set(pool.idle as f64);
            gauge!("database_pool_connections", "pool" => pool.name, "state" => "used").set(pool.used as f64);
            gauge!("database_pool_max_connections", "pool" => pool.name).set(pool.max as f64);
        }
        let text = self.handle.render();
        match format {
            MetricsFormat::Prometheus => text,
            MetricsFormat::OpenMetrics => open_metrics::from_prometheus(&text),
        }
    }
}
