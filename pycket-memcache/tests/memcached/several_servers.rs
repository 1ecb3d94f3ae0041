//! Several servers share the keys.

use crate::*;

const RECORDS: usize = 60;

fn three() -> [Server; 3] {
    [(); 3].map(|()| Server::memcached())
}

async fn put_many(store: &MemcacheStore) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for _ in 0..RECORDS {
        ids.push(put(store, &record([("name", "value")])).await);
    }
    ids
}

fn has(server: &Server, id: &SessionId) -> bool {
    RawClient::new(server).get(&key(id)).is_some()
}

#[tokio::test]
async fn records_spread_over_all_servers_and_each_is_stored_once() {
    let servers = three();
    let ids = put_many(&builder(&servers).build().unwrap()).await;
    let shares = servers.each_ref().map(|server| ids.iter().filter(|id| has(server, id)).count());
    assert_eq!(shares.iter().sum::<usize>(), RECORDS);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[tokio::test]
async fn order_of_the_server_list_does_not_matter() {
    let servers = three();
    let ids = put_many(&builder(&servers).build().unwrap()).await;
    let other = builder(servers.iter().rev()).build().unwrap();
    for id in ids {
        assert!(stored(&other, &id).await.is_some());
    }
}

/// If a record moved, its old content would come back together with its server.
#[tokio::test]
async fn server_that_is_down_fails_only_its_keys_and_they_do_not_move() {
    let servers = three();
    let store = builder(&servers).build().unwrap();
    let ids = put_many(&store).await;
    let (lost, kept): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| has(&servers[1], id));
    assert!(!lost.is_empty() && !kept.is_empty());
    servers[1].kill();
    for id in &lost {
        assert_eq!(store.load(id).await.unwrap_err().kind(), ErrorKind::Unavailable);
        for answer in [
            store.update(id, &set("name", "other"), None).await.map(drop),
            store.update(id, &Changes::new(), Some(HOUR)).await.map(drop),
            store.create(id, &record([]), HOUR).await.map(drop),
            store.delete(id).await.map(drop),
        ] {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unavailable);
        }
        assert!(!has(&servers[0], id) && !has(&servers[2], id));
    }
    for id in &kept {
        assert_eq!(store.update(id, &set("name", "other"), None).await.unwrap(), Update::Applied);
        assert_eq!(stored(&store, id).await, Some(record([("name", "other")])));
    }
    servers[1].restart();
    for id in &lost {
        assert_eq!(stored(&store, id).await, None);
        assert_eq!(store.create(id, &record([]), HOUR).await.unwrap(), Creation::Created);
        assert!(has(&servers[1], id));
    }
    for id in &kept {
        assert_eq!(stored(&store, id).await, Some(record([("name", "other")])));
    }
}

#[tokio::test]
async fn name_that_does_not_resolve_fails_only_its_keys() {
    // Too long for a name, so no name server is asked.
    let (server, unknown) = (shared().address().to_string(), "a".repeat(64));
    let store = MemcacheStore::builder().servers([server, unknown]).build().unwrap();
    let mut answers = [0, 0];
    for _ in 0..RECORDS {
        match store.load(&SessionId::generate()).await {
            Ok(None) => answers[0] += 1,
            answer => {
                assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unavailable);
                answers[1] += 1;
            }
        }
    }
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
}
