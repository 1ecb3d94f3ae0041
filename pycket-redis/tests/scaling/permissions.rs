//! The commands that a Redis user needs besides those for one server. The README lists them.

use pycket_testkit::all_shown_by;

use crate::migration::SlotMigration;
use crate::operator::{Operator, wait_until};
use crate::*;

const ONE_SERVER: &str = "+eval +evalsha +exists +hdel +hexists +hget +hgetall +hlen +hset +pexpire +pttl \
                          +select +unlink";

fn make_user(server: &Server, more: &str) {
    let user = "ACL SETUSER pycket reset on >secret ~pycket:*";
    let () = Operator::of(server).run(format!("{user} {ONE_SERVER} {more}").trim_end());
}

fn with_user(url: &str) -> RedisStoreBuilder {
    long_timeouts(&url.replace("://", "://pycket:secret@")).deadline(Duration::ZERO)
}

#[test]
fn readme_lists_the_extra_permissions() {
    let readme = include_str!("../../README.md");
    for more in ["`+asking +cluster|slots`", "`+role`", "`+wait`", "`+sentinel +subscribe &*`"] {
        assert!(readme.contains(more), "{more}");
    }
}

#[tokio::test]
async fn cluster_user_needs_cluster_slots_and_asking() {
    let cluster = Server::redis_cluster(3);
    cluster.nodes().iter().for_each(|node| make_user(node, "+asking"));
    let store = with_user(&cluster.url()).build().unwrap();
    assert_ne!(kinds(&store).await, [None; 4]);
    cluster.nodes().iter().for_each(|node| make_user(node, "+cluster|slots"));
    assert_eq!(kinds(&store).await, [None; 4]);

    let id = SessionId::generate();
    let slot = Operator::of(&cluster.nodes()[0]).slot(&key(&id));
    let owner = usize::from(slot) / (16_384 / 3 + 1);
    SlotMigration::new(&cluster, owner, (owner + 1) % 3).begin(slot);
    let created = store.create(&id, &record([]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Rejected);
    cluster.nodes().iter().for_each(|node| make_user(node, "+cluster|slots +asking"));
    assert_served(&store, id).await;
}

#[tokio::test]
async fn user_behind_sentinels_needs_role() {
    let watched = Server::redis_sentinel();
    make_user(watched.primary(), "");
    let store = with_user(&watched.url()).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Rejected); 4]);
    make_user(watched.primary(), "+role");
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn user_of_the_sentinels_needs_sentinel_and_subscribe() {
    let watched = Server::redis_sentinel();
    for sentinel in watched.sentinels() {
        let user = "ACL SETUSER watcher reset on >secret +sentinel +subscribe &*";
        let () = Operator::of(sentinel).run(user);
    }
    let builder = long_timeouts(&watched.url()).sentinel_user("watcher", "secret");
    let store = builder.build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    wait_until("the store listens to each sentinel", || {
        watched.sentinels().iter().all(|sentinel| {
            let clients: String = Operator::of(sentinel).run("CLIENT LIST");
            let mut clients = clients.lines();
            clients.any(|client| client.contains("user=watcher") && client.contains("sub=4"))
        })
    })
    .await;
}

#[tokio::test]
async fn user_with_wait_replicas_needs_wait() {
    let watched = Server::redis_sentinel();
    make_user(watched.primary(), "");
    let replicated =
        || with_user(&watched.primary().url()).wait_replicas(1, Duration::from_secs(50));
    // The server applied the write and refused only `WAIT`.
    let (store, ambiguous) = (replicated().build().unwrap(), Some(ErrorKind::Ambiguous));
    assert_eq!(kinds(&store).await, [None, ambiguous, ambiguous, ambiguous]);
    let error = store.delete(&SessionId::generate()).await.unwrap_err();
    assert!(all_shown_by(&error).contains("the server refused to wait"), "{error:?}");
    make_user(watched.primary(), "+wait");
    assert_eq!(kinds(&replicated().build().unwrap()).await, [None; 4]);
}
