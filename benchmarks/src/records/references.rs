//! The growth of other maps, for comparison. A million records do not fit into the caches of the processor,
//! so that every map gets slower.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use pycket_core::SessionId;
use tower_sessions::session::Id;
use tower_sessions::{MemoryStore, SessionStore};

use super::growth::{TURNS, choose};
use super::{Growth, MILLION, THOUSAND, small};
use crate::report::median;

const OPERATIONS: usize = 20_000;

pub(super) async fn measure() -> Result<Vec<Growth>> {
    Ok(vec![sharded_map(), tower_sessions().await?])
}

/// The minimum for a map of shared records with locks: one lookup and one copied pointer.
fn sharded_map() -> Growth {
    let maps = [THOUSAND, MILLION].map(|records| {
        let map: ShardedMap = std::array::from_fn(|_| Mutex::default());
        let ids: Vec<_> = (0..records).map(|_| SessionId::generate()).collect();
        for id in &ids {
            shard(&map, id).insert(*id, Arc::new([0; 200]));
        }
        (map, ids)
    });
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for ((map, ids), times) in maps.iter().zip(&mut times) {
            let chosen = choose(ids, OPERATIONS);
            let start = Instant::now();
            for id in &chosen {
                black_box(shard(map, id).get(id).cloned());
            }
            times.push(micros_each(start));
        }
    }
    growth("`get` on a sharded map of `Arc`s, without a ttl", times)
}

type Shard = HashMap<SessionId, Arc<[u8; 200]>>;
/// As many as the memory store has.
type ShardedMap = [Mutex<Shard>; 64];

fn shard<'a>(map: &'a ShardedMap, id: &SessionId) -> MutexGuard<'a, Shard> {
    let [first, ..] = id.expose_bytes();
    #[expect(clippy::indexing_slicing, reason = "reduced modulo the length")]
    map[usize::from(first) % map.len()].lock().unwrap_or_else(PoisonError::into_inner)
}

async fn tower_sessions() -> Result<Growth> {
    let stores = [MemoryStore::default(), MemoryStore::default()];
    let mut ids: [Vec<Id>; 2] = Default::default();
    for ((store, ids), records) in stores.iter().zip(&mut ids).zip([THOUSAND, MILLION]) {
        for _ in 0..records {
            let mut record = small::tower_sessions()?;
            store.create(&mut record).await?;
            ids.push(record.id);
        }
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for ((store, ids), times) in stores.iter().zip(&ids).zip(&mut times) {
            let chosen = choose(ids, OPERATIONS);
            let start = Instant::now();
            for id in &chosen {
                anyhow::ensure!(store.load(id).await?.is_some(), "a record is missing");
            }
            times.push(micros_each(start));
        }
    }
    Ok(growth("`load` on tower-sessions' memory store", times))
}

fn growth(operation: &str, [few, many]: [Vec<f64>; 2]) -> Growth {
    Growth {
        operation: operation.to_owned(),
        at_a_thousand_us: median(few).unwrap_or(f64::NAN),
        at_a_million_us: median(many).unwrap_or(f64::NAN),
    }
}

fn micros_each(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / OPERATIONS as f64
}
