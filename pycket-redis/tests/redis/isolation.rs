//! Applications and datasets that share one server.

use crate::*;

#[tokio::test]
async fn prefixes_are_isolated_from_each_other() {
    let one = patient(shared()).prefix("one:").build().unwrap();
    let two = patient(shared()).prefix("two:").build().unwrap();
    apart(&one, &two).await;
}

#[tokio::test]
async fn databases_are_isolated_from_each_other() {
    let one = patient(shared()).db_sessions(0).build().unwrap();
    let two = patient(shared()).db_sessions(1).build().unwrap();
    apart(&one, &two).await;
}

async fn apart(one: &RedisStore, two: &RedisStore) {
    let id = put(one, &record([("of", "one")])).await;
    assert_eq!(stored(two, &id).await, None);
    assert_eq!(two.update(&id, &set("of", "two"), None).await.unwrap(), pycket_core::Update::Ended);
    assert_eq!(two.delete(&id).await.unwrap(), None);
    let created = two.create(&id, &record([("of", "two")]), HOUR).await;
    assert_eq!(created.unwrap(), pycket_core::Creation::Created);
    assert_eq!(stored(one, &id).await, Some(record([("of", "one")])));
    assert_eq!(stored(two, &id).await, Some(record([("of", "two")])));
}

#[tokio::test]
async fn database_setting_selects_the_database() {
    let in_url = format!("{}/4", shared().url());
    for (builder, database) in [
        (patient(shared()), 0),
        (patient(shared()).db_sessions(3), 3),
        (RedisStore::builder(&in_url), 4),
        (RedisStore::builder(&in_url).db_sessions(3), 3),
        (RedisStore::builder(&in_url).db_sessions(0), 0),
    ] {
        let store = builder.max_connections(2).build().unwrap();
        for _ in 0..2 {
            let id = put(&store, &record([])).await;
            let mut operator = operator(shared());
            let () = run(&mut operator, &format!("SELECT {database}"));
            assert_eq!(run::<u32>(&mut operator, &format!("EXISTS {}", key(&id))), 1, "{database}");
        }
    }
}

#[tokio::test]
async fn key_is_prefix_and_id_in_base64url() {
    let server = Server::redis();
    let id = "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f".parse().unwrap();
    for prefix in ["pycket:", "shop/", ""] {
        let builder = patient(&server).prefix(prefix).db_notifications(0);
        let (sessions, notifications) = builder.build_with_notifications().unwrap();
        for store in [sessions, notifications] {
            let created = store.create(&id, &record([]), HOUR).await;
            assert_eq!(created.unwrap(), pycket_core::Creation::Created);
        }
    }
    let mut keys: Vec<String> = run(&mut operator(&server), "KEYS *");
    keys.sort();
    let expected = [
        "AZOzpHweTSqfAFobLD1OXw",
        "notifications:AZOzpHweTSqfAFobLD1OXw",
        "pycket:AZOzpHweTSqfAFobLD1OXw",
        "pycket:notifications:AZOzpHweTSqfAFobLD1OXw",
        "shop/AZOzpHweTSqfAFobLD1OXw",
        "shop/notifications:AZOzpHweTSqfAFobLD1OXw",
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn sessions_and_notifications_in_one_database_are_separate() {
    for database in [0, 1] {
        let builder = patient(shared()).db_notifications(database);
        let (sessions, notifications) = builder.build_with_notifications().unwrap();
        apart(&sessions, &notifications).await;
    }
}
