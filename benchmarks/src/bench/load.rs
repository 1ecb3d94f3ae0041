use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use super::{Client, Route};

/// What a number of clients measured. Each sends its next request after the response to the last one.
pub(crate) struct Load {
    pub(crate) elapsed: Duration,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// Lets all `clients` send `route` for this long. A wrong response is an error and ends the run.
pub(crate) async fn load(
    clients: Vec<Client>,
    route: Route,
    duration: Duration,
) -> Result<(Vec<Client>, Load)> {
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(run(client, route, start + duration)))
        .collect();
    let mut clients = Vec::with_capacity(tasks.len());
    let mut latencies = Histogram::new(3)?;
    for task in tasks {
        let (client, own) = task.await??;
        clients.push(client);
        latencies.add(own)?;
    }
    let elapsed = start.elapsed();
    Ok((clients, Load { elapsed, latencies }))
}

async fn run(
    mut client: Client,
    route: Route,
    deadline: Instant,
) -> Result<(Client, Histogram<u64>)> {
    let mut latencies = Histogram::new(3)?;
    let mut now = Instant::now();
    while now < deadline {
        client.request(route).await?;
        let answered = Instant::now();
        latencies.record(answered.duration_since(now).as_nanos() as u64)?;
        now = answered;
    }
    Ok((client, latencies))
}
