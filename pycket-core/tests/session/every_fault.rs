//! Every operation of a session, with every one of its store calls failing in every way, and what the client
//! finds afterwards.

#![expect(clippy::indexing_slicing, reason = "of two stores")]

use std::sync::Arc;

use pycket_core::{
    Error, ErrorKind, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager, Values,
};
use pycket_testkit::{Fault, FaultyStore};

use crate::over;

struct World {
    sessions: Arc<MemoryStore>,
    notifications: Arc<MemoryStore>,
    faulty: [Arc<FaultyStore>; 2],
    manager: SessionManager,
    before: Option<SessionId>,
}

/// What the client has before the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// No session.
    New,
    /// A session with `user: "ann"`.
    Known,
    /// The same, with unread notifications.
    Notified,
}

/// What a request does after its commit failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It ends and drops its session.
    GivesUp,
    /// It commits again, over a healthy store.
    CommitsAgain,
}

/// The store of a call that fails (0: sessions, 1: notifications), the number of the call, and how it fails.
type Plan = (usize, usize, Fault);

/// What is there after the request.
struct Aftermath<T> {
    world: World,
    result: Result<T, Error>,
    /// Whether the request succeeded, or its second commit did.
    is_acknowledged: bool,
    faults: usize,
    /// How many calls the request made of each store.
    calls: [usize; 2],
    before: Option<SessionId>,
    cookie: Option<SessionId>,
    what: String,
}

impl World {
    async fn new(client: Client) -> Self {
        let [sessions, notifications] = [(); 2].map(|()| Arc::new(MemoryStore::new()));
        let mut before = None;
        if client != Client::New {
            let manager = plain(&sessions, &notifications);
            let session = manager.open(None).await.unwrap();
            session.set("user", "ann").unwrap();
            if client == Client::Notified {
                session.notifications().set("info", "saved").unwrap();
                session.notifications().set("more", "to read").unwrap();
            }
            session.commit().await.unwrap();
            before = session.id();
        }
        let faulty =
            [sessions.clone(), notifications.clone()].map(|s| Arc::new(FaultyStore::new(s)));
        let [one, two] = faulty.clone();
        let manager = over(one).to_builder().notifications(two).build().unwrap();
        Self { sessions, notifications, faulty, manager, before }
    }

    async fn holds(&self, id: Option<SessionId>) -> Option<Vec<String>> {
        let session = plain(&self.sessions, &self.notifications).open(Some(id?)).await.unwrap();
        (!session.is_new()).then(|| session.keys())
    }

    /// The names of the notifications that can still be read.
    async fn unread(&self, id: Option<SessionId>) -> Vec<String> {
        let session = plain(&self.sessions, &self.notifications).open(id).await.unwrap();
        let mut unread = Vec::new();
        for name in session.notifications().keys() {
            if session.notifications().peek::<String>(&name).await.unwrap().is_some() {
                unread.push(name);
            }
        }
        unread
    }
}

fn plain(sessions: &Arc<MemoryStore>, notifications: &Arc<MemoryStore>) -> SessionManager {
    over(sessions.clone()).to_builder().notifications(notifications.clone()).build().unwrap()
}

impl<T> Aftermath<T> {
    async fn holds(&self) -> Vec<String> {
        self.world.holds(self.cookie).await.unwrap_or_default()
    }

    async fn unread(&self) -> Vec<String> {
        self.world.unread(self.cookie).await
    }

    /// The session has all of these names or none of them; all if the request was acknowledged.
    async fn has_whole(&self, names: [&str; 2]) {
        let held = self.holds().await;
        let there = names.map(|name| held.iter().any(|held| held == name));
        assert_eq!(there[0], there[1], "{}: {held:?}", self.what);
        assert!(there[0] || !self.is_acknowledged, "{}: {held:?}", self.what);
    }
}

/// Runs the request with every single fault and with every two faults, and `check` after each run.
async fn with_every_fault<T>(
    client: Client,
    request: impl AsyncFn(&Session) -> Result<T, Error>,
    check: impl AsyncFn(&Aftermath<T>),
) {
    let mut plans: Vec<Vec<Plan>> = vec![Vec::new()];
    while let Some(plan) = plans.pop() {
        for then in [Then::GivesUp, Then::CommitsAgain] {
            let aftermath = run(client, then, &plan, &request).await;
            assert!(!plan.is_empty() || aftermath.result.is_ok());
            keeps_what_always_holds(&aftermath).await;
            check(&aftermath).await;
            if plan.len() < 2 && then == Then::GivesUp {
                plans.extend(one_more(&plan, aftermath.calls));
            }
        }
    }
}

/// The plan with one more fault, of a call after the last one that fails.
fn one_more(plan: &[Plan], calls: [usize; 2]) -> Vec<Vec<Plan>> {
    let mut plans = Vec::new();
    for (store, calls) in calls.into_iter().enumerate() {
        let earlier = plan.iter().filter(|(s, ..)| *s == store);
        let first = earlier.map(|(_, nth, _)| nth + 1).max().unwrap_or(0);
        for nth in first..calls {
            for fault in [Fault::Before, Fault::Lost, Fault::After] {
                plans.push([plan, &[(store, nth, fault)]].concat());
            }
        }
    }
    plans
}

async fn run<T>(
    client: Client,
    then: Then,
    plan: &[Plan],
    request: impl AsyncFn(&Session) -> Result<T, Error>,
) -> Aftermath<T> {
    let world = World::new(client).await;
    let session = world.manager.open(world.before).await.unwrap();
    let opened = world.faulty.each_ref().map(|store| store.calls());
    for &(store, nth, fault) in plan {
        world.faulty[store].fail_nth(nth, fault);
    }
    let result = request(&session).await;
    let calls = [0, 1].map(|store| world.faulty[store].calls() - opened[store]);
    world.faulty.iter().for_each(|store| store.heal());
    let mut is_acknowledged = result.is_ok();
    if result.is_err() && then == Then::CommitsAgain {
        assert_ne!(
            session.commit().await.unwrap(),
            Outcome::Ended,
            "{plan:?}: no other request ended it"
        );
        is_acknowledged = true;
    }
    let before = world.before;
    let cookie = match session.id_change() {
        IdChange::Issued(id) => Some(id),
        IdChange::Withdrawn => None,
        _ => before,
    };
    drop(session);
    // A dropped session runs its deletes in tasks.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let what = format!("{plan:?}, and then it {then:?}");
    Aftermath { world, result, is_acknowledged, faults: plan.len(), calls, before, cookie, what }
}

/// Checks what holds whatever the request was and however it ended.
async fn keeps_what_always_holds<T>(aftermath: &Aftermath<T>) {
    let Aftermath { world, before, cookie, what, .. } = aftermath;
    let is_live = world.holds(*cookie).await.is_some();
    // A second fault may hit the attempt to undo the first. A record that no client knows then expires.
    if aftermath.faults < 2 {
        assert_eq!(
            world.sessions.len(),
            usize::from(is_live),
            "{what}: a session without a client"
        );
        let unread = world.unread(*cookie).await.len();
        let given_up = aftermath.result.is_err() && !aftermath.is_acknowledged;
        assert!(
            world.notifications.len() == unread || given_up,
            "{what}: a notification without a session"
        );
    }
    if cookie.is_some() && before.is_some() {
        let held = world.holds(*cookie).await;
        assert!(held.is_some(), "{what}: the cookie does not work");
    }
}

async fn commit(session: &Session) -> Result<(), Error> {
    assert_ne!(session.commit().await?, Outcome::Ended, "no other request ended it");
    Ok(())
}

async fn set_two(session: &Session) -> Result<(), Error> {
    session.set("a", &1)?;
    session.set("b", &2)?;
    commit(session).await
}

#[tokio::test]
async fn a_first_write_is_stored_whole_or_not_at_all() {
    with_every_fault(Client::New, set_two, async |after| after.has_whole(["a", "b"]).await).await;
}

#[tokio::test]
async fn a_write_is_stored_whole_or_not_at_all() {
    for client in [Client::Known, Client::Notified] {
        with_every_fault(client, set_two, async |after| after.has_whole(["a", "b"]).await).await;
    }
}

#[tokio::test]
async fn a_login_leaves_a_cookie_that_works_and_loses_nothing() {
    for client in [Client::Known, Client::Notified] {
        let login = async |session: &Session| {
            session.cycle_id();
            set_two(session).await
        };
        with_every_fault(client, login, async |after| {
            after.has_whole(["a", "b"]).await;
            assert!(after.holds().await.contains(&"user".to_owned()), "{}", after.what);
            if after.is_acknowledged {
                assert_ne!(after.cookie, after.before, "{}", after.what);
                if client == Client::Notified {
                    assert_eq!(after.unread().await, ["info", "more"], "{}", after.what);
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_login_that_leaves_a_notification_leaves_it_to_the_new_id() {
    for client in [Client::Known, Client::Notified] {
        let login = async |session: &Session| {
            session.cycle_id();
            session.notifications().set("welcome", "back")?;
            commit(session).await
        };
        with_every_fault(client, login, async |after| {
            if after.is_acknowledged {
                assert_ne!(after.cookie, after.before, "{}", after.what);
                assert!(after.unread().await.contains(&"welcome".to_owned()), "{}", after.what);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_logout_leaves_nothing_behind() {
    for client in [Client::Known, Client::Notified] {
        let logout = async |session: &Session| {
            session.destroy();
            commit(session).await
        };
        with_every_fault(client, logout, async |after| {
            assert_eq!(after.cookie, None, "{}", after.what);
            assert!(after.world.sessions.is_empty(), "{}", after.what);
            assert!(after.world.notifications.is_empty(), "{}", after.what);
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_set_after_a_logout_is_in_another_session() {
    for client in [Client::Known, Client::Notified] {
        let logout = async |session: &Session| {
            session.destroy();
            set_two(session).await
        };
        with_every_fault(client, logout, async |after| {
            after.has_whole(["a", "b"]).await;
            assert_ne!(after.cookie, after.before, "{}", after.what);
            assert_eq!(after.world.holds(after.before).await, None, "{}", after.what);
            assert!(!after.holds().await.contains(&"user".to_owned()), "{}", after.what);
            assert!(after.world.notifications.is_empty(), "{}", after.what);
        })
        .await;
    }
}

#[tokio::test]
async fn an_increment_that_is_acknowledged_counted_once_and_no_other_twice() {
    for client in [Client::New, Client::Known] {
        let increment = async |session: &Session| {
            session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await
        };
        with_every_fault(client, increment, async |after| {
            let session = over(after.world.sessions.clone()).open(after.cookie).await.unwrap();
            let count = session.get_or::<u32>("n", 0).unwrap();
            match &after.result {
                Ok(result) => assert_eq!((count, result), (1, &1), "{}", after.what),
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    assert_eq!(count, 0, "{}", after.what);
                }
                Err(_) => assert!(count <= 1, "{}", after.what),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_value_is_taken_or_still_there() {
    let take = async |session: &Session| session.take::<String>("user").await;
    with_every_fault(Client::Known, take, async |after| {
        let is_there = !after.holds().await.is_empty();
        match &after.result {
            Ok(taken) => assert_eq!((taken.as_deref(), is_there), (Some("ann"), false)),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                assert!(is_there, "{}", after.what);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Ambiguous, "{}", after.what),
        }
    })
    .await;
}

#[tokio::test]
async fn update_all_stores_all_of_its_changes_or_none() {
    for client in [Client::New, Client::Known] {
        let set_two = async |session: &Session| {
            let set_two = |values: &mut Values| {
                values.delete("user");
                values.set("a", &1)?;
                values.set("b", &2)
            };
            session.update_all(set_two).await
        };
        with_every_fault(client, set_two, async |after| {
            let held = after.holds().await;
            let is_done = held == ["a", "b"];
            let is_as_before = held == ["user"] || (client == Client::New && held.is_empty());
            assert!(is_done || is_as_before, "{}: {held:?}", after.what);
            assert!(is_done || after.result.is_err(), "{}: {held:?}", after.what);
        })
        .await;
    }
}

#[tokio::test]
async fn two_notifications_of_one_request_are_both_unread_or_neither_is() {
    for client in [Client::New, Client::Known, Client::Notified] {
        let leave = async |session: &Session| {
            session.notifications().set("a", "one")?;
            session.notifications().set("b", "two")?;
            commit(session).await
        };
        with_every_fault(client, leave, async |after| {
            let unread = after.unread().await;
            let there = ["a", "b"].map(|name| unread.iter().any(|unread| unread == name));
            assert_eq!(there[0], there[1], "{}: {unread:?}", after.what);
            assert!(there[0] || !after.is_acknowledged, "{}: {unread:?}", after.what);
            if client == Client::Notified {
                assert!(unread.contains(&"info".to_owned()), "{}: {unread:?}", after.what);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_notification_is_handed_out_or_still_unread() {
    let read = async |session: &Session| session.notifications().get::<String>("info").await;
    with_every_fault(Client::Notified, read, async |after| {
        let unread = after.unread().await;
        let is_there = unread.contains(&"info".to_owned());
        match &after.result {
            Ok(result) => assert_eq!((result.as_deref(), is_there), (Some("saved"), false)),
            Err(error) if error.kind() == ErrorKind::Unavailable => assert!(is_there),
            Err(_) => {}
        }
        assert!(unread.contains(&"more".to_owned()), "{}: {unread:?}", after.what);
    })
    .await;
}

#[tokio::test]
async fn drain_hands_all_notifications_out_or_leaves_all_unread() {
    let drain = async |session: &Session| session.notifications().drain().await;
    with_every_fault(Client::Notified, drain, async |after| {
        let left = after.unread().await.len();
        match &after.result {
            Ok(drained) => assert_eq!((drained.len(), left), (2, 0), "{}", after.what),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                assert_eq!(left, 2, "{}", after.what);
            }
            // Only the one whose reply was lost may be lost; with a second fault, the one that was put back.
            Err(_) => assert!(left + after.faults >= 2, "{}: {left}", after.what),
        }
    })
    .await;
}
