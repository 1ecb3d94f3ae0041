//! A primary that sentinels watch and replace.

use std::collections::HashMap;

use pycket_testkit::servers::RedisSentinel;

use crate::operator::{LIVE, Operator, wait_until};
use crate::traffic::{Acknowledged, Phase, Traffic, check_failover, plain_and_replicated};
use crate::*;

/// Waits until every sentinel names another primary, that server has the role, and no sentinel is still
/// replacing it.
pub(crate) async fn wait_until_replaced(watched: &RedisSentinel) {
    let old = watched.primary().port().to_string();
    wait_until("there is another primary", || {
        watched.sentinels().iter().all(|sentinel| {
            let command = format!("SENTINEL MASTER {}", watched.service());
            let state: HashMap<String, String> = Operator::of(sentinel).run(&command);
            let port = &state["port"];
            *port != old
                && !state["flags"].contains("failover_in_progress")
                && watched.replicas().iter().any(|replica| {
                    replica.port().to_string() == *port
                        && Operator::of(replica).run::<String>("INFO").contains("role:master")
                })
        })
    })
    .await;
}

/// Makes the sentinels replace a primary that is silent for so long.
fn replace_after(watched: &RedisSentinel, silence: Duration) {
    let (service, millis) = (watched.service(), silence.as_millis());
    for sentinel in watched.sentinels() {
        let command = format!("SENTINEL SET {service} down-after-milliseconds {millis}");
        let () = Operator::of(sentinel).run(&command);
    }
}

/// Writes until the new primary has a write of this store. Until then the store may use the old one, which
/// is still running.
async fn wait_until_store_uses_new_primary(watched: &RedisSentinel, store: &RedisStore) {
    let is_primary = |server: &&Server| {
        Operator::of(server).run::<String>("INFO replication").contains("role:master")
    };
    let mut new = Operator::of(watched.replicas().iter().find(is_primary).unwrap());
    let writing = async {
        loop {
            let id = SessionId::generate();
            let is_created = store.create(&id, &record([]), HOUR).await.is_ok();
            if is_created && new.run::<u32>(&format!("EXISTS {}", key(&id))) == 1 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), writing).await.unwrap();
}

/// Sentinels that replace their primary only when a test kills it, or tells them to.
pub(crate) fn patient_sentinels() -> RedisSentinel {
    let watched = Server::redis_sentinel();
    replace_after(&watched, LIVE);
    watched
}

/// Kills the primary, resumes paused replicas, and waits until all clients are served again. Returns the lost
/// writes.
pub(crate) async fn end_after_failover(
    watched: &RedisSentinel,
    [plain, replicated]: [Arc<Traffic>; 2],
) -> Vec<Acknowledged> {
    replace_after(watched, Duration::from_secs(1));
    watched.primary().kill();
    watched.replicas().iter().for_each(Server::resume);
    wait_until_replaced(watched).await;
    replace_after(watched, LIVE);
    // Writes with `wait_replicas` succeed once the other replica follows the new primary.
    replicated.succeeds(1).await;
    let new = watched.replicas();
    wait_until("the other replica follows the new primary", || {
        new.iter().any(|server| Operator::of(server).has_replica())
    })
    .await;
    let all = [&plain, &replicated];
    all.iter().for_each(|traffic| traffic.enter(Phase::After));
    for traffic in all {
        traffic.succeeds(20).await;
    }
    check_failover(&plain, &replicated).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_causes_errors_only_until_it_is_replaced() {
    let watched = patient_sentinels();
    let all = plain_and_replicated(&watched.url()).await;
    all.iter().for_each(|traffic| traffic.enter(Phase::Disruption));
    end_after_failover(&watched, all).await;
}

#[tokio::test]
async fn failover_ordered_by_an_operator_needs_no_restart() {
    let watched = patient_sentinels();
    let store = long_timeouts(&watched.url()).build().unwrap();
    let idle = long_timeouts(&watched.url()).build().unwrap();
    let id = put(&store, &record([("name", "value")])).await;
    assert_eq!(stored(&idle, &id).await, Some(record([("name", "value")])));
    wait_until("the replicas have the session", || {
        watched
            .replicas()
            .iter()
            .all(|replica| Operator::of(replica).run::<u32>(&format!("EXISTS {}", key(&id))) == 1)
    })
    .await;
    let command = format!("SENTINEL FAILOVER {}", watched.service());
    let () = Operator::of(&watched.sentinels()[0]).run(&command);
    wait_until_replaced(&watched).await;
    for store in [store, idle] {
        wait_until_store_uses_new_primary(&watched, &store).await;
        assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
        assert_served(&store, SessionId::generate()).await;
    }
}

/// A store that asked the sentinels once a second would lose more than 400 of these writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_ordered_by_an_operator_loses_almost_no_write() {
    let watched = patient_sentinels();
    let store = Arc::new(long_timeouts(&watched.url()).build().unwrap());
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut written = Vec::new();
            let end = tokio::time::Instant::now() + Duration::from_secs(4);
            while tokio::time::Instant::now() < end {
                written.push(put(&*store, &record([])).await);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            written
        })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let command = format!("SENTINEL FAILOVER {}", watched.service());
    let () = Operator::of(&watched.sentinels()[0]).run(&command);
    let written = writer.await.unwrap();
    wait_until_replaced(&watched).await;
    wait_until_store_uses_new_primary(&watched, &store).await;
    let mut lost = 0;
    for id in &written {
        lost += usize::from(stored(&*store, id).await.is_none());
    }
    // A busy machine may deliver the announcement late.
    assert!(lost < 100, "{lost} of {}", written.len());
}

#[tokio::test]
async fn dropped_store_leaves_no_connection_to_the_sentinels() {
    let watched = patient_sentinels();
    let listeners = || {
        let listens = |sentinel| {
            let clients: String = Operator::of(sentinel).run("CLIENT LIST");
            clients.lines().filter(|client| client.contains("cmd=subscribe")).count()
        };
        watched.sentinels().iter().map(listens).sum::<usize>()
    };
    let before = listeners();
    let store = long_timeouts(&watched.url()).build().unwrap();
    put(&store, &record([])).await;
    wait_until("the store listens to each sentinel", || listeners() == before + 3).await;
    drop(store);
    wait_until("the connections are closed", || listeners() == before).await;
}

/// After `SENTINEL FAILOVER`, the old primary accepts writes for ten more seconds, and they are lost. The test
/// gets the same state by giving the sentinels another primary.
#[tokio::test]
async fn running_primary_is_left_when_the_sentinels_name_another() {
    let (watched, new) = (patient_sentinels(), Server::redis());
    let store = long_timeouts(&watched.url()).build().unwrap();
    put(&store, &record([])).await;
    for sentinel in watched.sentinels() {
        let service = watched.service();
        let mut operator = Operator::of(sentinel);
        let () = operator.run(&format!("SENTINEL REMOVE {service}"));
        let port = new.port();
        let () = operator.run(&format!("SENTINEL MONITOR {service} 127.0.0.1 {port} 2"));
    }
    let mut operator = Operator::of(&new);
    let writing = async {
        while operator.run::<usize>("DBSIZE") == 0 {
            put(&store, &record([])).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), writing).await.unwrap();
}

#[tokio::test]
async fn unreachable_sentinels_are_skipped() {
    let watched = patient_sentinels();
    for sentinel in &watched.sentinels()[..2] {
        sentinel.kill();
        let store = long_timeouts(&watched.url()).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4]);
    }
    watched.sentinels()[2].kill();
    let store = RedisStore::builder(&watched.url()).deadline(Duration::ZERO).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Unavailable); 4]);
}

#[tokio::test]
async fn service_unknown_to_the_sentinels_is_unavailable() {
    let watched = patient_sentinels();
    let url = watched.url().replace(watched.service(), "another");
    let store = RedisStore::builder(&url).deadline(Duration::ZERO).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Unavailable); 4]);
}

#[tokio::test]
async fn sentinels_and_primary_can_have_different_passwords() {
    let watched = patient_sentinels();
    for sentinel in watched.sentinels() {
        let () = Operator::of(sentinel).run("ACL SETUSER default >watcher");
    }
    let () = Operator::of(watched.primary()).run("CONFIG SET requirepass sesame");
    let with = |password| watched.url().replace("//", &format!("//:{password}@"));
    let rejected = [Some(ErrorKind::Rejected); 4];
    for (url, password, expected) in [
        (with("sesame"), "watcher", [None; 4]),
        (with("sesame"), "wrong-one", rejected),
        (with("wrong-one"), "watcher", rejected),
    ] {
        let file = format!("url = \"{url}\"\nsentinel_password = \"{password}\"");
        let builder = RedisStore::builder(&url).sentinel_password(password);
        for builder in [builder, toml::from_str(&file).unwrap()] {
            assert_eq!(kinds(&builder.build().unwrap()).await, expected);
        }
    }
    let store = RedisStore::builder(&with("sesame")).build().unwrap();
    assert_eq!(kinds(&store).await, rejected);
}

#[tokio::test]
async fn notifications_behind_sentinels_are_in_their_own_database() {
    let watched = patient_sentinels();
    let (sessions, notifications) =
        long_timeouts(&watched.url()).build_with_notifications().unwrap();
    put(&sessions, &record([])).await;
    put(&notifications, &record([])).await;
    let info: String = Operator::of(watched.primary()).run("INFO keyspace");
    assert!(info.contains("db0:keys=1") && info.contains("db1:keys=1"), "{info}");
}
