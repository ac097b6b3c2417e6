//! Sends spans to a receiver, and reports every span that is lost: in the log when that begins and ends, and in a metric.
//!
//! The SDK reports neither a receiver that does not respond nor spans that it drops.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use opentelemetry::Context;
use opentelemetry_otlp::{
    Compression::Gzip, ExporterBuildError, Protocol, SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig,
    WithTonicConfig, tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData, SpanExporter, SpanProcessor,
    },
};

use super::{metric_names::SPANS, warning_interval::WarningInterval};
use crate::config::{Compression, OtlpProtocol, RootSampler, TelemetryConfig};

/// Returns the provider of tracers that sends to this URL.
///
/// # Errors
/// The exporter cannot be created, in one line.
pub(super) fn provider(url: &str, config: &TelemetryConfig) -> Result<SdkTracerProvider, String> {
    let exporter =
        exporter(url, config).map_err(|error| format!("cannot send traces (see OTEL_EXPORTER_OTLP_*): {error}"))?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = ReportingExporter { exporter, waiting: waiting.clone(), lost: AtomicU64::new(0) };
    let max_waiting = config.otel_bsp_max_queue_size;
    let batches = BatchConfigBuilder::default().with_max_queue_size(max_waiting).build();
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let resource = Resource::builder().with_service_name(config.otel_service_name.clone()).build();
    let provider = SdkTracerProvider::builder().with_sampler(sampler(config)).with_resource(resource);
    Ok(provider.with_span_processor(BoundedProcessor { batches, waiting, max_waiting }).build())
}

fn exporter(url: &str, config: &TelemetryConfig) -> Result<OtlpExporter, ExporterBuildError> {
    let builder = OtlpExporter::builder();
    let compression = config.otel_exporter_otlp_traces_compression.unwrap_or(config.otel_exporter_otlp_compression);
    let is_compressed = compression == Compression::Gzip;
    match config.traces_protocol() {
        OtlpProtocol::Http => {
            let builder = builder.with_http().with_protocol(Protocol::HttpBinary).with_endpoint(url);
            if is_compressed { builder.with_compression(Gzip) } else { builder }.build()
        }
        OtlpProtocol::Grpc => {
            let builder = builder.with_tonic().with_endpoint(url);
            let builder = if is_compressed { builder.with_compression(Gzip) } else { builder };
            // Without this, it trusts no certificate.
            let tls = || ClientTlsConfig::new().with_enabled_roots();
            if url.starts_with("https:") { builder.with_tls_config(tls()) } else { builder }.build()
        }
    }
}

fn sampler(config: &TelemetryConfig) -> Sampler {
    let root = match config.otel_traces_sampler.root {
        RootSampler::AlwaysOn => Sampler::AlwaysOn,
        RootSampler::AlwaysOff => Sampler::AlwaysOff,
        RootSampler::TraceIdRatio => Sampler::TraceIdRatioBased(config.otel_traces_sampler_arg),
    };
    if config.otel_traces_sampler.is_parent_based { Sampler::ParentBased(Box::new(root)) } else { root }
}

/// Counts the spans that the receiver got, and those that it did not get.
#[derive(Debug)]
struct ReportingExporter {
    exporter: OtlpExporter,
    /// The spans that wait or are being sent.
    waiting: Arc<AtomicUsize>,
    /// The spans that were lost since the receiver accepted the last ones.
    lost: AtomicU64,
}

impl SpanExporter for ReportingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        let spans = count as u64;
        match &result {
            Ok(()) => {
                counter!(SPANS, "result" => "sent").increment(spans);
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(lost, "the receiver of traces accepts spans again");
                }
            }
            Err(error) => {
                counter!(SPANS, "result" => "failed").increment(spans);
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(%error, "the receiver of traces does not accept spans: they are lost until it does");
                }
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Drops spans before the queue of the SDK, which is as long as this limit, would drop them without a trace.
#[derive(Debug)]
struct BoundedProcessor {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
}

static DROP_WARNINGS: WarningInterval = WarningInterval::new();

impl SpanProcessor for BoundedProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.max_waiting {
            return self.batches.on_end(span);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        counter!(SPANS, "result" => "dropped").increment(1);
        if DROP_WARNINGS.has_passed() {
            tracing::warn!("more spans end than the receiver of traces accepts: dropping some");
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}
