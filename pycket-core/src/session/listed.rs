use crate::users::{Lifetime, Listed, Reason, UserEntry, UserIndex};
use crate::{Error, Event, SessionId, Ttl, Value};

use super::Shared;
use super::state::Live;

/// What the index lists of a session of a user, when the session is renewed or has ended.
impl Shared {
    /// What the record says of its user, if the index lists the session not long enough for a renewal with this ttl.
    pub(super) fn outgrown(&self, live: &Live, ttl: Ttl) -> Option<UserEntry> {
        let user = UserEntry::of(&live.record)?;
        let renewed = Lifetime::of(self.manager.clock().now(), ttl);
        (!user.lifetime.covers(renewed.ends_at)).then_some(user)
    }

    /// Has the index list a session long enough for a renewal with this ttl. Returns what the record has to say of
    /// its user then, or `None` if the session has ended.
    pub(super) async fn renew_listed(
        &self,
        user: UserEntry,
        id: SessionId,
        ttl: Ttl,
    ) -> Result<Option<Value>, Error> {
        let user = UserEntry { lifetime: Lifetime::of(self.manager.clock().now(), ttl), ..user };
        let index = UserIndex::new(&self.manager, &user.user_id);
        match index.list(&user, id, Reason::Renewal, &[]).await? {
            Listed::Ended => Ok(None),
            Listed::Yes { entry, .. } => user.clone().with_listed(id, &entry).to_value().map(Some),
        }
    }

    /// Ends what the index lists of a session whose record is deleted: its entry, and if another request has changed
    /// the id of the session at this moment, also the record under the new id.
    pub(super) async fn delete_listed(
        &self,
        id: SessionId,
        user: &UserEntry,
        is_deleted: bool,
    ) -> Result<(), Error> {
        let index = UserIndex::new(&self.manager, &user.user_id);
        let was_listed = Box::pin(index.end_listed(user, id)).await?;
        self.state().deleted(id, Vec::new(), None);
        if is_deleted || was_listed {
            self.manager.emit(Event::SignedOut(user.handle));
        }
        Ok(())
    }
}
