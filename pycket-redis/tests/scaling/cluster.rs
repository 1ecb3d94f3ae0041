//! Sessions spread over the nodes of a cluster.

use std::sync::OnceLock;

use pycket_testkit::RedisCluster;

use crate::migration::Move;
use crate::operator::Operator;
use crate::*;

/// A cluster that no test kills; slots may move in it.
fn shared() -> &'static RedisCluster {
    static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Server::redis_cluster(3))
}

/// One with a key in that node's part.
fn id_on(operator: &mut Operator, node: usize) -> (SessionId, u16) {
    loop {
        let id = SessionId::generate();
        let slot = operator.slot(&key(&id));
        if usize::from(slot) / (16_384 / 3 + 1) == node {
            return (id, slot);
        }
    }
}

#[tokio::test]
async fn every_node_has_a_part_of_the_sessions_and_one_url_leads_to_all() {
    let cluster = Server::redis_cluster(3);
    let store = patient(&cluster.url()).build().unwrap();
    for _ in 0..300 {
        put(&store, &record([("name", "value")])).await;
    }
    let sizes: Vec<usize> =
        cluster.nodes().iter().map(|node| Operator::of(node).order("DBSIZE")).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 300);
    assert!(sizes.iter().all(|size| *size > 40), "{sizes:?}");

    let seed = cluster.nodes()[2].address();
    for url in [
        format!("redis+cluster://{seed}"),
        format!("redis+cluster://127.0.0.1:1,{seed},127.0.0.1:2"),
        format!("redis://127.0.0.1:1,redis://{seed}"),
    ] {
        let store = patient(&url).build().unwrap();
        for _ in 0..20 {
            assert_served(&store, SessionId::generate()).await;
        }
    }
}

#[tokio::test]
async fn a_store_that_does_not_know_yet_that_a_slot_has_moved_is_sent_on() {
    let store = patient(&shared().url()).build().unwrap();
    let (id, slot) = id_on(&mut Operator::of(&shared().nodes()[1]), 1);
    let kept = record([("name", "value")]);
    assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Created);
    let mut moving = Move::new(shared(), 1, 2);
    moving.begin(slot);
    moving.carry(slot);
    moving.finish(slot);
    assert_eq!(stored(&store, &id).await, Some(kept.clone()));
    assert_eq!(store.delete(&id).await.unwrap(), Some(kept));
    assert_served(&store, id).await;
}

#[tokio::test]
async fn in_the_middle_of_a_move_both_nodes_are_asked() {
    for is_carried in [false, true] {
        let store = patient(&shared().url()).max_connections(3).build().unwrap();
        let (id, slot) = id_on(&mut Operator::of(&shared().nodes()[0]), 0);
        let kept = record([("name", "value"), ("other", "value")]);
        assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Created);
        let mut moving = Move::new(shared(), 0, 2);
        moving.begin(slot);
        if is_carried {
            moving.carry(slot);
        }
        assert_eq!(stored(&store, &id).await, Some(kept.clone()));
        assert_eq!(store.create(&id, &kept, HOUR).await.unwrap(), Creation::Taken);
        let changes = set("name", "changed");
        assert_eq!(store.update(&id, &changes, Some(HOUR)).await.unwrap(), Update::Applied);
        let expected = record([("name", "changed"), ("other", "value")]);
        assert_eq!(store.delete(&id).await.unwrap(), Some(expected));
        assert_served(&store, id).await;
        moving.carry(slot);
        moving.finish(slot);
        assert_served(&store, id).await;
    }
}

/// All at once, so that the requests that are announced and the one that waits share batches.
#[tokio::test]
async fn in_the_middle_of_a_move_writes_wait_for_the_replicas_of_the_node_that_takes_them() {
    const SESSIONS: usize = 20;
    let cluster = Server::redis_cluster_with_replicas(2, 1);
    let store = waiting(&cluster.url()).build().unwrap();
    let mut operator = Operator::of(&cluster.nodes()[0]);
    let mut moving = Move::new(&cluster, 0, 1);
    let mut ids = Vec::new();
    while ids.len() < SESSIONS {
        let id = SessionId::generate();
        let slot = operator.slot(&key(&id));
        if slot < 16_384 / 2 && ids.iter().all(|(_, taken)| *taken != slot) {
            moving.begin(slot);
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
    let asked: String = operator.order("INFO errorstats");
    assert!(asked.contains("errorstat_ASK"), "nobody was sent on: {asked}");
    let waits: String = Operator::of(&cluster.nodes()[1]).order("INFO commandstats");
    assert!(waits.contains("cmdstat_wait"), "nobody waited: {waits}");
}

#[tokio::test]
async fn a_new_id_may_lead_to_another_node_and_takes_everything_with_it() {
    let manager = manager(patient(&shared().url()).build().unwrap());
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
async fn notifications_have_a_name_of_their_own_where_there_is_one_database() {
    let cluster = Server::redis_cluster(3);
    let (sessions, notifications) =
        patient(&cluster.url()).db_notifications(7).build_with_notifications().unwrap();
    let site = manager(sessions).to_builder().notifications(notifications).build().unwrap();
    let session = site.open(None).await.unwrap();
    session.notifications().set("info", "Saved.").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    let mut keys: Vec<String> = cluster
        .nodes()
        .iter()
        .flat_map(|node| Operator::of(node).order::<Vec<String>>("KEYS *"))
        .collect();
    keys.sort();
    assert_eq!(keys, [format!("pycket:notifications:{}", id.expose()), key(&id)]);
    let read = site.open(Some(id)).await.unwrap();
    let info: Option<String> = read.notifications().get("info").await.unwrap();
    assert_eq!(info.as_deref(), Some("Saved."));
}

#[tokio::test]
async fn a_cluster_that_lacks_a_part_is_unavailable_until_that_is_back() {
    let cluster = Server::redis_cluster(3);
    let builder = RedisStore::builder(&cluster.url()).deadline(Duration::from_millis(100));
    let store = builder.build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    let victim = &cluster.nodes()[1];
    victim.kill();
    operator::until("the others notice", || {
        let others = [&cluster.nodes()[0], &cluster.nodes()[2]];
        others.iter().all(|node| {
            Operator::of(node).order::<String>("CLUSTER INFO").contains("cluster_state:fail")
        })
    })
    .await;
    for _ in 0..10 {
        let kinds = kinds(&store).await;
        // The one connection that was open when the node died may have taken the first write along.
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
    operator::until_whole(&cluster, None).await;
    for _ in 0..10 {
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}
