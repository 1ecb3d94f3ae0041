//! Every order in which the store calls of two requests for notifications can follow each other.

use std::sync::{Arc, Mutex};

use pycket_core::{IdChange, MemoryStore, Session, SessionId, SessionManager, SessionStore};
use pycket_testkit::{PausingStore, Task, every_order};

use crate::notifications::{notified, read};
use crate::{now, open, over};

/// One visitor with one unread notification, and who got it.
struct World {
    sessions: Arc<MemoryStore>,
    notices: Arc<MemoryStore>,
    manager: SessionManager,
    id: SessionId,
    handed_out: Arc<Mutex<Vec<String>>>,
    issued: Arc<Mutex<Vec<SessionId>>>,
}

fn world() -> World {
    let (sessions, notices) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let plain = over(sessions.clone()).to_builder().notifications(notices.clone()).build().unwrap();
    let id = now(notified(&plain, "first", "first"));
    let manager = over(Arc::new(PausingStore::new(sessions.clone())))
        .to_builder()
        .notifications(PausingStore::new(notices.clone()))
        .build()
        .unwrap();
    let (handed_out, issued) = (Arc::default(), Arc::default());
    World { sessions, notices, manager, id, handed_out, issued }
}

impl World {
    fn request<W, F>(&self, work: W) -> Task
    where
        W: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Vec<String>> + Send,
    {
        let (manager, id) = (self.manager.clone(), self.id);
        let (handed_out, issued) = (self.handed_out.clone(), self.issued.clone());
        Box::pin(async move {
            let session = open(&manager, id).await;
            if session.is_new() {
                return;
            }
            let got = work(session.clone()).await;
            handed_out.lock().unwrap().extend(got);
            session.commit().await.unwrap();
            if let IdChange::Issued(id) = session.id_change() {
                issued.lock().unwrap().push(id);
            }
        })
    }

    fn taking(&self) -> Task {
        self.request(|session| async move { read(&session, "first").await.into_iter().collect() })
    }

    fn draining(&self) -> Task {
        self.request(|session| async move {
            let drained = session.notifications().drain().await.unwrap();
            drained.into_iter().map(|(name, _)| name).collect()
        })
    }

    fn leaving(&self, name: &'static str) -> Task {
        self.request(move |session| async move {
            session.notifications().set(name, name).unwrap();
            Vec::new()
        })
    }

    fn rotating(&self) -> Task {
        self.request(|session| async move {
            session.cycle_id();
            Vec::new()
        })
    }

    fn destroying(&self) -> Task {
        self.request(|session| async move {
            session.destroy();
            Vec::new()
        })
    }

    fn unread(&self, id: SessionId) -> Vec<String> {
        let found = now(self.notices.load(&id)).unwrap();
        found.iter().flat_map(|l| l.record.names().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

#[test]
fn in_every_order_a_value_is_handed_out_exactly_once() {
    let races: [fn(&World) -> Task; 2] = [World::taking, World::draining];
    for racer in races {
        every_order(
            world,
            |w| vec![w.taking(), racer(w)],
            |w, order| assert_eq!(*w.handed_out.lock().unwrap(), ["first"], "{order:?}"),
        );
    }
}

#[test]
fn in_every_order_a_notification_is_read_or_still_there() {
    every_order(
        world,
        |w| vec![w.leaving("second"), w.draining()],
        |w, order| {
            let mut all = w.handed_out.lock().unwrap().clone();
            all.extend(w.unread(w.id));
            all.sort();
            assert_eq!(all, ["first", "second"], "{order:?}");
        },
    );
}

#[test]
fn in_every_order_a_rotation_neither_loses_nor_doubles_a_notification() {
    every_order(
        world,
        |w| vec![w.rotating(), w.taking()],
        |w, order| {
            let [new] = w.issued.lock().unwrap()[..] else { panic!("{order:?}") };
            let mut all = w.handed_out.lock().unwrap().clone();
            all.extend(w.unread(new));
            assert_eq!(all, ["first"], "{order:?}");
            assert_eq!(w.unread(w.id), [""; 0], "{order:?}");
        },
    );
}

#[test]
fn in_every_order_a_logout_leaves_neither_session_nor_notifications() {
    let races: [fn(&World) -> Task; 4] =
        [|w| w.leaving("second"), World::taking, World::draining, World::rotating];
    for racer in races {
        every_order(
            world,
            |w| vec![w.destroying(), racer(w)],
            |w, order| match w.issued.lock().unwrap()[..] {
                [] => {
                    assert!(w.sessions.is_empty(), "{order:?}");
                    assert!(w.notices.is_empty(), "{order:?}");
                }
                // The rotation was through before the logout began to end the old id.
                [new] => assert_eq!(w.unread(new), ["first"], "{order:?}"),
                _ => panic!("{order:?}"),
            },
        );
    }
}
