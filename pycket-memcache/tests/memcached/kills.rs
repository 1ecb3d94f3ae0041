//! A server that is killed while many write, and comes back with nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use pycket_core::Outcome;
use pycket_testkit::block_on;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::*;

const WRITERS: usize = 8;
const KILLS: usize = 3;
/// So many writes are acknowledged before each kill, and after the last.
const WRITES: usize = 200;

struct World {
    manager: SessionManager,
    acknowledged: watch::Sender<usize>,
    is_over: AtomicBool,
}

/// What one visitor was told of the session that it has.
#[derive(Default)]
struct Journal {
    id: Option<SessionId>,
    acknowledged: Vec<String>,
    /// How many sessions it had that ended.
    ended: usize,
}

#[test]
fn a_session_is_whole_or_gone_whenever_the_server_is_killed_and_new_ones_begin_by_themselves() {
    block_on(async {
        let server = Server::memcached();
        let store = patient(&server).max_connections(WRITERS).build().unwrap();
        let (acknowledged, is_over) = (watch::Sender::new(0), AtomicBool::new(false));
        let world = Arc::new(World { manager: manager(store), acknowledged, is_over });
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let world = world.clone();
            writers.spawn(async move { write(&world, writer).await });
        }
        for _ in 0..KILLS {
            wait_for(&world, WRITES).await;
            server.kill();
            server.restart();
        }
        wait_for(&world, WRITES).await;
        world.is_over.store(true, Ordering::SeqCst);
        let journals = writers.join_all().await;
        assert!(journals.iter().map(|journal| journal.ended).sum::<usize>() > 0);
    });
}

/// Waits until so many more are acknowledged.
async fn wait_for(world: &World, more: usize) {
    let mut count = world.acknowledged.subscribe();
    let enough = *count.borrow() + more;
    count.wait_for(|count| *count >= enough).await.unwrap();
}

async fn write(world: &World, writer: usize) -> Journal {
    let mut journal = Journal::default();
    for attempt in 0.. {
        if world.is_over.load(Ordering::SeqCst) {
            break;
        }
        if is_written(world, &mut journal, writer, attempt).await {
            world.acknowledged.send_modify(|count| *count += 1);
        }
        tokio::task::yield_now().await;
    }
    journal
}

/// One request: whether its write was acknowledged.
async fn is_written(world: &World, journal: &mut Journal, writer: usize, attempt: usize) -> bool {
    let session = match world.manager.open(journal.id).await {
        Ok(session) => session,
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            return false;
        }
    };
    if session.is_new() && journal.id.is_some() {
        *journal = Journal { ended: journal.ended + 1, ..Journal::default() };
    }
    let keys = session.keys();
    let is_there = |name| keys.contains(name);
    assert!(journal.acknowledged.iter().all(is_there), "a session came back without all it had");
    assert_eq!(keys.len() % 2, 0, "half of a write is there: {keys:?}");
    for key in &keys {
        assert!(key.starts_with(&format!("{writer}-")), "a session holds what is another's");
    }
    let names = ["one", "two"].map(|half| format!("{writer}-{attempt}-{half}"));
    for name in &names {
        session.set(name, "written").unwrap();
    }
    match session.commit().await {
        Ok(Outcome::Created | Outcome::Updated) => {
            journal.id = session.id();
            journal.acknowledged.extend(names);
            true
        }
        Ok(outcome) => {
            assert_eq!(outcome, Outcome::Ended);
            false
        }
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            false
        }
    }
}
