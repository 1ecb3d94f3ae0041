//! The table of store calls per request: see "Round trips" in the README.

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Clock, Expiry, MemoryStore, Renew, Session, SessionId, SessionManager};
use pycket_testkit::{Calls, CountingStore, ManualClock};

use crate::{open, over, stored};

async fn counted() -> (Arc<CountingStore>, SessionManager, SessionId) {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    store.take();
    (store, manager, id)
}

#[tokio::test]
async fn a_client_without_a_session_that_stores_nothing_costs_no_call() {
    let (store, manager, _) = counted().await;
    let session = manager.open(None).await.unwrap();
    session.get::<u8>("user").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls::default());
}

#[tokio::test]
async fn a_read_costs_one_load() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.get::<String>("user").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn the_first_write_of_a_client_costs_one_create() {
    let (store, manager, _) = counted().await;
    stored(&manager).await;
    assert_eq!(store.take(), Calls { create: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_write_costs_a_load_and_an_update() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test]
async fn an_atomic_change_costs_no_more_than_a_write() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.take::<String>("user").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test]
async fn an_atomic_change_that_fails_or_changes_nothing_costs_another_load() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.take::<String>("nothing").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 2, ..Calls::default() });
    assert!(session.take::<u8>("user").await.is_err());
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn setting_what_is_already_there_costs_no_more_than_a_read() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.set("user", "bob").unwrap();
    session.set("user", "ann").unwrap();
    session.delete(["nothing"]);
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_login_costs_a_load_a_create_and_a_delete() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.cycle_id();
    session.set("user", "bob").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, create: 1, delete: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_logout_costs_a_load_and_a_delete() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, delete: 1, ..Calls::default() });
}

#[tokio::test]
async fn reading_with_renewal_writes_at_most_ten_times_per_idle_timeout() {
    let clock = ManualClock::new();
    let clock_of_all: Arc<dyn Clock> = Arc::new(clock.clone());
    let memory = MemoryStore::builder().clock(clock_of_all.clone()).build().unwrap();
    let store = Arc::new(CountingStore::new(Arc::new(memory)));
    let expiry = Expiry::builder()
        .idle_timeout(Duration::from_secs(1000))
        .renew(Renew::OnAccess)
        .build()
        .unwrap();
    let manager =
        over(store.clone()).to_builder().expiry(expiry).clock(clock_of_all).build().unwrap();
    let id = stored(&manager).await;
    store.take();

    for _ in 0..1000 {
        clock.advance(Duration::from_secs(1));
        let session = open(&manager, id).await;
        assert!(session.contains("user"));
        session.commit().await.unwrap();
    }
    assert_eq!(store.take(), Calls { load: 1000, update: 10, ..Calls::default() });
}

/// One session, its calls to the store of the sessions, and those to the store of the notifications.
struct Site {
    sessions: Arc<CountingStore>,
    notifications: Arc<CountingStore>,
    manager: SessionManager,
    id: SessionId,
}

impl Site {
    async fn new() -> Self {
        let (sessions, manager, id) = counted().await;
        let notifications = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
        let manager = manager.to_builder().notifications(notifications.clone()).build().unwrap();
        Self { sessions, notifications, manager, id }
    }

    /// The calls of a request that does this.
    async fn calls(&self, work: impl AsyncFnOnce(&Session)) -> (Calls, Calls) {
        let session = open(&self.manager, self.id).await;
        work(&session).await;
        session.commit().await.unwrap();
        (self.sessions.take(), self.notifications.take())
    }
}

const NONE: Calls = Calls { create: 0, load: 0, update: 0, delete: 0 };
const READ: Calls = Calls { load: 1, ..NONE };
const WRITE: Calls = Calls { load: 1, update: 1, ..NONE };

async fn leave(session: &Session) {
    session.notifications().push("info", "saved").unwrap();
}

#[tokio::test]
async fn a_page_without_unread_notifications_costs_no_further_call() {
    let site = Site::new().await;
    let page = async |session: &Session| {
        assert!(!session.notifications().contains("info"));
        assert!(session.notifications().get::<String>("info").await.unwrap().is_none());
        assert!(session.notifications().drain().await.unwrap().is_empty());
    };
    assert_eq!(site.calls(page).await, (READ, NONE));
}

#[tokio::test]
async fn leaving_a_notification_costs_one_create_beside_the_write() {
    let site = Site::new().await;
    let created = Calls { create: 1, ..NONE };
    assert_eq!(site.calls(leave).await, (WRITE, created));
    assert_eq!(site.calls(leave).await, (WRITE, created));
    let with_a_value = async |session: &Session| {
        session.set("age", &30).unwrap();
        leave(session).await;
    };
    assert_eq!(site.calls(with_a_value).await, (WRITE, created));
    let replacing = async |session: &Session| {
        session.notifications().set("info", "instead").unwrap();
    };
    assert_eq!(site.calls(replacing).await, (WRITE, Calls { create: 1, delete: 3, ..NONE }));

    let first = site.manager.open(None).await.unwrap();
    leave(&first).await;
    first.commit().await.unwrap();
    assert_eq!((site.sessions.take(), site.notifications.take()), (created, created));
}

#[tokio::test]
async fn handing_a_notification_out_costs_one_delete_beside_the_write() {
    let site = Site::new().await;
    for _ in 0..3 {
        site.calls(leave).await;
    }
    let peek = async |session: &Session| {
        session.notifications().peek::<String>("info").await.unwrap();
    };
    assert_eq!(site.calls(peek).await, (READ, READ));
    let get = async |session: &Session| {
        assert!(session.notifications().get::<String>("info").await.unwrap().is_some());
    };
    assert_eq!(site.calls(get).await, (WRITE, Calls { delete: 1, ..NONE }));
    let drain = async |session: &Session| {
        assert_eq!(session.notifications().drain().await.unwrap().len(), 2);
    };
    assert_eq!(site.calls(drain).await, (WRITE, Calls { delete: 2, ..NONE }));
}

#[tokio::test]
async fn a_login_costs_the_same_with_unread_notifications() {
    let site = Site::new().await;
    site.calls(leave).await;
    let login = async |session: &Session| session.cycle_id();
    assert_eq!(site.calls(login).await, (Calls { load: 1, create: 1, delete: 1, ..NONE }, NONE));
}

#[tokio::test]
async fn a_logout_costs_one_delete_per_unread_notification() {
    let site = Site::new().await;
    site.calls(leave).await;
    site.calls(leave).await;
    let logout = async |session: &Session| session.destroy();
    let ended = Calls { load: 1, delete: 1, ..NONE };
    assert_eq!(site.calls(logout).await, (ended, Calls { delete: 2, ..NONE }));
}
