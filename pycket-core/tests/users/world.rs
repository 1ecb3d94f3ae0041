//! Requests on the sessions of one user whose store calls a test orders, and lets fail.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pycket_core::{
    Clock, Creation, Error, ErrorKind, Event, Expiry, IdChange, Outcome, Record, Session,
    SessionId, SessionManager, SessionManagerBuilder, SessionStore, Ttl, UserSessionHandle,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock, PausingStore, Task};

use crate::acts::{Act, run, run_again};
use crate::now::now;
use crate::watched::Watched;
use crate::{DAY, over};

/// What the session was before the requests begin.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    /// Half of its idle timeout has passed.
    pub(crate) is_aged: bool,
    /// It had another id before.
    pub(crate) is_rotated: bool,
    /// The store has lost the index.
    pub(crate) is_evicted: bool,
}

/// The number of a call of one request, and how it fails.
pub(crate) type Fail = (usize, Fault);

/// The laptop's session of "ann", on which all requests run; her phone's; and one of "bob".
pub(crate) struct World {
    pub(crate) store: Arc<Watched>,
    clock: ManualClock,
    manager: SessionManager,
    /// It ends a session that the index does not list.
    checking: SessionManager,
    laptop: SessionId,
    pub(crate) handle: UserSessionHandle,
    phone: SessionId,
    bob: SessionId,
    pub(crate) log: Arc<Mutex<Vec<Entry>>>,
}

/// What came of a request.
pub(crate) struct Entry {
    pub(crate) act: Act,
    pub(crate) first: Result<Option<Outcome>, ErrorKind>,
    pub(crate) change: IdChange,
    pub(crate) limit_failed: bool,
    pub(crate) calls: usize,
}

/// What a store holds, so that each order begins with a copy of it.
pub(crate) struct Setting {
    clock: Duration,
    records: Vec<(SessionId, Record, Ttl)>,
    handle: UserSessionHandle,
    laptop: SessionId,
    phone: SessionId,
    bob: SessionId,
}

impl Setting {
    pub(crate) fn new(past: Past) -> Self {
        let clock = ManualClock::new();
        let store = Arc::new(Watched::new(&clock));
        let manager = manager(store.clone(), &clock);
        let signed_in = |user: &str| {
            let session = now(manager.open(None)).unwrap();
            session.remember(30 * DAY, 365 * DAY).unwrap();
            session.log_in(user).unwrap();
            now(session.commit()).unwrap();
            session
        };
        let [phone, bob] = ["ann", "bob"].map(|user| signed_in(user).id().unwrap());
        let laptop = now(manager.open(None)).unwrap();
        laptop.log_in("ann").unwrap();
        now(laptop.commit()).unwrap();
        if past.is_rotated {
            laptop.cycle_id();
            now(laptop.commit()).unwrap();
        }
        if past.is_aged {
            clock.advance(DAY / 2);
        }
        let mut ids = store.created();
        if !past.is_evicted {
            ids.extend(store.indexes());
        }
        let records = ids.into_iter().filter_map(|id| {
            let found = now(store.load(&id)).unwrap()?;
            Some((id, found.record, Ttl::try_from(found.expires_in).unwrap()))
        });
        Self {
            clock: clock.elapsed(),
            records: records.collect(),
            handle: laptop.handle().unwrap(),
            laptop: laptop.id().unwrap(),
            phone,
            bob,
        }
    }
}

impl World {
    pub(crate) fn new(setting: &Setting) -> Self {
        let clock = ManualClock::new();
        clock.advance(setting.clock);
        let store = Arc::new(Watched::new(&clock));
        for (id, record, ttl) in &setting.records {
            let created = now(store.create(id, record, *ttl)).unwrap();
            assert_eq!(created, Creation::Created);
        }
        let manager = manager(store.clone(), &clock);
        let checking = checking(store.clone(), &clock);
        let Setting { handle, laptop, phone, bob, .. } = *setting;
        Self { store, clock, manager, checking, laptop, handle, phone, bob, log: Arc::default() }
    }

    /// A request on the laptop's session. If it fails, it tries again, or with `gives_up` drops its changes.
    pub(crate) fn request(&self, act: Act, fails: &[Fail], gives_up: bool) -> Task {
        let faulty = Arc::new(FaultyStore::new(self.store.clone()));
        let manager = builder(Arc::new(PausingStore::new(faulty.clone())), &self.clock);
        let max = NonZeroUsize::new(if act == Act::SignInElsewhere { 1 } else { 200 }).unwrap();
        let has_failed = Arc::new(AtomicBool::new(false));
        let limit_failed = has_failed.clone();
        let manager = manager.max_sessions_per_user(max).on_event(move |event| {
            limit_failed.fetch_or(event == Event::LimitFailed, Ordering::Relaxed);
        });
        let manager = manager.build().unwrap();
        let laptop = (act != Act::SignInElsewhere).then_some(self.laptop);
        let session = now(manager.open(laptop)).unwrap();
        let phone = now(manager.open(Some(self.phone))).unwrap();
        let opened = faulty.calls();
        for &(nth, fault) in fails {
            faulty.fail_nth(nth, fault);
        }
        let (log, clock, store, handle) =
            (self.log.clone(), self.clock.clone(), self.store.clone(), self.handle);
        Box::pin(async move {
            let mut first = run(act, &session, &phone, handle, &clock).await;
            let entry = first.as_ref().map(|outcome| *outcome).map_err(Error::kind);
            while first.is_err() {
                first = match gives_up && !act.ends_by_list() {
                    true => session.abort().await.map(Some),
                    false => run_again(act, &session, &phone, handle).await,
                };
            }
            let limit_failed = has_failed.load(Ordering::Relaxed);
            let signed_in = act == Act::SignInElsewhere && !(gives_up && entry.is_err());
            if act.ends_by_list() || signed_in && !limit_failed {
                store.watch_for(handle);
            }
            let (change, calls) = (session.id_change(), faulty.calls() - opened);
            log.lock().unwrap().push(Entry { act, first: entry, change, limit_failed, calls });
        })
    }

    /// All live sessions that belong to a user, with their ids.
    pub(crate) fn live(&self) -> Vec<(SessionId, Session)> {
        let sessions = self.store.created().into_iter().map(|id| (id, self.open(id)));
        sessions.filter(|(_, session)| session.user_id().is_some()).collect()
    }

    pub(crate) fn is_of_the_laptop(&self, session: &Session) -> bool {
        session.handle() == Some(self.handle)
    }

    pub(crate) fn is_listed(&self, id: SessionId) -> bool {
        !now(self.checking.open(Some(id))).unwrap().is_new()
    }

    /// Whether a client knows the id, or the index does.
    pub(crate) fn is_known(&self, id: SessionId) -> bool {
        id == self.laptop || self.issued_ids().contains(&id) || self.is_listed(id)
    }

    pub(crate) fn is_live(&self, id: SessionId) -> bool {
        !self.open(id).is_new()
    }

    pub(crate) fn phone_is_live(&self) -> bool {
        self.is_live(self.phone)
    }

    pub(crate) fn bob_is_live(&self) -> bool {
        self.is_live(self.bob)
    }

    pub(crate) fn user_of(&self, id: SessionId) -> Option<String> {
        self.open(id).user_id()
    }

    fn open(&self, id: SessionId) -> Session {
        now(self.manager.open(Some(id))).unwrap()
    }

    /// Whether the client of the only request has a session.
    pub(crate) fn cookie_is_live(&self) -> bool {
        self.is_live(self.issued_ids().first().copied().unwrap_or(self.laptop))
    }

    pub(crate) fn has_failed(&self, act: Act) -> bool {
        let log = self.log.lock().unwrap();
        log.iter().any(|entry| entry.act == act && (entry.first.is_err() || entry.limit_failed))
    }

    /// The most calls that a request made.
    pub(crate) fn calls(&self) -> usize {
        self.log.lock().unwrap().iter().map(|entry| entry.calls).max().unwrap_or(0)
    }

    /// The ids that requests of this kind gave to the client.
    pub(crate) fn issued(&self, act: Act) -> Vec<SessionId> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|entry| entry.act == act).filter_map(Entry::issued).collect()
    }

    fn issued_ids(&self) -> Vec<SessionId> {
        self.log.lock().unwrap().iter().filter_map(Entry::issued).collect()
    }
}

impl Entry {
    fn issued(&self) -> Option<SessionId> {
        match self.change {
            IdChange::Issued(id) => Some(id),
            _ => None,
        }
    }
}

pub(crate) fn manager(store: Arc<impl SessionStore>, clock: &ManualClock) -> SessionManager {
    builder(store, clock).build().unwrap()
}

/// A manager that looks into the index whenever it opens a session.
pub(crate) fn checking(store: Arc<impl SessionStore>, clock: &ManualClock) -> SessionManager {
    builder(store, clock).check_user_index(true).build().unwrap()
}

fn builder(store: Arc<impl SessionStore>, clock: &ManualClock) -> SessionManagerBuilder {
    let expiry = Expiry::builder().idle_timeout(DAY).build().unwrap();
    over(store).to_builder().clock(clock.clone()).expiry(expiry)
}
