//! A primary that sentinels replace.

use pycket_testkit::RedisSentinel;

use crate::operator::{Operator, until};
use crate::traffic::{Phase, Promise, Traffic, end_of_failover};
use crate::*;

/// Waits until every sentinel names another primary, and that is one.
pub(crate) async fn until_replaced(watched: &RedisSentinel) {
    let old = watched.primary().port().to_string();
    until("there is another primary", || {
        watched.sentinels().iter().all(|sentinel| {
            let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {}", RedisSentinel::SERVICE);
            let address: Vec<String> = Operator::of(sentinel).order(&question);
            address[1] != old
                && watched.replicas().iter().any(|replica| {
                    replica.port().to_string() == address[1]
                        && Operator::of(replica).order::<String>("INFO").contains("role:master")
                })
        })
    })
    .await;
}

/// The old primary lives, and takes writes until the store has heard of the new one.
async fn until_at_the_new_primary(watched: &RedisSentinel, store: &RedisStore) {
    let is_primary = |server: &&Server| {
        Operator::of(server).order::<String>("INFO replication").contains("role:master")
    };
    let mut new = Operator::of(watched.replicas().iter().find(is_primary).unwrap());
    let writing = async {
        loop {
            let id = SessionId::generate();
            let is_told = store.create(&id, &record([]), HOUR).await.is_ok();
            if is_told && new.order::<u32>(&format!("EXISTS {}", key(&id))) == 1 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(90), writing).await.unwrap();
}

/// Visitors of whom some wait for a replica.
pub(crate) async fn plain_and_careful_traffic(watched: &RedisSentinel) -> [Arc<Traffic>; 2] {
    let careful = RedisStore::builder(&watched.url())
        .max_connections(4)
        .wait_replicas(1, Duration::from_millis(900));
    let all = [RedisStore::builder(&watched.url()), careful]
        .map(|store| Traffic::begin(store.build().unwrap()));
    for traffic in &all {
        traffic.succeeds(20).await;
    }
    all
}

/// Kills the primary, lets the replicas go on if they hold still, and waits until all is well again; what was
/// lost with it.
pub(crate) async fn end_with_another_primary(
    watched: &RedisSentinel,
    [plain, careful]: [Arc<Traffic>; 2],
) -> Vec<Promise> {
    watched.primary().kill();
    watched.replicas().iter().for_each(Server::resume);
    until_replaced(watched).await;
    // The other replica follows the new primary a little later; who waits for one waits for that.
    careful.succeeds(1).await;
    let new = watched.replicas();
    until("the other replica follows", || {
        new.iter().any(|server| Operator::of(server).has_replica())
    })
    .await;
    let all = [&plain, &careful];
    all.iter().for_each(|traffic| traffic.enter(Phase::After));
    for traffic in all {
        traffic.succeeds(20).await;
    }
    end_of_failover(&plain, &careful).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_costs_errors_while_it_is_replaced_and_nothing_else() {
    let watched = Server::redis_sentinel();
    let all = plain_and_careful_traffic(&watched).await;
    all.iter().for_each(|traffic| traffic.enter(Phase::Trouble));
    end_with_another_primary(&watched, all).await;
}

#[tokio::test]
async fn a_failover_that_an_operator_orders_needs_no_restart() {
    let watched = Server::redis_sentinel();
    let store = patient(&watched.url()).build().unwrap();
    let idle = patient(&watched.url()).build().unwrap();
    let id = put(&store, &record([("name", "value")])).await;
    assert_eq!(stored(&idle, &id).await, Some(record([("name", "value")])));
    until("the replicas have it", || {
        watched
            .replicas()
            .iter()
            .all(|replica| Operator::of(replica).order::<u32>(&format!("EXISTS {}", key(&id))) == 1)
    })
    .await;
    let order = format!("SENTINEL FAILOVER {}", RedisSentinel::SERVICE);
    let () = Operator::of(&watched.sentinels()[0]).order(&order);
    until_replaced(&watched).await;
    for store in [store, idle] {
        until_at_the_new_primary(&watched, &store).await;
        assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
        assert_served(&store, SessionId::generate()).await;
    }
}

/// As after `SENTINEL FAILOVER`: the old primary takes writes for another ten seconds, and they are lost.
#[tokio::test]
async fn a_primary_that_lives_is_left_when_the_sentinels_name_another_one() {
    let (watched, new) = (Server::redis_sentinel(), Server::redis());
    let store = patient(&watched.url()).build().unwrap();
    put(&store, &record([])).await;
    for sentinel in watched.sentinels() {
        let service = RedisSentinel::SERVICE;
        let mut operator = Operator::of(sentinel);
        let () = operator.order(&format!("SENTINEL REMOVE {service}"));
        let port = new.port();
        let () = operator.order(&format!("SENTINEL MONITOR {service} 127.0.0.1 {port} 2"));
    }
    let mut operator = Operator::of(&new);
    let writing = async {
        while operator.order::<usize>("DBSIZE") == 0 {
            put(&store, &record([])).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), writing).await.unwrap();
}

#[tokio::test]
async fn dead_sentinels_are_passed_over() {
    let watched = Server::redis_sentinel();
    for dead in &watched.sentinels()[..2] {
        dead.kill();
        let store = patient(&watched.url()).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4]);
    }
    watched.sentinels()[2].kill();
    let store = RedisStore::builder(&watched.url()).deadline(Duration::ZERO).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Unavailable); 4]);
}

#[tokio::test]
async fn a_service_that_no_sentinel_knows_is_unavailable() {
    let watched = Server::redis_sentinel();
    let url = watched.url().replace(RedisSentinel::SERVICE, "another");
    let store = RedisStore::builder(&url).deadline(Duration::ZERO).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Unavailable); 4]);
}

#[tokio::test]
async fn sentinels_and_primary_may_each_have_a_password() {
    let watched = Server::redis_sentinel();
    for sentinel in watched.sentinels() {
        let () = Operator::of(sentinel).order("ACL SETUSER default >watcher");
    }
    let () = Operator::of(watched.primary()).order("CONFIG SET requirepass sesame");
    let with = |password| watched.url().replace("//", &format!("//:{password}@"));
    let rejected = [Some(ErrorKind::Rejected); 4];
    for (url, password, expected) in [
        (with("sesame"), "watcher", [None; 4]),
        (with("sesame"), "wrong-one", rejected),
        (with("wrong-one"), "watcher", rejected),
    ] {
        let store = RedisStore::builder(&url).sentinel_password(password).build().unwrap();
        assert_eq!(kinds(&store).await, expected);
    }
    let store = RedisStore::builder(&with("sesame")).build().unwrap();
    assert_eq!(kinds(&store).await, rejected);
}

#[tokio::test]
async fn notifications_are_in_their_own_database() {
    let watched = Server::redis_sentinel();
    let (sessions, notifications) = patient(&watched.url()).build_with_notifications().unwrap();
    put(&sessions, &record([])).await;
    put(&notifications, &record([])).await;
    let info: String = Operator::of(watched.primary()).order("INFO keyspace");
    assert!(info.contains("db0:keys=1") && info.contains("db1:keys=1"), "{info}");
}
