//! Which requests the driver sends again in a cluster, and which it does not.

use tokio::task::JoinSet;

use crate::fake_node::FakeNode;
use crate::*;

use ErrorKind::{Ambiguous, Corrupt, Full, Rejected, Unavailable};

/// A deadline that leaves time for several retries, on a busy machine too.
const A_FEW_RETRIES: Duration = Duration::from_secs(1);

async fn create(store: &RedisStore) -> Result<Creation, ErrorKind> {
    let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
    created.map_err(|error| error.kind())
}

/// The cluster connection of the `redis` crate would send the write again.
#[tokio::test]
async fn write_on_a_broken_connection_is_ambiguous_and_not_sent_again() {
    let fake_node = FakeNode::new([None]).await;
    let store = long_timeouts(&fake_node.url()).build().unwrap();
    for writes in 1..=3 {
        assert_eq!(create(&store).await, Err(Ambiguous));
        assert_eq!(fake_node.requests(), writes);
    }
}

#[tokio::test]
async fn load_on_a_broken_connection_is_sent_again() {
    let fake_node = FakeNode::new([None, None, Some("*0\r\n")]).await;
    let store = long_timeouts(&fake_node.url()).build().unwrap();
    assert_eq!(store.load(&SessionId::generate()).await.map_err(|e| e.kind()), Ok(None));
    assert_eq!(fake_node.requests(), 3);
}

#[tokio::test]
async fn write_that_was_not_applied_is_retried_until_the_deadline() {
    let refusals = [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-NOREPLICAS Not enough good replicas to write.\r\n",
        "-BUSY Redis is busy running a script.\r\n",
    ];
    let mut all: JoinSet<_> = refusals.into_iter().map(is_retried_until_the_deadline).collect();
    while let Some(result) = all.join_next().await {
        result.unwrap();
    }
}

async fn is_retried_until_the_deadline(refusal: &'static str) {
    let fake_node = FakeNode::new([Some(refusal), Some(refusal), Some(":1\r\n")]).await;
    let store = long_timeouts(&fake_node.url()).build().unwrap();
    assert_eq!(create(&store).await, Ok(Creation::Created), "{refusal}");
    assert_eq!(fake_node.requests(), 3);

    let fake_node = FakeNode::new([Some(refusal)]).await;
    for (deadline, at_least) in [(Duration::ZERO, 1), (A_FEW_RETRIES, 3)] {
        let before = fake_node.requests();
        let store = long_timeouts(&fake_node.url()).deadline(deadline).build().unwrap();
        assert_eq!(create(&store).await, Err(Unavailable), "{refusal}");
        let requests = fake_node.requests() - before;
        assert!((at_least..30).contains(&requests), "{requests}");
    }
}

#[tokio::test]
async fn write_refused_for_good_is_not_sent_again() {
    for (refusal, kind) in [
        ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", Full),
        ("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", Corrupt),
        ("-NOAUTH Authentication required.\r\n", Rejected),
        ("-NOPERM this user has no permissions\r\n", Rejected),
        ("-CROSSSLOT Keys in request don't hash to the same slot\r\n", Rejected),
        ("-ERR unknown command\r\n", Rejected),
    ] {
        let fake_node = FakeNode::new([Some(refusal)]).await;
        let store = long_timeouts(&fake_node.url()).build().unwrap();
        assert_eq!(create(&store).await, Err(kind), "{refusal}");
        assert_eq!(fake_node.requests(), 1);
    }
}

#[tokio::test]
async fn script_that_a_node_does_not_know_is_sent_in_full() {
    let unknown = "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    let fake_node = FakeNode::new([Some(unknown), Some(":1\r\n")]).await;
    let store = long_timeouts(&fake_node.url()).build().unwrap();
    assert_eq!(create(&store).await, Ok(Creation::Created));
    assert_eq!(fake_node.requests(), 2);
}

#[tokio::test]
async fn redirect_to_a_server_outside_of_the_cluster_is_not_followed() {
    let stranger = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = stranger.local_addr().unwrap().port();
    let redirection: &str = format!("-MOVED 7 127.0.0.1:{port}\r\n").leak();
    let fake_node = FakeNode::new([Some(redirection)]).await;
    let store = long_timeouts(&fake_node.url()).deadline(A_FEW_RETRIES).build().unwrap();
    tokio::select! {
        created = create(&store) => assert_eq!(created, Err(Unavailable)),
        _ = stranger.accept() => panic!("the driver connected to the other server"),
    }
    assert!((2..60).contains(&fake_node.requests()), "{}", fake_node.requests());

    let fake_node = FakeNode::new([Some(redirection), Some(":1\r\n")]).await;
    let store = long_timeouts(&fake_node.url()).deadline(Duration::ZERO).build().unwrap();
    assert_eq!(create(&store).await, Ok(Creation::Created));
}

/// During a failover, two nodes can each redirect to the other one.
#[tokio::test]
async fn redirect_loop_ends_as_unavailable() {
    // A redirect without a host means the host that sends it. Nothing listens at port 1.
    for redirection in
        ["-MOVED 7 :1\r\n", "-ASK 7 :1\r\n", "-MOVED 7 :{port}\r\n", "-ASK 7 :{port}\r\n"]
    {
        let fake_node = FakeNode::new([Some(redirection)]).await;
        let limit = Duration::from_millis(200);
        let store = long_timeouts(&fake_node.url()).deadline(limit).build().unwrap();
        let created = tokio::time::timeout(Duration::from_secs(30), create(&store)).await;
        assert_eq!(created, Ok(Err(Unavailable)), "{redirection}");
        assert!((2..60).contains(&fake_node.requests()), "{}", fake_node.requests());
    }
}
