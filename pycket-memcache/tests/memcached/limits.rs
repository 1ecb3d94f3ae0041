//! What memcached refuses, and what it evicts.

use pycket_testkit::servers::{Behavior, FakeServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::*;

const MEGABYTE: usize = 1 << 20;

#[tokio::test]
async fn record_over_the_item_limit_fails_and_the_old_one_stays() {
    let store = store(shared());
    let old = record([("name", "value")]);
    let id = put(&store, &old).await;
    let changes = Changes::new().set("large", Value::from(vec![7; MEGABYTE]));
    for ttl in [None, Some(HOUR)] {
        let error = store.update(&id, &changes, ttl).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(stored(&store, &id).await, Some(old.clone()));
    }
    let error = store.create(&id, &large(MEGABYTE), HOUR).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(stored(&store, &id).await, Some(old));
}

/// Otherwise memcached would remove the old record.
#[tokio::test]
async fn record_below_the_item_limit_is_accepted_by_memcached() {
    let store = store(shared());
    for missing in (0..400).step_by(20) {
        let new = large(MEGABYTE - missing);
        let id = SessionId::generate();
        match store.create(&id, &new, HOUR).await {
            Ok(creation) => {
                assert_eq!(creation, Creation::Created);
                assert_eq!(store.delete(&id).await.unwrap(), Some(new));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TooLarge);
                assert!(missing < 250, "refused {missing} bytes below the limit");
            }
        }
    }
}

#[tokio::test]
async fn item_limit_is_the_one_of_the_server() {
    let server = Server::memcached_small();
    let store = store(&server);
    let id = put(&store, &large(400_000)).await;
    let changes = Changes::new().set("more", Value::from(vec![7; 150_000]));
    let error = store.update(&id, &changes, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("-I"), "{error}");
    assert_eq!(stored(&store, &id).await, Some(large(400_000)));
}

#[tokio::test]
async fn item_limit_that_is_not_reported_is_one_mebibyte() {
    for answer in ["END\r\n", "ERROR\r\n", "CLIENT_ERROR no\r\n", "SERVER_ERROR no\r\n"] {
        for (size, is_sent) in [(MEGABYTE - 400, true), (MEGABYTE, false)] {
            let store = at(&FakeServer::answering(answer).await).build().unwrap();
            let created = store.create(&SessionId::generate(), &large(size), HOUR).await;
            let is_too_large = created.unwrap_err().kind() == ErrorKind::TooLarge;
            assert_eq!(is_too_large, !is_sent, "{answer} {size}");
        }
    }
}

/// The name may lead to another server then.
#[tokio::test]
async fn item_limit_is_requested_again_after_a_failure() {
    let small = b"STAT item_size_max 1100\r\nEND\r\n";
    let real = Behavior::ForwardsTo(shared().address());
    let behaviors = [Behavior::Answers(small[..].into()), real];
    let store = at(&FakeServer::new(behaviors).await).build().unwrap();
    let id = SessionId::generate();
    for _ in 0..2 {
        let error = store.create(&id, &large(2000), HOUR).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
    assert_eq!(store.load(&id).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(store.create(&id, &large(2000), HOUR).await.unwrap(), Creation::Created);
}

#[tokio::test]
async fn item_limit_is_requested_again_after_the_server_was_down() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = MemcacheStore::builder().servers([address.to_string()]).build().unwrap();
    let id = SessionId::generate();
    let small_server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"STAT item_size_max 1100\r\nEND\r\n").await.unwrap();
        stream
    };
    let record = large(2000);
    let (created, stream) = tokio::join!(store.create(&id, &record, HOUR), small_server);
    assert_eq!(created.unwrap_err().kind(), ErrorKind::TooLarge);
    drop((stream, listener));
    // Now the driver sees that the connection is closed.
    sleep(Duration::from_millis(10)).await;
    assert_eq!(store.load(&id).await.unwrap_err().kind(), ErrorKind::Unavailable);

    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(shared().address()).await.unwrap();
        copy_bidirectional(&mut client, &mut server).await
    });
    assert_eq!(store.create(&id, &record, HOUR).await.unwrap(), Creation::Created);
}

#[tokio::test(start_paused = true)]
async fn write_whose_item_limit_stays_unknown_is_not_sent() {
    let store = at(&FakeServer::new([Behavior::Silent]).await).build().unwrap();
    let error = store.create(&SessionId::generate(), &large(2000), HOUR).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn full_server_without_eviction_gives_full_and_still_reads() {
    let server = Server::memcached_small();
    let store = store(&server);
    let mut ids = vec![put(&store, &large(2500)).await];
    let error = loop {
        let id = SessionId::generate();
        match store.create(&id, &large(2500), HOUR).await {
            Ok(_) => ids.push(id),
            Err(error) => break error,
        }
        assert!(ids.len() < 100_000);
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("-m"), "{error}");
    for id in &ids {
        assert_eq!(stored(&store, id).await, Some(large(2500)));
    }
    assert!(store.delete(&ids[0]).await.unwrap().is_some());
    assert_eq!(kinds(&store).await, [None; 5]);
}

/// memcached does not report evictions. For a client, an evicted item is the same as a deleted one.
#[tokio::test]
async fn evicted_session_is_missing() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let evict = format!("delete {}\r\n", key(&id));
    assert_eq!(RawClient::new(shared()).send(evict.as_bytes()), "DELETED");
    assert_eq!(stored(&store, &id).await, None);
    assert_eq!(store.update(&id, &set("name", "other"), Some(HOUR)).await.unwrap(), Update::Ended);
    assert_eq!(touch(&store, &id, HOUR).await, Update::Ended);
    assert_eq!(store.delete(&id).await.unwrap(), None);
    assert_eq!(store.create(&id, &record([]), HOUR).await.unwrap(), Creation::Created);
}
