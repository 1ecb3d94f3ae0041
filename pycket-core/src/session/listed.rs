use crate::users::{Lifetime, Listed, Reason, UserEntry, UserIndex};
use crate::{Error, Event, SessionId, Ttl, Value};

use super::Shared;
use super::state::Live;

/// What the index lists of a session of a user, when the session is renewed or has ended.
impl Shared {
    /// How a renewal with this ttl has the index list the session, if that has to last longer than it does.
    pub(super) fn outgrown(&self, live: &Live, ttl: Ttl) -> Option<UserEntry> {
        let user = UserEntry::of(&live.record)?;
        let lifetime = Lifetime::of(self.manager.clock().now(), ttl);
        (!user.lifetime.covers(lifetime.ends_at)).then_some(UserEntry { lifetime, ..user })
    }

    /// Has the index list a session that is renewed. Returns what the record has to say of its user then, or `None` if
    /// the session has ended.
    pub(super) async fn renew_listed(
        &self,
        user: UserEntry,
        id: SessionId,
    ) -> Result<Option<Value>, Error> {
        let index = UserIndex::new(&self.manager, &user.user_id);
        match index.list(&user, id, Reason::Renewal, &[]).await? {
            Listed::Ended => Ok(None),
            Listed::Yes { entry, .. } => user.with_listed(id, &entry).to_value().map(Some),
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
        self.state().deleted(id, None, false);
        if is_deleted || was_listed {
            self.manager.emit(Event::SignedOut(user.handle));
        }
        Ok(())
    }
}
