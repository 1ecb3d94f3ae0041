//! A server that is killed under load and starts again with what is on its disk.

use std::sync::atomic::{AtomicBool, Ordering};

use pycket_core::{IdChange, Outcome};
use pycket_testkit::block_on;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::*;

const WRITERS: usize = 8;
const KILLS: usize = 3;
/// How many writes are acknowledged before each kill, and after the last one.
const WRITES: usize = 100;

/// Shared by all writers.
struct World {
    manager: SessionManager,
    /// A session that all writers change.
    shared: SessionId,
    acknowledged: watch::Sender<usize>,
    is_over: AtomicBool,
}

/// The acknowledged writes of one writer, and the id of its own session.
#[derive(Default)]
struct Journal {
    own: Option<SessionId>,
    attempts: usize,
    acknowledged: Vec<usize>,
    acknowledged_shared: Vec<usize>,
}

#[test]
fn acknowledged_writes_survive_kills_and_others_are_whole_or_absent() {
    block_on(async {
        let server = Server::redis_persistent();
        let manager = manager(patient(&server).max_connections(2).build().unwrap());
        let first = manager.open(None).await.unwrap();
        first.set("user", "ann").unwrap();
        first.commit().await.unwrap();
        let world = Arc::new(World {
            manager,
            shared: first.id().unwrap(),
            acknowledged: watch::Sender::new(0),
            is_over: AtomicBool::new(false),
        });
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let world = world.clone();
            writers.spawn(async move { (writer, write(&world, writer).await) });
        }
        for _ in 0..KILLS {
            acknowledged(&world, WRITES).await;
            server.kill();
            server.restart();
        }
        acknowledged(&world, WRITES).await;
        world.is_over.store(true, Ordering::SeqCst);

        let shared = open(&world.manager, world.shared).await;
        for (writer, journal) in writers.join_all().await {
            let own = open(&world.manager, journal.own.unwrap()).await;
            for attempt in 0..journal.attempts {
                check(&own, writer, attempt, journal.acknowledged.contains(&attempt));
            }
            let shared = open(&world.manager, shared.id().unwrap()).await;
            for attempt in 0..journal.attempts {
                check(&shared, writer, attempt, journal.acknowledged_shared.contains(&attempt));
            }
        }
    });
}

/// Waits until this many more are acknowledged.
async fn acknowledged(world: &World, more: usize) {
    let mut count = world.acknowledged.subscribe();
    let enough = *count.borrow() + more;
    count.wait_for(|count| *count >= enough).await.unwrap();
}

/// Writes to a session of its own, which it rotates now and then, and to the shared one.
async fn write(world: &World, writer: usize) -> Journal {
    let mut journal = Journal::default();
    while !world.is_over.load(Ordering::SeqCst) {
        let attempt = journal.attempts;
        journal.attempts += 1;
        let (is_stored, own) = set(world, journal.own, writer, attempt).await;
        journal.own = own;
        if is_stored {
            journal.acknowledged.push(attempt);
        }
        let (is_stored, shared) = set(world, Some(world.shared), writer, attempt).await;
        assert_eq!(shared, Some(world.shared));
        if is_stored {
            journal.acknowledged_shared.push(attempt);
            world.acknowledged.send_modify(|count| *count += 1);
        }
        tokio::task::yield_now().await;
    }
    journal
}

/// One request. Returns whether its write was acknowledged, and the id that the client has after it.
async fn set(
    world: &World,
    id: Option<SessionId>,
    writer: usize,
    attempt: usize,
) -> (bool, Option<SessionId>) {
    let session = match world.manager.open(id).await {
        Ok(session) => session,
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            return (false, id);
        }
    };
    assert_eq!(session.is_new(), id.is_none(), "the id of the client works");
    for half in names(writer, attempt) {
        session.set(&half, "written").unwrap();
    }
    if attempt % 8 == 7 && id != Some(world.shared) {
        session.cycle_id();
    }
    let outcome = session.commit().await;
    let id = match session.id_change() {
        IdChange::Issued(id) => Some(id),
        _ => id,
    };
    match outcome {
        Ok(outcome) => {
            assert!(!matches!(outcome, Outcome::Ended | Outcome::Unchanged), "{outcome:?}");
            (true, id)
        }
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            (false, id)
        }
    }
}

fn names(writer: usize, attempt: usize) -> [String; 2] {
    ["one", "two"].map(|half| format!("{writer}-{attempt}-{half}"))
}

fn check(session: &Session, writer: usize, attempt: usize, is_acknowledged: bool) {
    let [one, two] = names(writer, attempt).map(|name| session.contains(&name));
    assert_eq!(one, two, "half of write {attempt} of writer {writer} is there");
    assert!(one || !is_acknowledged, "write {attempt} of writer {writer} is lost");
}
