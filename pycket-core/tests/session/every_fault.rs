//! Every operation of a session, with every one of its store calls failing in every way; and what the
//! visitor finds afterwards.

#![expect(clippy::indexing_slicing, reason = "of two stores")]

use std::sync::Arc;

use pycket_core::{
    Error, ErrorKind, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager,
    SessionStore,
};
use pycket_testkit::{Fault, FaultyStore};

use crate::over;

struct World {
    sessions: Arc<MemoryStore>,
    notices: Arc<MemoryStore>,
    faulty: [Arc<FaultyStore>; 2],
    manager: SessionManager,
    before: Option<SessionId>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visitor {
    /// Somebody without a session.
    First,
    /// Whoever has a session with `user: "ann"`.
    Known,
    /// The same, with unread notifications.
    Notified,
}

/// What a request does after its commit has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It ends, and its session with it.
    GivesUp,
    /// It commits again, when the store is healthy.
    CommitsAgain,
}

/// Which call fails: of the sessions' store or the notifications', the n-th of the request, and how.
type Plan = (usize, usize, Fault);

/// What the visitor has after the request.
struct Aftermath<T> {
    world: World,
    told: Result<T, Error>,
    /// Whether the request was told that it succeeded, or that its second commit did.
    is_acknowledged: bool,
    faults: usize,
    /// How many calls the request made of each store.
    calls: [usize; 2],
    before: Option<SessionId>,
    cookie: Option<SessionId>,
    what: String,
}

impl World {
    async fn new(visitor: Visitor) -> Self {
        let (sessions, notices) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let mut before = None;
        if visitor != Visitor::First {
            let manager =
                over(sessions.clone()).to_builder().notifications(notices.clone()).build().unwrap();
            let session = manager.open(None).await.unwrap();
            session.set("user", "ann").unwrap();
            if visitor == Visitor::Notified {
                session.notifications().set("info", "saved").unwrap();
                session.notifications().set("more", "to read").unwrap();
            }
            session.commit().await.unwrap();
            before = session.id();
        }
        let faulty = [sessions.clone(), notices.clone()].map(|s| Arc::new(FaultyStore::new(s)));
        let [one, two] = faulty.clone();
        let manager = over(one).to_builder().notifications(two).build().unwrap();
        Self { sessions, notices, faulty, manager, before }
    }

    async fn holds(&self, id: Option<SessionId>) -> Option<Vec<String>> {
        let record = self.sessions.load(&id?).await.unwrap()?.record;
        Some(record.names().map(str::to_owned).collect())
    }

    async fn unread(&self, id: Option<SessionId>) -> Vec<String> {
        let Some(id) = id else { return Vec::new() };
        let record = self.notices.load(&id).await.unwrap().map(|loaded| loaded.record);
        record.map(|r| r.names().map(str::to_owned).collect()).unwrap_or_default()
    }
}

impl<T> Aftermath<T> {
    async fn holds(&self) -> Vec<String> {
        self.world.holds(self.cookie).await.unwrap_or_default()
    }

    async fn unread(&self) -> Vec<String> {
        self.world.unread(self.cookie).await
    }

    /// All of these names or none of them, besides the ones that were there; all if that was told.
    async fn has_whole(&self, names: [&str; 2]) {
        let held = self.holds().await;
        let there = names.map(|name| held.iter().any(|held| held == name));
        assert_eq!(there[0], there[1], "{}: {held:?}", self.what);
        assert!(there[0] || !self.is_acknowledged, "{}: {held:?}", self.what);
    }
}

/// Runs the request with every single fault, and with every two; `check` after each.
async fn with_every_fault<T>(
    visitor: Visitor,
    request: impl AsyncFn(&Session) -> Result<T, Error>,
    check: impl AsyncFn(&Aftermath<T>),
) {
    let mut plans: Vec<Vec<Plan>> = vec![Vec::new()];
    while let Some(plan) = plans.pop() {
        for then in [Then::GivesUp, Then::CommitsAgain] {
            let aftermath = run(visitor, then, &plan, &request).await;
            assert!(!plan.is_empty() || aftermath.told.is_ok());
            keeps_what_always_holds(&aftermath).await;
            check(&aftermath).await;
            if plan.len() < 2 && then == Then::GivesUp {
                plans.extend(one_more(&plan, aftermath.calls));
            }
        }
    }
}

/// The same, with a fault of a call that was made after the last one that fails.
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
    visitor: Visitor,
    then: Then,
    plan: &[Plan],
    request: impl AsyncFn(&Session) -> Result<T, Error>,
) -> Aftermath<T> {
    let world = World::new(visitor).await;
    let session = world.manager.open(world.before).await.unwrap();
    let opened = world.faulty.each_ref().map(|store| store.calls());
    for &(store, nth, fault) in plan {
        world.faulty[store].fail_nth(nth, fault);
    }
    let told = request(&session).await;
    let calls = [0, 1].map(|store| world.faulty[store].calls() - opened[store]);
    world.faulty.iter().for_each(|store| store.heal());
    let mut is_acknowledged = told.is_ok();
    if told.is_err() && then == Then::CommitsAgain {
        assert_ne!(session.commit().await.unwrap(), Outcome::Ended, "{plan:?}: nobody ended it");
        is_acknowledged = true;
    }
    let before = world.before;
    let cookie = match session.id_change() {
        IdChange::Issued(id) => Some(id),
        IdChange::Withdrawn => None,
        _ => before,
    };
    drop(session);
    // What a dropped session has left to end runs in tasks.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let what = format!("{plan:?}, and then it {then:?}");
    Aftermath { world, told, is_acknowledged, faults: plan.len(), calls, before, cookie, what }
}

/// Whatever the request was and however it ended.
async fn keeps_what_always_holds<T>(aftermath: &Aftermath<T>) {
    let Aftermath { world, before, cookie, what, .. } = aftermath;
    let is_live = world.holds(*cookie).await.is_some();
    // A second fault may hit the attempt to mend the first. What nobody knows then runs out of time.
    if aftermath.faults < 2 {
        assert_eq!(world.sessions.len(), usize::from(is_live), "{what}: sessions nobody knows");
        assert!(world.notices.len() <= world.sessions.len(), "{what}: notifications of nobody");
    }
    if cookie.is_some() && before.is_some() {
        let held = world.holds(*cookie).await;
        assert!(held.is_some(), "{what}: the cookie does not work");
    }
}

async fn commit(session: &Session) -> Result<(), Error> {
    assert_ne!(session.commit().await?, Outcome::Ended, "nobody else ended it");
    Ok(())
}

async fn set_two(session: &Session) -> Result<(), Error> {
    session.set("a", &1)?;
    session.set("b", &2)?;
    commit(session).await
}

#[tokio::test]
async fn a_first_write_is_stored_whole_or_not_at_all() {
    with_every_fault(Visitor::First, set_two, async |after| after.has_whole(["a", "b"]).await)
        .await;
}

#[tokio::test]
async fn a_write_is_stored_whole_or_not_at_all() {
    for visitor in [Visitor::Known, Visitor::Notified] {
        with_every_fault(visitor, set_two, async |after| after.has_whole(["a", "b"]).await).await;
    }
}

#[tokio::test]
async fn a_login_leaves_a_cookie_that_works_and_loses_nothing() {
    for visitor in [Visitor::Known, Visitor::Notified] {
        let login = async |session: &Session| {
            session.cycle_id();
            set_two(session).await
        };
        with_every_fault(visitor, login, async |after| {
            after.has_whole(["a", "b"]).await;
            assert!(after.holds().await.contains(&"user".to_owned()), "{}", after.what);
            if after.is_acknowledged {
                assert_ne!(after.cookie, after.before, "{}", after.what);
                // Where the answer that held them is lost, so are they; but nobody is told that all is well.
                let may_be_lost =
                    after.told.as_ref().is_err_and(|e| e.kind() == ErrorKind::Ambiguous);
                if visitor == Visitor::Notified && !may_be_lost {
                    assert_eq!(after.unread().await, ["info", "more"], "{}", after.what);
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_login_that_leaves_a_notification_leaves_it_to_the_new_id() {
    for visitor in [Visitor::Known, Visitor::Notified] {
        let login = async |session: &Session| {
            session.cycle_id();
            session.notifications().set("welcome", "back")?;
            commit(session).await
        };
        with_every_fault(visitor, login, async |after| {
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
    for visitor in [Visitor::Known, Visitor::Notified] {
        let logout = async |session: &Session| {
            session.destroy();
            commit(session).await
        };
        with_every_fault(visitor, logout, async |after| {
            assert_eq!(after.cookie, None, "{}", after.what);
            assert!(after.world.sessions.is_empty(), "{}", after.what);
            assert!(after.world.notices.is_empty(), "{}", after.what);
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_set_after_a_logout_is_in_another_session() {
    for visitor in [Visitor::Known, Visitor::Notified] {
        let logout = async |session: &Session| {
            session.destroy();
            set_two(session).await
        };
        with_every_fault(visitor, logout, async |after| {
            after.has_whole(["a", "b"]).await;
            assert_ne!(after.cookie, after.before, "{}", after.what);
            assert_eq!(after.world.holds(after.before).await, None, "{}", after.what);
            assert!(!after.holds().await.contains(&"user".to_owned()), "{}", after.what);
            assert!(after.world.notices.is_empty(), "{}", after.what);
        })
        .await;
    }
}

#[tokio::test]
async fn an_increment_that_is_acknowledged_counted_once_and_no_other_twice() {
    for visitor in [Visitor::First, Visitor::Known] {
        let increment = async |session: &Session| {
            session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await
        };
        with_every_fault(visitor, increment, async |after| {
            let session = over(after.world.sessions.clone()).open(after.cookie).await.unwrap();
            let count = session.get_or::<u32>("n", 0).unwrap();
            match &after.told {
                Ok(told) => assert_eq!((count, told), (1, &1), "{}", after.what),
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
async fn notifications_that_are_left_are_there_to_be_read_or_none_of_them_is() {
    for visitor in [Visitor::First, Visitor::Known, Visitor::Notified] {
        let leave = async |session: &Session| {
            session.notifications().set("a", "one")?;
            session.notifications().set("b", "two")?;
            commit(session).await
        };
        with_every_fault(visitor, leave, async |after| {
            let unread = after.unread().await;
            let there = ["a", "b"].map(|name| unread.iter().any(|unread| unread == name));
            assert_eq!(there[0], there[1], "{}: {unread:?}", after.what);
            assert!(there[0] || !after.is_acknowledged, "{}: {unread:?}", after.what);
            if visitor == Visitor::Notified {
                assert!(unread.contains(&"info".to_owned()), "{}: {unread:?}", after.what);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_notification_that_was_handed_out_is_gone_and_one_that_surely_was_not_is_there() {
    let read = async |session: &Session| session.notifications().get::<String>("info").await;
    with_every_fault(Visitor::Notified, read, async |after| {
        let unread = after.unread().await;
        let is_there = unread.contains(&"info".to_owned());
        match &after.told {
            Ok(told) => assert_eq!((told.as_deref(), is_there), (Some("saved"), false)),
            Err(error) if error.kind() == ErrorKind::Unavailable => assert!(is_there),
            Err(_) => {}
        }
        assert!(unread.contains(&"more".to_owned()), "{}: {unread:?}", after.what);
    })
    .await;
}

#[tokio::test]
async fn of_all_notifications_all_are_handed_out_or_none() {
    let drain = async |session: &Session| session.notifications().drain().await;
    with_every_fault(Visitor::Notified, drain, async |after| {
        let left = after.unread().await.len();
        match &after.told {
            Ok(drained) => assert_eq!((drained.len(), left), (2, 0), "{}", after.what),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                assert_eq!(left, 2, "{}", after.what);
            }
            Err(_) => assert!([0, 2].contains(&left), "{}: {left}", after.what),
        }
    })
    .await;
}
