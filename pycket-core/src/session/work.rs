use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::timeouts::OwnTimeouts;
use crate::users::UserEntry;
use crate::{Changes, Record, SessionId};

use super::pointer::pointed_to;
use super::sign_in::SignIn;
use super::state::Base;

/// What the next commit has to do. Each step of a commit removes what it has done.
#[derive(Default)]
pub(crate) struct Work {
    /// Values and notification pointers. A commit that stores them shares them, so that it copies nothing.
    pub(super) changes: Option<Arc<Changes>>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) sign_in: Option<Arc<SignIn>>,
    /// The records of new notifications. The changes point to each by a provisional id.
    pub(crate) notifications: BTreeMap<SessionId, Record>,
    /// Notifications that newer ones replace. They are deleted when no pointer leads to them any more.
    pub(crate) replaced: Vec<SessionId>,
    pub(crate) deletes: Vec<PendingDelete>,
}

/// A record that is still to be deleted.
#[derive(Clone)]
pub(crate) enum PendingDelete {
    /// The record of a session that was destroyed.
    Session {
        id: SessionId,
        /// As far as this request knows it.
        record: Option<Record>,
        /// Whether an earlier attempt may have deleted the record.
        is_uncertain: bool,
    },
    /// The record under the id that a session had before its rotation.
    OldId(SessionId),
    /// A record under an id that no client knows, because it could not be made the session of a client.
    Unused(SessionId),
    /// What the index of a user lists of a session whose record does not exist any more.
    Listed {
        id: SessionId,
        user: Box<UserEntry>,
        /// Whether this request deleted the record.
        is_deleted: bool,
    },
    /// A notification to which no pointer leads.
    Notification(SessionId),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rotation {
    KeepTimeouts,
    RestartTimeouts,
}

impl PendingDelete {
    pub(crate) fn id(&self) -> SessionId {
        match self {
            Self::Session { id, .. } | Self::Listed { id, .. } => *id,
            Self::OldId(id) | Self::Unused(id) | Self::Notification(id) => *id,
        }
    }

    pub(crate) fn is_notification(&self) -> bool {
        matches!(self, Self::Notification(_))
    }
}

impl Work {
    pub(crate) fn changes(&self) -> &Changes {
        static NONE: Changes = Changes::new();
        self.changes.as_deref().unwrap_or(&NONE)
    }

    pub(crate) fn changes_mut(&mut self) -> &mut Changes {
        Arc::make_mut(self.changes.get_or_insert_default())
    }

    /// Removes the changes that a commit has stored. A newer change of the same name stays.
    pub(crate) fn remove_stored(&mut self, stored: &Option<Arc<Changes>>) {
        let Some(stored) = stored else { return };
        if self.changes.as_ref().is_some_and(|changes| Arc::ptr_eq(changes, stored)) {
            self.changes = None;
            return;
        }
        for (name, change) in stored.entries() {
            if self.changes().get(name) == Some(change) {
                self.changes_mut().forget(name);
            }
        }
    }

    /// Whether there are values or notification pointers to set.
    pub(crate) fn has_content(&self) -> bool {
        self.changes().sets().any(|(name, _)| name != OwnTimeouts::NAME)
    }

    /// Whether a commit has something to store. Setting a timeout or deleting names does not create a session.
    pub(crate) fn has_change(&self, base: &Base) -> bool {
        match base {
            _ if self.sign_in.is_some() => true,
            Base::Live(live) => {
                // Setting the same timeouts again is no change, but they stay among the changes, so that restarting
                // the timeouts keeps them.
                let is_change = |(name, value): (&SmolStr, _)| {
                    name != OwnTimeouts::NAME || live.record.get(name) != value
                };
                self.rotation.is_some() || self.changes().entries().any(is_change)
            }
            Base::Absent | Base::Ended => self.has_content(),
        }
    }

    /// Drops everything but the deletes. A notification record of a dropped pointer is deleted, too.
    pub(crate) fn abandon(&mut self) {
        let mut work = mem::take(self);
        self.deletes = mem::take(&mut work.deletes);
        let left = work.changes().sets().filter_map(|(name, _)| pointed_to(name));
        let created = left.filter(|id| !work.notifications.contains_key(id));
        self.deletes.extend(created.map(PendingDelete::Notification));
    }

    /// Has the next commit delete a session, unless that is planned already.
    pub(crate) fn delete_session(&mut self, id: SessionId, record: Option<Record>) {
        if self.deletes.iter().all(|delete| delete.id() != id) {
            self.deletes.push(PendingDelete::Session { id, record, is_uncertain: false });
        }
    }
}
