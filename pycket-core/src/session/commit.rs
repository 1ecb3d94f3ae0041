use std::borrow::Cow;

use crate::users::{Lifetime, Listed, Reason, UserEntry, UserIndex};
use crate::{Changes, Error, ErrorKind, Event, Outcome, Record, SessionId, Ttl, Update, Value};

use super::Shared;
use super::plan::{Step, plan};
use super::resolve::{self, Deletion};
use super::state::{Live, Sent};
use super::work::PendingDelete;

impl Shared {
    /// Stores what is pending, for a caller that has the commit lock.
    ///
    /// Each step removes from the state what it has done. After an error the rest is still there, and the
    /// next commit goes on with it.
    pub(super) async fn commit_locked(&self) -> Result<Outcome, Error> {
        self.state().is_committing = true;
        let result = self.store_all().await;
        self.state().is_committing = false;
        if let Some(event) = result.as_ref().ok().and_then(|outcome| event_of(*outcome)) {
            self.manager.emit(event);
        }
        result
    }

    async fn store_all(&self) -> Result<Outcome, Error> {
        // What is rare is boxed, so that the usual commit does not reserve memory for it.
        let ends_a_session = self.state().ends_a_session();
        let deleted = if ends_a_session { Box::pin(self.delete_sessions()).await? } else { None };
        let mut stored = self.store_session().await;
        if !self.state().work.deletes.is_empty() {
            if let Ok(outcome) = stored {
                // A sign-in ends the other sessions of the client, now that it is stored.
                stored = Box::pin(self.delete_sessions()).await.map(|_| outcome);
            }
            Box::pin(self.delete_notifications()).await;
        }
        match (stored?, deleted) {
            (Outcome::Unchanged, Some(deleted)) => Ok(deleted),
            (stored, _) => Ok(stored),
        }
    }

    /// Deletes the records of destroyed sessions, and those under the old ids of rotated ones.
    pub(super) async fn delete_sessions(&self) -> Result<Option<Outcome>, Error> {
        let mut outcome = None;
        loop {
            let next = {
                let state = self.state();
                state.work.deletes.iter().find(|delete| !delete.is_notification()).cloned()
            };
            let Some(delete) = next else { return Ok(outcome) };
            if let PendingDelete::Listed { id, user, is_deleted } = delete {
                let index = UserIndex::new(&self.manager, &user.user_id);
                let was_listed = Box::pin(index.end_listed(&user, id)).await?;
                self.state().deleted(id, None, false);
                if is_deleted || was_listed {
                    self.manager.emit(Event::SignedOut(user.handle));
                }
                continue;
            }
            let id = delete.id();
            let deletion = self.delete(&id).await.inspect_err(|error| {
                if resolve::may_have_happened(error) {
                    self.state().may_be_deleted(id);
                }
            })?;
            let PendingDelete::Session { record, is_uncertain, .. } = delete else {
                self.state().deleted(id, None, false);
                if let PendingDelete::OldId(_) = delete {
                    outcome = outcome.or(Some(Outcome::Rotated));
                }
                continue;
            };
            let (record, is_deleted) = match deletion {
                Deletion::Deleted(record) => (Some(record), true),
                // This request deleted it, but has not seen what it held.
                Deletion::Unseen(_) => (record, true),
                // Another request ended the session and its notifications, or rotated it and kept them. Where it
                // belongs to a user, the index has the new id.
                Deletion::Absent => (record, is_uncertain),
            };
            self.state().deleted(id, record.as_ref(), is_deleted);
            self.manager.emit(Event::Destroyed);
            outcome = Some(Outcome::Destroyed);
        }
    }

    /// Deletes notifications to which nothing points. One that cannot be deleted is left to the next commit
    /// or to its expiry, because no client can see it.
    pub(super) async fn delete_notifications(&self) {
        let deletes = self.state().work.deletes.clone();
        for delete in deletes.iter().filter(|delete| delete.is_notification()) {
            let (clock, store) = (self.manager.clock(), self.manager.notifications());
            if resolve::delete(clock, store, &delete.id()).await.is_ok() {
                self.state().deleted(delete.id(), None, false);
            }
        }
    }

    /// Stores new notifications, and then the record that points to them.
    pub(super) async fn store_session(&self) -> Result<Outcome, Error> {
        let clock = self.manager.clock();
        loop {
            let (step, sent) = {
                let state = self.state();
                if state.is_too_late() {
                    return Err(too_late());
                }
                (plan(&state, self.manager.expiry(), clock), state.send())
            };
            return match step {
                Step::Nothing => Ok(Outcome::Unchanged),
                Step::GiveUp => Ok(self.ended(&sent)),
                Step::Notify { provisional, record, ttl } => {
                    drop(sent);
                    let notifications = self.manager.notifications();
                    let id = Box::pin(resolve::create(clock, notifications, &record, ttl)).await?;
                    self.state().stored_notification(&provisional, id);
                    continue;
                }
                Step::Update { live, changes, ttl } => {
                    match self.update_live(&sent, live, changes.as_deref(), ttl).await {
                        Err(_) if changes.is_none() => {
                            // The request only read, so it does not fail.
                            self.manager.emit(Event::RenewalFailed);
                            Ok(Outcome::Unchanged)
                        }
                        result => result,
                    }
                }
                Step::Create { record, ttl } => self.create(&sent, record, ttl).await,
                Step::Rotate { live, record, ttl } => {
                    Box::pin(self.rotate(sent, live, record, ttl)).await
                }
                Step::SignIn { sign_in, old, record, ttl } => {
                    Box::pin(self.sign_in(&sent, &sign_in, old, record, ttl)).await
                }
            };
        }
    }

    /// Stores a new session.
    pub(super) async fn create(
        &self,
        sent: &Sent,
        record: Record,
        ttl: Ttl,
    ) -> Result<Outcome, Error> {
        let new = self.create_record(record, ttl).await?;
        self.state().stored_all(sent, new);
        Ok(Outcome::Created)
    }

    /// Stores changes of a live session, or with `None` only renews it.
    async fn update_live(
        &self,
        sent: &Sent,
        live: Live,
        changes: Option<&Changes>,
        ttl: Ttl,
    ) -> Result<Outcome, Error> {
        let (clock, store) = (self.manager.clock(), self.manager.store());
        let mut renewed = changes.map_or_else(|| Cow::Owned(Changes::new()), Cow::Borrowed);
        if !self.renew(&mut renewed, &live, ttl).await? {
            return Ok(self.ended(sent));
        }
        let (result, outcome) = match changes {
            Some(_) => (
                resolve::update(clock, store, &live.id, &live.record, &renewed, ttl).await?,
                Outcome::Updated,
            ),
            None => (resolve::repeat(store, &live.id, &renewed, ttl).await?, Outcome::Touched),
        };
        match result {
            Update::Applied => {
                let expires_at = self.expires_at(ttl);
                self.state().stored_changes(sent, Live { expires_at, ..live }, &renewed);
                Ok(outcome)
            }
            Update::Ended => Ok(self.ended(sent)),
            Update::Conflict => {
                let message = "the store refused an update that expected nothing";
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }

    /// Adds to the changes of a live session what its renewal with this ttl changes. If the index does not list the
    /// session long enough, that comes first. Returns whether the session is still live.
    pub(super) async fn renew(
        &self,
        changes: &mut Cow<'_, Changes>,
        live: &Live,
        ttl: Ttl,
    ) -> Result<bool, Error> {
        let metadata = live.record.metadata();
        if metadata.granted != Some(ttl) {
            changes.to_mut().metadata = Some(metadata.with_granted(Some(ttl)));
        }
        if live.version.is_some() {
            changes.to_mut().version.clone_from(&live.version);
        }
        let Some(user) = self.outgrown(live, ttl) else { return Ok(true) };
        let user = Box::pin(self.renew_listed(user, live.id)).await?;
        let is_live = user.is_some();
        if is_live {
            changes.to_mut().insert(UserEntry::NAME.into(), user);
        }
        Ok(is_live)
    }

    /// How a renewal with this ttl has the index list the session, if that has to last longer than it does.
    fn outgrown(&self, live: &Live, ttl: Ttl) -> Option<UserEntry> {
        let user = UserEntry::of(&live.record)?;
        let lifetime = Lifetime::of(self.manager.clock().now(), ttl);
        (!user.lifetime.covers(lifetime.ends_at)).then_some(UserEntry { lifetime, ..user })
    }

    /// Has the index list a session that is renewed. Returns what the record has to say of its user then, or `None` if
    /// the session has ended.
    async fn renew_listed(&self, user: UserEntry, id: SessionId) -> Result<Option<Value>, Error> {
        let index = UserIndex::new(&self.manager, &user.user_id);
        match index.list(&user, id, Reason::Renewal, &[]).await? {
            Listed::Ended => Ok(None),
            Listed::Yes { entry, .. } => user.with_listed(id, &entry).to_value().map(Some),
        }
    }

    pub(super) fn ended(&self, sent: &Sent) -> Outcome {
        self.state().end(sent);
        Outcome::Ended
    }

    /// Stores a record under a new id.
    pub(super) async fn create_record(&self, record: Record, ttl: Ttl) -> Result<Live, Error> {
        let (clock, store) = (self.manager.clock(), self.manager.store());
        let id = resolve::create(clock, store, &record, ttl).await?;
        Ok(Live { id, record, expires_at: self.expires_at(ttl), version: None })
    }

    pub(super) fn expires_at(&self, ttl: Ttl) -> std::time::Duration {
        self.manager.clock().elapsed() + ttl.as_duration()
    }
}

pub(super) fn too_late() -> Error {
    let message = "the response has left, so the client cannot get the cookie of a new id: \
                   begin a session or change its id before the handler responds";
    Error::new(ErrorKind::TooLate, message)
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
