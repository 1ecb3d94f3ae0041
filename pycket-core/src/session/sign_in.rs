use smol_str::SmolStr;

use crate::users::{Lifetime, Listed, Reason, UserEntry, UserIndex, UserSessionHandle};
use crate::{Changes, Error, Event, Outcome, Record, SessionId, Ttl};

use super::Shared;
use super::rotate::Cause;
use super::state::{Live, Sent};

/// A sign-in that the next commit stores.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    pub(crate) user_id: SmolStr,
    /// That of the session before, if it belongs to the same user.
    pub(crate) handle: UserSessionHandle,
    pub(crate) label: Option<SmolStr>,
    /// Whether the session gets nothing from the one before, because that belongs to another user.
    pub(crate) starts_empty: bool,
    /// Whether another request changed the id first, so that it begins with the session as that request left it. It
    /// starts again only once, because two sign-ins could follow each other without end.
    pub(crate) has_started_again: bool,
}

impl Shared {
    /// Stores the session of a user under a new id.
    ///
    /// First comes the new record, then the index lists it, and then the old record is deleted. No client knows the
    /// new id before all this is done. So an error leaves either the old session as it was, or one that is listed.
    pub(super) async fn sign_in(
        &self,
        sent: &Sent,
        sign_in: &SignIn,
        old: Option<Live>,
        mut record: Record,
        ttl: Ttl,
    ) -> Result<Outcome, Error> {
        let before = old.as_ref().and_then(|old| Some((UserEntry::of(&old.record)?, old.id)));
        let same_user = before.as_ref().filter(|(user, _)| user.user_id == sign_in.user_id);
        let (user, deleted) = self.signing_in(sign_in, same_user, ttl).await;
        record.apply(&Changes::new().set(UserEntry::NAME, user.to_value()?));

        let new = self.create_record(record, ttl).await?;
        let id = new.id;
        let index = UserIndex::new(&self.manager, &user.user_id);
        let (listing, entry, sequence) = match index.list(&user, id, Reason::SignIn, &deleted).await
        {
            Ok(Listed::Yes { listing, entry, sequence, .. }) => (listing, entry, sequence),
            not_listed => {
                self.withdraw(&new, None).await;
                return not_listed.map(|_| self.ended(sent));
            }
        };

        let missed = user.correction(id, &entry)?;
        // Another request of the client may be signing in or changing the id at this moment. A renewal may have noted
        // its id as an earlier one, so the earlier ones are deleted once more.
        let known = [id, old.as_ref().map_or(id, |old| old.id)];
        let others = listing.others(user.handle, sequence, &known);
        let stored = match &old {
            Some(old) if before.is_none() || same_user.is_some() => {
                let may_start_again = !sign_in.has_started_again;
                let cause = Cause::SignIn { others, sequence, may_start_again };
                self.delete_old(sent, old, new, missed, cause).await
            }
            other_user => {
                let mut state = self.state();
                state.stored_all(sent, new);
                // The commit then ends it like a session that is signed out.
                if let Some(other_user) = other_user {
                    state.work.delete_session(other_user.id, Some(other_user.record.clone()));
                }
                Ok(Outcome::Created)
            }
        };
        if self.state().live().is_none_or(|live| live.id != id) {
            return stored;
        }
        self.manager.emit(Event::SignedIn(user.handle));
        let stored = stored?;
        match index.end_oldest(listing, user.handle).await {
            Ok(ended) => {
                for handle in ended {
                    self.manager.emit(Event::EndedByLimit(handle));
                }
            }
            // The sign-in is stored, so a failure does not undo it.
            Err(_) => self.manager.emit(Event::LimitFailed),
        }
        Ok(stored)
    }

    /// How the index is to list the session. If it belongs to the user already, its ids stay listed until they are
    /// deleted.
    async fn signing_in(
        &self,
        sign_in: &SignIn,
        same_user: Option<&(UserEntry, SessionId)>,
        ttl: Ttl,
    ) -> (UserEntry, Vec<SessionId>) {
        let now = self.manager.clock().now();
        let (earlier, deleted) = match same_user {
            None => (Vec::new(), Vec::new()),
            Some((known, id)) => {
                let (next, deleted) = self.next(known, *id, ttl).await;
                (next.earlier, deleted)
            }
        };
        let user = UserEntry {
            user_id: sign_in.user_id.clone(),
            handle: sign_in.handle,
            signed_in_at: now,
            label: sign_in.label.clone(),
            earlier,
            lifetime: Lifetime::of(now, ttl),
        };
        (user, deleted)
    }
}
