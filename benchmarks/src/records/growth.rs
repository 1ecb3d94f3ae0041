use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Instant;

use anyhow::Result;
use pycket_core::{Changes, MemoryStore, SessionId, SessionStore, Value};
use pycket_redis::RedisStore;

use super::fill::fill;
use super::{Growth, MILLION, THOUSAND, small};
use crate::report::median;
use crate::servers::VISITS;

/// The number of turns of each store.
pub(super) const TURNS: usize = 21;

pub(super) async fn in_memory() -> Result<Vec<Growth>> {
    let (few, many) = (MemoryStore::new(), MemoryStore::new());
    let few_ids = create(&few, THOUSAND).await?;
    let many_ids = create(&many, MILLION).await?;
    compare("the memory store", 20_000, (&few, &few_ids), (&many, &many_ids)).await
}

pub(super) async fn on_redis(few: &str, many: &str) -> Result<Vec<Growth>> {
    let few_ids = fill(few, THOUSAND).await?;
    let many_ids = fill(many, MILLION).await?;
    let (few, many) = (RedisStore::builder(few).build()?, RedisStore::builder(many).build()?);
    compare("Redis", 500, (&few, &few_ids), (&many, &many_ids)).await
}

/// A store and the ids in it.
type Filled<'a> = (&'a dyn SessionStore, &'a [SessionId]);

async fn compare(
    name: &str,
    operations: usize,
    few: Filled<'_>,
    many: Filled<'_>,
) -> Result<Vec<Growth>> {
    let mut growth = Vec::new();
    for operation in ["load", "update"] {
        let (mut at_a_thousand, mut at_a_million) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            at_a_thousand.push(time(operation, operations, few).await?);
            at_a_million.push(time(operation, operations, many).await?);
        }
        growth.push(Growth {
            operation: format!("`{operation}` on {name}"),
            at_a_thousand_us: median(at_a_thousand).unwrap_or(f64::NAN),
            at_a_million_us: median(at_a_million).unwrap_or(f64::NAN),
        });
    }
    Ok(growth)
}

/// The time in microseconds of one operation on a random record.
async fn time(operation: &str, operations: usize, (store, ids): Filled<'_>) -> Result<f64> {
    let chosen = choose(ids, operations);
    let changes = Changes::new().set(VISITS, Value::encode(&2_u64)?);
    let ttl = Some(small::ttl()?);
    let start = Instant::now();
    for id in &chosen {
        if operation == "load" {
            anyhow::ensure!(store.load(id).await?.is_some(), "a record is missing");
        } else {
            let _ = store.update(id, &changes, ttl).await?;
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / operations as f64)
}

/// Random ids. They are chosen before the measurement, which only iterates over them.
pub(super) fn choose<I: Copy>(ids: &[I], number: usize) -> Vec<I> {
    let random = RandomState::new();
    let choice = |n: usize| ids.get(random.hash_one(n) as usize % ids.len()).copied();
    (0..number).filter_map(choice).collect()
}

async fn create(store: &MemoryStore, records: usize) -> Result<Vec<SessionId>> {
    let mut ids = Vec::with_capacity(records);
    for _ in 0..records {
        let id = SessionId::generate();
        let _ = store.create(&id, &small::pycket()?, small::ttl()?).await?;
        ids.push(id);
    }
    Ok(ids)
}
