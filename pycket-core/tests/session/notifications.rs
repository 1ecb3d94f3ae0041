use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    ErrorKind, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager, SessionStore,
};
use pycket_testkit::{Calls, CountingStore, Fault, FaultyStore, ManualClock};

use crate::{manager as without_notifications, open, over, stored};

const HOUR: Duration = Duration::from_secs(3_600);

fn with(notices: Arc<dyn SessionStore>) -> SessionManager {
    over(Arc::new(MemoryStore::new())).to_builder().notifications(notices).build().unwrap()
}

fn manager() -> SessionManager {
    with(Arc::new(MemoryStore::new()))
}

/// All on one clock.
fn timed() -> (ManualClock, SessionManager, Arc<MemoryStore>) {
    let clock = ManualClock::new();
    let store = || Arc::new(MemoryStore::builder().clock(clock.clone()).build().unwrap());
    let notices = store();
    let manager = over(store()).to_builder().notifications(notices.clone()).build().unwrap();
    (clock.clone(), manager.to_builder().clock(clock).build().unwrap(), notices)
}

pub(crate) async fn notified(manager: &SessionManager, name: &str, text: &str) -> SessionId {
    let session = manager.open(None).await.unwrap();
    session.notifications().set(name, text).unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

pub(crate) async fn read(session: &Session, name: &str) -> Option<String> {
    session.notifications().get(name).await.unwrap()
}

#[tokio::test]
async fn get_hands_a_value_out_once_and_the_record_stays() {
    let notices = Arc::new(MemoryStore::new());
    let manager = with(notices.clone());
    let id = notified(&manager, "info", "saved").await;
    assert_eq!(read(&open(&manager, id).await, "info").await.as_deref(), Some("saved"));
    assert_eq!(read(&open(&manager, id).await, "info").await, None);
    assert_eq!(notices.len(), 1);
}

#[tokio::test]
async fn setting_a_notification_begins_a_session() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(session.id_change(), IdChange::Issued(session.id().unwrap()));
    assert!(!open(&manager, session.id().unwrap()).await.is_new());
}

#[tokio::test]
async fn a_session_ends_no_earlier_than_the_notifications_that_belong_to_it() {
    let (clock, manager, notices) = timed();
    let id = notified(&manager, "info", "saved").await;
    clock.advance(HOUR * 23);
    let session = open(&manager, id).await;
    session.notifications().set("more", "sent").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(session.expires_in(), Some(HOUR * 24));
    assert_eq!(session.id_change(), IdChange::Renewed(id));
    clock.advance(HOUR * 23);
    assert_eq!(read(&open(&manager, id).await, "more").await.as_deref(), Some("sent"));
    assert_eq!(notices.len(), 1);
}

#[tokio::test]
async fn what_is_left_after_the_session_has_ended_is_gone_and_nothing_stays() {
    for had_some in [true, false] {
        let (_, manager, notices) = timed();
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
        assert!(notices.is_empty());
    }
}

#[tokio::test]
async fn a_session_that_has_ended_hands_out_nothing_that_it_has_seen_before() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let late = open(&manager, id).await;
    assert!(late.notifications().contains("info").await.unwrap());
    let logout = open(&manager, id).await;
    assert_eq!(read(&logout, "info").await.as_deref(), Some("saved"));
    logout.destroy();
    logout.commit().await.unwrap();
    late.set("seen", &true).unwrap();
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert_eq!(read(&late, "info").await, None);
}

#[tokio::test]
async fn what_a_request_sets_it_may_read_and_then_nobody_else() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    assert_eq!(session.notifications().peek::<String>("info").await.unwrap().unwrap(), "saved");
    assert_eq!(read(&session, "info").await.as_deref(), Some("saved"));
    assert_eq!(read(&session, "info").await, None);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn reading_what_the_request_itself_overwrote_takes_the_old_one_too() {
    let manager = manager();
    let id = notified(&manager, "info", "old").await;
    let session = open(&manager, id).await;
    session.notifications().set("info", "new").unwrap();
    assert_eq!(read(&session, "info").await.as_deref(), Some("new"));
    session.commit().await.unwrap();
    assert_eq!(read(&open(&manager, id).await, "info").await, None);
}

#[tokio::test]
async fn setting_a_name_again_overwrites() {
    let manager = manager();
    let id = notified(&manager, "info", "old").await;
    let session = open(&manager, id).await;
    session.notifications().set("info", "new").unwrap();
    session.commit().await.unwrap();
    assert_eq!(read(&open(&manager, id).await, "info").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn peek_contains_and_keys_consume_nothing() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let session = open(&manager, id).await;
    let notices = session.notifications();
    assert_eq!(notices.keys().await.unwrap(), ["info"]);
    assert!(notices.contains("info").await.unwrap());
    assert!(!notices.contains("nothing").await.unwrap());
    assert_eq!(notices.peek::<String>("info").await.unwrap().as_deref(), Some("saved"));
    session.commit().await.unwrap();
    assert_eq!(read(&open(&manager, id).await, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn require_consumes_and_then_is_a_key_error() {
    let manager = manager();
    let session = open(&manager, notified(&manager, "info", "saved").await).await;
    let notices = session.notifications();
    assert_eq!(notices.require::<String>("info").await.unwrap(), "saved");
    let error = notices.require::<String>("info").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyNotFound);
    assert_eq!(error.to_string(), "`info` not found in notifications");
    assert_eq!(notices.get_or("info", "nothing".to_owned()).await.unwrap(), "nothing");
}

#[tokio::test]
async fn a_stored_none_is_handed_out_once_too() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", &None::<String>).unwrap();
    session.commit().await.unwrap();
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(next.notifications().require::<Option<String>>("info").await.unwrap(), None);
    assert!(!next.notifications().contains("info").await.unwrap());
}

#[tokio::test]
async fn drain_hands_out_all_of_them() {
    let manager = manager();
    let id = notified(&manager, "b", "stored").await;
    let session = open(&manager, id).await;
    session.notifications().set("a", "set").unwrap();
    let drained = session.notifications().drain().await.unwrap();
    let names: Vec<_> = drained.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.notifications().keys().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_value_of_another_type_is_not_handed_out() {
    let manager = manager();
    let id = notified(&manager, "info", "saved").await;
    let error = open(&manager, id).await.notifications().get::<u32>("info").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(read(&open(&manager, id).await, "info").await.as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_session_value_and_a_notification_of_one_name_do_not_meet() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.set("info", "value").unwrap();
    session.notifications().set("info", "notice").unwrap();
    session.commit().await.unwrap();
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(read(&next, "info").await.as_deref(), Some("notice"));
    assert_eq!(next.require::<String>("info").unwrap(), "value");
}

#[tokio::test]
async fn notifications_move_with_the_id_and_end_with_the_session() {
    let notices = Arc::new(MemoryStore::new());
    let manager = with(notices.clone());
    let old = notified(&manager, "info", "saved").await;
    let session = open(&manager, old).await;
    session.cycle_id();
    session.notifications().set("more", "too").unwrap();
    session.commit().await.unwrap();
    let new = session.id().unwrap();
    assert!(notices.load(&old).await.unwrap().is_none());
    let next = open(&manager, new).await;
    assert_eq!(next.notifications().keys().await.unwrap(), ["info", "more"]);

    next.destroy();
    next.commit().await.unwrap();
    assert!(notices.is_empty());
}

#[tokio::test]
async fn a_failed_request_leaves_no_notification() {
    let notices = Arc::new(MemoryStore::new());
    let manager = with(notices.clone());
    let session = manager.open(None).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    session.abort().await.unwrap();
    assert!(notices.is_empty());
}

#[tokio::test]
async fn without_a_store_for_them_notifications_are_an_error_that_says_what_is_missing() {
    let session = without_notifications().open(None).await.unwrap();
    for error in [
        session.notifications().set("info", "saved").unwrap_err(),
        session.notifications().keys().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidSetting);
        assert!(error.to_string().contains("with_notifications"));
    }
}

#[tokio::test]
async fn a_notification_that_could_not_be_stored_is_kept_for_another_try() {
    for fault in [Fault::Before, Fault::Lost, Fault::After] {
        let notices = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let manager = with(notices.clone());
        let session = manager.open(None).await.unwrap();
        session.notifications().set("info", "saved").unwrap();
        notices.fail_nth(0, fault);
        let result = session.commit().await;
        assert_eq!(result.is_err(), fault == Fault::Before, "{fault:?}");
        session.commit().await.unwrap();
        let next = open(&manager, session.id().unwrap()).await;
        assert_eq!(read(&next, "info").await.as_deref(), Some("saved"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_never_hands_a_value_out_twice() {
    let notices = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = with(notices.clone());
    let id = notified(&manager, "info", "saved").await;
    // The load, then the update.
    notices.fail_nth(1, Fault::After);
    let first = open(&manager, id).await.notifications().get::<String>("info").await;
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(read(&open(&manager, id).await, "info").await, None);
}

#[tokio::test]
async fn whoever_uses_none_pays_nothing_and_a_read_costs_one_or_two_calls() {
    let notices = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let manager = with(notices.clone());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    assert_eq!(notices.take(), Calls::default());

    let absent = open(&manager, id).await;
    assert_eq!(read(&absent, "info").await, None);
    assert_eq!(read(&absent, "more").await, None);
    absent.commit().await.unwrap();
    assert_eq!(notices.take(), Calls { load: 1, ..Calls::default() });

    let setter = open(&manager, id).await;
    setter.notifications().set("info", "saved").unwrap();
    setter.commit().await.unwrap();
    notices.take();
    assert!(read(&open(&manager, id).await, "info").await.is_some());
    assert_eq!(notices.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_racing_requests_exactly_one_gets_the_value() {
    let manager = manager();
    for round in 0..200 {
        let id = notified(&manager, "info", &round.to_string()).await;
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let manager = manager.clone();
                tokio::spawn(async move { read(&open(&manager, id).await, "info").await })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            winners += usize::from(racer.await.unwrap().is_some());
        }
        assert_eq!(winners, 1, "in round {round}");
    }
}
