use std::borrow::Cow;

use crate::{Changes, Error, ErrorKind, Event, Outcome, SessionManager, Ttl, Update};

use super::Shared;
use super::notice_commit::{self, Left, Owner};
use super::pending::{Doomed, Fate, Pending};
use super::plan::{Step, plan};
use super::rotation::{Rotated, rotate};
use super::settle::{self, Removal};
use super::state::{Base, Live, Settled};

/// What a step came to: the state of the store, if it changed, what could not be stored, and the word
/// for the caller.
type Done = (Option<Base>, Pending, Result<Outcome, Error>);

impl Shared {
    pub(super) fn is_at_rest(&self) -> bool {
        let mut state = self.state();
        state.reclaim();
        !state.is_changed() && matches!(self.plan(state.base(), state.pending()), Step::Rest)
    }

    pub(super) async fn commit(&self) -> Result<Outcome, Error> {
        let _turn = self.turn.lock().await;
        self.commit_in_turn().await
    }

    pub(super) async fn abort(&self) -> Result<Outcome, Error> {
        let _turn = self.turn.lock().await;
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
        let (base, mut pending, destroys_seen) = self.state().begin();
        // Of a session that lives on, only an old id can have been left to end.
        let ending = match base {
            Base::Live(_) => Outcome::Rotated,
            Base::Absent | Base::Ended => Outcome::Destroyed,
        };
        // In a box, as are the other rarer ways here, so that the usual one needs no room for it.
        let ended = if pending.doomed.is_empty() {
            Ok(false)
        } else {
            Box::pin(self.end_all(&mut pending.doomed, ending)).await
        };
        let (base, unsettled, result) = match ended {
            Err(error) => (None, pending, Err(error)),
            Ok(ended) => {
                let done = self.carry_out(&base, pending).await;
                let (base, unsettled, result) = self.leave_notices(&base, done).await;
                let unchanged_but_ended = ended && matches!(result, Ok(Outcome::Unchanged));
                let result = if unchanged_but_ended { Ok(ending) } else { result };
                (base, unsettled, result)
            }
        };
        let settled = Settled { base, unsettled, destroys_seen };
        self.state().settle(settled);
        if let Some(event) = result.as_ref().ok().and_then(|outcome| event_of(*outcome)) {
            self.manager.emit(event);
        }
        result
    }

    /// Ends the sessions that were destroyed; whether there were any. Those that remain are left.
    async fn end_all(&self, all: &mut Vec<Doomed>, ending: Outcome) -> Result<bool, Error> {
        let ended = !all.is_empty();
        while let Some(doomed) = all.last_mut() {
            let was_removed = doomed.record == Fate::Removed;
            let result = end(&self.manager, doomed).await;
            let is_over = doomed.record == Fate::Removed || result.is_ok();
            let has_ended = is_over && !was_removed;
            if has_ended && ending == Outcome::Destroyed {
                self.manager.emit(Event::Destroyed);
            }
            result?;
            all.pop();
        }
        Ok(ended)
    }

    async fn carry_out(&self, base: &Base, pending: Pending) -> Done {
        let store = self.manager.store();
        match self.plan(base, &pending) {
            Step::Rest => (None, pending, Ok(Outcome::Unchanged)),
            Step::GiveUp => gone(),
            Step::Touch { live, ttl } => {
                let answer = store.update(&live.id, &Changes::new(), Some(ttl)).await;
                if answer.is_err() {
                    // Whoever only read has what it came for.
                    self.manager.emit(Event::RenewalFailed);
                    return (None, pending, Ok(Outcome::Unchanged));
                }
                self.updated(answer, live, pending, ttl, Outcome::Touched)
            }
            Step::Update { live, metadata, ttl } => {
                let changes = match metadata {
                    None => Cow::Borrowed(&pending.changes),
                    Some(metadata) => Cow::Owned(pending.changes.clone().with_metadata(metadata)),
                };
                let answer =
                    settle::update(store, &live.id, &live.record, &changes, Some(ttl)).await;
                let mut changed = live;
                changed.record.apply(&changes);
                self.updated(answer, changed, pending, ttl, Outcome::Updated)
            }
            Step::Create { record, ttl } => match settle::create(store, &record, ttl).await {
                Ok(id) => {
                    let live = Live { id, record, expires_at: self.expires_at(ttl) };
                    (Some(Base::Live(live)), pending.notices_only(), Ok(Outcome::Created))
                }
                Err(error) => (None, pending, Err(error)),
            },
            Step::Rotate { live, record, ttl } => {
                let rotating = rotate(&self.manager, &live, &pending.changes, record, ttl);
                match Box::pin(rotating).await {
                    Rotated::Done { id, record, ttl, left } => {
                        let live = Live { id, record, expires_at: self.expires_at(ttl) };
                        let (unsettled, result) = match left {
                            None => (Pending::default(), Ok(Outcome::Rotated)),
                            Some(left) => (left.0, Err(left.1)),
                        };
                        let Pending { notices, uncarried, .. } = pending;
                        let unsettled = Pending { notices, uncarried, ..unsettled };
                        (Some(Base::Live(live)), unsettled, result)
                    }
                    Rotated::Gone => gone(),
                    Rotated::Failed(error) => (None, pending, Err(error)),
                }
            }
        }
    }

    /// Stores the notifications, once it is sure that there is a session that they belong to.
    async fn leave_notices(&self, before: &Base, done: Done) -> Done {
        let (after, mut unsettled, result) = done;
        let (Some(notices), Base::Live(live)) =
            (self.manager.notifications(), after.as_ref().unwrap_or(before))
        else {
            return (after, unsettled, result);
        };
        let owner = match before {
            Base::Live(before) if before.id == live.id && after.is_none() => Owner::Untouched,
            Base::Live(before) if before.id == live.id => Owner::Stored,
            Base::Live(before) => {
                unsettled.uncarried.push(before.id);
                Owner::New
            }
            Base::Absent | Base::Ended => Owner::New,
        };
        if !unsettled.has_notices() || (result.is_err() && after.is_none()) {
            return (after, unsettled, result);
        }
        let now = self.manager.clock().now();
        let Some(ttl) = self.manager.expiry().ttl(live.record.metadata(), now) else {
            return gone();
        };
        let sessions = self.manager.store();
        let Pending { notices: left, uncarried, .. } = &mut unsettled;
        let leaving = notice_commit::leave(notices, sessions, live, owner, uncarried, left, ttl);
        let stored = Box::pin(leaving).await;
        self.state().forget_notices();
        let renewed = match stored {
            Ok(Left::Gone) => return gone(),
            Ok(Left::Stored) => None,
            Ok(Left::Renewed) => {
                let expires_at = self.expires_at(ttl);
                Some(Base::Live(Live { expires_at, ..live.clone() }))
            }
            Err(error) => return (after, unsettled, result.and(Err(error))),
        };
        unsettled.notices = Changes::new();
        let result = result.map(|outcome| match outcome {
            Outcome::Unchanged | Outcome::Touched => Outcome::Updated,
            outcome => outcome,
        });
        (after.or(renewed), unsettled, result)
    }

    fn updated(
        &self,
        answer: Result<Update, Error>,
        live: Live,
        pending: Pending,
        ttl: Ttl,
        outcome: Outcome,
    ) -> Done {
        match answer {
            Ok(Update::Applied) => {
                let live = Live { expires_at: self.expires_at(ttl), ..live };
                (Some(Base::Live(live)), pending.notices_only(), Ok(outcome))
            }
            Ok(Update::Gone) => gone(),
            Ok(Update::Conflict) => {
                let message = "the store refused an update that expected nothing";
                (None, pending, Err(Error::new(ErrorKind::Conflict, message)))
            }
            Err(error) => (None, pending, Err(error)),
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

fn gone() -> Done {
    (Some(Base::Ended), Pending::default(), Ok(Outcome::Gone))
}

/// A destroyed session has told of itself already, and an update is what sessions are for.
fn event_of(outcome: Outcome) -> Option<Event> {
    match outcome {
        Outcome::Created => Some(Event::Created),
        Outcome::Touched => Some(Event::Renewed),
        Outcome::Rotated => Some(Event::Rotated),
        Outcome::Gone => Some(Event::Ended),
        Outcome::Unchanged | Outcome::Updated | Outcome::Destroyed => None,
    }
}
