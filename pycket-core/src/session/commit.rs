use std::borrow::Cow;

use crate::{Changes, Error, ErrorKind, Event, Outcome, SessionManager, Ttl, Update};

use super::Shared;
use super::notice_commit::{self, Left, Owner};
use super::pending::{Doomed, Fate, Pending};
use super::plan::{Step, plan};
use super::rotation::{Rotated, rotate};
use super::settle::{self, Removal};
use super::state::{Base, Live, Settled};
use super::turn::Turn;

/// What a step came to.
struct Done {
    /// What the store has now, if that changed.
    base: Option<Base>,
    /// What could not be stored.
    unsettled: Option<Box<Pending>>,
    /// The word for the caller.
    result: Result<Outcome, Error>,
}

impl Shared {
    pub(super) fn needs_commit(&self) -> bool {
        let mut state = self.state();
        state.reclaim();
        let is_renewed = || !matches!(self.plan(state.base(), state.pending()), Step::Rest);
        state.is_changed() || self.manager.expiry().renews_on_access() && is_renewed()
    }

    pub(super) async fn commit(&self) -> Result<Outcome, Error> {
        let _turn = Turn::wait(self).await;
        self.commit_in_turn().await
    }

    pub(super) async fn abort(&self) -> Result<Outcome, Error> {
        let _turn = Turn::wait(self).await;
        if self.abandon() { self.commit_in_turn().await } else { Ok(Outcome::Unchanged) }
    }

    /// For whoever holds the turn: drops what is not stored; whether a session is to be ended.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.state();
        state.reclaim();
        state.abandon()
    }

    /// For whoever holds the turn.
    pub(super) async fn commit_in_turn(&self) -> Result<Outcome, Error> {
        let (base, pending, destroys_seen) = self.state().begin();
        // In a box, as are the other rarer ways here, so that the usual one needs no room for it.
        let done = if pending.doomed.is_empty() {
            self.store(&base, &pending).await
        } else {
            Box::pin(self.end_and_store(&base, &pending)).await
        };
        let Done { base, unsettled, result } = done;
        self.state().settle(Settled { base, unsettled, destroys_seen });
        if let Some(event) = result.as_ref().ok().and_then(|outcome| event_of(*outcome)) {
            self.manager.emit(event);
        }
        result
    }

    /// First ends the sessions that were destroyed. Those that remain are left.
    async fn end_and_store(&self, base: &Base, pending: &Pending) -> Done {
        // Of a session that lives on, only an old id can have been left to end.
        let ending = match base {
            Base::Live(_) => Outcome::Rotated,
            Base::Absent | Base::Ended => Outcome::Destroyed,
        };
        let mut all = pending.doomed.clone();
        while let Some(doomed) = all.last_mut() {
            let was_removed = doomed.record == Fate::Removed;
            let result = end(&self.manager, doomed).await;
            let is_over = doomed.record == Fate::Removed || result.is_ok();
            let has_ended = is_over && !was_removed;
            if has_ended && ending == Outcome::Destroyed {
                self.manager.emit(Event::Destroyed);
            }
            if let Err(error) = result {
                let unsettled = Some(Box::new(Pending { doomed: all, ..pending.clone() }));
                return Done { base: None, unsettled, result: Err(error) };
            }
            all.pop();
        }
        let mut done = self.store(base, pending).await;
        if matches!(done.result, Ok(Outcome::Unchanged)) {
            done.result = Ok(ending);
        }
        done
    }

    /// Stores the session, then its notifications.
    async fn store(&self, base: &Base, pending: &Pending) -> Done {
        let done = self.carry_out(base, pending).await;
        if self.leaves_notices(base, &done) {
            Box::pin(self.leave_notices(base, done)).await
        } else {
            done
        }
    }

    async fn carry_out(&self, base: &Base, pending: &Pending) -> Done {
        let store = self.manager.store();
        match self.plan(base, pending) {
            Step::Rest => Done::unchanged(pending, Ok(Outcome::Unchanged)),
            Step::GiveUp => Done::gone(),
            Step::Touch { live, ttl } => {
                let answer = store.update(&live.id, &Changes::new(), Some(ttl)).await;
                if answer.is_err() {
                    // Whoever only read has what it came for.
                    self.manager.emit(Event::RenewalFailed);
                    return Done::unchanged(pending, Ok(Outcome::Unchanged));
                }
                self.updated(answer, live, pending, ttl, Outcome::Touched)
            }
            Step::Update { mut live, metadata, ttl } => {
                let changes = match metadata {
                    None => Cow::Borrowed(&pending.changes),
                    Some(metadata) => Cow::Owned(pending.changes.clone().with_metadata(metadata)),
                };
                let answer =
                    settle::update(store, &live.id, &live.record, &changes, Some(ttl)).await;
                live.record.apply(&changes);
                self.updated(answer, live, pending, ttl, Outcome::Updated)
            }
            Step::Create { record, ttl } => match settle::create(store, &record, ttl).await {
                Ok(id) => {
                    let live = Live { id, record, expires_at: self.expires_at(ttl) };
                    Done::stored(live, pending, Outcome::Created)
                }
                Err(error) => Done::unchanged(pending, Err(error)),
            },
            Step::Rotate { live, record, ttl } => {
                let rotating = rotate(&self.manager, &live, &pending.changes, record, ttl);
                match Box::pin(rotating).await {
                    Rotated::Done { id, record, ttl, left } => {
                        let live = Live { id, record, expires_at: self.expires_at(ttl) };
                        let mut done = Done::stored(live, pending, Outcome::Rotated);
                        if let Some(left) = left {
                            let (left, error) = *left;
                            let notices = done.unsettled.map(|notices| *notices);
                            let Pending { notices, uncarried, .. } = notices.unwrap_or_default();
                            done.unsettled = Some(Box::new(Pending { notices, uncarried, ..left }));
                            done.result = Err(error);
                        }
                        done
                    }
                    Rotated::Gone => Done::gone(),
                    Rotated::Failed(error) => Done::unchanged(pending, Err(error)),
                }
            }
        }
    }

    /// Whether there are notifications to be stored, or to be looked for, and a session for them.
    fn leaves_notices(&self, before: &Base, done: &Done) -> bool {
        let Base::Live(live) = done.base.as_ref().unwrap_or(before) else {
            return false;
        };
        let is_rotated = matches!(before, Base::Live(before) if before.id != live.id);
        let has_notices = done.unsettled.as_ref().is_some_and(|left| left.has_notices());
        let is_in_vain = done.result.is_err() && done.base.is_none();
        self.manager.notifications().is_some() && (is_rotated || has_notices) && !is_in_vain
    }

    /// Stores the notifications, once it is sure that there is a session that they belong to.
    async fn leave_notices(&self, before: &Base, done: Done) -> Done {
        let (Some(notices), Base::Live(live)) =
            (self.manager.notifications(), done.base.as_ref().unwrap_or(before))
        else {
            return done;
        };
        let mut unsettled = done.unsettled.unwrap_or_default();
        let owner = match before {
            Base::Live(before) if before.id == live.id && done.base.is_none() => Owner::Untouched,
            Base::Live(before) if before.id == live.id => Owner::Stored,
            Base::Live(before) => {
                unsettled.uncarried.push(before.id);
                Owner::New
            }
            Base::Absent | Base::Ended => Owner::New,
        };
        let now = self.manager.clock().now();
        let Some(ttl) = self.manager.expiry().ttl(live.record.metadata(), now) else {
            return Done::gone();
        };
        let sessions = self.manager.store();
        let Pending { notices: left, uncarried, .. } = &mut *unsettled;
        let stored =
            notice_commit::leave(notices, sessions, live, owner, uncarried, left, ttl).await;
        self.state().forget_notices();
        let renewed = match stored {
            Ok(Left::Gone) => return Done::gone(),
            Ok(Left::Stored) => None,
            Ok(Left::Renewed) => {
                let expires_at = self.expires_at(ttl);
                Some(Base::Live(Live { expires_at, ..live.clone() }))
            }
            Err(error) => {
                let (unsettled, result) = (Some(unsettled), done.result.and(Err(error)));
                return Done { base: done.base, unsettled, result };
            }
        };
        unsettled.notices = Changes::new();
        let result = done.result.map(|outcome| match outcome {
            Outcome::Unchanged | Outcome::Touched => Outcome::Updated,
            outcome => outcome,
        });
        Done { base: done.base.or(renewed), unsettled: Some(unsettled), result }
    }

    fn updated(
        &self,
        answer: Result<Update, Error>,
        live: Live,
        pending: &Pending,
        ttl: Ttl,
        outcome: Outcome,
    ) -> Done {
        match answer {
            Ok(Update::Applied) => {
                let live = Live { expires_at: self.expires_at(ttl), ..live };
                Done::stored(live, pending, outcome)
            }
            Ok(Update::Ended) => Done::gone(),
            Ok(Update::Conflict) => {
                let message = "the store refused an update that expected nothing";
                Done::unchanged(pending, Err(Error::new(ErrorKind::Conflict, message)))
            }
            Err(error) => Done::unchanged(pending, Err(error)),
        }
    }

    pub(super) fn expires_at(&self, ttl: Ttl) -> std::time::Duration {
        self.manager.clock().elapsed() + ttl.as_duration()
    }

    fn plan(&self, base: &Base, pending: &Pending) -> Step {
        plan(base, pending, self.manager.expiry(), self.manager.clock())
    }
}

/// Ends sessions where nobody is left to be told of a failure; what remains runs out of time.
pub(super) async fn end_all_unheard(manager: &SessionManager, all: Vec<Doomed>) {
    for mut doomed in all {
        let was_removed = doomed.record == Fate::Removed;
        let _ = end(manager, &mut doomed).await;
        if doomed.record == Fate::Removed && !was_removed {
            manager.emit(Event::Destroyed);
        }
    }
}

/// Ends a session and its notifications. If another request ended it before, or gave it a new id, that
/// one has the notifications to care for.
async fn end(manager: &SessionManager, doomed: &mut Doomed) -> Result<(), Error> {
    if doomed.record != Fate::Removed {
        match settle::remove(manager.store(), &doomed.id).await {
            Removal::Absent if doomed.record == Fate::Alive => return Ok(()),
            Removal::Removed(_) | Removal::Unseen(_) | Removal::Absent => {
                doomed.record = Fate::Removed;
            }
            Removal::Unknown(error) => {
                doomed.record = Fate::Unknown;
                return Err(error);
            }
            Removal::Kept(error) => return Err(error),
        }
    }
    let Some(notices) = manager.notifications() else {
        return Ok(());
    };
    match settle::remove(notices, &doomed.id).await {
        Removal::Removed(_) | Removal::Unseen(_) | Removal::Absent => Ok(()),
        Removal::Kept(error) | Removal::Unknown(error) => Err(error),
    }
}

impl Done {
    /// The store has what it had.
    fn unchanged(pending: &Pending, result: Result<Outcome, Error>) -> Self {
        Self { base: None, unsettled: Some(pending.all_but_doomed()), result }
    }

    fn stored(live: Live, pending: &Pending, outcome: Outcome) -> Self {
        let unsettled = pending.only_notices();
        Self { base: Some(Base::Live(live)), unsettled, result: Ok(outcome) }
    }

    fn gone() -> Self {
        Self { base: Some(Base::Ended), unsettled: None, result: Ok(Outcome::Ended) }
    }
}

/// A destroyed session has told of itself already, and an update is what sessions are for.
fn event_of(outcome: Outcome) -> Option<Event> {
    match outcome {
        Outcome::Created => Some(Event::Created),
        Outcome::Touched => Some(Event::Renewed),
        Outcome::Rotated => Some(Event::Rotated),
        Outcome::Ended => Some(Event::Ended),
        Outcome::Unchanged | Outcome::Updated | Outcome::Destroyed => None,
    }
}
