use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

use super::{Client, Route};

/// What a number of clients measured.
pub(crate) struct Load {
    pub(crate) elapsed: Duration,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// When each client sends its next request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// After the response to the last one.
    Fastest,
    /// So that all clients together send this many in a second.
    PerSecond(f64),
}

/// Lets all `clients` send `route` for this long. A wrong response is an error and ends the run.
pub(crate) async fn load(
    clients: Vec<Client>,
    route: Route,
    duration: Duration,
    pace: Pace,
) -> Result<(Vec<Client>, Load)> {
    let (start, number) = (Instant::now(), clients.len());
    let tasks: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(index, client)| {
            let schedule = Schedule::new(pace, start, index, number);
            tokio::spawn(run(client, route, schedule, start + duration))
        })
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
    mut schedule: Schedule,
    deadline: Instant,
) -> Result<(Client, Histogram<u64>)> {
    let mut latencies = Histogram::new(3)?;
    let mut start = schedule.next().await;
    while start < deadline {
        client.request(route).await?;
        latencies.record(start.elapsed().as_nanos() as u64)?;
        start = schedule.next().await;
    }
    Ok((client, latencies))
}

/// The moments in which one client sends.
struct Schedule {
    /// `None` if it sends as fast as it can.
    interval: Option<Duration>,
    due: Instant,
}

impl Schedule {
    /// The clients start one after the other within an interval.
    fn new(pace: Pace, start: Instant, index: usize, clients: usize) -> Self {
        match pace {
            Pace::Fastest => Self { interval: None, due: start },
            Pace::PerSecond(rate) => {
                let interval = Duration::from_secs_f64(clients as f64 / rate);
                let due = start + interval.mul_f64(index as f64 / clients as f64);
                Self { interval: Some(interval), due }
            }
        }
    }

    /// Waits until the next request is due. Returns the moment from which its latency counts: when it was due, if the
    /// response to the last one was late, and otherwise now, because a timer is only exact to a millisecond.
    async fn next(&mut self) -> Instant {
        let Some(interval) = self.interval else { return Instant::now() };
        let due = self.due;
        self.due += interval;
        if due <= Instant::now() {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        Instant::now()
    }
}
