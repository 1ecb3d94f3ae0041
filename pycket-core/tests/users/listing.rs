use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, MemoryStore, Outcome, Record, Session, SessionId,
    SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{ManualClock, PausingStore, Task, every_order};

use crate::now::now;
use crate::{DAY, at, handles, is_live, manager, open, over, signed_in};

#[tokio::test]
async fn a_listed_session_says_what_it_is() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let old = manager.open(None).await.unwrap();
    old.log_in_labelled("ann", "Firefox").unwrap();
    old.commit().await.unwrap();
    let old_time = pycket_core::Clock::now(&clock);

    clock.advance(Duration::from_secs(60));
    let new = signed_in(&manager, "ann").await;
    let new_time = pycket_core::Clock::now(&clock);
    clock.advance(Duration::from_secs(60));
    let used = open(&manager, old.id()).await;
    used.set("cart", &3).unwrap();
    used.commit().await.unwrap();
    let used_time = pycket_core::Clock::now(&clock);
    clock.advance(Duration::from_secs(60));

    let sessions = new.user_sessions().unwrap();
    assert_eq!(sessions.user_id(), "ann");
    let [first, second] = &sessions.sessions().await.unwrap()[..] else { panic!() };
    assert_eq!((first.handle, first.is_current), (new.handle().unwrap(), true));
    assert_eq!((first.signed_in_at, first.last_renewed), (new_time, new_time));
    assert_eq!(first.label, None);
    assert_eq!((second.handle, second.is_current), (old.handle().unwrap(), false));
    assert_eq!((second.signed_in_at, second.last_renewed), (old_time, used_time));
    assert_eq!(second.label.as_deref(), Some("Firefox"));

    let of_manager = manager.user("ann").unwrap().sessions().await.unwrap();
    assert!(of_manager.iter().all(|session| !session.is_current));
}

#[tokio::test]
async fn the_handle_stays_when_the_id_changes() {
    let manager = manager();
    let session = signed_in(&manager, "ann").await;
    let handle = session.handle().unwrap();
    let mut ids = vec![session.id().unwrap()];
    for turn in 0..20 {
        let session = open(&manager, ids.last().copied()).await;
        match turn % 3 {
            0 => session.cycle_id(),
            1 => session.restart_timeouts(),
            _ => session.log_in("ann").unwrap(),
        }
        session.commit().await.unwrap();
        ids.push(session.id().unwrap());
        assert_eq!(session.handle(), Some(handle));
        assert_eq!(handles(&manager, "ann").await, [handle]);
    }
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 1);
    for id in ids {
        assert!(open(&manager, Some(id)).await.is_new());
    }
}

#[tokio::test]
async fn a_session_that_expired_is_not_listed() {
    let clock = ManualClock::new();
    let (store, builder) = at(&clock);
    let manager = builder.build().unwrap();
    signed_in(&manager, "ann").await;
    clock.advance(DAY / 2);
    let second = signed_in(&manager, "ann").await;
    clock.advance(DAY / 2 + Duration::from_secs(1));
    assert_eq!(handles(&manager, "ann").await, [second.handle().unwrap()]);
    clock.advance(DAY);
    assert!(handles(&manager, "ann").await.is_empty());
    // Each create removes expired records.
    for _ in 0..200 {
        manager.open(None).await.unwrap().set("x", &1).unwrap();
    }
    assert!(store.len() <= 3);
}

#[tokio::test]
async fn a_session_that_is_in_use_stays_listed() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let session = signed_in(&manager, "ann").await;
    for hour in 0..400_u32 {
        clock.advance(Duration::from_secs(3600));
        let session = open(&manager, session.id()).await;
        match hour % 2 {
            0 => {
                session.set("hour", &hour).unwrap();
                session.commit().await.unwrap();
            }
            _ => {
                session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
            }
        }
        if hour % 7 == 0 {
            assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()], "{hour}");
        }
    }
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 1);
    assert!(open(&manager, session.id()).await.is_new());
}

#[tokio::test]
async fn a_session_that_changes_its_id_is_listed_as_long_as_it_is_live() {
    let clock = ManualClock::new();
    let manager = at(&clock).1.build().unwrap();
    let session = signed_in(&manager, "ann").await;
    clock.advance(DAY / 2);
    session.cycle_id();
    session.commit().await.unwrap();
    clock.advance(DAY / 5 * 4);
    let newer = signed_in(&manager, "ann").await;
    assert!(is_live(&manager, &session).await);
    let both = [newer, session].map(|session| session.handle().unwrap());
    assert_eq!(handles(&manager, "ann").await, both);
}

#[tokio::test]
async fn users_and_namespaces_do_not_meet() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let one = builder.clone().user_namespace("one").build().unwrap();
    let two = builder.clone().user_namespace("two").build().unwrap();
    let neither = builder.build().unwrap();
    let [first, second] = [signed_in(&one, "1").await, signed_in(&two, "1").await];
    let third = signed_in(&one, "2").await;
    assert_eq!(handles(&one, "1").await, [first.handle().unwrap()]);
    assert_eq!(handles(&two, "1").await, [second.handle().unwrap()]);
    assert!(handles(&neither, "1").await.is_empty());
    assert!(handles(&neither, "one1").await.is_empty());
    one.user("1").unwrap().end_all().await.unwrap();
    assert!(open(&one, first.id()).await.is_new());
    assert!(!open(&two, second.id()).await.is_new());
    assert!(!open(&one, third.id()).await.is_new());
}

#[tokio::test]
async fn twenty_sessions_are_listed_the_newest_sign_in_first() {
    let manager = manager();
    let mut expected = Vec::new();
    for _ in 0..20 {
        expected.insert(0, signed_in(&manager, "ann").await.handle().unwrap());
    }
    assert_eq!(handles(&manager, "ann").await, expected);
}

#[test]
fn in_every_order_a_session_that_changes_its_id_is_listed() {
    let setup = || {
        let store = Arc::new(MemoryStore::new());
        let session = now(signed_in(&over(store.clone()), "ann"));
        (over(Arc::new(PausingStore::new(store))), session)
    };
    let tasks = |(manager, session): &(SessionManager, Session)| {
        let (listing, rotating) = (manager.clone(), manager.clone());
        let (id, handle) = (session.id(), session.handle().unwrap());
        let list: Task =
            Box::pin(async move { assert_eq!(handles(&listing, "ann").await, [handle]) });
        let rotate: Task = Box::pin(async move {
            let session = open(&rotating, id).await;
            session.cycle_id();
            assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
        });
        vec![list, rotate]
    };
    every_order(setup, tasks, |_| {});
}

/// A store that cannot read one of its records.
#[derive(Debug, Default)]
struct OneUnreadable {
    inner: MemoryStore,
    id: OnceLock<SessionId>,
}

#[async_trait::async_trait]
impl SessionStore for OneUnreadable {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        match self.id.get() == Some(id) {
            true => Err(Error::new(ErrorKind::Corrupt, "the record is of an unknown version")),
            false => self.inner.load(id).await,
        }
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.inner.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.inner.delete(id).await
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_hides_no_other() {
    let store = Arc::new(OneUnreadable::default());
    let manager = over(store.clone());
    let unreadable = signed_in(&manager, "ann").await;
    let other = signed_in(&manager, "ann").await;
    store.id.set(unreadable.id().unwrap()).unwrap();
    assert_eq!(handles(&manager, "ann").await, [other.handle().unwrap()]);
}
