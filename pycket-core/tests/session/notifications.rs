use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Clock, ErrorKind, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager,
    SessionStore,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::{manager, open, over, stored};

const HOUR: Duration = Duration::from_secs(3_600);

/// Sessions in one store and notifications in another.
fn with(notifications: Arc<dyn SessionStore>) -> SessionManager {
    SessionManager::builder(MemoryStore::new()).notifications(notifications).build().unwrap()
}

pub(crate) async fn notified(manager: &SessionManager, name: &str, text: &str) -> SessionId {
    let session = manager.open(None).await.unwrap();
    session.notifications().set(name, text).unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

/// Reads one in a request of its own.
async fn read(manager: &SessionManager, id: SessionId, name: &str) -> Option<String> {
    let session = open(manager, id).await;
    let text = get(&session, name).await;
    session.commit().await.unwrap();
    text
}

pub(crate) async fn get(session: &Session, name: &str) -> Option<String> {
    session.notifications().get(name).await.unwrap()
}

async fn drain(session: &Session) -> Vec<(String, String)> {
    let drained = session.notifications().drain().await.unwrap();
    drained.into_iter().map(|(name, value)| (name, value.decode().unwrap())).collect()
}

#[tokio::test]
async fn get_hands_a_notification_out_once_and_the_session_stays() {
    let notifications = Arc::new(MemoryStore::new());
    let manager = with(notifications.clone());
    let id = notified(&manager, "info", "saved").await;
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("saved"));
    assert_eq!(read(&manager, id, "info").await, None);
    assert!(notifications.is_empty());
    assert!(!open(&manager, id).await.is_new());
}

#[tokio::test]
async fn notifications_work_without_configuration() {
    let store = Arc::new(MemoryStore::new());
    let manager = SessionManager::new(store.clone());
    let id = notified(&manager, "info", "saved").await;
    assert_eq!(store.len(), 2);
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("saved"));
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn leaving_a_notification_creates_a_session() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(session.id_change(), IdChange::Issued(session.id().unwrap()));
    assert!(!open(&manager, session.id().unwrap()).await.is_new());
}

#[tokio::test]
async fn leaving_a_notification_renews_the_session() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let manager = SessionManager::builder(store).clock(clock.clone()).build().unwrap();
    let id = notified(&manager, "info", "saved").await;
    clock.advance(HOUR * 23);
    let session = open(&manager, id).await;
    session.notifications().set("more", "sent").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(session.expires_in(), Some(HOUR * 24));
    assert_eq!(session.id_change(), IdChange::Renewed(id));
    clock.advance(HOUR * 23);
    assert_eq!(read(&manager, id, "more").await.as_deref(), Some("sent"));
}

#[tokio::test]
async fn an_expired_notification_is_absent_and_its_pointer_is_removed() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let manager = SessionManager::builder(store).clock(clock.clone()).build().unwrap();
    let id = notified(&manager, "info", "saved").await;
    clock.advance(HOUR * 23);
    let session = open(&manager, id).await;
    session.set("renewed", &true).unwrap();
    session.commit().await.unwrap();
    clock.advance(HOUR * 2);
    let session = open(&manager, id).await;
    assert!(session.notifications().contains("info"), "only a read finds out");
    assert_eq!(get(&session, "info").await, None);
    assert!(!session.notifications().contains("info"));
    session.commit().await.unwrap();
    assert!(!open(&manager, id).await.notifications().contains("info"));
}

#[tokio::test]
async fn a_notification_of_an_ended_session_is_dropped_and_leaves_no_record() {
    for had_some in [true, false] {
        let notifications = Arc::new(MemoryStore::new());
        let manager = with(notifications.clone());
        let id = if had_some {
            notified(&manager, "info", "saved").await
        } else {
            stored(&manager).await
        };
        let late = open(&manager, id).await;
        let logout = open(&manager, id).await;
        logout.destroy();
        logout.commit().await.unwrap();
        late.notifications().set("more", "sent").unwrap();
        assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
        assert!(notifications.is_empty());
    }
}

#[tokio::test]
async fn a_notification_that_cannot_be_deleted_is_left_to_the_next_commit() {
    let notifications = Arc::new(MemoryStore::new());
    let faulty = Arc::new(FaultyStore::new(notifications.clone()));
    let manager = with(faulty.clone());
    let session = open(&manager, notified(&manager, "info", "saved").await).await;
    session.destroy();
    faulty.fail_nth(0, Fault::Before);
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(notifications.len(), 1);
    session.commit().await.unwrap();
    assert!(notifications.is_empty());
    let calls = faulty.calls();
    session.commit().await.unwrap();
    assert_eq!(faulty.calls(), calls);
}

#[tokio::test]
async fn an_ended_session_hands_nothing_out() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let late = open(&manager, id).await;
    assert!(late.notifications().contains("info"));
    let logout = open(&manager, id).await;
    assert_eq!(get(&logout, "info").await.as_deref(), Some("saved"));
    logout.destroy();
    logout.commit().await.unwrap();
    late.set("seen", &true).unwrap();
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert!(!late.notifications().contains("info"));
    assert_eq!(get(&late, "info").await, None);
}

#[tokio::test]
async fn a_request_can_read_what_it_left_and_then_no_other_can() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    assert_eq!(session.notifications().peek::<String>("info").await.unwrap().unwrap(), "saved");
    assert_eq!(get(&session, "info").await.as_deref(), Some("saved"));
    assert_eq!(get(&session, "info").await, None);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn set_replaces_the_unread_notifications_of_its_name() {
    let notifications = Arc::new(MemoryStore::new());
    let manager = with(notifications.clone());
    let id = notified(&manager, "info", "old").await;
    let session = open(&manager, id).await;
    session.notifications().push("info", "older").unwrap();
    session.notifications().set("info", "new").unwrap();
    session.commit().await.unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!(drain(&open(&manager, id).await).await, [("info".into(), "new".into())]);
}

#[tokio::test]
async fn reading_what_replaced_a_notification_removes_the_replaced_one_too() {
    let manager = manager();
    let id = notified(&manager, "info", "old").await;
    let session = open(&manager, id).await;
    session.notifications().set("info", "new").unwrap();
    assert_eq!(get(&session, "info").await.as_deref(), Some("new"));
    session.commit().await.unwrap();
    assert_eq!(read(&manager, id, "info").await, None);
}

#[tokio::test]
async fn a_replacement_that_is_not_committed_keeps_the_old_notification() {
    let manager = manager();
    let id = notified(&manager, "info", "old").await;
    let session = open(&manager, id).await;
    session.notifications().set("info", "new").unwrap();
    session.abort().await.unwrap();
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("old"));
}

#[tokio::test]
async fn push_adds_to_the_unread_ones_and_reading_keeps_their_order() {
    let manager = manager();
    let id = notified(&manager, "info", "1").await;
    let session = open(&manager, id).await;
    session.notifications().push("info", "2").unwrap();
    session.notifications().push("more", "3").unwrap();
    session.notifications().push("info", "4").unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.notifications().keys(), ["info", "more"]);
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("1"));
    let all = [("info", "2"), ("more", "3"), ("info", "4")].map(|(n, v)| (n.into(), v.into()));
    assert_eq!(drain(&open(&manager, id).await).await, all);
}

#[tokio::test]
async fn two_requests_that_push_one_name_leave_two_notifications() {
    let manager = manager();
    let id = stored(&manager).await;
    let (one, two) = (open(&manager, id).await, open(&manager, id).await);
    one.notifications().push("info", "one").unwrap();
    two.notifications().push("info", "two").unwrap();
    one.commit().await.unwrap();
    two.commit().await.unwrap();
    let mut texts: Vec<_> =
        drain(&open(&manager, id).await).await.into_iter().map(|(_, text)| text).collect();
    texts.sort();
    assert_eq!(texts, ["one", "two"]);
}

#[tokio::test]
async fn notifications_of_two_requests_keep_the_order_in_time() {
    let clock = ManualClock::new();
    let manager = SessionManager::builder(MemoryStore::new());
    let manager = manager.clock(Arc::new(clock.clone())).build().unwrap();
    let id = notified(&manager, "info", "first").await;
    let (early, late) = (open(&manager, id).await, open(&manager, id).await);
    for (session, text) in [(&early, "second"), (&early, "third"), (&late, "fourth")] {
        clock.advance(Duration::from_secs(1));
        session.notifications().push("info", text).unwrap();
    }
    late.commit().await.unwrap();
    early.commit().await.unwrap();
    let left = drain(&open(&manager, id).await).await;
    let texts: Vec<_> = left.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn the_65th_unread_notification_replaces_the_oldest() {
    let notifications = Arc::new(MemoryStore::new());
    let manager = with(notifications.clone());
    let id = stored(&manager).await;
    for round in 0..70 {
        let session = open(&manager, id).await;
        session.notifications().push("info", &round.to_string()).unwrap();
        session.commit().await.unwrap();
    }
    assert_eq!(notifications.len(), 64);
    let left = drain(&open(&manager, id).await).await;
    assert_eq!(left.len(), 64);
    assert_eq!(left.last().unwrap().1, "69");
}

#[tokio::test]
async fn peek_contains_and_keys_leave_a_notification_unread() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let session = open(&manager, id).await;
    let notifications = session.notifications();
    assert_eq!(notifications.keys(), ["info"]);
    assert!(notifications.contains("info"));
    assert!(!notifications.contains("nothing"));
    assert_eq!(notifications.peek::<String>("info").await.unwrap().as_deref(), Some("saved"));
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn require_hands_a_notification_out_and_then_is_a_key_error() {
    let manager = manager();
    let session = open(&manager, notified(&manager, "info", "saved").await).await;
    let notifications = session.notifications();
    assert_eq!(notifications.require::<String>("info").await.unwrap(), "saved");
    let error = notifications.require::<String>("info").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyNotFound);
    assert_eq!(error.to_string(), "`info` not found in notifications");
    assert_eq!(notifications.get_or("info", "nothing".to_owned()).await.unwrap(), "nothing");
}

#[tokio::test]
async fn a_stored_none_is_handed_out_once() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", &None::<String>).unwrap();
    session.commit().await.unwrap();
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(next.notifications().require::<Option<String>>("info").await.unwrap(), None);
    assert!(!next.notifications().contains("info"));
}

#[tokio::test]
async fn drain_hands_out_all_in_the_order_in_which_they_were_left() {
    let manager = manager();
    let id = notified(&manager, "b", "stored").await;
    let session = open(&manager, id).await;
    session.notifications().set("a", "new").unwrap();
    let all = [("b", "stored"), ("a", "new")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(drain(&session).await, all);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.notifications().keys(), [""; 0]);
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_and_stays_unread() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let session = open(&manager, id).await;
    let error = session.notifications().get::<u32>("info").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    session.abort().await.unwrap();
    assert_eq!(read(&manager, id, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_new_value_of_another_type_stays_unread_without_a_store_call() {
    let notifications = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = with(notifications.clone());
    let session = open(&manager, stored(&manager).await).await;
    session.notifications().set("info", "saved").unwrap();
    let error = session.notifications().get::<u32>("info").await.unwrap_err();
    assert_eq!((error.kind(), notifications.calls()), (ErrorKind::Decode, 0));
    assert_eq!(get(&session, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_session_value_and_a_notification_of_one_name_do_not_conflict() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.set("info", "value").unwrap();
    session.notifications().set("info", "notification").unwrap();
    session.commit().await.unwrap();
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(get(&next, "info").await.as_deref(), Some("notification"));
    assert_eq!(next.require::<String>("info").unwrap(), "value");
}

#[tokio::test]
async fn no_name_of_the_application_reaches_a_pointer() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let record = manager.open(Some(id)).await.unwrap();
    assert_eq!((record.len(), record.keys()), (0, Vec::new()));

    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let id = notified(&manager, "info", "saved").await;
    let stored = store.load(&id).await.unwrap().unwrap().record;
    let [pointer] = stored.names().collect::<Vec<_>>()[..] else { panic!("one pointer") };
    let session = open(&manager, id).await;
    assert_eq!(session.get::<String>(pointer).unwrap(), None);
    assert!(!session.contains(pointer) && session.is_empty() && session.iter().next().is_none());
    assert_eq!(session.delete([pointer]), [""; 0]);
    session.clear();
    assert_eq!(session.set(pointer, &1).unwrap_err().kind(), ErrorKind::InvalidName);
    let updated = session.update(pointer, |n: Option<u8>| n.unwrap_or(0)).await;
    assert_eq!(updated.unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(get(&session, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_pointer_is_a_reserved_name_with_name_time_and_sequence() {
    let clock = ManualClock::new();
    let (sessions, notifications) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let manager = SessionManager::builder(sessions.clone())
        .notifications(notifications.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let session = manager.open(None).await.unwrap();
    session.notifications().push("info", "first").unwrap();
    session.notifications().push("info", "second").unwrap();
    session.commit().await.unwrap();
    let record = sessions.load(&session.id().unwrap()).await.unwrap().unwrap().record;
    let mut texts = Vec::new();
    for (name, value) in record.iter() {
        let id = name.strip_prefix("\0pycket:n:").unwrap().parse().unwrap();
        let pointer: (String, u64, u32) = value.decode().unwrap();
        let stored = notifications.load(&id).await.unwrap().unwrap().record;
        let text: String = stored.get("info").unwrap().decode().unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!((pointer.0.as_str(), pointer.1), ("info", clock.now().unix_millis()));
        texts.push((pointer.2, text));
    }
    texts.sort();
    assert_eq!(texts, [(0, "first".to_owned()), (1, "second".to_owned())]);
}

#[tokio::test]
async fn notifications_move_with_the_id_and_end_with_the_session() {
    let notifications = Arc::new(MemoryStore::new());
    let manager = with(notifications.clone());
    let old = notified(&manager, "info", "saved").await;
    let session = open(&manager, old).await;
    session.cycle_id();
    session.notifications().set("more", "too").unwrap();
    session.commit().await.unwrap();
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(next.notifications().keys(), ["info", "more"]);
    assert_eq!(notifications.len(), 2);

    next.destroy();
    assert_eq!(next.notifications().keys(), [""; 0]);
    next.commit().await.unwrap();
    assert!(notifications.is_empty());
}

#[tokio::test]
async fn a_failed_request_leaves_no_notification() {
    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    session.abort().await.unwrap();
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_notification_that_could_not_be_stored_is_kept_for_the_next_commit() {
    for fault in [Fault::Before, Fault::Lost, Fault::After] {
        let notifications = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let manager = with(notifications.clone());
        let session = manager.open(None).await.unwrap();
        session.notifications().set("info", "saved").unwrap();
        notifications.fail_nth(0, fault);
        let result = session.commit().await;
        assert_eq!(result.is_err(), fault == Fault::Before, "{fault:?}");
        session.commit().await.unwrap();
        let id = session.id().unwrap();
        assert_eq!(read(&manager, id, "info").await.as_deref(), Some("saved"), "{fault:?}");
        assert_eq!(read(&manager, id, "info").await, None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_reply_never_hands_a_notification_out_twice() {
    let notifications = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = with(notifications.clone());
    let id = notified(&manager, "info", "saved").await;
    notifications.fail_nth(0, Fault::After);
    let first = open(&manager, id).await.notifications().get::<String>("info").await;
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(read(&manager, id, "info").await, None);
}

#[tokio::test]
async fn first_update_succeeds_while_notifications_cannot_be_deleted() {
    let notifications = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = with(notifications.clone());
    let session = open(&manager, notified(&manager, "info", "saved").await).await;
    notifications.take_down();
    session.destroy();
    assert_eq!(session.update("n", |n: Option<u8>| n.unwrap_or(0) + 1).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_racing_requests_exactly_one_gets_the_notification() {
    let manager = manager();
    for round in 0..200 {
        let id = notified(&manager, "info", &round.to_string()).await;
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let manager = manager.clone();
                tokio::spawn(async move { read(&manager, id, "info").await })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            winners += usize::from(racer.await.unwrap().is_some());
        }
        assert_eq!(winners, 1, "in round {round}");
    }
}
