use crate::users::{Lifetime, Listed, Reason, Task, UserEntry, UserIndex, concurrently};
use crate::{Changes, Error, ErrorKind, Outcome, Record, SessionId, Ttl, Update};

use super::Shared;
use super::resolve::{self, Deletion};
use super::state::{Live, Sent};
use super::work::PendingDelete;

/// After so many changes of the id, the earlier ids are deleted once more, so that they need not be listed.
const MAX_EARLIER: usize = 7;

/// What a rotation does if the old record does not exist any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IfEnded {
    /// The session has ended, so the new id ends, too.
    End,
    /// The user has just signed in, so the new id stays live.
    Keep,
}

/// How the index is to list a session under its next id.
pub(super) struct Next {
    pub(super) user: UserEntry,
    /// Ids that were listed and are certainly deleted.
    pub(super) deleted: Vec<SessionId>,
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
        let known = UserEntry::of(&old.record);
        let next = match &known {
            Some(known) => Some(Box::pin(self.next(known, old.id, ttl)).await),
            None => None,
        };
        if let Some(next) = &next {
            record.apply(&Changes::new().set(UserEntry::NAME, next.user.to_value()?));
        }
        let id = resolve::create(self.manager.store(), &record, ttl).await?;
        let new = Live { id, record, expires_at: self.expires_at(ttl) };
        if let (Some(known), Some(next)) = (known, next) {
            match Box::pin(self.list_rotation(&known, &next, old.id, id)).await {
                Ok(true) => {}
                Ok(false) => {
                    self.withdraw(&new, None).await;
                    return Ok(self.ended(&sent));
                }
                Err(error) => {
                    self.withdraw(&new, None).await;
                    return Err(error);
                }
            }
        }
        self.delete_old(&sent, &old, new, &[], IfEnded::End).await
    }

    /// Deletes the record under the old id of a session that is stored under a new one, and those under `others`,
    /// which the session had meanwhile. What other requests wrote to them is written to the new one.
    pub(super) async fn delete_old(
        &self,
        sent: &Sent,
        old: &Live,
        new: Live,
        others: &[SessionId],
        if_ended: IfEnded,
    ) -> Result<Outcome, Error> {
        let store = self.manager.store();
        let mut missed = Changes::new();
        match resolve::delete(store, &old.id).await {
            Deletion::Absent if if_ended == IfEnded::End => {
                self.withdraw(&new, Some(old.id)).await;
                return Ok(self.ended(sent));
            }
            Deletion::Kept(error) => {
                self.withdraw(&new, None).await;
                return Err(error);
            }
            Deletion::Absent | Deletion::Unseen(_) => self.state().stored_all(sent, new),
            Deletion::Unknown(error) => {
                let mut state = self.state();
                state.stored_all(sent, new);
                for id in others.iter().chain([&old.id]) {
                    state.delete_later(PendingDelete::OldId(*id));
                }
                return Err(error);
            }
            Deletion::Deleted(last) => {
                missed = add_missed(missed, &old.record, &last, sent.changes());
                self.state().stored_all(sent, new);
            }
        }
        for id in others {
            match resolve::delete(store, id).await {
                Deletion::Deleted(last) => {
                    missed = add_missed(missed, &old.record, &last, sent.changes());
                }
                Deletion::Absent | Deletion::Unseen(_) => {}
                // The next commit tries again.
                Deletion::Kept(_) | Deletion::Unknown(_) => {
                    self.state().delete_later(PendingDelete::OldId(*id));
                }
            }
        }
        if missed.is_empty() {
            return Ok(Outcome::Rotated);
        }
        self.state().add_missed(sent, &missed);
        match Box::pin(self.store_session()).await? {
            Outcome::Ended => Ok(Outcome::Ended),
            _ => Ok(Outcome::Rotated),
        }
    }

    /// How the index is to list the session of `known`, whose id is `old`, under its next id.
    pub(super) async fn next(&self, known: &UserEntry, old: SessionId, ttl: Ttl) -> Next {
        let mut user = known.clone();
        let mut deleted = Vec::new();
        if user.earlier.len() >= MAX_EARLIER {
            let delete = |id| Box::pin(self.if_deleted(id)) as Task<'_, _>;
            let deletes = user.earlier.iter().copied().map(delete).collect();
            deleted = concurrently(deletes).await.into_iter().flatten().collect();
            user.earlier.retain(|id| !deleted.contains(id));
        }
        user.earlier.push(old);
        let renewed = Lifetime::of(self.manager.clock().now(), ttl);
        if !user.lifetime.covers(renewed.ends_at) {
            user.lifetime = renewed;
        }
        Next { user, deleted }
    }

    /// Deletes the record under an id that the session had. Returns the id, if there is no record any more.
    async fn if_deleted(&self, id: SessionId) -> Option<SessionId> {
        let deletion = resolve::delete(self.manager.store(), &id).await;
        (!matches!(deletion, Deletion::Kept(_) | Deletion::Unknown(_))).then_some(id)
    }

    /// Has the index list the new id of a session beside its old one. `false` if the session has ended.
    async fn list_rotation(
        &self,
        known: &UserEntry,
        next: &Next,
        old: SessionId,
        new: SessionId,
    ) -> Result<bool, Error> {
        let index = UserIndex::new(&self.manager, &known.user_id);
        let (before, after) = (known.listed_as(old), next.user.listed_as(new));
        if before.lifetime == after.lifetime {
            match index.replace(known.handle, &before, Some(&after)).await {
                Ok(Update::Applied) => return Ok(true),
                // Another request changed the entry, or the reply is lost: look at it.
                Ok(Update::Conflict | Update::Ended) => {}
                Err(error) if error.kind() == ErrorKind::Ambiguous => {}
                Err(error) => return Err(error),
            }
        }
        let reason = Reason::Rotation { from: old };
        let listed = index.list(&next.user, new, reason, &next.deleted).await?;
        Ok(matches!(listed, Listed::Yes(..)))
    }

    /// Deletes a new record that no client knows. If it cannot be deleted, it expires.
    ///
    /// What the index lists of its session is removed, too, unless that is live under another id than `ended`.
    pub(super) async fn withdraw(&self, new: &Live, ended: Option<SessionId>) {
        let _ = self.manager.store().delete(&new.id).await;
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
