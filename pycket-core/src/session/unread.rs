use crate::{Error, ErrorKind, Record, SessionId, Ttl, Value};

use super::Shared;
use super::pointer::{Pointer, pointer_name, pointers};
use super::resolve::{self, Deletion};
use super::state::{Base, State};
use super::work::PendingDelete;

/// The records of unread notifications.
impl Shared {
    /// The unread notifications of this name, in the order in which they were left.
    pub(super) fn unread(&self, name: &str) -> Vec<Pointer> {
        let mut unread = self.state().unread();
        unread.retain(|pointer| pointer.name == name);
        unread
    }

    /// Gets a notification for this request alone: of all requests that delete its record, the store gives
    /// it to one. `None` if another request got it or it has expired; its pointer is removed then.
    pub(super) async fn hand_out(&self, pointer: &Pointer) -> Result<Option<Value>, Error> {
        let (clock, store) = (self.manager.clock(), self.manager.notifications());
        let record = match self.new_notification(&pointer.id) {
            Some(record) => Some(record),
            None => match resolve::delete(clock, store, &pointer.id).await? {
                Deletion::Deleted(record) => Some(record),
                Deletion::Absent => None,
                Deletion::Unseen(error) => {
                    self.state().remove_unread(&pointer.id);
                    return Err(error);
                }
            },
        };
        let value = record.and_then(|record| record.get(&pointer.name).cloned());
        if value.is_none() {
            self.state().remove_unread(&pointer.id);
        }
        Ok(value)
    }

    /// Stores a notification again under its id, to which the session still points.
    pub(super) async fn put_back(&self, pointer: &Pointer, value: Value) -> Result<(), Error> {
        if self.new_notification(&pointer.id).is_some() {
            return Ok(());
        }
        let rest = self.state().live().map(|live| live.expires_in(self.manager.clock()));
        let Some(ttl) = rest.and_then(|rest| Ttl::try_from(rest).ok()) else { return Ok(()) };
        let record = pointer.record(value);
        let stored = self.manager.notifications().create(&pointer.id, &record, ttl).await;
        stored.map(drop).map_err(|error| {
            let message = "a notification could not be put back, and may be lost";
            Error::new(ErrorKind::Ambiguous, message).with_source(error)
        })
    }

    /// The record of a notification that this request has left and not stored yet.
    pub(super) fn new_notification(&self, id: &SessionId) -> Option<Record> {
        self.state().work.notifications.get(id).cloned()
    }
}

/// The unread notifications in the state of a session.
impl State {
    /// The unread notifications, in the order in which they were left.
    pub(crate) fn unread(&self) -> Vec<Pointer> {
        let mut unread: Vec<_> = match self.base {
            Base::Ended => Vec::new(),
            Base::Absent | Base::Live(_) => pointers(&self.view()).collect(),
        };
        unread.sort_by_key(|pointer| pointer.place);
        unread
    }

    pub(crate) fn leave(&mut self, pointer: &Pointer, value: Value) -> Result<(), Error> {
        let entry = pointer.value()?;
        self.work.notifications.insert(pointer.id, pointer.record(value));
        self.work.changes_mut().insert(pointer_name(&pointer.id), Some(entry));
        Ok(())
    }

    /// Removes a notification that was handed out, or whose record is gone.
    pub(crate) fn remove_unread(&mut self, id: &SessionId) {
        if self.work.notifications.remove(id).is_some() {
            self.work.changes_mut().forget(&pointer_name(id));
        } else {
            self.delete(&pointer_name(id));
        }
    }

    /// Removes an unread notification. Its record is deleted when the removal is stored.
    pub(crate) fn replace_unread(&mut self, id: &SessionId) {
        if !self.work.notifications.contains_key(id) {
            self.work.replaced.push(*id);
        }
        self.remove_unread(id);
    }

    /// Takes note that a new notification is stored under `id`.
    pub(crate) fn stored_notification(&mut self, provisional: &SessionId, id: SessionId) {
        let pointer = pointer_name(provisional);
        let value = self.work.changes().get(&pointer).flatten().cloned();
        self.remove_unread(provisional);
        match value {
            Some(value) => self.work.changes_mut().insert(pointer_name(&id), Some(value)),
            // It was replaced, or its session destroyed, while it was being stored.
            None => self.work.deletes.push(PendingDelete::Notification(id)),
        }
    }
}
