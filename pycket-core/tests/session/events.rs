//! Events: each thing that happens to a session is emitted once.

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pycket_core::{Clock, Event, Expiry, MemoryStore, Renew, SessionManager};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::{manager, open, over, stored};

#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(crate) fn take(&self) -> Vec<Event> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

pub(crate) fn observed(manager: SessionManager) -> (SessionManager, Events) {
    let events = Events::default();
    let sink = events.clone();
    (manager.on_event(move |event| sink.0.lock().unwrap().push(event)), events)
}

#[tokio::test]
async fn create_rotation_and_destroy_emit_one_event_each() {
    let (manager, events) = observed(manager());
    let session = open(&manager, stored(&manager).await).await;
    assert_eq!(events.take(), [Event::Created]);
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    assert!(events.take().is_empty());
    session.cycle_id();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Rotated]);
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Destroyed]);
}

#[tokio::test]
async fn first_update_of_a_new_session_emits_created() {
    let (manager, events) = observed(manager());
    let session = manager.open(None).await.unwrap();
    for expected in [&[Event::Created][..], &[]] {
        session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
        assert_eq!(events.take(), expected);
    }
}

#[tokio::test]
async fn commit_to_an_ended_session_emits_ended() {
    let (manager, events) = observed(manager());
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("age", &30).unwrap();
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    events.take();
    late.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Ended]);
}

#[tokio::test]
async fn renewal_and_failed_renewal_emit_events() {
    let clock = ManualClock::new();
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let manager = over(store.clone()).to_builder().expiry(expiry).clock(shared).build().unwrap();
    let (manager, events) = observed(manager);
    let reader = open(&manager, stored(&manager).await).await;
    events.take();
    clock.advance(Duration::from_secs(12 * 3600));
    store.fail_nth(0, Fault::Before);
    reader.commit().await.unwrap();
    assert_eq!(events.take(), [Event::RenewalFailed]);
    reader.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Renewed]);
}
