use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Load;
use super::stores::Counters;

/// What one server did on one route in one round; all but the first two per request.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) latency_p50_us: f64,
    pub(crate) latency_p99_us: f64,
    pub(crate) server_cpu_us: f64,
    pub(crate) store_cpu_us: f64,
    pub(crate) store_commands: f64,
    pub(crate) store_bytes_received: f64,
    pub(crate) store_bytes_sent: f64,
}

impl Sample {
    pub(crate) fn new(load: &Load, server: Duration, store: Counters) -> Self {
        let each = |sum: f64| sum / load.requests as f64;
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let quantile = |q| load.latencies.value_at_quantile(q) as f64 / 1e3;
        Self {
            requests: load.requests,
            requests_per_second: load.requests as f64 / load.elapsed.as_secs_f64(),
            latency_p50_us: quantile(0.5),
            latency_p99_us: quantile(0.99),
            server_cpu_us: each(micros(server)),
            store_cpu_us: each(micros(store.processor)),
            store_commands: each(store.commands as f64),
            store_bytes_received: each(store.received as f64),
            store_bytes_sent: each(store.sent as f64),
        }
    }
}
