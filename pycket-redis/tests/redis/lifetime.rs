//! How long the server keeps a session.

use crate::*;

const DAY: Duration = Duration::from_secs(86_400);

/// The remaining time, from the server.
fn left(operator: &mut redis::Connection, id: &SessionId) -> Duration {
    Duration::from_millis(run(operator, &format!("PTTL {}", key(id))))
}

#[tokio::test]
async fn session_expires_a_day_after_its_last_change_and_not_its_last_read() {
    const HOUR: Duration = Duration::from_secs(3600);
    let manager = manager(store(shared()));
    let mut operator = operator(shared());
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    assert!((DAY - HOUR..=DAY).contains(&left(&mut operator, &id)));

    // As if 23 hours had passed.
    let () = run(&mut operator, &format!("PEXPIRE {} {}", key(&id), HOUR.as_millis()));
    let reader = open(&manager, id).await;
    assert!(reader.contains("user") && reader.delete(["nothing"]).is_empty());
    reader.commit().await.unwrap();
    assert!(left(&mut operator, &id) <= HOUR);

    let writer = open(&manager, id).await;
    writer.set("age", &30).unwrap();
    writer.commit().await.unwrap();
    assert!((DAY - HOUR..=DAY).contains(&left(&mut operator, &id)));
}

#[tokio::test]
async fn evicted_record_is_an_empty_session() {
    let manager = manager(store(shared()));
    let id = put(&store(shared()), &record([("user", "ann")])).await;
    assert!(open(&manager, id).await.contains("user"));
    let () = run(&mut operator(shared()), &format!("PEXPIRE {} 0", key(&id)));
    let session = manager.open(Some(id)).await.unwrap();
    assert!(session.is_new() && session.is_empty());
}
