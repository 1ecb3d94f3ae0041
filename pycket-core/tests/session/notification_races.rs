//! Every order in which the store calls of requests with notifications can follow each other.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, IdChange, Loaded, MemoryStore, Outcome, Record, Session, SessionId,
    SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{Fault, FaultyStore, PausingStore, Task, every_order};

use crate::notifications::{get, notified};
use crate::{now, open, over};

/// A session with one unread notification, the requests on it, and what they came to.
struct World {
    sessions: Arc<MemoryStore>,
    notifications: Arc<MemoryStore>,
    manager: SessionManager,
    id: SessionId,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    handed_out: Vec<String>,
    /// What requests left whose commit was acknowledged.
    left: Vec<String>,
    issued: Vec<SessionId>,
}

fn world() -> World {
    world_over(|store| store)
}

/// Fails the first create of a notification in this way.
fn world_with_a_lost_create(fault: Fault) -> World {
    world_over(|store| {
        let faulty = FaultyStore::new(store.clone());
        faulty.fail_nth(0, fault);
        Arc::new(LostCreate { store, faulty })
    })
}

fn world_over(wrap: impl Fn(Arc<dyn SessionStore>) -> Arc<dyn SessionStore>) -> World {
    let (sessions, notifications) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let plain = over(sessions.clone()).to_builder().notifications(notifications.clone());
    let id = now(notified(&plain.build().unwrap(), "first", "first"));
    let manager = SessionManager::builder(PausingStore::new(sessions.clone()))
        .notifications(PausingStore::new(wrap(notifications.clone())))
        .build()
        .unwrap();
    World { sessions, notifications, manager, id, log: Arc::default() }
}

impl World {
    fn request<W, F>(&self, work: W) -> Task
    where
        W: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Vec<String>> + Send,
    {
        let (manager, id, log) = (self.manager.clone(), self.id, self.log.clone());
        Box::pin(async move {
            let session = open(&manager, id).await;
            if session.is_new() {
                return;
            }
            let got = work(session.clone()).await;
            log.lock().unwrap().handed_out.extend(got);
            session.commit().await.unwrap();
            if let IdChange::Issued(id) = session.id_change() {
                log.lock().unwrap().issued.push(id);
            }
        })
    }

    fn reading(&self) -> Task {
        self.request(|session| async move { get(&session, "first").await.into_iter().collect() })
    }

    fn draining(&self) -> Task {
        self.request(|session| async move {
            let drained = session.notifications().drain().await.unwrap();
            drained.into_iter().map(|(_, text)| text.decode().unwrap()).collect()
        })
    }

    fn leaving(&self, text: &'static str) -> Task {
        let log = self.log.clone();
        self.request(move |session| async move {
            session.notifications().push("more", text).unwrap();
            if session.commit().await.unwrap() != Outcome::Ended {
                log.lock().unwrap().left.push(text.to_owned());
            }
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

    /// What a later request can read.
    fn unread(&self, id: SessionId) -> Vec<String> {
        let plain = over(self.sessions.clone()).to_builder();
        let manager = plain.notifications(self.notifications.clone()).build().unwrap();
        let drained = now(async { open(&manager, id).await.notifications().drain().await });
        drained.unwrap().into_iter().map(|(_, text)| text.decode().unwrap()).collect()
    }

    /// The first notification and those that were left are each handed out or unread, once, and no record
    /// is left that nothing points to.
    fn keeps_each_once(&self) {
        let log = self.log.lock().unwrap();
        let mut all = log.handed_out.clone();
        all.extend(self.unread(log.issued.last().copied().unwrap_or(self.id)));
        let mut expected = log.left.clone();
        expected.push("first".to_owned());
        all.sort();
        expected.sort();
        assert_eq!(all, expected);
        assert!(self.notifications.is_empty());
    }
}

/// A store whose creates may fail, and nothing else.
#[derive(Debug)]
struct LostCreate {
    store: Arc<dyn SessionStore>,
    faulty: FaultyStore,
}

#[async_trait]
impl SessionStore for LostCreate {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.faulty.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.store.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.store.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.store.delete(id).await
    }
}

#[test]
fn in_every_order_a_notification_is_handed_out_exactly_once() {
    let races: [fn(&World) -> Task; 2] = [World::reading, World::draining];
    for racer in races {
        every_order(
            world,
            |w| vec![w.reading(), racer(w)],
            |w| {
                assert_eq!(w.log.lock().unwrap().handed_out, ["first"]);
                w.keeps_each_once();
            },
        );
    }
}

#[test]
fn in_every_order_a_notification_is_read_or_still_unread() {
    every_order(world, |w| vec![w.leaving("second"), w.draining()], |w| w.keeps_each_once());
}

#[test]
fn in_every_order_a_rotation_neither_loses_nor_doubles_a_notification() {
    every_order(
        world,
        |w| vec![w.rotating(), w.reading()],
        |w| {
            assert_eq!(w.log.lock().unwrap().issued.len(), 1);
            w.keeps_each_once();
        },
    );
}

#[test]
fn in_every_order_a_login_keeps_what_another_request_leaves() {
    every_order(world, |w| vec![w.rotating(), w.leaving("second")], |w| w.keeps_each_once());
}

#[test]
fn in_every_order_a_login_keeps_two_messages_of_one_name() {
    let orders = every_order(
        world,
        |w| vec![w.rotating(), w.leaving("second"), w.leaving("third")],
        |w| w.keeps_each_once(),
    );
    assert!(orders > 1000, "{orders} orders are not all");
}

#[test]
fn in_every_order_a_lost_reply_to_a_leaver_neither_loses_nor_doubles() {
    for fault in [Fault::Lost, Fault::After] {
        every_order(
            || world_with_a_lost_create(fault),
            |w| vec![w.leaving("second"), w.draining()],
            |w| w.keeps_each_once(),
        );
    }
}

#[test]
fn in_every_order_a_logout_leaves_neither_session_nor_notifications() {
    let races: [fn(&World) -> Task; 4] =
        [|w| w.leaving("second"), World::reading, World::draining, World::rotating];
    for racer in races {
        every_order(
            world,
            |w| vec![w.destroying(), racer(w)],
            |w| match w.log.lock().unwrap().issued[..] {
                [] => {
                    assert!(w.sessions.is_empty());
                    assert!(w.notifications.is_empty());
                }
                // The rotation was complete before the logout began to end the old id.
                [new] => assert_eq!(w.unread(new), ["first"]),
                _ => panic!("two ids were issued"),
            },
        );
    }
}
