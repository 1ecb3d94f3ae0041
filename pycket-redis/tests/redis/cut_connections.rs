//! Connections that end while the server goes on: by an idle timeout, a proxy or an operator.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pycket_core::Outcome;
use pycket_testkit::block_on;
use tokio::task::JoinSet;

use crate::*;

/// A store with a number of connections.
struct World {
    server: Server,
    store: Arc<RedisStore>,
    manager: SessionManager,
    connections: usize,
    /// Whether the client has time to see that a connection has ended.
    is_seen: bool,
}

impl World {
    fn new(connections: usize, is_seen: bool) -> Self {
        let server = Server::redis();
        let store = Arc::new(patient(&server).max_connections(connections).build().unwrap());
        let manager = SessionManager::new(store.clone());
        Self { server, store, manager, connections, is_seen }
    }

    fn all() -> impl Iterator<Item = Self> {
        [(1, false), (1, true), (4, false), (4, true)].into_iter().map(|(n, is)| Self::new(n, is))
    }

    /// Opens all connections and cuts them.
    async fn cut(&self) {
        for _ in 0..self.connections {
            assert_eq!(stored(&*self.store, &SessionId::generate()).await, None);
        }
        assert!(cut(&self.server) >= self.connections);
        if self.is_seen {
            // Tokio looks at its sockets more often than this.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        }
    }
}

fn cut(server: &Server) -> usize {
    run(&mut operator(server), "CLIENT KILL TYPE normal")
}

#[tokio::test]
async fn load_after_a_cut_succeeds() {
    for world in World::all() {
        let id = put(&*world.store, &record([("name", "value")])).await;
        world.cut().await;
        for _ in 0..5 {
            assert_eq!(stored(&*world.store, &id).await, Some(record([("name", "value")])));
        }
    }
}

#[tokio::test]
async fn session_read_and_write_after_a_cut_succeed() {
    for world in World::all() {
        let id = put(&*world.store, &record([("name", "value")])).await;
        world.cut().await;
        let session = open(&world.manager, id).await;
        assert_eq!(session.require::<String>("name").unwrap(), "value");

        session.set("name", "other").unwrap();
        world.cut().await;
        assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
        let session = open(&world.manager, id).await;
        assert_eq!(session.require::<String>("name").unwrap(), "other");
    }
}

#[tokio::test]
async fn first_commit_after_a_cut_succeeds() {
    for world in World::all() {
        let session = world.manager.open(None).await.unwrap();
        session.set("name", "value").unwrap();
        world.cut().await;
        assert_eq!(session.commit().await.unwrap(), Outcome::Created);
        let session = open(&world.manager, session.id().unwrap()).await;
        assert_eq!(session.require::<String>("name").unwrap(), "value");
    }
}

#[tokio::test]
async fn increment_after_a_cut_counts_once() {
    for world in World::all() {
        let id = put(&*world.store, &record([])).await;
        let session = open(&world.manager, id).await;
        for expected in 1..=3 {
            world.cut().await;
            let count = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
            assert_eq!(count.unwrap(), expected);
        }
        assert_eq!(open(&world.manager, id).await.require::<u32>("n").unwrap(), 3);
    }
}

#[tokio::test]
async fn rotation_after_a_cut_succeeds() {
    for world in World::all() {
        let id = put(&*world.store, &record([("name", "value")])).await;
        let session = open(&world.manager, id).await;
        session.cycle_id();
        world.cut().await;
        assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
        let new = session.id().unwrap();
        assert_eq!(stored(&*world.store, &id).await, None);
        let session = open(&world.manager, new).await;
        assert_eq!(session.require::<String>("name").unwrap(), "value");
    }
}

#[tokio::test]
async fn destroy_after_a_cut_succeeds() {
    for world in World::all() {
        let id = put(&*world.store, &record([("name", "value")])).await;
        let session = open(&world.manager, id).await;
        session.destroy();
        world.cut().await;
        assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
        assert_eq!(stored(&*world.store, &id).await, None);
    }
}

#[test]
fn cut_connection_is_replaced_once_for_any_number_of_requests() {
    block_on(async {
        for connections in [1, 4] {
            let world = World::new(connections, false);
            for _ in 0..10 {
                world.cut().await;
                let before = connections_received(&world.server);
                let mut loads = JoinSet::new();
                for _ in 0..64 {
                    let store = world.store.clone();
                    loads.spawn(async move { stored(&*store, &SessionId::generate()).await });
                }
                assert_eq!(loads.join_all().await, vec![None; 64]);
                // The connection of the operator is counted too.
                let received = connections_received(&world.server) - before - 1;
                assert_eq!(received, connections);
            }
        }
    });
}

fn connections_received(server: &Server) -> usize {
    let info: redis::InfoDict = run(&mut operator(server), "INFO stats");
    info.get("total_connections_received").unwrap()
}

#[test]
fn acknowledged_writes_survive_cuts_under_load() {
    const WRITERS: usize = 8;
    const WRITES: usize = 25;
    block_on(async {
        for connections in [1, 4] {
            let world = Arc::new(World::new(connections, false));
            let id = put(&*world.store, &record([])).await;
            let (is_over, cuts) = (AtomicBool::new(false), AtomicUsize::new(0));
            let (is_over, cuts) = (Arc::new(is_over), Arc::new(cuts));
            let knife = {
                let (world, is_over, cuts) = (world.clone(), is_over.clone(), cuts.clone());
                std::thread::spawn(move || {
                    while !is_over.load(Ordering::SeqCst) {
                        cuts.fetch_add(cut(&world.server), Ordering::SeqCst);
                    }
                })
            };
            let mut writers = JoinSet::new();
            for writer in 0..WRITERS {
                let (world, cuts) = (world.clone(), cuts.clone());
                writers.spawn(async move {
                    let mut acknowledged = Vec::new();
                    let mut write = 0;
                    // Until there were enough writes and cuts.
                    while write < WRITES || cuts.load(Ordering::SeqCst) < 50 {
                        let name = format!("{writer}-{write}");
                        if is_written(&world.manager, id, &name).await {
                            acknowledged.push(name);
                        }
                        write += 1;
                    }
                    acknowledged
                });
            }
            let acknowledged = writers.join_all().await.concat();
            is_over.store(true, Ordering::SeqCst);
            knife.join().unwrap();

            let session = open(&world.manager, id).await;
            let lost: Vec<_> = acknowledged.iter().filter(|name| !session.contains(name)).collect();
            assert!(lost.is_empty(), "{} of {}: {lost:?}", lost.len(), acknowledged.len());
        }
    });
}

/// Whether the session acknowledges the write. It may fail, because several cuts may follow each other.
async fn is_written(manager: &SessionManager, id: SessionId, name: &str) -> bool {
    let Ok(session) = manager.open(Some(id)).await else { return false };
    session.set(name, "written").unwrap();
    match session.commit().await {
        Ok(outcome) => {
            assert_eq!(outcome, Outcome::Updated);
            true
        }
        Err(error) => {
            assert!(error.is_transient(), "{error:?}");
            false
        }
    }
}
