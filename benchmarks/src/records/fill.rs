use std::collections::HashMap;

use anyhow::{Result, ensure};
use pycket_core::{KeySpace, SessionId, SessionStore};
use pycket_redis::RedisStore;

use super::small;
use crate::servers::IDLE;

/// The number of records per pipeline.
const BATCH: usize = 1_000;

/// Fills a Redis with `records` records and returns their ids. The driver stores the first; the others are
/// copies of it, which is many times faster.
pub(super) async fn fill(url: &str, records: usize) -> Result<Vec<SessionId>> {
    let mut redis = redis::Client::open(url)?.get_connection()?;
    let () = redis::cmd("FLUSHALL").query(&mut redis)?;
    let store = RedisStore::builder(url).build()?;
    let first = SessionId::generate();
    let _ = store.create(&first, &small::pycket()?, small::ttl()?).await?;

    let key: String = redis::cmd("RANDOMKEY").query(&mut redis)?;
    let fields: HashMap<Vec<u8>, Vec<u8>> = redis::cmd("HGETALL").arg(&key).query(&mut redis)?;
    let keys = KeySpace::new(KeySpace::DEFAULT_PREFIX, KeySpace::SESSIONS);
    ensure!(key == keys.key(&first), "the key is not the one of the first record");
    let mut ids = vec![first];
    while ids.len() < records {
        let mut pipeline = redis::Pipeline::new();
        for _ in 0..BATCH.min(records - ids.len()) {
            let id = SessionId::generate();
            let key = keys.key(&id);
            pipeline.hset_multiple(&key, &fields.iter().collect::<Vec<_>>()).ignore();
            pipeline.pexpire(&key, IDLE.as_millis() as i64).ignore();
            ids.push(id);
        }
        let () = pipeline.query(&mut redis)?;
    }
    Ok(ids)
}
