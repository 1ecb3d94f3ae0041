//! A server that is killed during many writes and restarts empty.

use std::sync::atomic::{AtomicBool, Ordering};

use pycket_core::Outcome;
use pycket_testkit::block_on;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::*;

const WRITERS: usize = 8;
const KILLS: usize = 3;
/// Acknowledged writes before each kill, and after the last one.
const WRITES: usize = 200;

struct Shared {
    manager: SessionManager,
    acknowledged: watch::Sender<usize>,
    stop: AtomicBool,
}

/// What one client knows about its session.
#[derive(Default)]
struct Journal {
    id: Option<SessionId>,
    acknowledged: Vec<String>,
    /// The number of its sessions that ended.
    ended: usize,
}

#[test]
fn session_is_complete_or_ended_after_the_server_is_killed() {
    block_on(async {
        let server = Server::memcached();
        let store = slow_builder(&server).max_connections(WRITERS).build().unwrap();
        let (acknowledged, stop) = (watch::Sender::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { manager: manager(store), acknowledged, stop });
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let shared = shared.clone();
            writers.spawn(async move { write(&shared, writer).await });
        }
        for _ in 0..KILLS {
            wait_for(&shared, WRITES).await;
            server.kill();
            server.restart();
        }
        wait_for(&shared, WRITES).await;
        shared.stop.store(true, Ordering::SeqCst);
        let journals = writers.join_all().await;
        assert!(journals.iter().map(|journal| journal.ended).sum::<usize>() > 0);
    });
}

/// Waits for this many more acknowledged writes.
async fn wait_for(shared: &Shared, more: usize) {
    let mut count = shared.acknowledged.subscribe();
    let enough = *count.borrow() + more;
    count.wait_for(|count| *count >= enough).await.unwrap();
}

async fn write(shared: &Shared, writer: usize) -> Journal {
    let mut journal = Journal::default();
    for attempt in 0.. {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        if is_written(shared, &mut journal, writer, attempt).await {
            shared.acknowledged.send_modify(|count| *count += 1);
        }
        tokio::task::yield_now().await;
    }
    journal
}

/// One request. Returns whether its write was acknowledged.
async fn is_written(shared: &Shared, journal: &mut Journal, writer: usize, attempt: usize) -> bool {
    let session = match shared.manager.open(journal.id).await {
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
    let is_stored = |name| keys.contains(name);
    assert!(journal.acknowledged.iter().all(is_stored), "an acknowledged write is lost");
    assert_eq!(keys.len() % 2, 0, "half of a write is stored: {keys:?}");
    for key in &keys {
        assert!(key.starts_with(&format!("{writer}-")), "a session holds a value of another one");
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
