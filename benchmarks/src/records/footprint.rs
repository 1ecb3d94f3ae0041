use std::sync::Arc;

use anyhow::Result;
use pycket_core::{MemoryStore, SessionId, SessionStore};
use pycket_redis::RedisStore;
use tower_sessions::SessionStore as TowerStore;
use tower_sessions::session::Id;

use super::{MILLION, small};
use crate::bench::{redis_memory, resident_memory};
use crate::servers::tower_redis;

/// The library that stores the records.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Library {
    Pycket,
    TowerSessions,
}

/// The number of records in Redis, and of tasks that write them.
const IN_REDIS: usize = 100_000;
const WRITERS: usize = 50;

/// The resident memory per record, with a million records in this process.
pub(super) async fn in_memory(library: Library) -> Result<f64> {
    let before = resident_memory(std::process::id())?;
    let after = match library {
        Library::Pycket => {
            let store = MemoryStore::new();
            for _ in 0..MILLION {
                let _ =
                    store.create(&SessionId::generate(), &small::pycket()?, small::ttl()?).await?;
            }
            resident_memory(std::process::id())?
        }
        Library::TowerSessions => {
            let store = tower_sessions::MemoryStore::default();
            for _ in 0..MILLION {
                store.create(&mut small::tower_sessions()?).await?;
            }
            resident_memory(std::process::id())?
        }
    };
    Ok((after - before) as f64 / MILLION as f64)
}

/// The memory per record in an otherwise empty Redis.
pub(super) async fn in_redis(library: Library, url: &str) -> Result<f64> {
    let mut observer = redis::Client::open(url)?.get_connection()?;
    let () = redis::cmd("FLUSHALL").query(&mut observer)?;
    let before = redis_memory(&mut observer)?;
    match library {
        Library::Pycket => {
            let store = Arc::new(RedisStore::builder(url).build()?);
            let write = move || {
                let store = Arc::clone(&store);
                async move {
                    let (record, ttl) = (small::pycket()?, small::ttl()?);
                    let _ = store.create(&SessionId::generate(), &record, ttl).await?;
                    Ok(())
                }
            };
            write_all(write).await?;
        }
        Library::TowerSessions => {
            let store = tower_redis(url).await?;
            let write = move || {
                let store = store.clone();
                async move {
                    let mut record = small::tower_sessions()?;
                    record.id = Id::default();
                    Ok(store.create(&mut record).await?)
                }
            };
            write_all(write).await?;
        }
    }
    Ok((redis_memory(&mut observer)? - before) as f64 / IN_REDIS as f64)
}

async fn write_all<F>(write: impl Fn() -> F + Clone + Send + 'static) -> Result<()>
where
    F: Future<Output = Result<()>> + Send,
{
    let mut tasks = Vec::new();
    for _ in 0..WRITERS {
        let write = write.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..IN_REDIS / WRITERS {
                write().await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}
