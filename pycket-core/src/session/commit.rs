use crate::{
    Changes, Error, ErrorKind, Event, Outcome, Record, SessionId, SessionManager, Ttl, Update,
};

use super::Shared;
use super::commit_lock::CommitLock;
use super::notification::pointers;
use super::plan::{self, Step, plan};
use super::resolve::{self, Deletion};
use super::state::{Base, Live, Sent, State};
use super::work::PendingDelete;

impl Shared {
    pub(super) fn needs_commit(&self) -> bool {
        let state = self.state();
        let (expiry, clock) = (self.manager.expiry(), self.manager.clock());
        let touch = |live: &Live| expiry.touch(live, clock).is_some();
        state.needs_commit() || state.live().is_some_and(touch)
    }

    pub(super) async fn commit(&self) -> Result<Outcome, Error> {
        let _lock = CommitLock::acquire(self).await;
        self.commit_locked().await
    }

    pub(super) async fn abort(&self) -> Result<Outcome, Error> {
        let _lock = CommitLock::acquire(self).await;
        self.state().abandon();
        self.commit_locked().await
    }

    /// Stores what is pending, for a caller that has the commit lock.
    ///
    /// Each step removes from the state what it has done. After an error the rest is still there, and the
    /// next commit goes on with it.
    pub(super) async fn commit_locked(&self) -> Result<Outcome, Error> {
        self.state().set_committing(true);
        let result = self.store_all().await;
        self.state().set_committing(false);
        if let Some(event) = result.as_ref().ok().and_then(|outcome| event_of(*outcome)) {
            self.manager.emit(event);
        }
        result
    }

    async fn store_all(&self) -> Result<Outcome, Error> {
        // What is rare is boxed, so that the usual commit does not reserve memory for it.
        let has_deletes = !self.state().work().deletes.is_empty();
        let deleted = if has_deletes { Box::pin(self.delete_sessions()).await? } else { None };
        let stored = self.store_session().await;
        if !self.state().work().deletes.is_empty() {
            Box::pin(self.delete_notifications()).await;
        }
        match (stored?, deleted) {
            (Outcome::Unchanged, Some(deleted)) => Ok(deleted),
            (stored, _) => Ok(stored),
        }
    }

    /// Deletes the records of destroyed sessions, and those under the old ids of rotated ones.
    async fn delete_sessions(&self) -> Result<Option<Outcome>, Error> {
        let mut outcome = None;
        loop {
            let next = {
                let state = self.state();
                state.work().deletes.iter().find(|delete| !delete.is_notification()).cloned()
            };
            let Some(delete) = next else { return Ok(outcome) };
            let deletion = resolve::delete(self.manager.store(), &delete.id()).await;
            let notifications = match (&delete, deletion) {
                (_, Deletion::Kept(error)) => return Err(error),
                (_, Deletion::Unknown(error)) => {
                    self.state().may_be_deleted(delete.id());
                    return Err(error);
                }
                (PendingDelete::Session { .. }, Deletion::Deleted(record)) => ids_in(&record),
                // This request deleted it, but has not seen what it held.
                (PendingDelete::Session { notifications, .. }, Deletion::Unseen(_))
                | (
                    PendingDelete::Session { notifications, is_uncertain: true, .. },
                    Deletion::Absent,
                ) => notifications.clone(),
                // Another request ended the session and its notifications, or rotated it and kept them.
                _ => Vec::new(),
            };
            self.state().deleted(delete.id(), notifications);
            if let PendingDelete::Session { .. } = delete {
                self.manager.emit(Event::Destroyed);
                outcome = Some(Outcome::Destroyed);
            } else {
                outcome = outcome.or(Some(Outcome::Rotated));
            }
        }
    }

    /// Deletes notifications to which nothing points. One that cannot be deleted is left to the next commit
    /// or to its expiry, because no client can see it.
    async fn delete_notifications(&self) {
        let deletes = self.state().work().deletes.clone();
        for delete in deletes.iter().filter(|delete| delete.is_notification()) {
            let deletion = resolve::delete(self.manager.notifications(), &delete.id()).await;
            if !matches!(deletion, Deletion::Kept(_) | Deletion::Unknown(_)) {
                self.state().deleted(delete.id(), Vec::new());
            }
        }
    }

    /// Stores new notifications, and then the record that points to them.
    async fn store_session(&self) -> Result<Outcome, Error> {
        let store = self.manager.store();
        let (step, sent) = loop {
            let (provisional, record, ttl) = {
                let state = self.state();
                let new = state.work().notifications.first_key_value();
                let new = new.filter(|_| !state.is_too_late()).and_then(|(id, record)| {
                    // Without a ttl the session has ended, and stores none.
                    let ttl = plan::ttl(&state, self.manager.expiry(), self.manager.clock())?;
                    Some((*id, record.clone(), ttl))
                });
                let Some(new) = new else {
                    let sent = state.send();
                    break (self.plan(&state, &sent), sent);
                };
                new
            };
            let notifications = self.manager.notifications();
            let id = Box::pin(resolve::create(notifications, &record, ttl)).await?;
            self.state().stored_notification(&provisional, id);
        };
        match step {
            Step::Nothing => Ok(Outcome::Unchanged),
            Step::GiveUp => Ok(self.ended(&sent)),
            Step::TooLate => {
                let message = "the response has left, so the client cannot get the cookie of a new id: \
                               begin a session or change its id before the handler responds";
                Err(Error::new(ErrorKind::TooLate, message))
            }
            Step::Touch { mut live, ttl } => {
                let changes = match plan::granted(live.record.metadata(), ttl) {
                    Some(metadata) => Changes::new().with_metadata(metadata),
                    None => Changes::new(),
                };
                let result = resolve::touch(store, &live.id, &changes, ttl).await;
                if result.is_err() {
                    // The request only read, so it does not fail.
                    self.manager.emit(Event::RenewalFailed);
                    return Ok(Outcome::Unchanged);
                }
                live.record.apply(&changes);
                self.updated(result, live, &sent, ttl, Outcome::Touched)
            }
            Step::Update { mut live, changes, ttl } => {
                let result = resolve::update(store, &live.id, &live.record, &changes, ttl).await;
                live.record.apply(&changes);
                self.updated(result, live, &sent, ttl, Outcome::Updated)
            }
            Step::Create { record, ttl } => {
                let id = resolve::create(store, &record, ttl).await?;
                let expires_at = self.expires_at(ttl);
                self.state().stored_all(&sent, Live { id, record, expires_at });
                Ok(Outcome::Created)
            }
            Step::Rotate { live, record, ttl } => {
                Box::pin(self.rotate(sent, live, record, ttl)).await
            }
        }
    }

    /// Stores `record` under a new id and deletes the old one. In this order, an error at any point leaves
    /// an id that works. What other requests wrote to the old record meanwhile is written to the new one.
    async fn rotate(
        &self,
        sent: Sent,
        old: Live,
        record: Record,
        ttl: Ttl,
    ) -> Result<Outcome, Error> {
        let store = self.manager.store();
        let id = resolve::create(store, &record, ttl).await?;
        let deletion = resolve::delete(store, &old.id).await;
        if let Deletion::Absent | Deletion::Kept(_) = deletion {
            // No client knows the new id. If it cannot be deleted, it expires.
            let _ = store.delete(&id).await;
        }
        let new = Live { id, record, expires_at: self.expires_at(ttl) };
        match deletion {
            Deletion::Absent => Ok(self.ended(&sent)),
            Deletion::Kept(error) => Err(error),
            Deletion::Unseen(_) => {
                self.state().stored_all(&sent, new);
                Ok(Outcome::Rotated)
            }
            Deletion::Unknown(error) => {
                let mut state = self.state();
                state.stored_all(&sent, new);
                state.delete_later(PendingDelete::OldId(old.id));
                Err(error)
            }
            Deletion::Deleted(last) => {
                let missed = missed(&old.record, &last, sent.changes());
                {
                    let mut state = self.state();
                    state.stored_all(&sent, new);
                    state.add_missed(&sent, &missed);
                }
                if missed.is_empty() {
                    return Ok(Outcome::Rotated);
                }
                match Box::pin(self.store_session()).await? {
                    Outcome::Ended => Ok(Outcome::Ended),
                    _ => Ok(Outcome::Rotated),
                }
            }
        }
    }

    fn updated(
        &self,
        result: Result<Update, Error>,
        live: Live,
        sent: &Sent,
        ttl: Ttl,
        outcome: Outcome,
    ) -> Result<Outcome, Error> {
        match result? {
            Update::Applied => {
                let expires_at = self.expires_at(ttl);
                self.state().stored_all(sent, Live { expires_at, ..live });
                Ok(outcome)
            }
            Update::Ended => Ok(self.ended(sent)),
            Update::Conflict => {
                let message = "the store refused an update that expected nothing";
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }

    fn ended(&self, sent: &Sent) -> Outcome {
        self.state().end(sent);
        Outcome::Ended
    }

    pub(super) fn expires_at(&self, ttl: Ttl) -> std::time::Duration {
        self.manager.clock().elapsed() + ttl.as_duration()
    }

    fn plan(&self, state: &State, sent: &Sent) -> Step {
        plan(state, sent, self.manager.expiry(), self.manager.clock())
    }
}

/// What a dropped session had still to delete. No caller waits for it. For each session that remains, an event
/// is emitted.
pub(super) struct UnobservedDeletes {
    manager: SessionManager,
    deletes: Vec<PendingDelete>,
}

impl UnobservedDeletes {
    pub(super) fn new(manager: SessionManager, deletes: Vec<PendingDelete>) -> Self {
        Self { manager, deletes }
    }

    pub(super) async fn run(mut self) {
        while let Some(delete) = self.deletes.pop() {
            let shared =
                Shared::new(self.manager.clone(), State::new(Base::Absent, false, Vec::new()));
            shared.state().delete_later(delete);
            if shared.delete_sessions().await.is_err() {
                self.manager.emit(Event::DestroyFailed);
            }
            shared.delete_notifications().await;
            shared.state().take_deletes();
        }
    }
}

impl Drop for UnobservedDeletes {
    fn drop(&mut self) {
        for _ in self.deletes.iter().filter(|delete| !delete.is_notification()) {
            self.manager.emit(Event::DestroyFailed);
        }
    }
}

/// The notifications to which a record points.
fn ids_in(record: &Record) -> Vec<SessionId> {
    pointers(record).map(|pointer| pointer.id).collect()
}

/// What other requests did to the old record of a rotation between `known` and `last`, except where this
/// request changed the same names.
fn missed(known: &Record, last: &Record, ours: Option<&Changes>) -> Changes {
    let is_ours = |name: &str| ours.is_some_and(|changes| changes.get(name).is_some());
    let mut missed = Changes::new();
    for (name, value) in last.iter() {
        if known.get(name) != Some(value) && !is_ours(name) {
            missed = missed.set(name, value.clone());
        }
    }
    for name in known.names() {
        if last.get(name).is_none() && !is_ours(name) {
            missed = missed.remove(name);
        }
    }
    missed
}

/// A destroyed session has emitted its event already, and an update has none.
fn event_of(outcome: Outcome) -> Option<Event> {
    match outcome {
        Outcome::Created => Some(Event::Created),
        Outcome::Touched => Some(Event::Renewed),
        Outcome::Rotated => Some(Event::Rotated),
        Outcome::Ended => Some(Event::Ended),
        Outcome::Unchanged | Outcome::Updated | Outcome::Destroyed => None,
    }
}
