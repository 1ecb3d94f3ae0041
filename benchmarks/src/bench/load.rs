use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use super::{Route, Visitor};

/// What a number of visitors saw who each sent the next request as soon as the last one was answered.
pub(crate) struct Load {
    pub(crate) elapsed: Duration,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// Lets all `visitors` send `route` for this long. A wrong answer is an error: the run does not count.
pub(crate) async fn load(
    visitors: Vec<Visitor>,
    route: Route,
    duration: Duration,
) -> Result<(Vec<Visitor>, Load)> {
    let start = Instant::now();
    let tasks: Vec<_> = visitors
        .into_iter()
        .map(|visitor| tokio::spawn(one(visitor, route, start + duration)))
        .collect();
    let mut visitors = Vec::with_capacity(tasks.len());
    let mut latencies = Histogram::new(3)?;
    for task in tasks {
        let (visitor, own) = task.await??;
        visitors.push(visitor);
        latencies.add(own)?;
    }
    let elapsed = start.elapsed();
    Ok((visitors, Load { elapsed, latencies }))
}

async fn one(
    mut visitor: Visitor,
    route: Route,
    deadline: Instant,
) -> Result<(Visitor, Histogram<u64>)> {
    let mut latencies = Histogram::new(3)?;
    let mut now = Instant::now();
    while now < deadline {
        visitor.request(route).await?;
        let answered = Instant::now();
        latencies.record(answered.duration_since(now).as_nanos() as u64)?;
        now = answered;
    }
    Ok((visitor, latencies))
}
