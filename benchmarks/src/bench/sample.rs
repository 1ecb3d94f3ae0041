use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::Load;
use super::stores::Counters;

/// The figures of one server on one route in one round. Processor times, commands and bytes are per request.
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

/// The sums of one server on one route during a round.
pub(crate) struct Tally {
    elapsed: Duration,
    latencies: Histogram<u64>,
    server: Duration,
    store: Counters,
}

impl Tally {
    pub(crate) fn new() -> Result<Self> {
        let latencies = Histogram::new(3)?;
        let (elapsed, server) = (Duration::ZERO, Duration::ZERO);
        Ok(Self { elapsed, latencies, server, store: Counters::default() })
    }

    /// Adds a turn: its load, and what it cost the server and the store.
    pub(crate) fn add(&mut self, load: &Load, server: Duration, store: Counters) -> Result<()> {
        self.elapsed += load.elapsed;
        self.latencies.add(&load.latencies)?;
        self.server += server;
        self.store = self.store.plus(&store);
        Ok(())
    }

    pub(crate) fn sample(&self) -> Sample {
        let requests = self.latencies.len();
        let each = |sum: f64| sum / requests as f64;
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let quantile = |q| self.latencies.value_at_quantile(q) as f64 / 1e3;
        Sample {
            requests,
            requests_per_second: requests as f64 / self.elapsed.as_secs_f64(),
            latency_p50_us: quantile(0.5),
            latency_p99_us: quantile(0.99),
            server_cpu_us: each(micros(self.server)),
            store_cpu_us: each(micros(self.store.processor)),
            store_commands: each(self.store.commands as f64),
            store_bytes_received: each(self.store.received as f64),
            store_bytes_sent: each(self.store.sent as f64),
        }
    }
}
