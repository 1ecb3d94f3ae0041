//! What a user must be allowed to do beyond what one server asks of it: the list in the README.

use crate::migration::Move;
use crate::operator::Operator;
use crate::*;

const ONE_SERVER: &str = "+eval +evalsha +exists +hdel +hexists +hget +hgetall +hset +pexpire +pttl \
                          +select +unlink";

fn make_user(server: &Server, more: &str) {
    let user = "ACL SETUSER pycket reset on >secret ~pycket:*";
    let () = Operator::of(server).order(format!("{user} {ONE_SERVER} {more}").trim_end());
}

fn with_user(url: &str) -> RedisStoreBuilder {
    patient(&url.replace("://", "://pycket:secret@")).deadline(Duration::ZERO)
}

#[test]
fn the_readme_says_so() {
    let readme = include_str!("../../README.md");
    for more in ["`+asking +cluster|slots`", "`+role`", "`+wait`"] {
        assert!(readme.contains(more), "{more}");
    }
}

#[tokio::test]
async fn a_cluster_needs_slots_and_asking() {
    let cluster = Server::redis_cluster(3);
    cluster.nodes().iter().for_each(|node| make_user(node, "+asking"));
    let store = with_user(&cluster.url()).build().unwrap();
    assert_ne!(kinds(&store).await, [None; 4]);
    cluster.nodes().iter().for_each(|node| make_user(node, "+cluster|slots"));
    assert_eq!(kinds(&store).await, [None; 4]);

    let id = SessionId::generate();
    let slot = Operator::of(&cluster.nodes()[0]).slot(&key(&id));
    let owner = usize::from(slot) / (16_384 / 3 + 1);
    Move::new(&cluster, owner, (owner + 1) % 3).begin(slot);
    let created = store.create(&id, &record([]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Rejected);
    cluster.nodes().iter().for_each(|node| make_user(node, "+cluster|slots +asking"));
    assert_served(&store, id).await;
}

#[tokio::test]
async fn sentinels_need_the_role() {
    let watched = Server::redis_sentinel();
    make_user(watched.primary(), "");
    let store = with_user(&watched.url()).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(ErrorKind::Rejected); 4]);
    make_user(watched.primary(), "+role");
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn waiting_for_replicas_needs_wait() {
    let watched = Server::redis_sentinel();
    make_user(watched.primary(), "");
    let waiting = || with_user(&watched.primary().url()).wait_replicas(1, Duration::from_secs(50));
    // The write itself is allowed, and has happened.
    let open = Some(ErrorKind::Ambiguous);
    assert_eq!(kinds(&waiting().build().unwrap()).await, [None, open, open, open]);
    make_user(watched.primary(), "+wait");
    assert_eq!(kinds(&waiting().build().unwrap()).await, [None; 4]);
}
