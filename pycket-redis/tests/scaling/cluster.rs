//! Sessions in a Redis Cluster.

use std::sync::OnceLock;

use pycket_testkit::servers::RedisCluster;

use crate::migration::SlotMigration;
use crate::operator::Operator;
use crate::*;

/// A cluster for tests that kill no node. Tests may migrate slots in it.
fn shared() -> &'static RedisCluster {
    static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Server::redis_cluster(3))
}

/// An id whose key belongs to this node, and the slot of the key. Other nodes redirect requests for it, also if it was
/// this node's before another test moved the slot.
fn id_on(node: &mut Operator) -> (SessionId, u16) {
    loop {
        let id = SessionId::generate();
        if node.try_run::<u32>(&format!("EXISTS {}", key(&id))).is_ok() {
            return (id, node.slot(&key(&id)));
        }
    }
}

#[tokio::test]
async fn sessions_spread_over_all_nodes_and_any_seed_reaches_them() {
    let cluster = Server::redis_cluster(3);
    let store = long_timeouts(&cluster.url()).build().unwrap();
    for _ in 0..300 {
        put(&store, &record([("name", "value")])).await;
    }
    let sizes: Vec<usize> =
        cluster.nodes().iter().map(|node| Operator::of(node).run("DBSIZE")).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 300);
    assert!(sizes.iter().all(|size| *size > 40), "{sizes:?}");

    let seed = cluster.nodes()[2].address();
    for url in [
        format!("redis+cluster://{seed}"),
        format!("redis+cluster://127.0.0.1:1,{seed},127.0.0.1:2"),
        format!("redis://127.0.0.1:1,redis://{seed}"),
    ] {
        let store = long_timeouts(&url).build().unwrap();
        for _ in 0..20 {
            assert_served(&store, SessionId::generate()).await;
        }
    }
}

#[tokio::test]
async fn request_for_a_moved_slot_follows_the_redirect() {
    let store = long_timeouts(&shared().url()).build().unwrap();
    let (id, slot) = id_on(&mut Operator::of(&shared().nodes()[1]));
    let kept = record([("name", "value")]);
    assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Created);
    let mut migration = SlotMigration::new(shared(), 1, 2);
    migration.begin(slot);
    migration.move_keys(slot);
    migration.finish(slot);
    assert_eq!(stored(&store, &id).await, Some(kept.clone()));
    assert_eq!(store.delete(&id).await.unwrap(), Some(kept));
    assert_served(&store, id).await;
}

#[tokio::test]
async fn session_in_a_migrating_slot_is_served_by_either_node() {
    for has_moved_keys in [false, true] {
        let store = long_timeouts(&shared().url()).max_connections(3).build().unwrap();
        let (id, slot) = id_on(&mut Operator::of(&shared().nodes()[0]));
        let kept = record([("name", "value"), ("other", "value")]);
        assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Created);
        let mut migration = SlotMigration::new(shared(), 0, 2);
        migration.begin(slot);
        if has_moved_keys {
            migration.move_keys(slot);
        }
        assert_eq!(stored(&store, &id).await, Some(kept.clone()));
        assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Taken);
        let changes = set("name", "changed");
        assert_eq!(store.update(&id, &changes, Some(HOUR)).await.unwrap(), Update::Applied);
        let expected = record([("name", "changed"), ("other", "value")]);
        assert_eq!(store.delete(&id).await.unwrap(), Some(expected));
        assert_served(&store, id).await;
        migration.move_keys(slot);
        migration.finish(slot);
        assert_served(&store, id).await;
    }
}

/// `CLUSTER SLOTS` does not name a node that has no slot yet.
#[tokio::test]
async fn slot_that_moves_to_a_new_node_is_served() {
    let cluster = Server::redis_cluster_with_replicas(2, 1);
    let [first, _, new, _] = cluster.nodes() else { panic!("there are four nodes") };
    let store = long_timeouts(&cluster.url()).build().unwrap();
    assert_served(&store, SessionId::generate()).await;
    let (mut old_node, mut new_node) = (Operator::of(first), Operator::of(new));
    let () = new_node.run("CLUSTER RESET SOFT");
    let () = new_node.run(&format!("CLUSTER MEET 127.0.0.1 {}", first.port()));
    let new_id: String = new_node.run("CLUSTER MYID");
    operator::wait_until("the nodes know each other as primaries", || {
        let is_primary = |node: &mut Operator| {
            let nodes: String = node.run("CLUSTER NODES");
            let is_new = |line: &str| line.starts_with(&new_id) && line.contains("master - ");
            nodes.lines().count() == 4 && nodes.lines().any(is_new)
        };
        is_primary(&mut old_node) && is_primary(&mut new_node)
    })
    .await;
    let (id, slot) = id_on(&mut old_node);
    let mut migration = SlotMigration::new(&cluster, 0, 2);
    migration.begin(slot);
    assert_served(&store, id).await;
    migration.finish(slot);
    assert_served(&store, id).await;
}

/// All calls run at once, so that a batch holds redirected requests (`ASKING`) as well as a `WAIT`.
#[tokio::test]
async fn write_to_a_migrating_slot_waits_for_replicas_of_the_new_node() {
    const SESSIONS: usize = 20;
    let cluster = Server::redis_cluster_with_replicas(2, 1);
    let store = replicated(&cluster.url()).build().unwrap();
    let mut operator = Operator::of(&cluster.nodes()[0]);
    let mut migration = SlotMigration::new(&cluster, 0, 1);
    let mut ids = Vec::new();
    while ids.len() < SESSIONS {
        let id = SessionId::generate();
        let slot = operator.slot(&key(&id));
        if slot < 16_384 / 2 && ids.iter().all(|(_, taken)| *taken != slot) {
            migration.begin(slot);
            ids.push((id, slot));
        }
    }
    let mut calls = Vec::new();
    for (id, _) in &ids {
        calls.push(begun(assert_served(&store, *id)).await);
    }
    for call in calls {
        call.await;
    }
    let asked: String = operator.run("INFO errorstats");
    assert!(asked.contains("errorstat_ASK"), "no request was redirected: {asked}");
    let waits: String = Operator::of(&cluster.nodes()[1]).run("INFO commandstats");
    assert!(waits.contains("cmdstat_wait"), "no write waited: {waits}");
}

#[tokio::test]
async fn rotation_to_an_id_on_another_node_keeps_the_data() {
    let manager = manager(long_timeouts(&shared().url()).build().unwrap());
    let mut operator = Operator::of(&shared().nodes()[0]);
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    let mut moves = 0;
    while moves < 5 {
        let old = session.id().unwrap();
        session.cycle_id();
        session.commit().await.unwrap();
        let new = session.id().unwrap();
        moves += usize::from(operator.slot(&key(&old)) != operator.slot(&key(&new)));
        assert!(manager.open(Some(old)).await.unwrap().is_new());
        let found = manager.open(Some(new)).await.unwrap();
        assert_eq!(found.require::<String>("name").unwrap(), "value");
    }
}

#[tokio::test]
async fn notifications_in_a_cluster_have_keys_of_their_own() {
    let cluster = Server::redis_cluster(3);
    let (sessions, notifications) =
        long_timeouts(&cluster.url()).db_notifications(7).build_with_notifications().unwrap();
    let site = manager(sessions).to_builder().notifications(notifications).build().unwrap();
    let session = site.open(None).await.unwrap();
    session.notifications().set("info", "Saved.").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    let mut keys: Vec<String> = cluster
        .nodes()
        .iter()
        .flat_map(|node| Operator::of(node).run::<Vec<String>>("KEYS *"))
        .collect();
    let session_key = key(&id);
    let is_session = |key: &String| *key == session_key;
    assert!(keys.iter().any(is_session), "{keys:?}");
    keys.retain(|key| !is_session(key));
    let [notification] = keys.as_slice() else { panic!("{keys:?}") };
    let own_id = notification.strip_prefix("pycket:notifications:").unwrap();
    assert_ne!(own_id, &session_key["pycket:".len()..]);
    let read = site.open(Some(id)).await.unwrap();
    let info: Option<String> = read.notifications().get("info").await.unwrap();
    assert_eq!(info.as_deref(), Some("Saved."));
}

#[tokio::test]
async fn cluster_without_one_primary_is_unavailable_until_it_returns() {
    let cluster = Server::redis_cluster(3);
    let builder = RedisStore::builder(&cluster.url()).deadline(Duration::from_millis(100));
    let store = builder.build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    let victim = &cluster.nodes()[1];
    victim.kill();
    operator::wait_until("the other nodes report the failure", || {
        let others = [&cluster.nodes()[0], &cluster.nodes()[2]];
        others.iter().all(|node| {
            Operator::of(node).run::<String>("CLUSTER INFO").contains("cluster_state:fail")
        })
    })
    .await;
    for _ in 0..10 {
        let kinds = kinds(&store).await;
        // A write that was sent on the old connection before the driver saw the failure is ambiguous.
        for kind in kinds {
            assert!(
                matches!(kind, Some(ErrorKind::Unavailable | ErrorKind::Ambiguous)),
                "{kind:?}"
            );
        }
    }
    for _ in 0..10 {
        assert_eq!(kinds(&store).await, [Some(ErrorKind::Unavailable); 4]);
    }
    victim.restart();
    operator::wait_until_cluster_is_ok(&cluster, None).await;
    for _ in 0..10 {
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}
