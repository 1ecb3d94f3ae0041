use std::collections::BTreeMap;

use serde::Serialize;

use crate::bench::{Round, Route, Sample};
use crate::servers::Server;

/// The rounds, and medians over them. Ratios and differences are computed per round, between measurements
/// that are seconds apart.
#[derive(Debug)]
pub(crate) struct Summary {
    rounds: Vec<Round>,
}

/// The number of clients at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    Many,
    /// Many, with half as many requests as the floor can answer.
    Half,
    One,
}

/// A row of the large table. All figures are medians.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) sample: Sample,
    /// The processor time of the server, less that of the same framework without sessions.
    pub(crate) added_cpu_us: f64,
}

impl Summary {
    pub(crate) fn new(rounds: Vec<Round>) -> Self {
        Self { rounds }
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.len()
    }

    pub(crate) fn servers(&self) -> Vec<Server> {
        self.rounds.first().map(|round| round.memory.keys().copied().collect()).unwrap_or_default()
    }

    pub(crate) fn line(&self, clients: Clients, server: Server, route: Route) -> Option<Line> {
        let field = |field: fn(&Sample) -> f64| self.median(clients, server, route, field);
        let sample = Sample {
            requests: field(|sample| sample.requests as f64)? as u64,
            requests_per_second: field(|sample| sample.requests_per_second)?,
            latency_p50_us: field(|sample| sample.latency_p50_us)?,
            latency_p99_us: field(|sample| sample.latency_p99_us)?,
            server_cpu_us: field(|sample| sample.server_cpu_us)?,
            store_cpu_us: field(|sample| sample.store_cpu_us)?,
            store_commands: field(|sample| sample.store_commands)?,
            store_bytes_received: field(|sample| sample.store_bytes_received)?,
            store_bytes_sent: field(|sample| sample.store_bytes_sent)?,
        };
        Some(Line { sample, added_cpu_us: self.added_cpu(clients, server, route)? })
    }

    /// One figure of one server on one route.
    pub(crate) fn median(
        &self,
        clients: Clients,
        server: Server,
        route: Route,
        field: impl Fn(&Sample) -> f64,
    ) -> Option<f64> {
        self.over_rounds(|round| Some(field(sample(round, clients, server, route)?)))
    }

    /// A figure of `server` as a multiple of that of `other`.
    pub(crate) fn ratio(
        &self,
        clients: Clients,
        route: Route,
        [server, other]: [Server; 2],
        field: impl Fn(&Sample) -> f64,
    ) -> Option<f64> {
        self.over_rounds(|round| {
            let one = field(sample(round, clients, server, route)?);
            Some(one / field(sample(round, clients, other, route)?))
        })
    }

    pub(crate) fn added_cpu(&self, clients: Clients, server: Server, route: Route) -> Option<f64> {
        self.over_rounds(|round| added(round, clients, server, route))
    }

    /// The added processor time of `server` as a multiple of that of `other`.
    pub(crate) fn added_cpu_ratio(
        &self,
        route: Route,
        [server, other]: [Server; 2],
    ) -> Option<f64> {
        self.over_rounds(|round| {
            let one = added(round, Clients::Many, server, route)?;
            Some(one / added(round, Clients::Many, other, route)?)
        })
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self, server: Server) -> Option<f64> {
        self.over_rounds(|round| round.memory.get(&server).map(|bytes| *bytes as f64))
    }

    fn over_rounds(&self, figure: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        median(self.rounds.iter().filter_map(figure).collect())
    }
}

/// `None` without values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values.get(values.len() / 2 - 1)? + upper) / 2.0)
}

fn sample(round: &Round, clients: Clients, server: Server, route: Route) -> Option<&Sample> {
    let samples: &BTreeMap<_, _> = match clients {
        Clients::Many => &round.busy,
        Clients::Half => &round.half,
        Clients::One => &round.alone,
    };
    samples.get(&server)?.get(&route)
}

fn added(round: &Round, clients: Clients, server: Server, route: Route) -> Option<f64> {
    let own = sample(round, clients, server, route)?.server_cpu_us;
    Some(own - sample(round, clients, server.baseline(), route)?.server_cpu_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_middle_values() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
