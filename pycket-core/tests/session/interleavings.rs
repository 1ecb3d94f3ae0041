//! Every order in which the store calls of two or three requests can follow each other.

use std::sync::{Arc, Mutex};

use pycket_core::{
    Error, IdChange, MemoryStore, Outcome, Record, SessionId, SessionManager, SessionStore, Values,
};
use pycket_testkit::{PausingStore, Task, every_order};

use crate::{now, open, over, stored};

/// The session of one client, and the results of the requests on it.
struct World {
    store: Arc<MemoryStore>,
    manager: SessionManager,
    id: SessionId,
    log: Arc<Mutex<Vec<Entry>>>,
    /// The values that requests took.
    taken: Arc<Mutex<Vec<String>>>,
}

/// The name of a request, the result of its commit, and what its cookie had to say.
type Entry = (&'static str, Result<Outcome, Error>, IdChange);

fn world() -> World {
    let store = Arc::new(MemoryStore::new());
    let id = now(stored(&over(store.clone())));
    let manager = over(Arc::new(PausingStore::new(store.clone())));
    World { store, manager, id, log: Arc::default(), taken: Arc::default() }
}

impl World {
    /// A request that opens the session, does `work`, and commits.
    fn request<W, F>(&self, name: &'static str, work: W) -> Task
    where
        W: FnOnce(pycket_core::Session) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let (manager, id, log) = (self.manager.clone(), self.id, self.log.clone());
        Box::pin(async move {
            let session = open(&manager, id).await;
            // A client that is no longer signed in writes nothing.
            if session.is_new() {
                return;
            }
            work(session.clone()).await;
            let result = session.commit().await;
            log.lock().unwrap().push((name, result, session.id_change()));
        })
    }

    fn setting(&self, name: &'static str) -> Task {
        self.request(name, move |session| async move { session.set(name, &1).unwrap() })
    }

    fn incrementing(&self, name: &'static str) -> Task {
        self.request(name, |session| async move {
            // An increment after the end of the session is an error and does not count.
            if session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.is_err() {
                session.destroy();
            }
        })
    }

    fn taking(&self, name: &'static str) -> Task {
        let taken = self.taken.clone();
        self.request(name, move |session| async move {
            if let Ok(Some(value)) = session.take("user").await {
                taken.lock().unwrap().push(value);
            }
        })
    }

    /// Copies `user` to `name` and counts the copies, but only if there is none yet.
    fn copying(&self, name: &'static str) -> Task {
        let copy = move |values: &mut Values| {
            if values.get::<u32>("copies")?.is_none() {
                values.set("copies", &1)?;
                let user = values.get::<String>("user")?;
                values.set(name, &user)?;
            }
            Ok::<_, Error>(())
        };
        self.request(name, move |session| async move { session.update_all(copy).await.unwrap() })
    }

    /// Changes `user`, and then changes it back.
    fn changing_back(&self) -> Task {
        self.request("back", |session| async move {
            session.set("user", "bob").unwrap();
            session.commit().await.unwrap();
            session.set("user", "ann").unwrap();
        })
    }

    fn rotating(&self, name: &'static str) -> Task {
        self.request(name, move |session| async move {
            session.cycle_id();
            session.set(name, &1).unwrap();
        })
    }

    fn destroying(&self) -> Task {
        self.request("logout", |session| async move { session.destroy() })
    }

    fn record(&self, id: SessionId) -> Option<Record> {
        now(self.store.load(&id)).unwrap().map(|loaded| loaded.record)
    }

    fn outcome(&self, name: &str) -> Option<Outcome> {
        let log = self.log.lock().unwrap();
        log.iter().find(|(n, _, _)| *n == name).map(|(_, result, _)| *result.as_ref().unwrap())
    }

    fn issued(&self) -> Vec<SessionId> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter_map(|(_, _, change)| match change {
                IdChange::Issued(id) => Some(*id),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn no_acknowledged_write_is_lost() {
    let orders = every_order(
        world,
        |w| vec![w.setting("a"), w.setting("b"), w.setting("c")],
        |w| {
            let record = w.record(w.id).unwrap();
            assert_eq!(record.names().collect::<Vec<_>>(), ["a", "b", "c", "user"]);
        },
    );
    assert_eq!(orders, 90, "two calls of each of three requests");
}

#[test]
fn increments_in_every_order_count_exactly() {
    every_order(
        world,
        |w| vec![w.incrementing("one"), w.incrementing("two"), w.incrementing("three")],
        |w| {
            let n: u32 = w.record(w.id).unwrap().get("n").unwrap().decode().unwrap();
            assert_eq!(n, 3);
        },
    );
}

#[test]
fn in_every_order_one_of_three_requests_takes_a_value() {
    every_order(
        world,
        |w| vec![w.taking("one"), w.taking("two"), w.taking("three")],
        |w| {
            assert_eq!(*w.taken.lock().unwrap(), ["ann"]);
            assert!(w.record(w.id).unwrap().is_empty());
        },
    );
}

#[test]
fn in_every_order_a_login_keeps_a_value_or_another_request_has_taken_it() {
    every_order(
        world,
        |w| vec![w.rotating("login"), w.taking("take")],
        |w| {
            let [new] = w.issued()[..] else { panic!("no id was issued") };
            let is_kept = w.record(new).unwrap().get("user").is_some();
            assert_eq!(w.taken.lock().unwrap().is_empty(), is_kept);
        },
    );
}

#[test]
fn in_every_order_one_of_three_requests_changes_both_names() {
    every_order(
        world,
        |w| vec![w.copying("one"), w.copying("two"), w.copying("three")],
        |w| {
            let record = w.record(w.id).unwrap();
            assert_eq!(record.len(), 3, "{record:?}");
            assert!(record.get("copies").is_some() && record.get("user").is_some());
        },
    );
}

#[test]
fn in_every_order_a_value_that_comes_back_loses_no_atomic_change() {
    every_order(
        world,
        |w| vec![w.copying("copy"), w.changing_back()],
        |w| assert!(w.record(w.id).unwrap().get("copy").is_some()),
    );
}

#[test]
fn a_destroyed_session_stays_destroyed() {
    every_order(
        world,
        |w| vec![w.destroying(), w.setting("a"), w.incrementing("b")],
        |w| {
            assert!(w.store.is_empty());
            assert_eq!(w.issued(), []);
        },
    );
}

#[test]
fn a_login_keeps_what_a_request_in_flight_was_told_is_stored() {
    every_order(
        world,
        |w| vec![w.rotating("login"), w.setting("a")],
        |w| {
            let [new] = w.issued()[..] else { panic!("no id was issued") };
            let record = w.record(new).unwrap();
            assert!(w.record(w.id).is_none());
            assert!(record.get("login").is_some() && record.get("user").is_some());
            let acknowledged = w.outcome("a") == Some(Outcome::Updated);
            assert_eq!(record.get("a").is_some(), acknowledged);
        },
    );
}

#[test]
fn a_logout_beats_a_login_that_began_before_it_ended() {
    every_order(
        world,
        |w| vec![w.rotating("login"), w.destroying()],
        |w| {
            assert!(w.record(w.id).is_none());
            // Either the login was complete before the logout, which found nothing under the old id, or
            // nothing is left.
            match w.issued()[..] {
                [] => assert!(w.store.is_empty()),
                [new] => {
                    assert_eq!(w.outcome("login"), Some(Outcome::Rotated));
                    assert!(w.record(new).is_some());
                }
                _ => panic!("two ids were issued"),
            }
        },
    );
}

#[test]
fn of_two_logins_exactly_one_session_remains() {
    every_order(
        world,
        |w| vec![w.rotating("one"), w.rotating("two")],
        |w| {
            let [new] = w.issued()[..] else { panic!("{} ids were issued", w.issued().len()) };
            assert!(w.record(new).is_some());
            assert_eq!(w.store.len(), 1);
        },
    );
}
