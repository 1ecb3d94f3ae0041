use crate::users::{Lifetime, Listed, Reason, Task, UserEntry, UserIndex, concurrently};
use crate::{Changes, Error, ErrorKind, Outcome, Record, SessionId, Ttl, Update};

use super::Shared;
use super::resolve::{self, Deletion};
use super::state::{Live, Sent};
use super::work::PendingDelete;

/// After so many changes of the id, the earlier ids are deleted once more, so that they need not be listed.
const MAX_EARLIER: usize = 7;

/// Why a session is stored under a new id.
pub(super) enum Cause {
    /// It changes its id, so it ends if the record under the old id was deleted by another request.
    Rotation {
        /// Whether the index did not show that the session is live. Only the deleted record shows it then.
        was_evicted: bool,
    },
    /// The user has just signed in, so it stays live.
    SignIn {
        /// The other ids under which the index lists it. It ends under them.
        others: Vec<SessionId>,
        /// That of the sign-in. A later one has a higher sequence, and ends the session of this one.
        sequence: u64,
        may_start_again: bool,
    },
}

impl Shared {
    /// Stores `record` under a new id and deletes the old one. In this order, an error at any point leaves
    /// an id that works. What other requests wrote to the old record meanwhile is written to the new one.
    ///
    /// If the session belongs to a user, the index lists the new id before the old one is deleted.
    pub(super) async fn rotate(
        &self,
        sent: Sent,
        old: Live,
        mut record: Record,
        ttl: Ttl,
    ) -> Result<Outcome, Error> {
        let Some(known) = UserEntry::of(&old.record) else {
            let new = self.create_record(record, ttl).await?;
            let cause = Cause::Rotation { was_evicted: false };
            return self.delete_old(&sent, &old, new, Changes::new(), cause).await;
        };
        let (user, deleted) = Box::pin(self.next(&known, old.id, ttl)).await;
        record.apply(&Changes::new().set(UserEntry::NAME, user.to_value()?));
        let new = self.create_record(record, ttl).await?;
        let listed = Box::pin(self.list_rotation(&known, (&user, &deleted), old.id, new.id)).await;
        let (missed, was_evicted) = match listed {
            Ok(None) => (Changes::new(), false),
            Ok(Some(Listed::Yes { entry, was_evicted, .. })) => {
                (user.correction(new.id, &entry)?, was_evicted)
            }
            not_listed => {
                self.withdraw(&new, None).await;
                return not_listed.map(|_| self.ended(&sent));
            }
        };
        self.delete_old(&sent, &old, new, missed, Cause::Rotation { was_evicted }).await
    }

    /// Deletes the record under the old id of a session that is stored under a new one. What other requests wrote to it
    /// is written to the new one, and what was `missed` before.
    ///
    /// Of several requests that delete the old record, one gets it. Only that one gives its new id to the client, and
    /// only it knows all that others wrote.
    pub(super) async fn delete_old(
        &self,
        sent: &Sent,
        old: &Live,
        new: Live,
        mut missed: Changes,
        cause: Cause,
    ) -> Result<Outcome, Error> {
        let user = UserEntry::of(&new.record);
        let mut others = match &cause {
            Cause::Rotation { .. } => Vec::new(),
            Cause::SignIn { others, .. } => others.clone(),
        };
        let deletion = match self.delete(&old.id).await {
            Ok(deletion) => deletion,
            Err(error) if resolve::may_have_happened(&error) => {
                let mut state = self.state();
                state.stored_all(sent, new);
                for id in others.iter().chain([&old.id]) {
                    state.work.deletes.push(PendingDelete::OldId(*id));
                }
                return Err(error);
            }
            Err(error) => {
                self.withdraw(&new, None).await;
                return Err(error);
            }
        };
        match (deletion, &cause) {
            (Deletion::Absent, Cause::Rotation { .. })
            | (Deletion::Unseen(_), Cause::Rotation { was_evicted: true }) => {
                self.withdraw(&new, Some(old.id)).await;
                return Ok(self.ended(sent));
            }
            (Deletion::Unseen(_), Cause::Rotation { .. }) => {}
            (
                Deletion::Absent | Deletion::Unseen(_),
                Cause::SignIn { sequence, may_start_again, .. },
            ) => {
                let ids = [old.id, new.id];
                match Box::pin(self.listed_beside(user.as_ref(), ids, *sequence)).await {
                    // The user signs in to the session as that request left it.
                    Ok((_, Some(successor))) if *may_start_again => {
                        self.withdraw(&new, None).await;
                        self.state().start_sign_in_again(sent, successor);
                        return Box::pin(self.store_session()).await;
                    }
                    Ok((listed, _)) => others = listed,
                    Err(error) => {
                        self.state().stored_all(sent, new);
                        return Err(error);
                    }
                }
            }
            (Deletion::Deleted(last), _) => {
                missed = add_missed(missed, &old.record, &last, sent.changes.as_deref());
            }
        }
        self.state().stored_all(sent, new);
        for id in &others {
            if self.delete(id).await.is_err() {
                // The next commit tries again.
                self.state().work.deletes.push(PendingDelete::OldId(*id));
            }
        }
        if missed.is_empty() {
            return Ok(Outcome::Rotated);
        }
        self.state().add_missed(sent, &missed);
        match Box::pin(self.store_session()).await? {
            Outcome::Ended => {
                if let Some(user) = user {
                    self.hand_over(&user, &old.record, &missed).await;
                }
                Ok(Outcome::Ended)
            }
            _ => Ok(Outcome::Rotated),
        }
    }

    /// The ids under which a session is listed beside these, and the first session under them that is live: another
    /// request has given it that id. Nothing if a later sign-in is listed, because that one ends them all.
    async fn listed_beside(
        &self,
        user: Option<&UserEntry>,
        known: [SessionId; 2],
        sequence: u64,
    ) -> Result<(Vec<SessionId>, Option<Live>), Error> {
        let Some(user) = user else { return Ok((Vec::new(), None)) };
        let listing = UserIndex::new(&self.manager, &user.user_id).load().await?;
        let mut ids = listing.others(user.handle, sequence, &known);
        // An earlier id can only be meant if a renewal has noted it while it was given.
        ids.sort_by_key(|id| user.earlier.contains(id));
        let mut successor = None;
        for id in &ids {
            successor = self.manager.live(*id).await?;
            if successor.is_some() {
                break;
            }
        }
        Ok((ids, successor))
    }

    /// Writes to a session what others wrote to its old record, after a sign-in has ended the id that this request
    /// was giving it. `known` is the old record as both knew it: a value that is another one by now stays.
    async fn hand_over(&self, user: &UserEntry, known: &Record, missed: &Changes) {
        let listed = UserIndex::new(&self.manager, &user.user_id).known(user.handle).await;
        // A failure here comes on top of two requests that change the id at the same time.
        let Ok(Some(listed)) = listed else { return };
        for id in listed.entry.ids {
            for (name, value) in missed.entries().filter(|(name, _)| *name != UserEntry::NAME) {
                let mut change = Changes::new().expect(name, known.get(name).cloned());
                change.insert(name.clone(), value.cloned());
                let _ = self.manager.store().update(&id, &change, None).await;
            }
        }
    }

    /// How the index is to list the session of `known`, whose id is `old`, under its next id. With it come the ids that
    /// were listed and are certainly deleted.
    pub(super) async fn next(
        &self,
        known: &UserEntry,
        old: SessionId,
        ttl: Ttl,
    ) -> (UserEntry, Vec<SessionId>) {
        let mut user = known.clone();
        let mut deleted = Vec::new();
        if user.earlier.len() >= MAX_EARLIER {
            let delete = async |id| self.delete(&id).await.ok().map(|_| id);
            let deletes = user.earlier.iter().map(|id| Box::pin(delete(*id)) as Task<'_, _>);
            deleted = concurrently(deletes.collect()).await.into_iter().flatten().collect();
            user.earlier.retain(|id| !deleted.contains(id));
        }
        user.earlier.push(old);
        let renewed = Lifetime::of(self.manager.clock().now(), ttl);
        if !user.lifetime.covers(renewed.ends_at) {
            user.lifetime = renewed;
        }
        (user, deleted)
    }

    /// Deletes the record of a session.
    pub(super) async fn delete(&self, id: &SessionId) -> Result<Deletion, Error> {
        resolve::delete(self.manager.clock(), self.manager.store(), id).await
    }

    /// Has the index list the new id of a session beside its old one. `None` if it does so exactly as the new record
    /// says.
    async fn list_rotation(
        &self,
        known: &UserEntry,
        (user, deleted): (&UserEntry, &[SessionId]),
        old: SessionId,
        new: SessionId,
    ) -> Result<Option<Listed>, Error> {
        let index = UserIndex::new(&self.manager, &known.user_id);
        let (before, after) = (known.listed_as(old), user.listed_as(new));
        if before.lifetime == after.lifetime {
            match index.replace(known.handle, &before, Some(&after)).await {
                Ok(Update::Applied) => return Ok(None),
                // Another request changed the entry, or the reply is lost: look at it.
                Ok(Update::Conflict | Update::Ended) => {}
                Err(error) if error.kind() == ErrorKind::Ambiguous => {}
                Err(error) => return Err(error),
            }
        }
        let reason = Reason::Rotation { from: old };
        index.list(user, new, reason, deleted).await.map(Some)
    }

    /// Deletes a new record that no client knows. If that fails, the next commit tries again.
    ///
    /// What the index lists of its session is removed, too, unless that is live under another id than `ended`.
    pub(super) async fn withdraw(&self, new: &Live, ended: Option<SessionId>) {
        if self.delete(&new.id).await.is_err() {
            self.state().work.deletes.push(PendingDelete::Unused(new.id));
            return;
        }
        if let Some(user) = UserEntry::of(&new.record)
            && user.earlier.iter().all(|id| Some(*id) == ended)
        {
            let index = UserIndex::new(&self.manager, &user.user_id);
            let _ = index.replace(user.handle, &user.listed_as(new.id), None).await;
        }
    }
}

/// Adds what other requests did to a record between `known` and `last`, except where this request changed the same
/// names.
fn add_missed(
    mut missed: Changes,
    known: &Record,
    last: &Record,
    ours: Option<&Changes>,
) -> Changes {
    // What a record says of its user is true only under its own id.
    let is_ours = |name: &str| {
        name == UserEntry::NAME || ours.is_some_and(|changes| changes.get(name).is_some())
    };
    for name in last.names().chain(known.names()) {
        if last.get(name) != known.get(name) && !is_ours(name) {
            missed.insert(name.into(), last.get(name).cloned());
        }
    }
    missed
}
