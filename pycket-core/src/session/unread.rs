//! The session's side of [`Notifications`](crate::Notifications).

use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Metadata, Record, Session, SessionId, Ttl, Value};

use super::commit_lock::CommitLock;
use super::notification::{Place, Pointer, pointer_name, pointers};
use super::resolve::{self, Deletion};
use super::state::{Base, State};
use super::work::PendingDelete;
use super::{Shared, check_name, decode};

/// The maximum number of unread notifications of one session.
///
/// A session's record holds a pointer to each. Without a limit, a client that never reads them would fill
/// its record until nothing else can be stored.
const MAX_UNREAD: usize = 64;

impl Session {
    /// Leaves a notification. If `replaces`, it takes the place of the unread ones of that name.
    pub(crate) fn leave(&self, name: &str, value: Value, replaces: bool) -> Result<(), Error> {
        check_name(name)?;
        let now = self.0.manager.clock().now();
        let mut state = self.state();
        let unread = state.unread();
        let place = Place::after(unread.last().map(|last| last.place), now);
        let (same, mut others): (Vec<_>, Vec<_>) =
            unread.into_iter().partition(|unread| replaces && unread.name == name);
        let surplus = (others.len() + 1).saturating_sub(MAX_UNREAD);
        for unread in same.into_iter().chain(others.drain(..surplus)) {
            state.replace_unread(&unread.id);
        }
        let pointer = Pointer { id: SessionId::generate(), name: name.into(), place };
        state.leave(&pointer, Record::new(Metadata::new(now), [(name, value)]))
    }

    /// The names of the unread notifications, each once, in order.
    pub(crate) fn unread_names(&self) -> Vec<String> {
        let unread = self.state().unread();
        let mut names: Vec<_> = unread.iter().map(|unread| unread.name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub(crate) async fn take_unread<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Error> {
        let _lock = CommitLock::acquire(&*self.0).await;
        for unread in self.unread(name) {
            let Some(taken) = self.0.hand_out(unread).await? else { continue };
            let value = decode(name, &taken.value);
            match value {
                Ok(_) => self.state().remove_unread(&taken.pointer.id),
                Err(_) => self.0.put_back(&taken).await?,
            }
            return value.map(Some);
        }
        Ok(None)
    }

    pub(crate) async fn take_all_unread(&self) -> Result<Vec<(String, Value)>, Error> {
        let _lock = CommitLock::acquire(&*self.0).await;
        let all = self.state().unread();
        let mut taken = Vec::new();
        for unread in all {
            match self.0.hand_out(unread).await {
                Ok(next) => taken.extend(next),
                Err(error) => {
                    for taken in &taken {
                        self.0.put_back(taken).await?;
                    }
                    return Err(error);
                }
            }
        }
        let mut state = self.state();
        let handed_out = taken.into_iter().map(|taken| {
            state.remove_unread(&taken.pointer.id);
            (taken.pointer.name.into(), taken.value)
        });
        Ok(handed_out.collect())
    }

    pub(crate) async fn peek_unread<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Error> {
        for unread in self.unread(name) {
            let record = match self.0.new_notification(&unread.id) {
                Some(record) => Some(record),
                None => {
                    let found = self.0.manager.notifications().load(&unread.id).await?;
                    found.map(|found| found.record)
                }
            };
            if let Some(value) = record.as_ref().and_then(|record| record.get(name)) {
                return decode(name, value).map(Some);
            }
        }
        Ok(None)
    }

    fn unread(&self, name: &str) -> impl Iterator<Item = Pointer> + use<> {
        let mut unread = self.state().unread();
        unread.retain(|unread| unread.name == name);
        unread.into_iter()
    }
}

/// A notification that no other request can get any more.
struct Taken {
    pointer: Pointer,
    value: Value,
    /// Its record, if that was stored.
    record: Option<Record>,
}

impl Shared {
    /// Gets a notification for this request alone: of all requests that delete its record, the store gives
    /// it to one. `None` if another request got it or it has expired; its pointer is removed then.
    async fn hand_out(&self, pointer: Pointer) -> Result<Option<Taken>, Error> {
        let (record, is_stored) = match self.new_notification(&pointer.id) {
            Some(record) => (Some(record), false),
            None => match resolve::delete(
                self.manager.clock(),
                self.manager.notifications(),
                &pointer.id,
            )
            .await?
            {
                Deletion::Deleted(record) => (Some(record), true),
                Deletion::Absent => (None, true),
                Deletion::Unseen(error) => {
                    self.state().remove_unread(&pointer.id);
                    return Err(error);
                }
            },
        };
        let value = record.as_ref().and_then(|record| record.get(&pointer.name)).cloned();
        let Some(value) = value else {
            self.state().remove_unread(&pointer.id);
            return Ok(None);
        };
        Ok(Some(Taken { pointer, value, record: record.filter(|_| is_stored) }))
    }

    /// Stores a notification again under its id, to which the session still points.
    async fn put_back(&self, taken: &Taken) -> Result<(), Error> {
        let rest = self.state().live().map(|live| live.expires_in(self.manager.clock()));
        let ttl = rest.and_then(|rest| Ttl::try_from(rest).ok());
        let (Some(record), Some(ttl)) = (&taken.record, ttl) else { return Ok(()) };
        let stored = self.manager.notifications().create(&taken.pointer.id, record, ttl).await;
        stored.map(drop).map_err(|error| {
            let message = "a notification could not be put back, and may be lost";
            Error::new(ErrorKind::Ambiguous, message).with_source(error)
        })
    }

    /// The record of a notification that this request has left and not stored yet.
    fn new_notification(&self, id: &SessionId) -> Option<Record> {
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

    pub(crate) fn leave(&mut self, pointer: &Pointer, record: Record) -> Result<(), Error> {
        let value = pointer.value()?;
        self.work.notifications.insert(pointer.id, record);
        self.work.changes_mut().insert(pointer_name(&pointer.id), Some(value));
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
