//! The session's side of [`Notifications`](crate::Notifications).

use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Record, Session, Ttl, Value};

use super::commit_lock::CommitLock;
use super::notification::{Place, Unread};
use super::resolve::{self, Deletion};
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
        let place = Place::after(unread.last().map(Unread::place), now);
        let (same, mut others): (Vec<_>, Vec<_>) =
            unread.into_iter().partition(|unread| replaces && unread.name() == name);
        let surplus = (others.len() + 1).saturating_sub(MAX_UNREAD);
        for unread in same.into_iter().chain(others.drain(..surplus)) {
            state.replace_unread(&unread);
        }
        state.leave(name, value, place);
        Ok(())
    }

    /// The names of the unread notifications, each once, in order.
    pub(crate) fn unread_names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.state().unread().iter().map(|unread| unread.name().to_owned()).collect();
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
            return match decode(name, &taken.value) {
                Ok(value) => {
                    self.state().remove_unread(&taken.unread);
                    Ok(Some(value))
                }
                Err(error) => {
                    self.0.put_back(&taken).await?;
                    Err(error)
                }
            };
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
            state.remove_unread(&taken.unread);
            (taken.unread.name().to_owned(), taken.value)
        });
        Ok(handed_out.collect())
    }

    pub(crate) async fn peek_unread<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Error> {
        for unread in self.unread(name) {
            let value = match &unread {
                Unread::New(new) => Some(new.value.clone()),
                Unread::Stored(pointer) => {
                    let found = self.0.manager.notifications().load(&pointer.id).await?;
                    found.and_then(|found| found.record.get(name).cloned())
                }
            };
            if let Some(value) = value {
                return decode(name, &value).map(Some);
            }
        }
        Ok(None)
    }

    fn unread(&self, name: &str) -> impl Iterator<Item = Unread> + use<> {
        let mut unread = self.state().unread();
        unread.retain(|unread| unread.name() == name);
        unread.into_iter()
    }
}

/// A notification that this request has got, and no other request can get.
struct Taken {
    unread: Unread,
    value: Value,
    /// Its record, if it was stored.
    record: Option<Record>,
}

impl Shared {
    /// Gets a notification for this request alone: of all requests that delete its record, the store gives
    /// it to one. `None` if another request got it or it has expired; its pointer is removed then.
    async fn hand_out(&self, unread: Unread) -> Result<Option<Taken>, Error> {
        let id = match &unread {
            Unread::New(new) => {
                let value = new.value.clone();
                return Ok(Some(Taken { unread, value, record: None }));
            }
            Unread::Stored(pointer) => pointer.id,
        };
        match resolve::delete(self.manager.notifications(), &id).await {
            Deletion::Deleted(record) => match record.get(unread.name()).cloned() {
                Some(value) => return Ok(Some(Taken { unread, value, record: Some(record) })),
                None => self.state().remove_unread(&unread),
            },
            Deletion::Absent => self.state().remove_unread(&unread),
            Deletion::Unseen(error) => {
                self.state().remove_unread(&unread);
                return Err(error);
            }
            Deletion::Kept(error) | Deletion::Unknown(error) => return Err(error),
        }
        Ok(None)
    }

    /// Stores a notification again under its id, to which the session still points.
    async fn put_back(&self, taken: &Taken) -> Result<(), Error> {
        let (Unread::Stored(pointer), Some(record)) = (&taken.unread, &taken.record) else {
            return Ok(());
        };
        let rest = self.state().live().map(|live| live.expires_in(self.manager.clock()));
        let Some(ttl) = rest.and_then(|rest| Ttl::try_from(rest).ok()) else {
            return Ok(());
        };
        let stored = self.manager.notifications().create(&pointer.id, record, ttl).await;
        stored.map(drop).map_err(|error| {
            let message = "a notification could not be put back, and may be lost";
            Error::new(ErrorKind::Ambiguous, message).with_source(error)
        })
    }
}
