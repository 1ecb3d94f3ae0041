//! Random requests that overlap, compared with a plain map of the live sessions. Each call is one step.

#![expect(clippy::indexing_slicing, reason = "a die has as many sides as there are to choose from")]

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use pycket_core::{Clock, IdChange, Session, SessionId, SessionManager, UserSessionHandle};
use pycket_testkit::ManualClock;

use crate::{DAY, at, handles};

const USERS: [&str; 2] = ["ann", "bob"];
const REQUESTS: usize = 3;

/// A third of the idle timeout, so that no session ends at the moment of a call.
const PASS: Duration = Duration::from_secs(8 * 60 * 60 + 1);

/// Whose session it is, and its handle.
type Owner = Option<(&'static str, UserSessionHandle)>;

/// Xorshift: the same seed gives the same numbers, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 0x8000).unwrap() % sides
    }
}

/// The sessions of the store: the owner of each id, and when it ends.
#[derive(Default)]
struct Model {
    sessions: BTreeMap<SessionId, (Owner, Duration)>,
    now: Duration,
}

/// What a request knows and has not stored yet.
struct Request {
    session: Session,
    base: Option<(SessionId, Owner)>,
    has_ended: bool,
    sign_in: Option<&'static str>,
    rotates: bool,
    sets: bool,
    destroyed: Vec<(SessionId, Owner)>,
}

impl Model {
    fn owner(&self, id: SessionId) -> Option<Owner> {
        self.sessions.get(&id).filter(|(_, ends)| *ends > self.now).map(|(owner, _)| *owner)
    }

    fn handles(&self, user: &str) -> BTreeSet<UserSessionHandle> {
        let owners = self.sessions.keys().filter_map(|id| self.owner(*id)?);
        owners.filter(|(owner, _)| *owner == user).map(|(_, handle)| handle).collect()
    }

    /// Ends a session under all its ids.
    fn end(&mut self, id: SessionId, owner: Owner) {
        self.sessions.remove(&id);
        if owner.is_some() {
            self.sessions.retain(|_, (other, _)| *other != owner);
        }
    }

    fn end_all(&mut self, user: &str, kept: Option<UserSessionHandle>) -> usize {
        let mut ended = self.handles(user);
        ended.retain(|handle| Some(*handle) != kept);
        self.sessions.retain(|_, (owner, _)| owner.is_none_or(|(_, h)| !ended.contains(&h)));
        ended.len()
    }

    fn store(&mut self, id: SessionId, owner: Owner) -> Option<(SessionId, Owner)> {
        self.sessions.insert(id, (owner, self.now + DAY));
        Some((id, owner))
    }
}

impl Request {
    fn new(session: Session, base: Option<(SessionId, Owner)>) -> Self {
        let (has_ended, sign_in, rotates, sets) = (false, None, false, false);
        Self { session, base, has_ended, sign_in, rotates, sets, destroyed: Vec::new() }
    }

    fn user(&self) -> Option<&'static str> {
        self.sign_in.or_else(|| self.base?.1.map(|(user, _)| user))
    }

    fn log_in(&mut self, user: &'static str) {
        let before = self.session.handle();
        let stored = self.base.and_then(|(_, owner)| owner);
        let stored = stored.filter(|(owner, _)| *owner == user).map(|(_, handle)| handle);
        let pending = before.filter(|_| self.user() == Some(user));
        self.session.log_in(user).unwrap();
        let now = self.session.handle();
        match stored.or(pending) {
            Some(handle) => assert_eq!(now, Some(handle), "the same user keeps the handle"),
            None => assert_ne!(now, before, "another user has another handle"),
        }
        self.sets &= self.user().is_none_or(|current| current == user);
        (self.sign_in, self.has_ended) = (Some(user), false);
    }

    fn destroy(&mut self) {
        self.session.destroy();
        self.destroyed.extend(self.base.take());
        (self.sign_in, self.rotates, self.sets, self.has_ended) = (None, false, false, false);
    }

    async fn commit(&mut self, model: &mut Model) {
        self.session.commit().await.unwrap();
        for (id, owner) in mem::take(&mut self.destroyed) {
            model.end(id, owner);
        }
        let is_live = self.base.is_some_and(|(id, _)| model.owner(id).is_some());
        let new_id = || self.session.id().unwrap();
        if let Some(user) = self.sign_in.take() {
            if let Some((id, owner)) = self.base {
                model.end(id, owner);
            }
            self.base = model.store(new_id(), Some((user, self.session.handle().unwrap())));
        } else if let Some((id, owner)) = self.base.filter(|_| self.rotates || self.sets) {
            match is_live {
                true if self.rotates => {
                    model.sessions.remove(&id);
                    self.base = model.store(new_id(), owner);
                }
                true => self.base = model.store(id, owner),
                false => (self.base, self.has_ended) = (None, true),
            }
        } else if self.base.is_none() && self.sets && !self.has_ended {
            self.base = model.store(new_id(), None);
        }
        (self.rotates, self.sets) = (false, false);
        assert_eq!(self.session.id(), self.base.map(|(id, _)| id));
        assert_eq!(self.session.user_id().as_deref(), self.user());
    }
}

#[tokio::test]
async fn random_requests_agree_with_a_map_of_the_sessions_of_each_user() {
    for seed in 0..400_u64 {
        let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let clock = ManualClock::new();
        let checks = dice.roll(2) == 0;
        let manager = at(&clock).1.check_user_index(checks).build().unwrap();
        let (mut model, mut ids) = (Model::default(), Vec::new());
        let mut requests = Vec::new();
        for _ in 0..REQUESTS {
            requests.push(Request::new(manager.open(None).await.unwrap(), None));
        }
        for _ in 0..40 {
            step(&manager, &clock, &mut model, &mut requests, &mut ids, &mut dice).await;
            check(&manager, &model, &ids, seed).await;
        }
    }
}

async fn step(
    manager: &SessionManager,
    clock: &ManualClock,
    model: &mut Model,
    requests: &mut [Request],
    ids: &mut Vec<SessionId>,
    dice: &mut Dice,
) {
    let request = &mut requests[dice.roll(REQUESTS)];
    match dice.roll(16) {
        0..3 => {
            request.session.abort().await.unwrap();
            for (id, owner) in mem::take(&mut request.destroyed) {
                model.end(id, owner);
            }
            // Mostly one of the last ids, as a browser does.
            let back = dice.roll(4);
            let id = ids.iter().rev().nth(back).copied();
            let session = manager.open(id).await.unwrap();
            let base = id.and_then(|id| Some((id, model.owner(id)?)));
            *request = Request::new(session, base);
        }
        3..6 => request.log_in(USERS[dice.roll(USERS.len())]),
        6 => {
            request.session.cycle_id();
            request.rotates = request.base.is_some();
        }
        7..9 => {
            request.session.set("x", &dice.roll(1000)).unwrap();
            request.sets = true;
        }
        9 => request.destroy(),
        10..14 => {
            request.commit(model).await;
            if let IdChange::Issued(id) = request.session.id_change()
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        14 if dice.roll(2) == 0 => {
            clock.advance(PASS);
            model.now = clock.elapsed();
        }
        14 => {
            let user = USERS[dice.roll(USERS.len())];
            let ended = manager.user(user).unwrap().end_all().await.unwrap();
            assert_eq!(ended, model.end_all(user, None));
        }
        _ => {
            if let Some(sessions) = request.session.user_sessions() {
                let ended = sessions.end_all_except(&request.session).await.unwrap();
                let kept = request.session.handle();
                assert_eq!(ended, model.end_all(sessions.user_id(), kept));
            }
        }
    }
}

async fn check(manager: &SessionManager, model: &Model, ids: &[SessionId], seed: u64) {
    for id in ids {
        let session = manager.open(Some(*id)).await.unwrap();
        let found = (!session.is_new()).then(|| session.user_id().zip(session.handle()));
        let expected = model.owner(*id);
        let expected = expected.map(|owner| owner.map(|(user, handle)| (user.to_owned(), handle)));
        assert_eq!(found, expected, "seed {seed}");
    }
    for user in USERS {
        let listed: BTreeSet<_> = handles(manager, user).await.into_iter().collect();
        assert_eq!(listed, model.handles(user), "seed {seed}");
    }
}
