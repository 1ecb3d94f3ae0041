use std::mem;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use pycket_core::{Event, MemoryStore, SessionManager};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::watched::Watched;
use crate::{manager, open, over, signed_in};

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    fn of(manager: SessionManager) -> (SessionManager, Self) {
        let events = Self::default();
        let sink = events.clone();
        (manager.on_event(move |event| sink.0.lock().unwrap().push(event)), events)
    }

    fn take(&self) -> Vec<Event> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn sign_in_and_sign_out_emit_events_with_the_handle() {
    let (manager, events) = Events::of(manager());
    let session = signed_in(&manager, "ann").await;
    let ann = session.handle().unwrap();
    assert_eq!(events.take(), [Event::SignedIn(ann), Event::Created]);
    session.cycle_id();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Rotated]);
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::SignedIn(ann), Event::Rotated]);
    session.log_in("bob").unwrap();
    session.commit().await.unwrap();
    let bob = session.handle().unwrap();
    let changed = [Event::SignedIn(bob), Event::Destroyed, Event::SignedOut(ann), Event::Created];
    assert_eq!(events.take(), changed);
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Destroyed, Event::SignedOut(bob)]);
}

#[tokio::test]
async fn a_sign_out_after_an_eviction_emits_its_events() {
    let store = Arc::new(Watched::new(&ManualClock::new()));
    let (manager, events) = Events::of(over(store.clone()));
    let session = signed_in(&manager, "ann").await;
    store.evict().await;
    let ann = session.handle().unwrap();
    events.take();
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(events.take(), [Event::Destroyed, Event::SignedOut(ann)]);
}

#[tokio::test]
async fn sessions_ended_by_the_user_or_by_the_limit_emit_events() {
    let (manager, events) = Events::of(manager());
    let two = NonZeroUsize::new(2).unwrap();
    let manager = manager.to_builder().max_sessions_per_user(two).build().unwrap();
    let mut handles = Vec::new();
    for _ in 0..3 {
        handles.push(signed_in(&manager, "ann").await.handle().unwrap());
    }
    assert!(events.take().contains(&Event::EndedByLimit(handles[0])));
    manager.user("ann").unwrap().end(&handles[1]).await.unwrap();
    manager.user("ann").unwrap().end(&handles[1]).await.unwrap();
    assert_eq!(events.take(), [Event::EndedByUser(handles[1])]);
    manager.user("ann").unwrap().end_all().await.unwrap();
    assert_eq!(events.take(), [Event::EndedByUser(handles[2])]);
}

#[tokio::test]
async fn a_limit_that_cannot_be_kept_emits_an_event_and_is_tried_again() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let (manager, events) = Events::of(over(store.clone()));
    let manager = manager.to_builder().max_sessions_per_user(NonZeroUsize::MIN).build().unwrap();
    let old = signed_in(&manager, "ann").await;
    events.take();

    // Create, load, update, and the delete of the oldest session.
    store.fail_nth(3, Fault::Before);
    let new = signed_in(&manager, "ann").await;
    assert!(events.take().contains(&Event::LimitFailed));
    for session in [&old, &new] {
        assert!(!open(&manager, session.id()).await.is_new());
    }
    signed_in(&manager, "ann").await;
    for session in [&old, &new] {
        assert!(open(&manager, session.id()).await.is_new());
    }
}
