//! What is sent again in a cluster, and what never is.

use crate::impostor::Impostor;
use crate::*;

use ErrorKind::{Ambiguous, Corrupt, Full, Rejected, Unavailable};

async fn create(store: &RedisStore) -> Result<Creation, ErrorKind> {
    let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
    created.map_err(|error| error.kind())
}

/// The client's own cluster connection would send it again.
#[tokio::test]
async fn a_write_whose_connection_breaks_is_ambiguous_and_is_not_sent_again() {
    let impostor = Impostor::new([None]).await;
    let store = patient(&impostor.url()).build().unwrap();
    for writes in 1..=3 {
        assert_eq!(create(&store).await, Err(Ambiguous));
        assert_eq!(impostor.requests(), writes);
    }
}

#[tokio::test]
async fn a_load_whose_connection_breaks_is_sent_again() {
    let impostor = Impostor::new([None, None, Some("*0\r\n")]).await;
    let store = patient(&impostor.url()).build().unwrap();
    assert_eq!(store.load(&SessionId::generate()).await.map_err(|e| e.kind()), Ok(None));
    assert_eq!(impostor.requests(), 3);
}

#[tokio::test]
async fn what_was_surely_not_carried_out_is_sent_again_until_it_is() {
    for refusal in [
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-READONLY You can't write against a read only replica.\r\n",
        "-NOREPLICAS Not enough good replicas to write.\r\n",
        "-BUSY Redis is busy running a script.\r\n",
    ] {
        let impostor = Impostor::new([Some(refusal), Some(refusal), Some(":1\r\n")]).await;
        let store = patient(&impostor.url()).build().unwrap();
        assert_eq!(create(&store).await, Ok(Creation::Created), "{refusal}");
        assert_eq!(impostor.requests(), 3);

        let impostor = Impostor::new([Some(refusal)]).await;
        for (deadline, at_least) in [(0, 1), (200, 3)] {
            let deadline = Duration::from_millis(deadline);
            let before = impostor.requests();
            let store = patient(&impostor.url()).deadline(deadline).build().unwrap();
            assert_eq!(create(&store).await, Err(Unavailable), "{refusal}");
            let requests = impostor.requests() - before;
            assert!((at_least..20).contains(&requests), "{requests}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_sent_again() {
    for (refusal, kind) in [
        ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", Full),
        ("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", Corrupt),
        ("-NOAUTH Authentication required.\r\n", Rejected),
        ("-NOPERM this user has no permissions\r\n", Rejected),
        ("-CROSSSLOT Keys in request don't hash to the same slot\r\n", Rejected),
        ("-ERR unknown command\r\n", Rejected),
    ] {
        let impostor = Impostor::new([Some(refusal)]).await;
        let store = patient(&impostor.url()).build().unwrap();
        assert_eq!(create(&store).await, Err(kind), "{refusal}");
        assert_eq!(impostor.requests(), 1);
    }
}

#[tokio::test]
async fn a_script_that_a_node_does_not_know_is_sent_whole() {
    let unknown = "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    let impostor = Impostor::new([Some(unknown), Some(":1\r\n")]).await;
    let store = patient(&impostor.url()).build().unwrap();
    assert_eq!(create(&store).await, Ok(Creation::Created));
    assert_eq!(impostor.requests(), 2);
}

/// Two nodes may each take the other one for the owner while they learn of a failover.
#[tokio::test]
async fn nodes_that_send_a_request_round_in_circles_are_unavailable() {
    // Without a host: the one that says so.
    for redirection in ["-MOVED 7 :1\r\n", "-ASK 7 :1\r\n"] {
        let impostor = Impostor::new([Some(redirection)]).await;
        let limit = Duration::from_millis(200);
        let store = patient(&impostor.url()).deadline(limit).build().unwrap();
        assert_eq!(create(&store).await, Err(Unavailable), "{redirection}");
        assert!((2..30).contains(&impostor.requests()), "{}", impostor.requests());
    }
}
