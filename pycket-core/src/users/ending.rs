use std::collections::BTreeSet;

use crate::session::{Deletion, delete, notifications_of};
use crate::{Changes, Error, ErrorKind, SessionId, Update};

use super::concurrently::{Task, concurrently};
use super::index::{LOST_REPLIES, ROUNDS, UserIndex, too_many_writers};
use super::{Listing, UserEntry, UserSessionHandle};

impl UserIndex<'_> {
    /// Ends the listed sessions that `is_chosen` selects, wherever their ids change meanwhile. Returns those of
    /// which this call deleted a record.
    ///
    /// It deletes the records under all listed ids, and then removes the entries if they are still the same. If not,
    /// a session has got another id meanwhile, so it looks again. Only the sessions that were listed at first are
    /// chosen.
    pub(crate) async fn end(
        &self,
        mut listing: Listing,
        is_chosen: impl Fn(UserSessionHandle) -> bool,
    ) -> Result<Vec<UserSessionHandle>, Error> {
        let chosen = listing.by_age().into_iter().map(|(handle, _)| handle);
        let chosen: BTreeSet<_> = chosen.filter(|handle| is_chosen(*handle)).collect();
        let (mut ended, mut deleted) = (BTreeSet::new(), BTreeSet::new());
        let mut lost = 0;
        for _ in 0..ROUNDS {
            let mut changes = Changes::new();
            let mut ids = Vec::new();
            for &handle in &chosen {
                let listed = listing.get(handle).map(|known| known.entry.ids.clone());
                let listed = listed.into_iter().flatten();
                ids.extend(listed.filter(|id| deleted.insert(*id)).map(|id| (handle, id)));
                changes = listing.remove(handle, changes);
            }
            ended.extend(self.delete_sessions(ids).await?);
            if changes.is_empty() {
                return Ok(ended.into_iter().collect());
            }
            let (changes, ttl) = listing.ttl_if_empty(changes);
            match self.manager.store().update(&self.id, &changes, ttl).await {
                Ok(Update::Applied | Update::Ended) => return Ok(ended.into_iter().collect()),
                Ok(Update::Conflict) => {}
                Err(error) if error.kind() == ErrorKind::Ambiguous && lost < LOST_REPLIES => {
                    lost += 1;
                }
                Err(error) => return Err(error),
            }
            listing = self.load().await?;
        }
        Err(too_many_writers())
    }

    /// Ends the listed session of a sign-out, after the record under `id` was deleted. Returns whether the index
    /// listed it.
    pub(crate) async fn end_listed(&self, user: &UserEntry, id: SessionId) -> Result<bool, Error> {
        let earlier = user.earlier.iter().map(|id| (user.handle, *id)).collect();
        self.delete_sessions(earlier).await?;
        match self.replace(user.handle, &user.listed_as(id), None).await {
            Ok(Update::Applied) => return Ok(true),
            // Without an index there is no other id to end.
            Ok(Update::Ended) => return Ok(false),
            // The session has got another id, or the reply is lost.
            Ok(Update::Conflict) => {}
            Err(error) if error.kind() == ErrorKind::Ambiguous => {}
            Err(error) => return Err(error),
        }
        let listing = self.load().await?;
        let is_listed = listing.get(user.handle).is_some();
        self.end(listing, |handle| handle == user.handle).await?;
        Ok(is_listed)
    }

    /// Ends the sessions with the oldest sign-ins if there are too many, but not the `new` one. Returns those of which
    /// it deleted a record.
    pub(crate) async fn end_oldest(
        &self,
        mut listing: Listing,
        new: UserSessionHandle,
    ) -> Result<Vec<UserSessionHandle>, Error> {
        let max = self.manager.max_sessions_per_user();
        self.forget_ended(&mut listing, max).await?;
        let surplus = listing.len().saturating_sub(max);
        let oldest = listing.by_age().into_iter().map(|(handle, _)| handle);
        let oldest: Vec<_> = oldest.filter(|handle| *handle != new).take(surplus).collect();
        self.end(listing, |handle| oldest.contains(&handle)).await
    }

    /// Removes the sessions that have ended, if they make the index too long: only live ones count as surplus, and
    /// there are at most as many ended ones as live ones, and eight.
    async fn forget_ended(&self, listing: &mut Listing, max: usize) -> Result<(), Error> {
        let now = self.now();
        let sessions = listing.by_age();
        let may_have_ended =
            sessions.iter().filter(|(_, known)| known.entry.lifetime.may_have_ended(now));
        let uncertain: Vec<_> =
            may_have_ended.map(|(h, known)| (*h, known.entry.ids.clone())).collect();
        let certain = listing.len() - uncertain.len();
        if listing.len() <= max && uncertain.len() <= certain + 8 {
            return Ok(());
        }
        let looks = uncertain
            .into_iter()
            .map(|(handle, ids)| Box::pin(self.if_ended(handle, ids)) as Task<'_, _>);
        let ended: Result<Vec<_>, Error> =
            concurrently(looks.collect()).await.into_iter().collect();
        let ended: Vec<_> = ended?.into_iter().flatten().collect();
        if !ended.is_empty() {
            // It only tidies up, so a failure does no harm.
            let _ = self.forget(listing, &ended).await;
        }
        Ok(())
    }

    /// The handle, if there is no record under any of the ids.
    async fn if_ended(
        &self,
        handle: UserSessionHandle,
        ids: Vec<SessionId>,
    ) -> Result<Option<UserSessionHandle>, Error> {
        for id in ids.iter().rev() {
            if self.manager.store().load(id).await?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(handle))
    }

    /// Removes entries of sessions that have ended, if all of them are still the same.
    pub(crate) async fn forget(
        &self,
        listing: &mut Listing,
        ended: &[UserSessionHandle],
    ) -> Result<Update, Error> {
        let remove = |changes, handle: &UserSessionHandle| listing.remove(*handle, changes);
        let changes = ended.iter().fold(Changes::new(), remove);
        let (changes, ttl) = listing.ttl_if_empty(changes);
        self.manager.store().update(&self.id, &changes, ttl).await
    }

    /// Deletes the records under these ids and their notifications. Returns the sessions of which there was one.
    async fn delete_sessions(
        &self,
        ids: Vec<(UserSessionHandle, SessionId)>,
    ) -> Result<Vec<UserSessionHandle>, Error> {
        let delete = |(handle, id)| Box::pin(self.delete_session(handle, id)) as Task<'_, _>;
        let deletes = ids.into_iter().map(delete).collect();
        let ended: Result<Vec<_>, Error> = concurrently(deletes).await.into_iter().collect();
        Ok(ended?.into_iter().flatten().collect())
    }

    /// Deletes a record and its notifications. Returns the handle, if there was a record.
    async fn delete_session(
        &self,
        handle: UserSessionHandle,
        id: SessionId,
    ) -> Result<Option<UserSessionHandle>, Error> {
        match delete(self.manager.clock(), self.manager.store(), &id).await? {
            Deletion::Deleted(record) => {
                for notification in notifications_of(&record) {
                    // If it cannot be deleted it expires, and nothing points to it.
                    let _ =
                        delete(self.manager.clock(), self.manager.notifications(), &notification)
                            .await;
                }
                Ok(Some(handle))
            }
            Deletion::Unseen(_) => Ok(Some(handle)),
            Deletion::Absent => Ok(None),
        }
    }
}
