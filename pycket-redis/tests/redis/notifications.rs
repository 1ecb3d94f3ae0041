//! Notifications are read once, by whichever server of the application.

use std::sync::Barrier;

use pycket_testkit::block_on;

use crate::*;

/// One server of the application, with connections of its own.
fn site(server: &Server) -> SessionManager {
    let (sessions, notifications) = patient(server).build_with_notifications().unwrap();
    manager(sessions).to_builder().notifications(notifications).build().unwrap()
}

async fn notified(site: &SessionManager, name: &str, text: &str) -> SessionId {
    let session = site.open(None).await.unwrap();
    session.notifications().set(name, text).unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

async fn read(site: &SessionManager, id: SessionId, name: &str) -> Option<String> {
    open(site, id).await.notifications().get(name).await.unwrap()
}

#[tokio::test]
async fn notification_is_read_once_by_another_server_after_a_redirect() {
    let (one, two) = (site(shared()), site(shared()));
    let id = notified(&one, "info", "Saved.").await;
    assert_eq!(read(&two, id, "info").await.as_deref(), Some("Saved."));
    assert_eq!(read(&one, id, "info").await, None);
    assert_eq!(read(&two, id, "info").await, None);
}

/// Two servers, each a thread with its own runtime, begin every round at the same time.
#[test]
fn notification_that_two_servers_race_for_has_one_winner() {
    const ROUNDS: usize = 1000;
    let start = Barrier::new(2);
    let ids: Vec<SessionId> = block_on(async {
        let site = site(shared());
        let mut ids = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            ids.push(notified(&site, "info", &round.to_string()).await);
        }
        ids
    });
    let server = || {
        let site = site(shared());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let round = |id: &SessionId| {
            let session = runtime.block_on(open(&site, *id));
            start.wait();
            runtime.block_on(session.notifications().get::<String>("info")).unwrap()
        };
        ids.iter().map(round).collect::<Vec<_>>()
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(server);
        (server(), other.join().unwrap())
    });
    for (round, got) in one.into_iter().zip(two).enumerate() {
        let text = round.to_string();
        let winners = [got.0, got.1].into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(winners, [text]);
    }
}

#[tokio::test]
async fn notification_is_a_record_in_database_1_with_its_own_id() {
    let server = Server::redis();
    let id = notified(&site(&server), "info", "Saved.").await;
    let mut operator = operator(&server);
    let keys: Vec<String> = run(&mut operator, "KEYS *");
    assert_eq!(keys, [key(&id)]);
    let () = run(&mut operator, "SELECT 1");
    let keys: Vec<String> = run(&mut operator, "KEYS *");
    let [notification] = &keys[..] else { panic!("{} keys", keys.len()) };
    assert!(notification.starts_with("pycket:notifications:"));
    assert!(!notification.ends_with(&key(&id)["pycket:".len()..]));
}

#[tokio::test]
async fn read_notification_is_deleted_from_the_server() {
    let server = Server::redis();
    let site = site(&server);
    let id = notified(&site, "info", "Saved.").await;
    let mut operator = operator(&server);
    let () = run(&mut operator, "SELECT 1");
    assert_eq!(run::<usize>(&mut operator, "DBSIZE"), 1);
    assert!(read(&site, id, "info").await.is_some());
    assert_eq!(run::<usize>(&mut operator, "DBSIZE"), 0);
}

#[tokio::test]
async fn reading_a_missing_notification_writes_nothing() {
    let server = Server::redis();
    let site = site(&server);
    let id = put(&store(&server), &record([])).await;
    let session = open(&site, id).await;
    let notices = session.notifications();
    assert_eq!(notices.get_or("info", 7).await.unwrap(), 7);
    assert!(notices.require::<u8>("info").await.is_err());
    assert!(!notices.contains("info"));
    assert!(notices.keys().is_empty());
    session.commit().await.unwrap();
    let mut operator = operator(&server);
    let () = run(&mut operator, "SELECT 1");
    assert_eq!(run::<usize>(&mut operator, "DBSIZE"), 0);
}
