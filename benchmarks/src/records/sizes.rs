use std::time::Instant;

use anyhow::{Context, Result};
use pycket_core::{SessionId, SessionManager};
use pycket_redis::RedisStore;
use redis::Connection;

use super::Size;
use crate::bench::redis_traffic;
use crate::report::median;
use crate::servers::VISITS;

/// The number of values, and the bytes of each.
const SIZES: [(usize, usize); 5] = [(3, 10), (30, 10), (300, 10), (3, 1_000), (3, 100_000)];

const TURNS: usize = 9;
const REQUESTS: usize = 100;

/// What one request with a session of each size costs: to read one small value, and to change it.
pub(super) async fn measure(url: &str) -> Result<Vec<Size>> {
    let manager = SessionManager::new(RedisStore::builder(url).build()?);
    let mut redis = redis::Client::open(url)?.get_connection()?;
    let mut sizes = Vec::new();
    for (values, bytes_per_value) in SIZES {
        let id = create(&manager, values, bytes_per_value).await?;
        let (mut read, mut change) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            read.push(turn(&manager, id, false, &mut redis).await?);
            change.push(turn(&manager, id, true, &mut redis).await?);
        }
        let of = |turns: &[Turn], field: fn(&Turn) -> f64| {
            median(turns.iter().map(field).collect()).unwrap_or(f64::NAN)
        };
        sizes.push(Size {
            values,
            bytes_per_value,
            read_us: of(&read, |turn| turn.micros),
            change_us: of(&change, |turn| turn.micros),
            received_for_a_read: of(&read, |turn| turn.received),
            sent_for_a_change: of(&change, |turn| turn.sent),
        });
    }
    Ok(sizes)
}

async fn create(manager: &SessionManager, values: usize, bytes: usize) -> Result<SessionId> {
    let session = manager.open(None).await?;
    for number in 1..values {
        session.set(&format!("value {number}"), &"x".repeat(bytes))?;
    }
    session.set(VISITS, &1_u64)?;
    session.commit().await?;
    session.id().context("a stored session has an id")
}

/// The costs of one request.
struct Turn {
    micros: f64,
    /// Bytes to and from Redis.
    sent: f64,
    received: f64,
}

async fn turn(
    manager: &SessionManager,
    id: SessionId,
    changes: bool,
    redis: &mut Connection,
) -> Result<Turn> {
    let (sent, received) = redis_traffic(redis)?;
    let start = Instant::now();
    for _ in 0..REQUESTS {
        let session = manager.open(Some(id)).await?;
        let visits: u64 = session.require(VISITS)?;
        if changes {
            session.set(VISITS, &(visits + 1))?;
        }
        session.commit().await?;
    }
    let each = |sum: f64| sum / REQUESTS as f64;
    let micros = each(start.elapsed().as_secs_f64() * 1e6);
    let (sent_after, received_after) = redis_traffic(redis)?;
    let [sent, received] = [sent_after - sent, received_after - received].map(|n| each(n as f64));
    Ok(Turn { micros, sent, received })
}
