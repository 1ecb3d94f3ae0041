//! A server that refuses a request.

use pycket_testkit::servers::FaultProxy;

use crate::*;

use ErrorKind::{Full, Rejected, Unavailable};

const PASSWORD: &str = "open sesame";

fn guarded() -> Server {
    let server = Server::redis();
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("requirepass").arg(PASSWORD);
    command.exec(&mut operator(&server)).unwrap();
    server
}

fn store_at(server: &Server, credentials: &str, database: &str) -> RedisStore {
    let url = format!("redis://{credentials}{}{database}", server.address());
    once(&url).build().unwrap()
}

#[tokio::test]
async fn correct_password_is_accepted() {
    let server = guarded();
    for credentials in [":open%20sesame@", "default:open%20sesame@"] {
        for database in ["", "/3", "/3?protocol=resp3"] {
            let store = store_at(&server, credentials, database);
            assert_eq!(kinds(&store).await, [None; 4], "{credentials}{database}");
        }
    }
}

#[tokio::test]
async fn missing_or_wrong_password_is_rejected_and_not_shown() {
    let server = guarded();
    let wrong = ["", ":a%20wrong%20one@", "default:a%20wrong%20one@", "unknown:a%20wrong%20one@"];
    for credentials in wrong {
        for database in ["", "/3", "?protocol=resp3", "/3?protocol=resp3"] {
            let store = store_at(&server, credentials, database);
            for error in failures(&store).await {
                let error = error.unwrap();
                assert_eq!(error.kind(), Rejected, "{credentials}{database}: {error:?}");
                assert!(!error.is_transient());
                let shown = shown(&error) + &format!("{store:?} {store:#?}");
                assert!(!shown.contains("wrong one") && !shown.contains("wrong%20one"), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn server_without_resp3_is_rejected_with_the_reason() {
    use crate::stand_in::{Manner, StandIn};

    let answer = b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n";
    let stand_in = StandIn::new([Manner::Says(answer.repeat(3).into())]).await;
    let store = once(&format!("{}?protocol=resp3", stand_in.url())).build().unwrap();
    for error in failures(&store).await.map(Option::unwrap) {
        assert_eq!(error.kind(), Rejected, "{error:?}");
        assert!(error.to_string().contains("`protocol=resp3`"), "{error}");
    }
}

#[tokio::test]
async fn load_that_is_refused_is_sent_once() {
    let id = SessionId::generate();
    let _: String = run(&mut operator(shared()), &format!("SET {} value", key(&id)));
    let proxy = FaultProxy::new(shared().address());
    let url = format!("redis://{}", proxy.address());
    let store = RedisStore::builder(&url).build().unwrap();
    assert_eq!(stored(&store, &SessionId::generate()).await, None);
    proxy.take_exchanges();
    let error = store.load(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("is not a session"), "{error}");
    assert_eq!(proxy.take_exchanges().len(), 1);
}

#[tokio::test]
async fn missing_database_is_rejected() {
    for store in [
        patient(shared()).db_sessions(4711).build().unwrap(),
        patient(shared()).db_sessions(u32::MAX).build().unwrap(),
        store_at(shared(), "", "/4711"),
        store_at(shared(), "", "/-1"),
    ] {
        assert_eq!(kinds(&store).await, [Some(Rejected); 4]);
    }
}

#[tokio::test]
async fn full_server_refuses_writes_and_keeps_its_data() {
    let server = Server::redis();
    let store = store(&server);
    let id = put(&store, &record([("name", "value"), ("other", "value")])).await;
    let mut operator = operator(&server);
    let () = run(&mut operator, &format!("PEXPIRE {} 5000000", key(&id)));
    let () = run(&mut operator, "CONFIG SET maxmemory 1");

    let fresh = SessionId::generate();
    let created = store.create(&fresh, &record([("name", "value")]), HOUR).await;
    let error = created.unwrap_err();
    assert_eq!(error.kind(), Full);
    assert!(error.to_string().contains("`maxmemory`"), "{error}");
    assert_eq!(run::<u32>(&mut operator, &format!("EXISTS {}", key(&fresh))), 0);

    let changes = set("name", "changed").set("third", text("value")).remove("other");
    for ttl in [None, Some(HOUR)] {
        let updated = store.update(&id, &changes, ttl).await;
        assert_eq!(updated.unwrap_err().kind(), Full);
    }
    let found = store.load(&id).await.unwrap().unwrap();
    assert_eq!(found.record, record([("name", "value"), ("other", "value")]));
    assert!(found.expires_in > HOUR.as_duration(), "a refused update changed the life");

    // Requests that need no memory still succeed.
    let removal = Changes::new().remove("other");
    assert_eq!(
        store.update(&id, &removal, Some(HOUR)).await.unwrap(),
        pycket_core::Update::Applied
    );
    assert_eq!(store.delete(&id).await.unwrap(), Some(record([("name", "value")])));

    let () = run(&mut operator, "CONFIG SET maxmemory 0");
    assert_eq!(kinds(&store).await, [None; 4]);
}

/// Every key has an expiry, so each policy but `noeviction` evicts sessions.
#[tokio::test]
async fn evicted_session_has_ended_and_all_calls_still_work() {
    const SESSIONS: usize = 60;
    let large = record([("name", &*"x".repeat(100_000))]);
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl"] {
        let server = Server::redis();
        let store = store(&server);
        let mut operator = operator(&server);
        let () = run(&mut operator, &format!("CONFIG SET maxmemory-policy {policy}"));
        let info: redis::InfoDict = run(&mut operator, "INFO memory");
        let limit = info.get::<u64>("used_memory").unwrap() + 2_000_000;
        let () = run(&mut operator, &format!("CONFIG SET maxmemory {limit}"));
        let mut evicted = 0;
        for id in puts(&store, &large, SESSIONS).await {
            if let Some(found) = stored(&store, &id).await {
                assert_eq!(found, large, "{policy}");
                continue;
            }
            evicted += 1;
            let updated = store.update(&id, &set("name", "other"), Some(HOUR)).await.unwrap();
            assert_eq!(updated, pycket_core::Update::Ended, "{policy}");
            assert_eq!(store.delete(&id).await.unwrap(), None, "{policy}");
        }
        assert!((1..SESSIONS).contains(&evicted), "{policy}: {evicted}");
        assert_eq!(kinds(&store).await, [None; 4], "{policy}");
    }
}

async fn puts(store: &RedisStore, record: &Record, count: usize) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(put(store, record).await);
    }
    ids
}

#[tokio::test]
async fn replica_serves_reads_and_is_unavailable_for_writes() {
    let server = Server::redis();
    let store = store(&server);
    let id = put(&store, &record([("name", "value")])).await;
    let () = run(&mut operator(&server), "REPLICAOF 127.0.0.1 1");
    // A replica may be behind, so it does not even report that there is no record.
    for id in [id, SessionId::generate()] {
        assert!(store.load(&id).await.is_ok());
        for changes in [set("name", "other"), Changes::new().remove("name"), Changes::new()] {
            let updated = store.update(&id, &changes, Some(HOUR)).await;
            assert_eq!(updated.unwrap_err().kind(), Unavailable);
        }
        assert_eq!(store.delete(&id).await.unwrap_err().kind(), Unavailable);
    }
    let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), Unavailable);
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    let () = run(&mut operator(&server), "REPLICAOF NO ONE");
    assert_eq!(kinds(&store).await, [None; 4]);
}

/// The host in the URL may lead to the new primary by now, which only a new connection reaches.
#[tokio::test]
async fn connection_to_a_server_that_became_a_replica_is_replaced() {
    use crate::stand_in::{Manner, StandIn};

    let (old, new) = (Server::redis(), Server::redis());
    let manners = [Manner::LeadsTo(old.address()), Manner::LeadsTo(new.address())];
    let stand_in = StandIn::new(manners).await;
    let store = once(&stand_in.url()).build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    let () = run(&mut operator(&old), "REPLICAOF 127.0.0.1 1");
    let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), Unavailable);
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn server_with_too_many_clients_is_unavailable() {
    let server = Server::redis();
    let mut operator = operator(&server);
    let () = run(&mut operator, "CONFIG SET maxclients 1");
    for credentials in ["", ":password@"] {
        let store = store_at(&server, credentials, "/2");
        assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
    }
    let () = run(&mut operator, "CONFIG SET maxclients 100");
    assert_eq!(kinds(&store(&server)).await, [None; 4]);
}
